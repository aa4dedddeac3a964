import type { Choice } from '../core/context.ts';
import { problem } from '../diagnose/problem.ts';
import { redirectSource } from '../guides/guide.ts';
import { guideNamed, guides } from '../guides/guides.ts';
import { type Answers, checkAddress, checkGuid, checkRedirectUri, checkTenant } from './answers.ts';

/** The raw text of one answer, wherever it came from: a flag, the environment, a prompt. */
export type Check = (value: string) => true | string;
export type Known = Partial<Answers>;
/** What only the surroundings know: the sandbox brings its own mailbox and registration. */
export interface Facts {
  readonly mailbox?: string;
  readonly clientId?: (known: Known) => string | undefined;
  readonly redirectUri?: (known: Known) => string | undefined;
}

/** One question as data. The terminal is one front end; every question has a flag, and `--yes` takes its default. */
export interface Question {
  readonly id: keyof Answers;
  readonly flag: string;
  /** the noun for errors: "… is no client ID" */
  readonly noun: string;
  readonly message: string;
  /** does it matter for this set-up at all? */
  readonly applies?: (known: Known) => boolean;
  /** is the person asked, or is the default taken silently? */
  readonly asked: (known: Known) => boolean;
  readonly choices?: (known: Known) => readonly Choice<string>[];
  readonly several?: boolean;
  readonly check?: Check;
  readonly default?: (known: Known, facts: Facts) => string | undefined;
  /** may stay without an answer */
  readonly optional?: boolean;
  /** for exit 3: a whole command that would have worked */
  readonly example: (known: Known) => string;
}

const guideOf = (known: Known) => guideNamed(known.for ?? '');
const leftToOperator = (id: Question['id']) => (known: Known) => guideOf(known)?.asks.some((asked) => asked === id) ?? false;
/** The redirect URI is the product's own, shown on one of its screens. */
const isProduct = (known: Known): boolean => {
  const guide = guideOf(known);
  return guide !== undefined && redirectSource(guide) === 'product';
};
const base = (known: Known) => `mailauth setup --mailbox ${known.mailbox ?? 'helpdesk@contoso.com'}`;

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
    choices: () => guides.map((g) => ({ value: g.name, name: g.title, description: g.description })),
    default: () => 'this-computer',
    example: (known) => `${base(known)} --for this-computer`,
  },
];

/** How the app is registered and what it may do. */
export const registrationQuestions: readonly Question[] = [
  {
    id: 'signInAs',
    flag: '--sign-in-as',
    noun: 'mail address',
    message: 'Who signs in? (the mailbox itself, or for a shared mailbox a licensed user with Full Access)',
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
    asked: (known) => known.clientId === undefined,
    choices: () => [
      {
        value: 'auto',
        name: 'Do it for me',
        description: 'an administrator signs in once; mailauth registers the app through Microsoft Graph',
      },
      { value: 'portal', name: 'Guide me through the portal', description: 'each screen, each value; about five minutes' },
      { value: 'handoff', name: 'Somebody else is the administrator', description: 'writes instructions and scripts for them, and stops' },
      { value: 'existing', name: 'It is registered already', description: 'you have its Application (client) ID' },
    ],
    default: (known) => (known.clientId !== undefined ? 'existing' : 'auto'),
    example: (known) => `${base(known)} --register existing --client-id GUID`,
  },
  {
    id: 'clientType',
    flag: '--client-type',
    noun: 'client type',
    message: 'What kind of client is the app?',
    asked: leftToOperator('clientType'),
    choices: () => [
      { value: 'public', name: 'public', description: 'mobile & desktop platform, PKCE, no secret' },
      { value: 'confidential', name: 'confidential', description: 'web platform with a client secret' },
    ],
    default: (known) => guideOf(known)?.clientType,
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
      const guide = guideOf(known);
      return guide === undefined || redirectSource(guide) !== 'none' || known.clientType === 'confidential';
    },
    asked: (known) => leftToOperator('redirectUri')(known) || isProduct(known),
    check: checkRedirectUri,
    // A product that shows its own callback address has no default: only the operator can copy it.
    default: (known, facts) =>
      facts.redirectUri?.(known) ?? guideOf(known)?.redirectUri ?? (isProduct(known) ? undefined : 'http://localhost'),
    example: (known) => `${base(known)} --redirect-uri http://localhost`,
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
    choices: (known) => (guideOf(known)?.variants ?? []).map((v) => ({ value: v.name, name: v.title })),
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
    choices: () => [
      { value: 'imap', name: 'IMAP (read)' },
      { value: 'pop', name: 'POP (fetch)' },
      { value: 'smtp', name: 'SMTP (send)' },
    ],
    default: (known) => guideOf(known)?.protocols.join(','),
    example: (known) => `${base(known)} --protocols imap,smtp`,
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
    default: (known) => (known.register === 'existing' ? 'user' : 'admin'),
    example: (known) => `${base(known)} --consent admin`,
  },
  {
    id: 'signIn',
    flag: '--sign-in',
    noun: 'way to sign in',
    message: 'Where is the browser?',
    asked: () => false,
    choices: () => [
      { value: 'browser', name: 'on this computer' },
      { value: 'paste', name: 'on another computer' },
      { value: 'password', name: "with the mailbox's password" },
      { value: 'skip', name: 'nobody signs in here' },
    ],
    default: (known) => guideOf(known)?.signIn,
    example: (known) => `${base(known)} --sign-in browser`,
  },
];

/** Ways the contract knows and this version does not have yet: refused with their name, not called unknown. */
const planned: Record<string, { values: readonly string[]; instead: string }> = {
  '--sign-in': { values: ['device'], instead: 'mailauth setup --sign-in paste' },
};

/** Checks one raw answer. Throws `value-invalid` (exit 2), `not-yet`, `redirect-not-accepted`. */
export function checkedAnswer(question: Question, raw: string, known: Known): string {
  const value = raw.trim();
  if (planned[question.flag]?.values.includes(value)) {
    throw problem('not-yet', { what: `${question.flag} ${value}`, instead: planned[question.flag]?.instead ?? 'mailauth --help' });
  }
  const complaint = complaintOf(question, value, known);
  if (complaint === undefined) return value;
  if (question.id === 'redirectUri') throw problem('redirect-not-accepted', { uri: value, why: complaint });
  throw problem('value-invalid', { what: question.noun, value, why: `${question.flag}: ${complaint}.`, next: question.example(known) });
}

function complaintOf(question: Question, value: string, known: Known): string | undefined {
  if (question.choices !== undefined) {
    const allowed = question.choices(known).map((c) => c.value);
    const chosen = question.several === true ? value.split(',').map((v) => v.trim()) : [value];
    return chosen.every((v) => allowed.includes(v)) && value !== ''
      ? undefined
      : `choose ${question.several ? 'any' : 'one'} of ${allowed.join(', ')}`;
  }
  const verdict = question.check?.(value) ?? true;
  return verdict === true ? undefined : verdict;
}
