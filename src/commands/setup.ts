import * as z from 'zod/mini';
import type { MailboxRecord } from '../core/mailbox.ts';
import { inSandbox, resultsFromHere } from '../diagnose/here.ts';
import { problem } from '../diagnose/problem.ts';
import { renderFacts } from '../ui/facts.ts';
import type { SetupDeps, SetupInput } from '../wizard/deps.ts';
import type { Facts } from '../wizard/questions.ts';
import { runSetup, type SetupOutcome } from '../wizard/setup.ts';
import { withApproval } from './approval.ts';
import { type CommandModule, examples, type Outcome } from './command.ts';
import { canAsk, mailboxesOf } from './mailbox-argument.ts';
import type { Session } from './session.ts';

const text = z.optional(z.string());
const schema = z.object({
  for: text,
  mailbox: text,
  signInAs: text,
  tenant: text,
  register: text,
  clientId: text,
  clientType: text,
  redirectUri: text,
  audience: text,
  protocols: text,
  name: text,
  secretMonths: text,
  clientSecretFile: text,
  consent: text,
  access: text,
  signIn: text,
  test: z.optional(z.boolean()),
  resume: z.optional(z.boolean()),
  fresh: z.optional(z.boolean()),
});

/** Flags, and the environment behind them (contract section 6). */
function readInput(flags: unknown, env: Session['ctx']['env']): SetupInput {
  const { clientSecretFile, access, test, resume, fresh, ...answers } = schema.parse(flags);
  if (access !== undefined && access !== 'delegated') {
    if (access === 'app-only') throw problem('not-yet', { what: '--access app-only', instead: 'mailauth setup --access delegated' });
    throw problem('value-invalid', {
      what: 'kind of access',
      value: access,
      why: '--access takes delegated.',
      next: 'mailauth setup --help',
    });
  }
  const fromEnv = { mailbox: env.MAILAUTH_MAILBOX, tenant: env.MAILAUTH_TENANT, clientId: env.MAILAUTH_CLIENT_ID };
  if (clientSecretFile !== undefined && answers.clientType === 'public') {
    throw problem('usage', {
      message: 'A public client has no client secret: --client-secret-file wants a confidential one',
      help: 'mailauth setup --help',
    });
  }
  // Who has a client secret has a confidential client; without this the file would be left unread.
  const fromSecret = clientSecretFile === undefined ? {} : { clientType: 'confidential' };
  const given = Object.entries({ ...withoutEmpty(fromEnv), ...fromSecret, ...withoutEmpty(answers) });
  return {
    flags: Object.fromEntries(given),
    test: test !== false,
    resume: resume === true,
    fresh: fresh === true,
    ...(clientSecretFile === undefined ? {} : { clientSecretFile }),
  };
}

const withoutEmpty = (values: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== ''));

export const setup: CommandModule = {
  configure: (command) =>
    examples(command, [
      'mailauth setup                                          question by question',
      'mailauth setup --sandbox --yes                          a rehearsal: nothing real is touched',
      'mailauth setup --mailbox helpdesk@contoso.com --client-id 11111111-2222-3333-4444-555555555555',
      'mailauth setup --mailbox shared@contoso.com --sign-in-as ada@contoso.com',
    ])
      .optionsGroup('The mailbox:')
      .option('--mailbox <address>', 'the mailbox to set up')
      .option('--for <product>', 'this-computer or custom (default: this-computer)')
      .option('--sign-in-as <address>', 'the licensed user who signs in, when the mailbox is shared, a resource or an alias')
      .option('--tenant <id|domain>', "default: found from the mailbox's domain")
      .optionsGroup('The registration:')
      .option('--register <way>', 'auto, portal or existing (default: auto; existing with --client-id)')
      .option('--client-id <guid>', 'Application (client) ID of the registered app')
      .option('--client-type <type>', 'public or confidential')
      .option('--client-secret-file <file>', "a file with the client secret's value, or - for standard input")
      .option('--redirect-uri <uri>', 'as registered; http://localhost means any free port')
      .option('--audience <audience>', 'single, multi, multi-and-personal or personal')
      .option('--protocols <list>', 'any of imap,pop,smtp')
      .option('--name <text>', 'display name of the registration')
      .option('--secret-months <n>', 'lifetime of a new client secret, 1 to 24')
      .option('--consent <who>', 'admin, user or skip (default: admin; user with existing)')
      .option('--access <kind>', 'delegated')
      .optionsGroup('The sign-in:')
      .option('--sign-in <way>', 'browser (here), paste (a browser elsewhere) or skip')
      .option('--no-test', 'leave the protocol tests out')
      .optionsGroup('An interrupted set-up:')
      .option('--resume', 'go on with it')
      .option('--fresh', 'forget it and begin anew'),

  async run({ flags }, session) {
    const input = readInput(flags, session.ctx.env);
    const outcome = await runSetup(input, await depsOf(session));
    return present(outcome, session);
  },
};

async function depsOf(session: Session): Promise<SetupDeps> {
  const box = await session.sandbox();
  const { ready } = box ?? {};
  const facts: Facts =
    box === undefined || ready === undefined
      ? {}
      : {
          mailbox: box.defaultMailbox,
          clientId: (known) => (known.clientType === 'confidential' ? ready.confidential.clientId : ready.public.clientId),
          redirectUri: (known) => (known.clientId === ready.confidential.clientId ? ready.confidential.redirectUri : undefined),
        };
  return {
    ctx: withApproval(session, box),
    report: session.report,
    home: session.home,
    mailboxes: mailboxesOf(session),
    canAsk: canAsk(session),
    agreed: session.globals.yes,
    stepTimeoutMs: session.stepTimeoutMs,
    browserTimeoutMs: session.browserTimeoutMs,
    facts,
    knownSecret: (clientId) => (ready?.confidential.clientId === clientId.toLowerCase() ? ready.confidential.clientSecret : undefined),
    network: () => session.network(),
    cloud: (record) => session.cloud(record),
    probedStore: () => session.probedStore(),
    store: (record) => session.store(record),
  };
}

function present(outcome: SetupOutcome, session: Session): Outcome {
  const { record } = outcome;
  const here = (line: string) => (session.globals.sandbox ? inSandbox(line) : line);
  const next = nextCommands(outcome).map(here);
  const data = {
    mailbox: record.mailbox,
    for: record.for,
    alreadySetUp: outcome.kind === 'already',
    signedIn: outcome.kind === 'already' ? record.account !== undefined : outcome.signedIn,
    account: record.account?.username ?? null,
    tenantId: record.tenantId,
    clientId: record.registration.clientId,
    endpoints: record.endpoints,
    scopes: record.scopes,
    store: record.store,
    tests: outcome.kind === 'already' ? [] : resultsFromHere(outcome.results, session.globals),
    next,
  };
  return {
    data,
    ...(outcome.kind === 'done' && outcome.error !== undefined ? { error: outcome.error } : {}),
    text: (theme) => {
      const title =
        outcome.kind === 'already'
          ? `${record.mailbox} is set up already; nothing was changed.`
          : `${record.mailbox} is ${outcome.signedIn ? 'set up and signed in' : 'set up; nobody signed in here'}.`;
      const sheet = record.for === 'custom' ? `\n${renderFacts(sheetOf(record), theme)}` : '';
      return `\n${theme.bold(title)}\n${sheet}${next.map((line) => `  next: ${theme.cyan(line)}`).join('\n')}\n`;
    },
  };
}

function nextCommands(outcome: SetupOutcome): readonly string[] {
  const { record } = outcome;
  if (outcome.kind === 'done' && !outcome.signedIn) return [`mailauth status ${record.mailbox}`];
  const test = record.protocols.includes('imap') ? [`mailauth test imap ${record.mailbox}`] : [];
  return [...test, `mailauth token get ${record.mailbox}`];
}

/** What a program's form usually asks for, by neutral names. */
function sheetOf(record: MailboxRecord): readonly (readonly [string, string])[] {
  const { cloud, endpoints, registration } = record;
  const server = (p: 'imap' | 'pop' | 'smtp') =>
    `${cloud[p].host}:${cloud[p].port} ${cloud[p].security === 'tls' ? 'SSL/TLS' : 'STARTTLS'}, XOAUTH2`;
  return [
    ['Client ID', registration.clientId],
    ['Client secret', registration.clientType === 'confidential' ? '********  (in the secret store)' : 'none: public client with PKCE'],
    ['Tenant ID', record.tenantId],
    ['Authorization endpoint', endpoints.authorization],
    ['Token endpoint', endpoints.token],
    ['Redirect URI', registration.redirectUri],
    ['Scopes', record.scopes.join(' ')],
    ['User name', record.mailbox],
    ...record.protocols.map((p) => [`${p.toUpperCase()} server`, server(p)] as const),
  ];
}
