import { isPersonal } from '../../core/links.ts';
import type { Registration } from '../../core/mailbox.ts';
import { again, noted } from '../../core/next.ts';
import type { Choice } from '../../core/prompts-port.ts';
import { bareAddress } from '../../core/text.ts';
import { tenantForMailbox } from '../../entra/discovery.ts';
import { productNames } from '../../products/product.ts';
import { products } from '../../products/products.ts';
import { type Answers, checkAddress, checkLabel, checkTenant } from './answers.ts';
import { appQuestions } from './app-questions.ts';
import { asks } from './missing.ts';
import { newAppQuestions } from './new-app-questions.ts';
import { anyIsKept, base, isAppOnly, productOf, type SetupQuestion, type SetupQuestions } from './question.ts';

/** Shown only where no browser can be opened; elsewhere the guide's way is taken silently. */
const signInChoices: readonly Choice<string>[] = [
  { value: 'paste', name: 'In a browser elsewhere', description: 'open an address there, paste here the one it ends on' },
  { value: 'device', name: 'With a code', description: 'typed on a phone or any computer; many organisations block it' },
  { value: 'browser', name: 'In a browser that reaches this machine', description: 'over SSH: carry the port with ssh -L' },
  { value: 'password', name: "With the mailbox's password" },
  { value: 'skip', name: 'No sign-in on this computer' },
];

const openerChoices: readonly Choice<NonNullable<Answers['openedBy']>>[] = [
  { value: 'itself', name: 'It has its own password', description: 'a licensed user, who signs in with this address' },
  {
    value: 'delegate',
    name: 'Another person does',
    description: 'a shared mailbox, a room or an alias: somebody with Full Access signs in',
  },
  { value: 'unsure', name: 'Not sure', description: 'mailauth finds out when the administrator has signed in' },
];

/** A device code is wanted, and mailauth registered the app without what it needs. */
export const lacksPublicFlows = ({ publicClientFlows }: Registration, { signIn }: Pick<Answers, 'signIn'>): boolean =>
  signIn === 'device' && publicClientFlows === false;

const mailboxQuestions = {
  mailbox: {
    id: 'mailbox',
    flag: '--mailbox',
    noun: 'mail address',
    message: 'Which mailbox?',
    asked: () => true,
    check: checkAddress,
    default: (_, facts) => facts.mailbox,
    example: () => asks(again({ mailbox: false }), '--mailbox'),
    parse: (value) => bareAddress(value).toLowerCase(),
    help: ['<address>', 'the mailbox to set up'],
    group: 'The mailbox:',
    summary: 'Mailbox',
    decidesApp: true,
    isKept: anyIsKept,
  },
  for: {
    id: 'for',
    flag: '--for',
    noun: 'product',
    message: 'What is this mailbox for?',
    asked: () => true,
    choices: () => products.map((g) => ({ value: g.name, name: g.title, description: g.description })),
    default: () => 'this-computer',
    example: (known) => asks(base(known, { for: false }), '--for'),
    help: ['<product>', `${productNames.join(', ')} (default: this-computer)`],
    group: 'The mailbox:',
    summary: 'For',
    decidesApp: true,
    isKept: anyIsKept,
  },
  openedBy: {
    id: 'openedBy',
    flag: '--sign-in-as',
    noun: 'answer',
    message: 'Who opens this mailbox?',
    // The flag has answered it before it is asked. A personal account has no delegates.
    applies: (known) =>
      !isAppOnly(known) &&
      (known.openedBy !== undefined || known.signInAs === undefined) &&
      !isPersonal({ tenant: tenantForMailbox(known.mailbox ?? '') }),
    asked: () => true,
    choices: () => openerChoices,
    default: () => 'itself',
    example: (known) => asks(base(known, { signInAs: false }), '--sign-in-as'),
    group: 'The mailbox:',
    summary: 'Signs in as',
    decidesApp: false,
    decidedWith: ['access'],
    recorded: (record) => (record.access === 'app-only' ? undefined : record.signInAs === undefined ? 'itself' : 'delegate'),
    // Whoever signs in is compared by `signInAs`.
    isKept: anyIsKept,
  },
  signInAs: {
    id: 'signInAs',
    flag: '--sign-in-as',
    noun: 'mail address',
    message: 'Whose account opens it? (a licensed user with Full Access)',
    applies: (known) => !isAppOnly(known) && (known.openedBy ?? 'delegate') === 'delegate',
    asked: (known) => known.openedBy === 'delegate',
    check: checkAddress,
    optional: true,
    example: (known) => asks(base(known, { signInAs: false }), '--sign-in-as'),
    parse: (value) => bareAddress(value).toLowerCase(),
    help: ['<address>', 'the licensed user who signs in, when the mailbox is shared, a resource or an alias'],
    group: 'The mailbox:',
    summary: 'Signs in as',
    decidesApp: false,
    decidedWith: ['access', 'openedBy'],
    recorded: (record) => record.signInAs,
    isKept: (record, answers) => (record.signInAs ?? record.mailbox) === (answers.signInAs ?? record.mailbox),
  },
  tenant: {
    id: 'tenant',
    flag: '--tenant',
    noun: 'tenant',
    message: 'Which tenant? (its domain or its ID)',
    asked: () => false,
    check: checkTenant,
    optional: true,
    example: (known) => noted(base(known, { tenant: false }), "finds the tenant by the mailbox's domain"),
    help: ['<id|domain>', "default: found from the mailbox's domain"],
    group: 'The mailbox:',
    summary: 'Tenant',
    decidesApp: true,
    isKept: (record, { tenant }) => tenant === undefined || [record.tenantId, record.mailbox.split('@')[1]].includes(tenant.toLowerCase()),
  },
  label: {
    id: 'label',
    flag: '--label',
    noun: 'label',
    message: 'Which customer is it for? (your own name for them)',
    asked: () => false,
    check: checkLabel,
    optional: true,
    example: (known) => base(known, { label: 'Contoso' }),
    help: ['<text>', 'your own name for the customer: mailauth status shows it and filters by it'],
    group: 'The mailbox:',
    summary: 'Label',
    decidesApp: false,
    recorded: (record) => record.label,
    // Another label changes the mailbox file and nothing else (finished-setup.ts).
    isKept: anyIsKept,
  },
} satisfies Partial<SetupQuestions>;

const signInQuestions = {
  consent: {
    id: 'consent',
    flag: '--consent',
    noun: 'way to consent',
    message: 'Who agrees to the permissions?',
    asked: () => false,
    choices: () => [
      { value: 'admin', name: 'an administrator, for the whole organization' },
      { value: 'user', name: 'the user who signs in' },
      { value: 'skip', name: 'not given now' },
    ],
    // Only an administrator can agree to application permissions. An app that exists has them already, or lacks them.
    default: (known) => (known.register !== 'existing' ? 'admin' : isAppOnly(known) ? 'skip' : 'user'),
    example: (known) => base(known, { consent: 'admin' }),
    help: ['<who>', 'admin, user or skip (default: admin; user with existing)'],
    group: 'The registration:',
    summary: 'Consent',
    decidesApp: true,
    decidedWith: ['access', 'register'],
    isKept: anyIsKept,
  },
  signIn: {
    id: 'signIn',
    flag: '--sign-in',
    noun: 'way to sign in',
    message: 'No browser can be opened here. How do you sign in?',
    applies: (known) => !isAppOnly(known),
    asked: (known, facts) => facts.browserElsewhere === true && productOf(known)?.signIn === 'browser',
    choices: () => signInChoices,
    // The flag may name a password also where the product cannot use one, because that has an error of its own. It is never offered.
    offered: (known) =>
      signInChoices.filter(({ value }) => productOf(known)?.signInWays.some((way) => way === value && way !== 'password')),
    default: (known, facts) =>
      facts.browserElsewhere === true && productOf(known)?.signIn === 'browser' ? 'paste' : productOf(known)?.signIn,
    example: (known) => base(known, { signIn: 'browser' }),
    help: ['<way>', 'browser (here), paste (a browser elsewhere), device (a code typed anywhere), password (kaseya, custom) or skip'],
    group: 'The sign-in:',
    summary: 'Sign-in',
    decidesApp: false,
    decidedWith: ['access'],
    // It was finished without a sign-in on this computer, and stays so until one is asked for.
    recorded: (record) => (record.account === undefined ? 'skip' : undefined),
    isKept: ({ registration }, answers) => !lacksPublicFlows(registration, answers),
  },
} satisfies Partial<SetupQuestions>;

/** Every question of set-up: `setup --help`, the summary, the journal and what a finished set-up keeps are read from here. */
export const questions: SetupQuestions = { ...mailboxQuestions, ...appQuestions, ...newAppQuestions, ...signInQuestions };

/** Which mailbox, for which product: known before anything is looked up. */
export const firstQuestions: readonly SetupQuestion[] = [questions.mailbox, questions.for];

/** The others, in the order in which they are asked: each sees the answers before it. */
export const registrationQuestions: readonly SetupQuestion[] = (
  [
    ...([
      'access',
      'openedBy',
      'signInAs',
      'tenant',
      'label',
      'register',
      'clientType',
      'clientId',
      'sharedApp',
      'redirectUri',
      'audience',
      'variant',
    ] as const),
    ...(['protocols', 'name', 'secretMonths', 'serviceManagementReference', 'consent', 'signIn'] as const),
  ] as const
).map((id) => questions[id]);

export const allQuestions: readonly SetupQuestion[] = [...firstQuestions, ...registrationQuestions];
