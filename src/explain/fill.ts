import { type Cloud, cloudNames } from '../core/cloud.ts';
import { defined } from '../core/defined.ts';
import { type ErrorDetail, MailauthError } from '../core/errors.ts';
import { type Line, mailauth, type NextStep, withoutBlanks } from '../core/next.ts';
import { protocolSwitch } from '../errors/catalogue/mail/mail-words.ts';
import type { Entry, Mender } from '../errors/entry/entry.ts';
import { type ProblemCode, wordsOf } from '../errors/problem.ts';
import { entries } from '../errors/recognise/needles.ts';
import type { Values } from './values.ts';

/** What is known beside the text. */
export interface Known {
  readonly cloud: Cloud;
  /** the only mailbox that is set up here */
  readonly mailbox?: string | undefined;
  /** of the set-up that the text is about, where one is meant: it stands where the text names nothing */
  readonly setup?: Values;
}

export interface Explained {
  readonly error: MailauthError;
  readonly source: string;
  readonly mender: Mender;
}

const catalogue = new Map(entries);

/** An entry with the values that were found. In its sentences, a word in capitals stands for a value that nobody knows. */
export function explained(
  code: ProblemCode,
  values: Values & Readonly<Record<string, unknown>>,
  known: Known,
  detail: ErrorDetail = {},
): Explained | undefined {
  const entry = catalogue.get(code);
  if (entry === undefined) return undefined;
  const { title, why, next, admin, ...words } = wordsOf(entry, blanks(code, values, known));
  // A text may be nothing but one blank, and that a list of one word.
  const text = (one: string | Line): string | Line => (typeof one === 'object' && 'kind' in one ? one : String(one));
  const error = new MailauthError({
    code,
    exit: entry.exit,
    ...words,
    title: String(title),
    next: worksAsItStands(next),
    ...defined({ why: why === undefined ? undefined : withoutUnknown(String(why)) }),
    ...(admin === undefined ? {} : { admin: text(admin) }),
    detail,
  });
  return { error, source: entry.source, mender: menderOf(entry) };
}

/** An entry that does not say who can fix it leaves that to its exit code. */
const menderOf = ({ mender, exit }: Entry<unknown>): Mender => mender ?? (exit === 6 ? 'administrator' : 'you');

function blanks(code: ProblemCode, values: Readonly<Record<string, unknown>>, known: Known): unknown {
  const own: Readonly<Record<string, unknown>> = defined({ ...known.setup, ...values, cloud: known.cloud });
  const mailbox = own.user ?? known.mailbox ?? 'MAILBOX';
  const given: Readonly<Record<string, unknown>> = {
    ...placeholders,
    mailbox,
    user: mailbox,
    // One refusal does not show whether other names were tried.
    alsoRefused: [],
    ...unsaid,
    protocol: /^(imap|pop|smtp)-/.exec(code)?.[1] ?? 'all',
    ...(own.account === undefined ? {} : { signInAs: own.account, tokenUser: own.account }),
    // Which lines it were, a text does not say: this one shows what is switched on.
    ...(code.startsWith('exchange-') ? { lines: [protocolSwitch({}, String(mailbox))], again: mailauth('exchange apply') } : {}),
    ...special[code],
    ...own,
    // The words of these name a cloud, the others' need its addresses.
    ...(code === 'cloud-unknown' || code === 'tenant-other-cloud' ? { cloud: 'NAME' } : {}),
  };
  // A blank that no table names reads as its own name in capitals, in a list of one word: that works in a sentence and where a list is joined.
  return new Proxy(given, {
    get: (target, name) => (typeof name !== 'string' ? undefined : Object.hasOwn(target, name) ? target[name] : [capitals(name)]),
  });
}

/** What entries do without where a text does not say it: a proxy between, a time to wait, what a proxy offers, dates. */
const unsaid = {
  changed: undefined,
  goOn: undefined,
  through: undefined,
  waitSeconds: undefined,
  offers: undefined,
  validFrom: undefined,
  validTo: undefined,
};

/** Values that only one entry needs. */
const special: Readonly<Partial<Record<ProblemCode, Readonly<Record<string, unknown>>>>> = {
  'app-switched-off': { by: 'owner' },
  'exchange-token-refused': { reason: '' },
  'exchange-not-found': { what: 'MAILBOX' },
  'exchange-ambiguous': { what: 'MAILBOX' },
  'store-damaged': { fix: [mailauth('login', { force: true })] },
  'resume-choice': { candidates: [{ mailbox: 'MAILBOX', for: 'PRODUCT' }] },
  'cloud-unknown': { known: cloudNames },
  'loopback-redirect-unusable': { redirectUri: 'ADDRESS' },
  'loopback-refused': { reason: 'a system error' },
  'mail-no-full-access': { tokenUser: 'WHO-SIGNED-IN', protocol: 'imap' },
  'setup-declined': { resume: mailauth('setup', { resume: true }) },
  'rotation-declined': { command: mailauth('secret rotate', { finish: true }) },
  'not-signed-in': { guides: undefined },
  'handed-over': { products: ['a product'], proofs: [mailauth('setup', { signIn: 'browser' })] },
  'secret-ends-soon': { what: 'client secret' },
  'app-role-missing': { roles: ['PERMISSION'] },
  'discovery-unreadable': { why: 'cannot be read' },
  'graph-busy': { host: undefined },
  'graph-token-refused': { why: '' },
  'mail-token-user': { tokenUser: 'WHO-SIGNED-IN' },
  usage: { why: '', meant: undefined },
  'address-space-limited': { limitMb: undefined },
  'node-tells-secrets': { name: 'NODE_OPTIONS', option: '--inspect' },
  'tls-inspected': { issuer: 'AUTHORITY' },
};

/** Stands for the reason that nobody knows. What leads to it is left out with it. */
const unknownWhy = '\uE001';

function withoutUnknown(why: string): string | undefined {
  const known = why.replace(/(?:^|[\s:;,(]+)\uE001[^\s.]*\.?/g, '');
  if (known.trim() === '' || known === why) return known === why ? why : undefined;
  return /[\p{L}\p{N})'"]$/u.test(known) ? `${known}.` : known;
}

/** A command is left with what is known, and a line of another program that needs an unknown file or folder is left out. */
function worksAsItStands(next: readonly NextStep[]): readonly NextStep[] {
  // Only the command that failed could be run again, and nobody knows it.
  const known = next.filter(
    (step) =>
      typeof step === 'string' ||
      (step.kind !== 'again' && (step.kind !== 'line' || !step.values.some((value) => typeof value === 'string' && isBlank(value)))),
  );
  if (known.length > 0) return known.map((step) => withoutBlanks(step, isBlank));
  const isRerun = next.every((step) => typeof step !== 'string' && step.kind === 'again');
  return [isRerun ? 'Run the command that failed once more.' : 'The message of the command itself names the file.'];
}

/** A value that nobody knows: a word in capitals, as it stands or with an ending such as `.old`. */
const isBlank = (value: string): boolean => /^[A-Z]{2,}(?:-[A-Z]+)*(?:\.[a-z]+)*$/.test(value);

const capitals = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c}`).toUpperCase();

/** Blanks whose name in capitals would be of the wrong kind, or would mislead. */
const placeholders: Readonly<Record<string, unknown>> = {
  host: 'HOST',
  provider: undefined,
  speaker: 'the program',
  sent: 'password',
  link: undefined,
  port: 'PORT',
  purpose: undefined,
  proxy: 'PROXY',
  issuer: undefined,
  tenant: 'TENANT',
  tenantId: 'TENANT',
  clientId: 'CLIENT-ID',
  account: 'ACCOUNT',
  domain: 'DOMAIN',
  audience: 'AUDIENCE',
  scope: 'PERMISSION',
  scopes: ['PERMISSIONS'],
  missing: ['PERMISSION'],
  roles: ['Cloud Application Administrator', 'Application Administrator'],
  permissions: ['PERMISSION'],
  signInAs: undefined,
  redirectUri: undefined,
  tokenUser: undefined,
  sendsAs: undefined,
  who: undefined,
  what: 'do this',
  reason: undefined,
  retryAfter: undefined,
  waitMs: undefined,
  status: 'an error',
  suggestion: undefined,
  aadsts: undefined,
  said: '',
  why: unknownWhy,
  error: 'ERROR',
  admin: undefined,
  label: 'Secret Service',
  timeoutMs: 20_000,
  budgetMs: 90_000,
  tokenLength: 0,
  tokenLooksRight: false,
  opaque: false,
  opensOwn: undefined,
  certificate: undefined,
  madeFor: undefined,
  appOnly: undefined,
  months: undefined,
  expiresAt: undefined,
  exists: undefined,
  resume: mailauth('setup', { resume: true }),
  undo: mailauth('logout', { deleteApp: true }),
  handoff: undefined,
  again: mailauth('setup'),
  for: 'this-computer',
  fix: mailauth('login', { force: true }),
  help: mailauth('help'),
  message: 'The command was not understood',
  instead: mailauth('help'),
  otherWays: [],
  remedy: undefined,
  isGiven: undefined,
  meant: undefined,
  next: mailauth('help'),
  example: mailauth('setup'),
  command: mailauth('token get'),
  commands: [mailauth('login')],
  file: 'FILE',
  folder: 'FOLDER',
  home: 'FOLDER',
};
