import * as z from 'zod/mini';
import { problem } from '../diagnose/problem.ts';
import { sheetRenderer } from '../handover/write.ts';
import type { SetupDeps, SetupInput } from '../wizard/deps.ts';
import type { Facts } from '../wizard/questions.ts';
import { runSetup } from '../wizard/setup.ts';
import { withApproval } from './approval.ts';
import { type CommandModule, examples } from './command.ts';
import { canAsk, mailboxesOf } from './mailbox-argument.ts';
import type { Session } from './session.ts';
import { presentSetup } from './setup-outcome.ts';

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
  passwordFile: text,
  variant: text,
  handover: text,
  reveal: z.optional(z.boolean()),
  consent: text,
  access: text,
  signIn: text,
  test: z.optional(z.boolean()),
  resume: z.optional(z.boolean()),
  fresh: z.optional(z.boolean()),
});

const sheetOptions = z.object({ handover: text, reveal: z.optional(z.boolean()) });

/** Flags, and the environment behind them (contract section 6). */
function readInput(flags: unknown, env: Session['ctx']['env']): SetupInput {
  const { clientSecretFile, passwordFile, access, test, resume, fresh, handover: _, reveal: __, ...answers } = schema.parse(flags);
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
    ...(passwordFile === undefined ? {} : { passwordFile }),
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
      .option('--for <product>', 'this-computer, osticket, supportpal, kaseya, mspbots or custom (default: this-computer)')
      .option('--sign-in-as <address>', 'the licensed user who signs in, when the mailbox is shared, a resource or an alias')
      .option('--tenant <id|domain>', "default: found from the mailbox's domain")
      .optionsGroup('The registration:')
      .option('--register <way>', 'auto, portal, handoff or existing (default: auto; existing with --client-id)')
      .option('--client-id <guid>', 'Application (client) ID of the registered app')
      .option('--client-type <type>', 'public or confidential')
      .option('--client-secret-file <file>', "a file with the client secret's value, or - for standard input")
      .option('--redirect-uri <uri>', 'as registered; http://localhost means any free port')
      .option('--audience <audience>', 'single, multi, multi-and-personal or personal')
      .option('--protocols <list>', 'any of imap,pop,smtp')
      .option('--variant <name>', "of a product that comes in two kinds: osticket's older plugin")
      .option('--name <text>', 'display name of the registration')
      .option('--secret-months <n>', 'lifetime of a new client secret, 1 to 24')
      .option('--consent <who>', 'admin, user or skip (default: admin; user with existing)')
      .option('--access <kind>', 'delegated')
      .optionsGroup('The sign-in:')
      .option('--sign-in <way>', 'browser (here), paste (a browser elsewhere), password (kaseya, custom) or skip')
      .option('--password-file <file>', "with --sign-in password: a file with the mailbox's password, or - for standard input")
      .option('--no-test', 'leave the protocol tests out')
      .optionsGroup('The hand-over sheet:')
      .option('--handover <file>', 'also write it to a file: .md, .html or .json, only you can read it')
      .option('--reveal', "with the client secret's value")
      .optionsGroup('An interrupted set-up:')
      .option('--resume', 'go on with it')
      .option('--fresh', 'forget it and begin anew'),

  async run({ flags }, session) {
    const input = readInput(flags, session.ctx.env);
    const sheet = sheetOptions.parse(flags);
    // A file that cannot be written is said before anything is registered.
    if (sheet.handover !== undefined) sheetRenderer(sheet.handover);
    const outcome = await runSetup(input, await depsOf(session));
    return presentSetup(outcome, session, { reveal: sheet.reveal === true, file: sheet.handover });
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
