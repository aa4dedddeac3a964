import type { Choice } from '../../core/context.ts';
import { redirectSource } from '../../products/product.ts';
import { productNamed, products } from '../../products/products.ts';
import { type Access, checkAddress, checkGuid, checkRedirectUri, checkTenant, isLoopback } from './answers.ts';
import type { Known, Question } from './question.ts';

const guideOf = (known: Known) => productNamed(known.for ?? '');
const leftToOperator = (id: Question['id']) => (known: Known) => guideOf(known)?.asks.some((asked) => asked === id) ?? false;
/** The redirect URI is the product's own, shown on one of its screens. */
const isProduct = (known: Known): boolean => {
  const guide = guideOf(known);
  return guide !== undefined && redirectSource(guide) === 'product';
};
/** A product's own address stays what it is, whatever redirect the surroundings bring along. */
const elsewhere = (uri: string | undefined): string | undefined => (uri === undefined || isLoopback(uri) ? undefined : uri);
/** The product stays in the command: without it, it would set up this computer. */
const base = (known: Known) => {
  const product = known.for === undefined || known.for === 'this-computer' ? '' : ` --for ${known.for}`;
  return `mailauth setup --mailbox ${known.mailbox ?? 'helpdesk@contoso.com'}${product}`;
};

/** When to choose which: two lines. */
const accessWords: Readonly<Record<Access, string>> = {
  delegated: 'the usual way: no administrator of Exchange needed, and it reaches only what that person may open',
  'app-only': 'for servers: no person, no MFA, nothing that idles out; an Exchange administrator lets the app into each mailbox',
};
const isAppOnly = (known: Known): boolean => known.access === 'app-only';

/** Shown only where no browser can be opened; elsewhere the guide's way is taken silently. */
const signInChoices: readonly Choice<string>[] = [
  { value: 'paste', name: 'In a browser elsewhere', description: 'open an address there, paste here the one it ends on' },
  { value: 'device', name: 'With a code', description: 'typed on a phone or any computer; many organisations block it' },
  { value: 'browser', name: 'In a browser that reaches this machine', description: 'over SSH: carry the port with ssh -L' },
  { value: 'password', name: "With the mailbox's password" },
  { value: 'skip', name: 'Nobody signs in here' },
];

/** Which mailbox, for which product: known before anything is looked up. */
export const firstQuestions: readonly Question[] = [
  {
    id: 'mailbox',
    flag: '--mailbox',
    noun: 'mail address',
    message: 'Which mailbox?',
    asked: () => true,
    check: checkAddress,
    default: (_, facts) => facts.mailbox,
    example: () => 'mailauth setup --mailbox helpdesk@contoso.com',
  },
  {
    id: 'for',
    flag: '--for',
    noun: 'product that mailauth knows',
    message: 'What will read and send its mail?',
    asked: () => true,
    choices: () => products.map((g) => ({ value: g.name, name: g.title, description: g.description })),
    default: () => 'this-computer',
    example: (known) => `${base({ ...known, for: 'this-computer' })} --for this-computer`,
  },
];

/** Ways to register for who does not let mailauth do it. */
export const waysByHand = [
  { value: 'portal', name: 'Guide me through the portal', description: 'each screen, each value; about five minutes' },
  { value: 'handoff', name: 'Somebody else is the administrator', description: 'writes instructions and scripts for them, and stops' },
  { value: 'existing', name: 'It is registered already', description: 'you have its Application (client) ID' },
] as const;

const protocolChoices = [
  { value: 'imap', name: 'IMAP (read)' },
  { value: 'pop', name: 'POP (fetch)' },
  { value: 'smtp', name: 'SMTP (send)' },
] as const;

/** How the app is registered and what it may do. */
export const registrationQuestions: readonly Question[] = [
  {
    id: 'access',
    flag: '--access',
    noun: 'kind of access',
    message: 'On whose behalf does the program open the mailbox?',
    asked: leftToOperator('access'),
    choices: () => [
      { value: 'delegated', name: 'Of a person who signs in once', description: accessWords.delegated },
      { value: 'app-only', name: 'On its own (app-only)', description: accessWords['app-only'] },
    ],
    default: () => 'delegated',
    example: (known) => `${base(known)} --access app-only`,
  },
  {
    id: 'signInAs',
    flag: '--sign-in-as',
    noun: 'mail address',
    message: 'Who signs in? (the mailbox itself, or for a shared mailbox a licensed user with Full Access)',
    applies: (known) => !isAppOnly(known),
    asked: leftToOperator('signInAs'),
    check: checkAddress,
    default: (known) => (leftToOperator('signInAs')(known) ? known.mailbox : undefined),
    optional: true,
    example: (known) => `${base(known)} --sign-in-as ada@contoso.com`,
  },
  {
    id: 'tenant',
    flag: '--tenant',
    noun: 'tenant',
    message: 'Which tenant? (its domain or its ID)',
    asked: () => false,
    check: checkTenant,
    optional: true,
    example: (known) => `${base(known)} --tenant contoso.com`,
  },
  {
    id: 'register',
    flag: '--register',
    noun: 'way to register',
    message: 'How is the app registered in Entra?',
    // `auto` says what it would do and asks for that; who answers No chooses another way then: one decision less for everybody else.
    asked: () => false,
    choices: () => [
      {
        value: 'auto',
        name: 'Do it for me',
        description: 'an administrator signs in once; mailauth registers the app through Microsoft Graph',
      },
      ...waysByHand,
    ],
    default: (known) => (known.clientId !== undefined ? 'existing' : 'auto'),
    example: (known) => `${base(known)} --register existing --client-id GUID`,
  },
  {
    id: 'clientType',
    flag: '--client-type',
    noun: 'client type',
    message: 'What kind of client is the app?',
    // Only a secret or a certificate can show who an app is that nobody signs in to.
    asked: (known) => !isAppOnly(known) && leftToOperator('clientType')(known),
    choices: () => [
      { value: 'public', name: 'public', description: 'mobile & desktop platform, PKCE, no secret' },
      { value: 'confidential', name: 'confidential', description: 'web platform with a client secret' },
    ],
    default: (known) => (isAppOnly(known) ? 'confidential' : guideOf(known)?.clientType),
    example: (known) => `${base(known)} --client-type public`,
  },
  {
    id: 'clientId',
    flag: '--client-id',
    noun: 'client ID',
    message: 'Application (client) ID?',
    applies: (known) => known.register === 'existing',
    asked: () => true,
    check: checkGuid,
    default: (known, facts) => facts.clientId?.(known),
    example: (known) => `${base(known)} --client-id 11111111-2222-3333-4444-555555555555`,
  },
  {
    id: 'redirectUri',
    flag: '--redirect-uri',
    noun: 'redirect URI that Entra accepts',
    message: 'Redirect URI? (the callback address that the program shows)',
    applies: (known) => {
      if (isAppOnly(known)) return false;
      const guide = guideOf(known);
      return guide === undefined || redirectSource(guide) !== 'none' || known.clientType === 'confidential';
    },
    asked: (known) => leftToOperator('redirectUri')(known) || isProduct(known),
    shownAt: (known) => guideOf(known)?.redirectShown,
    check: checkRedirectUri,
    // A product that shows its own callback address has no default: only the operator can copy it.
    default: (known, facts) =>
      elsewhere(guideOf(known)?.redirectUri) ??
      facts.redirectUri?.(known) ??
      guideOf(known)?.redirectUri ??
      (isProduct(known) ? undefined : 'http://localhost'),
    example: (known) => `${base(known)} --redirect-uri ${isProduct(known) ? 'https://…' : 'http://localhost'}`,
  },
  {
    id: 'audience',
    flag: '--audience',
    noun: 'audience',
    message: 'Whose accounts may sign in to the app?',
    applies: (known) => known.register !== 'existing',
    asked: leftToOperator('audience'),
    choices: () => [
      { value: 'single', name: 'this organization' },
      { value: 'multi', name: 'any organization' },
      { value: 'multi-and-personal', name: 'any organization and personal accounts' },
      { value: 'personal', name: 'personal accounts only' },
    ],
    default: (known) => guideOf(known)?.audience,
    example: (known) => `${base(known)} --audience single`,
  },
  {
    id: 'variant',
    flag: '--variant',
    noun: 'variant of the product',
    message: 'Which kind of it?',
    applies: (known) => (guideOf(known)?.variants ?? []).length > 0,
    asked: () => false,
    // Before the product is known, what any of them has.
    choices: (known) =>
      (known.for === undefined ? products : [guideOf(known)])
        .flatMap((guide) => guide?.variants ?? [])
        .map((v) => ({ value: v.name, name: v.title })),
    default: (known) => guideOf(known)?.variants?.[0]?.name,
    example: (known) => `${base(known)} --variant ${guideOf(known)?.variants?.[0]?.name ?? 'NAME'}`,
  },
  {
    id: 'protocols',
    flag: '--protocols',
    noun: 'list of protocols',
    message: 'Which protocols?',
    several: true,
    asked: leftToOperator('protocols'),
    choices: (known) => protocolChoices.filter(({ value }) => guideOf(known)?.protocols.includes(value) ?? true),
    default: (known) => guideOf(known)?.protocols.join(','),
    example: (known) => `${base(known)} --protocols ${guideOf(known)?.protocols.join(',') ?? 'imap,smtp'}`,
  },
  {
    id: 'name',
    flag: '--name',
    noun: 'name for the app',
    message: 'Name of the registration?',
    applies: (known) => known.register !== 'existing',
    asked: () => false,
    check: (value) => (value.length <= 90 && !/[<>;&%]/.test(value) ? true : 'at most 90 characters, none of < > ; & %'),
    default: (known) => `mailauth ${known.for} ${known.mailbox}`.slice(0, 90),
    example: (known) => `${base(known)} --name "mailauth helpdesk"`,
  },
  {
    id: 'secretMonths',
    flag: '--secret-months',
    noun: 'number of months',
    message: 'How long shall the client secret live, in months?',
    applies: (known) => known.register !== 'existing' && known.clientType === 'confidential',
    asked: () => false,
    check: (value) => (/^\d{1,2}$/.test(value) && Number(value) >= 1 && Number(value) <= 24 ? true : 'the portal allows 1 to 24 months'),
    default: (known) => String(guideOf(known)?.secretMonths ?? 12),
    example: (known) => `${base(known)} --secret-months 12`,
  },
  {
    id: 'consent',
    flag: '--consent',
    noun: 'way to consent',
    message: 'Who agrees to the permissions?',
    asked: () => false,
    choices: () => [
      { value: 'admin', name: 'an administrator, for the whole organization' },
      { value: 'user', name: 'the user who signs in' },
      { value: 'skip', name: 'nobody now' },
    ],
    // Nobody but an administrator can agree to application permissions, and an app that is there has them or not.
    default: (known) => (known.register !== 'existing' ? 'admin' : isAppOnly(known) ? 'skip' : 'user'),
    example: (known) => `${base(known)} --consent admin`,
  },
  {
    id: 'signIn',
    flag: '--sign-in',
    noun: 'way to sign in',
    message: 'No browser can be opened here. How do you sign in?',
    applies: (known) => !isAppOnly(known),
    asked: (known, facts) => facts.browserElsewhere === true && guideOf(known)?.signIn === 'browser',
    choices: () => signInChoices,
    // A password where the product cannot use one has its own words, so the flag may name it; nobody is offered it.
    offered: (known) => signInChoices.filter(({ value }) => guideOf(known)?.signInWays.some((way) => way === value && way !== 'password')),
    default: (known, facts) => (facts.browserElsewhere === true && guideOf(known)?.signIn === 'browser' ? 'paste' : guideOf(known)?.signIn),
    example: (known) => `${base(known)} --sign-in browser`,
  },
];
