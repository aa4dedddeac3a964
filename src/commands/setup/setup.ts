import { resolve } from 'node:path';
import * as z from 'zod/mini';
import { defined } from '../../core/defined.ts';
import { problem } from '../../errors/problem.ts';
import { productNames } from '../../products/product-names.ts';
import { productNamed } from '../../products/products.ts';
import { sheetRenderer } from '../../products/sheet/write-sheet.ts';
import { type CommandModule, examples, type Outcome } from '../../session/command.ts';
import { canAsk, mailboxesOf } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { checkQr, deviceOptions, signInRun } from '../../session/sign-in-run.ts';
import { checkAddress } from '../../setup/answers/answers.ts';
import type { Facts } from '../../setup/answers/question.ts';
import { runSetup } from '../../setup/begin-setup.ts';
import { asToldIn } from '../../setup/journal/setup-commands.ts';
import type { SetupDeps, SetupInput } from '../../setup/journal/setup-deps.ts';
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
  certificate: text,
  certificateKeyFile: text,
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
const qrFlags = z.object({ qr: z.optional(z.boolean()), signIn: text });

/** The flags, and for those that are not given the environment (docs/contract.md, "Environment"). */
function readInput(flags: unknown, env: Session['ctx']['env']): SetupInput {
  const given = schema.parse(flags);
  refuseEmpty(given);
  refuseTogether(given);
  const {
    clientSecretFile,
    certificate,
    certificateKeyFile,
    passwordFile,
    test,
    resume,
    fresh,
    handover: _,
    reveal: __,
    ...answers
  } = given;
  const fromEnv = { mailbox: env.MAILAUTH_MAILBOX, tenant: env.MAILAUTH_TENANT, clientId: env.MAILAUTH_CLIENT_ID };
  // Who has a client secret has a confidential client; without this the file would be left unread.
  const fromSecret = clientSecretFile === undefined ? {} : { clientType: 'confidential' };
  const all = Object.entries({ ...withoutEmpty(fromEnv), ...fromSecret, ...withoutEmpty(answers) });
  return {
    flags: Object.fromEntries(all),
    test: test !== false,
    resume: resume === true,
    fresh: fresh === true,
    ...defined({ clientSecretFile, passwordFile }),
    ...(certificate === undefined ? {} : { certificateFile: resolve(certificate) }),
    ...(certificateKeyFile === undefined ? {} : { certificateKeyFile: resolve(certificateKeyFile) }),
  };
}

/** Flags that contradict each other. A default from the environment contradicts nothing: a flag wins. Throws `usage`. */
function refuseTogether(given: z.infer<typeof schema>): void {
  const { access, register, clientId, clientType, clientSecretFile, certificate, certificateKeyFile, passwordFile, resume, fresh } = given;
  if (certificateKeyFile !== undefined && certificate === undefined) throw usage('--certificate-key-file needs --certificate');
  if (certificate !== undefined && access !== 'app-only') throw usage('--certificate wants --access app-only');
  if (certificate !== undefined && register === 'handoff') {
    throw usage('--certificate does not go with --register handoff: give it beside --client-id, when the administrator has answered');
  }
  if (certificate !== undefined && clientSecretFile !== undefined) {
    throw usage('--certificate stands in place of --client-secret-file: give one of them');
  }
  if (register === 'auto' && clientId !== undefined) {
    throw usage('--register auto makes the app, and --client-id names one that is there: give one of them', '--register auto');
  }
  if (resume === true && fresh === true) throw usage('--resume goes on with what --fresh forgets: give one of them');
  if (clientSecretFile === '-' && passwordFile === '-') {
    throw usage('--client-secret-file and --password-file cannot both be read from standard input');
  }
  if (clientSecretFile !== undefined && clientType === 'public') {
    throw usage('A public client has no client secret: --client-secret-file wants a confidential one');
  }
}

const usage = (message: string, flags = '--help') => problem('usage', { message, help: `mailauth setup ${flags}` });

/** A script's variable that is empty would otherwise choose a default. Throws `usage`. */
function refuseEmpty(flags: Readonly<Record<string, unknown>>): void {
  const [empty] = Object.entries(flags).filter(([, value]) => typeof value === 'string' && value.trim() === '');
  if (empty === undefined) return;
  const flag = empty[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw usage(`--${flag} was given without a value`);
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
      .option('--for <product>', `${productNames.join(', ')} (default: this-computer)`)
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
      .option(
        '--access <kind>',
        'delegated (of a person), or app-only: the app on its own, for servers; an Exchange administrator lets it in',
      )
      .option('--certificate <file>', 'with --access app-only: PEM, in place of a client secret')
      .option('--certificate-key-file <file>', "the certificate's private key, where it is not in the same file")
      .optionsGroup('The sign-in:')
      .option(
        '--sign-in <way>',
        'browser (here), paste (a browser elsewhere), device (a code typed anywhere), password (kaseya, custom) or skip',
      )
      .option('--qr', 'with --sign-in device: its address also as a QR code')
      .option('--password-file <file>', "with --sign-in password: a file with the mailbox's password, or - for standard input")
      .option('--no-test', 'leave the protocol tests out')
      .optionsGroup('The hand-over sheet:')
      .option('--handover <file>', 'also write it to a file: .md, .html or .json, only you can read it')
      .option('--reveal', "with the client secret's value")
      .optionsGroup('An interrupted set-up:')
      .option('--resume', 'go on with it')
      .option('--fresh', 'forget it and begin anew'),

  async run({ flags }, session) {
    try {
      return await setUp(flags, session);
    } catch (error) {
      throw asToldIn(namedIn(flags, session.ctx.env), error);
    }
  },
};

async function setUp(flags: unknown, session: Session): Promise<Outcome> {
  const input = readInput(flags, session.ctx.env);
  const sheet = sheetOptions.parse(flags);
  // A file that cannot be written is said before anything is registered.
  if (sheet.handover !== undefined) sheetRenderer(sheet.handover);
  const { qr = false, signIn } = qrFlags.parse(flags);
  checkQr(qr, signIn, 'mailauth setup');
  const outcome = await runSetup(input, await depsOf(session, qr));
  return presentSetup(outcome, session, { reveal: sheet.reveal === true, file: sheet.handover });
}

/** What an error's commands can repeat before the set-up has begun: a value that is wrong is not repeated. */
function namedIn(flags: unknown, env: Session['ctx']['env']): { readonly mailbox?: string; readonly for?: string } {
  const { mailbox = env.MAILAUTH_MAILBOX ?? '', for: product = '' } = schema.parse(flags);
  return {
    ...(checkAddress(mailbox) === true ? { mailbox } : {}),
    ...(productNamed(product) === undefined ? {} : { for: product }),
  };
}

async function depsOf(session: Session, qr: boolean): Promise<SetupDeps> {
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
    ...signInRun(session, box),
    home: session.home,
    mailboxes: mailboxesOf(session),
    agreed: session.globals.yes,
    device: deviceOptions(session, box, qr),
    facts: { ...facts, browserElsewhere: canAsk(session) && !session.ctx.browser.usable },
    knownSecret: (clientId) => (ready?.confidential.clientId === clientId.toLowerCase() ? ready.confidential.clientSecret : undefined),
    cloud: (record) => session.cloud(record),
    probedStore: (recorded) => session.probedStore(recorded),
    store: (record) => session.store(record),
  };
}
