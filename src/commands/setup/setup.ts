import type { Command } from 'commander';
import * as z from 'zod/mini';
import { plus } from '../../core/next.ts';
import { bareAddress } from '../../core/text.ts';
import { productNamed } from '../../products/products.ts';
import { type CommandModule, examples, type Outcome } from '../../session/command.ts';
import { canAsk, mailboxesOf } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { canPaste, checkQr, deviceOptions, signInRun } from '../../session/sign-in-run.ts';
import { checkAddress } from '../../setup/answers/answers.ts';
import type { Facts, SetupQuestion } from '../../setup/answers/question.ts';
import { allQuestions } from '../../setup/answers/questions.ts';
import { runSetup } from '../../setup/begin-setup.ts';
import { ofThisSetup, type SetupDeps, withFlagsOf } from '../../setup/journal/setup-deps.ts';
import { answerFlags, readInput } from './setup-input.ts';
import { mayWriteSheet, presentSetup } from './setup-outcome.ts';

const text = z.optional(z.string());
const sheetOptions = z.object({ handover: text, reveal: z.optional(z.boolean()) });
const qrFlags = z.object({ qr: z.optional(z.boolean()), signIn: text });

/** Each question of this part of the wizard as an option. */
function questionOptions(command: Command, group: SetupQuestion['group']): Command {
  command.optionsGroup(group);
  for (const { flag, help } of allQuestions.filter((question) => question.group === group)) {
    if (help !== undefined) command.option(`${flag} ${help[0]}`.trimEnd(), help[1]);
  }
  return command;
}

export const setup: CommandModule = {
  configure(command) {
    examples(command, [
      'mailauth setup                                          question by question',
      'mailauth setup --sandbox --yes                          a rehearsal: nothing real is touched',
      'mailauth setup --mailbox helpdesk@contoso.com --client-id 11111111-2222-3333-4444-555555555555',
      'mailauth setup --mailbox shared@contoso.com --sign-in-as ada@contoso.com',
      'mailauth setup --template > mailboxes.csv               a list to begin with',
      'mailauth setup --from mailboxes.csv --dry-run           checks it, and shows what it would do',
    ]);
    questionOptions(command, 'The mailbox:');
    questionOptions(command, 'The registration:')
      .option('--client-secret-file <file>', "a file with the client secret's value, or - for standard input")
      .option('--certificate <file>', 'with --access app-only: PEM, in place of a client secret')
      .option('--certificate-key-file <file>', "the certificate's private key, where it is not in the same file");
    return questionOptions(command, 'The sign-in:')
      .option('--qr', 'with --sign-in device: its address also as a QR code')
      .option('--password-file <file>', "with --sign-in password: a file with the mailbox's password, or - for standard input")
      .option('--no-test', 'leave the protocol tests out')
      .option('--exchange <way>', 'ask, api, pwsh, print or skip: how Exchange Online is asked (default: ask on a terminal, else print)')
      .optionsGroup('The hand-over sheet:')
      .option('--handover <file>', 'also write it to a file: .md, .html or .json, only you can read it')
      .option('--reveal', "with the client secret's value")
      .optionsGroup('An interrupted set-up:')
      .option('--resume', 'go on with it')
      .option('--fresh', 'forget it and begin again')
      .optionsGroup('Many mailboxes:')
      .option('--from <file>', 'CSV with the names of these flags as its header, or JSON: each row is one set-up')
      .option('--dry-run', 'with --from: check all rows and show the plan; nothing is changed')
      .option('--report <file>', 'with --from: one JSON line for each row, in the order of the work')
      .option('--template', 'print a list to begin with');
  },

  async run({ flags }, session) {
    const lists = await import('./setup-list.ts');
    if (lists.wantsList(flags)) {
      const [{ Command }, { addGlobalOptions }] = await Promise.all([import('commander'), import('../../session/globals.ts')]);
      const options = { own: setup.configure(new Command()).options, global: addGlobalOptions(new Command()).options };
      return lists.setUpList(flags, options, session, () => depsOf(session, qrFlags.parse(flags).qr === true));
    }
    try {
      return await setUp(flags, session);
    } catch (error) {
      const { env, surroundings } = session.ctx;
      const named = namedIn(flags, env);
      const given = surroundings.running && plus(surroundings.running, { mailbox: false, for: false, ...named });
      throw withFlagsOf(given, ofThisSetup(named, error));
    }
  },
};

async function setUp(flags: unknown, session: Session): Promise<Outcome> {
  const input = readInput(flags, session.ctx.env);
  const sheet = sheetOptions.parse(flags);
  // A kind of file that mailauth cannot write is refused before anything is registered.
  if (sheet.handover !== undefined) await mayWriteSheet(sheet.handover, session);
  const { qr = false, signIn } = qrFlags.parse(flags);
  checkQr(qr, signIn);
  const outcome = await runSetup(input, await depsOf(session, qr));
  return presentSetup(outcome, session, { reveal: sheet.reveal === true, file: sheet.handover });
}

/** What an error's commands can repeat before the set-up has begun: a value that is wrong is not repeated. */
function namedIn(flags: unknown, env: Session['ctx']['env']): { readonly mailbox?: string; readonly for?: string } {
  const { mailbox = env.MAILAUTH_MAILBOX ?? '', for: product = '' } = answerFlags(flags);
  return {
    ...(checkAddress(mailbox) === true ? { mailbox: bareAddress(mailbox) } : {}),
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
    canPaste: canPaste(session),
    device: deviceOptions(session, box, qr),
    facts: { ...facts, browserElsewhere: canAsk(session) && !session.ctx.browser.usable },
    knownSecret: (clientId) => (ready?.confidential.clientId === clientId.toLowerCase() ? ready.confidential.clientSecret : undefined),
    cloud: (record) => session.cloud(record),
    probedStore: (recorded) => session.probedStore(recorded),
    storeIsOpen: session.globals.store === undefined && !session.globals.sandbox,
    storeNamed: (name) => session.storeNamed(name),
    store: (record) => session.store(record),
    refuseForeign: (record, set) => session.refuseForeign(record, set),
    refuseSteered: (record) => session.refuseSteered(record),
  };
}
