import { type ProtocolWord, protocolWords } from '../../core/cloud.ts';
import { noted } from '../../core/next.ts';
import { anyOf } from '../../core/text.ts';
import { redirectSource } from '../../products/product.ts';
import { products, variantNames } from '../../products/products.ts';
import { type Access, answerSchemas, checkGuid, checkRedirectUri, type Known, type RegisterWay } from './answers.ts';
import { asks } from './missing.ts';
import {
  anyIsKept,
  base,
  elsewhere,
  isAppOnly,
  isProduct,
  isRegistering,
  leftToOperator,
  productOf,
  type SetupQuestions,
} from './question.ts';

/** When to choose which: two lines. */
const accessWords: Readonly<Record<Access, string>> = {
  delegated: 'the usual way: no administrator of Exchange needed, and it reaches only what that person may open',
  'app-only': 'for servers: no person, no MFA, nothing that idles out; an Exchange administrator lets the app into each mailbox',
};
const wayWords: Readonly<Record<RegisterWay, { readonly name: string; readonly description: string }>> = {
  auto: { name: 'Do it for me', description: 'an administrator signs in once; mailauth registers the app through Microsoft Graph' },
  portal: { name: 'Guide me through the portal', description: 'each screen, each value; about five minutes' },
  handoff: { name: 'Another person is the administrator', description: 'writes instructions and scripts for them, and stops' },
  existing: { name: 'It is registered already', description: 'you have its Application (client) ID' },
};

const registerWays = answerSchemas.register.options;

/** All ways to register. */
export const wayChoices = registerWays.map((value) => ({ value, ...wayWords[value] }));

/** Ways to register for an operator who does not let mailauth do it. */
export const waysByHand = wayChoices.filter(({ value }) => value !== 'auto');

const protocolNames: Readonly<Record<ProtocolWord, string>> = {
  imap: 'IMAP (read)',
  pop: 'POP (fetch)',
  smtp: 'SMTP (send)',
  'graph-send': 'Microsoft Graph (send, also where SMTP AUTH is off)',
};

/** Products sign in by themselves at the mail servers. An app that acts for itself could send as everybody in the tenant through Graph. */
const isOffered = (word: ProtocolWord, known: Known): boolean =>
  word === 'graph-send'
    ? !isAppOnly(known) && (known.for === undefined || ['this-computer', 'custom'].includes(known.for))
    : (productOf(known)?.protocols.includes(word) ?? true);

const protocolChoices = protocolWords.map((value) => ({ value, name: protocolNames[value] }));

/** How the app is registered and what it may do. */
export const appQuestions = {
  access: {
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
    example: (known) => base(known, { access: 'app-only' }),
    help: ['<kind>', 'delegated (of a person), or app-only: the app on its own, for servers; an Exchange administrator lets it in'],
    group: 'The registration:',
    summary: 'Permissions',
    decidesApp: true,
    recorded: (record) => record.access ?? 'delegated',
    isKept: (record, answers) => (record.access ?? 'delegated') === (answers.access ?? 'delegated'),
  },
  register: {
    id: 'register',
    flag: '--register',
    noun: 'way to register',
    message: 'How is the app registered in Entra?',
    // Not asked: `auto` shows what it would do and asks for agreement. Those who answer No choose another way then; all others decide once less.
    asked: () => false,
    choices: () => wayChoices,
    default: (known) => (known.clientId !== undefined ? 'existing' : 'auto'),
    example: (known) => base(known, { register: 'auto' }),
    help: ['<way>', `${anyOf(registerWays)} (default: auto; existing with --client-id)`],
    group: 'The registration:',
    summary: 'App',
    decidesApp: true,
    recorded: ({ registration }) => (registration.made === undefined ? 'existing' : 'auto'),
    isKept: anyIsKept,
  },
  clientType: {
    id: 'clientType',
    flag: '--client-type',
    noun: 'client type',
    message: 'What kind of client is the app?',
    // An app without a sign-in proves who it is by a secret or a certificate, so it is always confidential.
    asked: (known) => !isAppOnly(known) && leftToOperator('clientType')(known),
    choices: () => [
      { value: 'public', name: 'public', description: 'mobile & desktop platform, PKCE, no secret' },
      { value: 'confidential', name: 'confidential', description: 'web platform with a client secret' },
    ],
    default: (known) => (isAppOnly(known) ? 'confidential' : productOf(known)?.clientType),
    example: (known) => base(known, { clientType: 'public' }),
    help: ['<type>', 'public or confidential'],
    group: 'The registration:',
    summary: 'App',
    decidesApp: true,
    decidedWith: ['access'],
    recorded: ({ registration }) => registration.clientType,
    isKept: ({ registration }, { clientType }) => registration.clientType === clientType,
  },
  clientId: {
    id: 'clientId',
    flag: '--client-id',
    noun: 'client ID',
    message: 'Application (client) ID?',
    applies: (known) => known.register === 'existing',
    asked: () => true,
    check: checkGuid,
    parse: (value) => value.toLowerCase(),
    default: (known, facts) => facts.clientId?.(known),
    example: (known) => asks(base(known, { register: 'existing', clientId: false }), '--client-id'),
    help: ['<guid>', 'Application (client) ID of the registered app'],
    group: 'The registration:',
    summary: 'App',
    decidesApp: true,
    recorded: ({ registration }) => registration.clientId,
    isKept: ({ registration }, { clientId }) => clientId === undefined || registration.clientId === clientId.toLowerCase(),
  },
  redirectUri: {
    id: 'redirectUri',
    flag: '--redirect-uri',
    noun: 'redirect URI that Entra accepts',
    message: 'Redirect URI? (the callback address that the program shows)',
    worded: (known) => {
      const product = productOf(known);
      return product?.redirectShown === undefined ? undefined : `${product.redirectShown.field} of ${product.title}?`;
    },
    applies: (known) => {
      if (isAppOnly(known)) return false;
      const product = productOf(known);
      return product === undefined || redirectSource(product) !== 'none' || known.clientType === 'confidential';
    },
    asked: (known) => leftToOperator('redirectUri')(known) || isProduct(known),
    shownAt: (known) => productOf(known)?.redirectShown,
    check: checkRedirectUri,
    // A product that shows its own callback address has no default: only the operator can copy it.
    default: (known, facts) =>
      elsewhere(productOf(known)?.redirectUri) ??
      facts.redirectUri?.(known) ??
      productOf(known)?.redirectUri ??
      (isProduct(known) ? undefined : 'http://localhost'),
    example: (known) =>
      isProduct(known) ? asks(base(known, { redirectUri: false }), '--redirect-uri') : base(known, { redirectUri: 'http://localhost' }),
    help: ['<uri>', 'as registered; http://localhost means any free port'],
    group: 'The registration:',
    summary: 'Redirect URI',
    decidesApp: true,
    decidedWith: ['access'],
    recorded: ({ registration }) => registration.redirectUri || undefined,
    isKept: ({ registration }, { redirectUri = '' }) => registration.redirectUri === redirectUri,
  },
  audience: {
    id: 'audience',
    flag: '--audience',
    noun: 'audience',
    message: 'Whose accounts can sign in to the app?',
    applies: isRegistering,
    asked: leftToOperator('audience'),
    choices: () => [
      { value: 'single', name: 'this organization' },
      { value: 'multi', name: 'any organization' },
      { value: 'multi-and-personal', name: 'any organization and personal accounts' },
      { value: 'personal', name: 'personal accounts only' },
    ],
    default: (known) => productOf(known)?.audience,
    example: (known) => base(known, { audience: 'single' }),
    help: ['<audience>', 'single, multi, multi-and-personal or personal'],
    group: 'The registration:',
    summary: 'App',
    decidesApp: true,
    recorded: ({ registration }) => registration.audience,
    isKept: ({ registration }, { audience }) => registration.made === undefined || registration.audience === audience,
  },
  variant: {
    id: 'variant',
    flag: '--variant',
    noun: 'variant of the product',
    message: 'Which kind of the product?',
    applies: (known) => (productOf(known)?.variants ?? []).length > 0,
    asked: () => false,
    // Before the product is known, what any of them has.
    choices: (known) =>
      (known.for === undefined ? products : [productOf(known)])
        .flatMap((guide) => guide?.variants ?? [])
        .map((v) => ({ value: v.name, name: v.title })),
    default: (known) => productOf(known)?.variants?.[0]?.name,
    example: (known) => {
      const [usual] = productOf(known)?.variants ?? [];
      return usual === undefined ? noted(base(known, { variant: false }), 'takes the usual kind') : base(known, { variant: usual.name });
    },
    help: ['<name>', `another kind of the product: ${variantNames.join(', ')}`],
    group: 'The registration:',
    summary: 'For',
    decidesApp: true,
    recorded: ({ registration }) => registration.variant,
    isKept: ({ registration }, { variant }) => registration.made === undefined || registration.variant === variant,
  },
  protocols: {
    id: 'protocols',
    flag: '--protocols',
    noun: 'list of protocols',
    message: 'Which protocols?',
    several: true,
    asked: leftToOperator('protocols'),
    choices: (known) => protocolChoices.filter(({ value }) => isOffered(value, known)),
    default: (known) => productOf(known)?.protocols.join(','),
    example: (known) => base(known, { protocols: productOf(known)?.protocols.join(',') ?? 'imap,smtp' }),
    // In one order, so that the same protocols are the same answer.
    parse: (value) => protocolWords.filter((one) => value.split(',').some((named) => named.trim() === one)),
    help: ['<list>', `any of ${protocolWords.join()}`],
    group: 'The registration:',
    summary: 'Permissions',
    decidesApp: true,
    recorded: (record) => record.protocols,
    isKept: (record, { protocols }) => [...record.protocols].sort().join() === [...protocols].sort().join(),
  },
} satisfies Partial<SetupQuestions>;
