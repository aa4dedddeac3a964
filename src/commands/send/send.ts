import type { Command as CommanderCommand } from 'commander';
import * as z from 'zod/mini';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { again, mailauth } from '../../core/next.ts';
import { anyOf, plain } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { readAddresses } from '../../message/addresses.ts';
import { readInput } from '../../sending/read-input.ts';
import { type Via, ways } from '../../sending/send-message.ts';
import { type CommandModule, examples } from '../../session/command.ts';
import { mailboxArgument, mailboxesOf, productFlag } from '../../session/mailbox-argument.ts';
import { sendFrom } from '../../session/send-from.ts';
import type { Session } from '../../session/session.ts';

const schema = z.object({
  readRecipients: z.optional(z.boolean()),
  ignoreDots: z.optional(z.boolean()),
  sender: z.optional(z.string()),
  r: z.optional(z.string()),
  fullName: z.optional(z.string()),
  mailbox: z.optional(z.string()),
  via: z.optional(z.string()),
  o: z.optional(z.array(z.string())),
  b: z.optional(z.string()),
});
type Flags = z.infer<typeof schema>;

/** Options of sendmail that callers give and that change nothing here. With `takes` they bring a value. */
const ignored = [
  { flag: '-A', takes: true },
  { flag: '-B', takes: true },
  { flag: '-G', takes: false },
  { flag: '-L', takes: true },
  { flag: '-N', takes: true },
  { flag: '-O', takes: true },
  { flag: '-R', takes: true },
  { flag: '-U', takes: false },
  { flag: '-V', takes: true },
  { flag: '-h', takes: true },
  { flag: '-m', takes: false },
  { flag: '-n', takes: false },
  { flag: '-p', takes: true },
  { flag: '-v', takes: false },
] as const;

function withSendmailOptions(command: CommanderCommand): CommanderCommand {
  for (const { flag, takes } of ignored)
    command.addOption(command.createOption(takes ? `${flag} <value>` : flag, 'of sendmail; changes nothing here').hideHelp());
  const several = (value: string, before: readonly string[] = []) => [...before, value];
  return command
    .addOption(command.createOption('-o <option>', 'of sendmail: i is -i, the others change nothing here').argParser(several).hideHelp())
    .addOption(command.createOption('-b <mode>', 'of sendmail: only m, which takes a message').hideHelp())
    .addOption(command.createOption('-r <address>', 'the same as -f').hideHelp());
}

/** Callers of sendmail call this: cron, PHP, git, mutt, the pipe transport of Postfix. */
export const send: CommandModule = {
  configure: (command) =>
    withSendmailOptions(
      examples(command.argument('[recipient...]', 'who gets it; beside -t also those of To, Cc and Bcc'), [
        'mailauth send ada@contoso.com < message.eml',
        'mailauth send -t -i < message.eml            recipients from To, Cc and Bcc',
        'mailauth send -i -f news@contoso.com -- ada@contoso.com < message.eml',
      ])
        .option('-t, --read-recipients', 'read recipients from To, Cc and Bcc; Bcc is taken out of the message')
        .option('-i, --ignore-dots', 'a line with a single dot does not end the message; also: -oi')
        .option('-f, --sender <address>', 'the sender (default: the mailbox); <> is the empty sender of a bounce')
        .option('-F, --full-name <name>', 'the name in From, where the message has no From')
        .option('--mailbox <address>', 'which set-up mailbox sends (default: the only one, or that of -f)')
        .option('--for <product>', 'which set-up, when the mailbox has several')
        .option('--via <way>', `${anyOf(ways)} (default: auto)`)
        .addHelpText(
          'after',
          `
The message (RFC 5322) stands on standard input. As sendmail, it is silent when all is well.
Other options of sendmail are taken and change nothing: -o… -B -bm -N -R -V -G -v -m.
Exit codes (sysexits.h): 0 a server has the message, 64 usage, 65 message, 67 recipient refused,
69 refused for good, 75 try later, 77 may not send as this address, 78 not set up or sign-in needed.
`,
        ),
    ),

  async run({ args, flags }, session) {
    const f = schema.parse(flags);
    const via = readVia(f);
    refuseMode(f.b);
    const sender = f.sender ?? f.r;
    const record = await sendingMailbox(session, f.mailbox, sender, flags);
    const ignoresDots = f.ignoreDots === true || (f.o ?? []).some((option) => option === 'i');
    const raw = await readInput(session.ctx.longInput.bytes(), ignoresDots);
    const asked = { recipients: args, fromHeader: f.readRecipients === true, sender, fullName: f.fullName, via };
    const { mail, sent } = await sendFrom(session, record, raw, asked);
    const { error, ...told } = sent;
    const data = { mailbox: record.mailbox, from: mail.sender, messageId: mail.messageId, ...told };
    return error === undefined ? { data, text: '' } : { data, text: '', error };
  },
};

function readVia({ via = 'auto' }: Flags): Via {
  const known = ways.find((way) => way === via);
  if (known !== undefined) return known;
  throw problem('value-invalid', { what: 'way', value: via, why: `--via takes ${ways.join(', ')}.`, next: again({ via: 'auto' }) });
}

/** sendmail is many programs in one: only the one that takes a message is here. */
function refuseMode(mode: string | undefined): void {
  if (mode === undefined || mode === 'm') return;
  throw problem('usage', {
    message: `mailauth send takes one message (-bm), and not what -b${plain(mode, 20)} asks for`,
    help: mailauth('send', { help: true }),
  });
}

/** The one that is named; else the one that `-f` names, where it is set up; else the only one. */
async function sendingMailbox(
  session: Session,
  named: string | undefined,
  sender: string | undefined,
  flags: unknown,
): Promise<MailboxRecord> {
  const command = mailauth('send');
  const given = named ?? (session.ctx.env.MAILAUTH_MAILBOX || undefined) ?? (await setUpSender(session, sender, flags));
  return mailboxArgument(session, command, given, flags, { needs: 'sending' });
}

async function setUpSender(session: Session, sender: string | undefined, flags: unknown): Promise<string | undefined> {
  const [address] = sender === undefined ? [] : readAddresses(sender).addresses;
  if (address === undefined) return undefined;
  const { records } = await mailboxesOf(session).listMailboxes();
  const product = productFlag(flags);
  const isMeant = (one: MailboxRecord) => one.mailbox === address.toLowerCase() && (product === undefined || one.for === product);
  return records.some(isMeant) ? address : undefined;
}
