import { resolve } from 'node:path';
import * as z from 'zod/mini';
import { namesDatabase } from '../core/database-port.ts';
import { isMissingFile } from '../core/errors.ts';
import { mailauth } from '../core/next.ts';
import { flagNameOf, plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { explain as explainText } from '../explain/explain-text.ts';
import { explanationJson } from '../explain/explanation-json.ts';
import { renderExplanation } from '../explain/explanation-lines.ts';
import { type CommandModule, examples } from '../session/command.ts';
import { mailboxesOf } from '../session/mailbox-argument.ts';
import type { Session } from '../session/session.ts';
import { diskReason } from '../store/home.ts';

const schema = z.object({ file: z.optional(z.string()) });

export const explain: CommandModule = {
  configure: (command) =>
    examples(command.argument('[text...]', 'a code, a sentence or a log; - or a pipe: standard input'), [
      'mailauth explain AADSTS50076',
      'mailauth explain "535 5.7.139 … SmtpClientAuthentication is disabled for the Tenant"',
      'mailauth explain --file fetch.log                 any size',
      'journalctl -u getmail | mailauth explain --json',
    ])
      .option('--file <file>', 'read the text from a file')
      // A POP server's refusal begins with a hyphen; `refuseTypos` looks at what is left.
      .allowUnknownOption(),

  async run({ args, flags }, session) {
    refuseTypos(args);
    const pieces = piecesOf(args, schema.parse(flags).file, session);
    const [cloud, mailbox] = await Promise.all([session.cloud(), onlyMailbox(session)]);
    const found = await explainText(pieces, { cloud, mailbox }, { fillIn: !session.globals.json });
    if (found.input === '' && args.length === 0 && schema.parse(flags).file === undefined) throw nothingGiven();
    return {
      data: explanationJson(found, session.ctx.surroundings),
      text: (theme) => {
        const { out, surroundings } = session.ctx;
        return renderExplanation(found, theme, surroundings, out.isTerminal ? out.columns : undefined);
      },
    };
  },
};

/** `-ERR …` and quoted lines are text; any other word with a hyphen in front is a mistyped flag. Throws `usage`, without the flag's value. */
function refuseTypos(args: readonly string[]): void {
  const from = args.findIndex((word) => /^-ERR\b|^-.*\s/is.test(word));
  const typo = (from === -1 ? args : args.slice(0, from)).find((word) => /^--?\w/.test(word));
  if (typo === undefined) return;
  throw problem('usage', {
    message: `mailauth explain has no option ${plain(flagNameOf(typo), 60)}`,
    help: mailauth('explain', { help: true }),
  });
}

const nothingGiven = () => problem('usage', { message: 'There is nothing to explain', help: mailauth('explain', 'AADSTS50076') });

/** Throws `usage` for nothing at all on a terminal, or for a text beside a file. */
function piecesOf(args: readonly string[], file: string | undefined, { ctx }: Session): AsyncIterable<string> | Iterable<string> {
  const text = args.join(' ');
  if (file !== undefined && args.length > 0) {
    throw problem('usage', { message: 'Give a text or --file, not both', help: mailauth('explain', { help: true }) });
  }
  if (file === '-' || text === '-') return ctx.longInput.pieces();
  if (file !== undefined) return ofFile(ctx.longInput.pieces(resolve(file)), file);
  if (args.length > 0 && text.trim() === '') throw nothingGiven();
  if (args.length > 0) return [text];
  if (ctx.longInput.isTerminal) throw nothingGiven();
  return ctx.longInput.pieces();
}

async function* ofFile(pieces: AsyncIterable<string>, file: string): AsyncGenerator<string> {
  try {
    yield* pieces;
  } catch (error) {
    const missing = isMissingFile(error);
    const reason = diskReason(error);
    if (!missing && reason === undefined) throw error;
    throw problem('value-invalid', {
      what: 'file',
      value: file,
      why: missing ? 'There is no such file.' : `It cannot be read: ${reason}.`,
      next: mailauth('explain', { help: true }),
    });
  }
}

/** Its name may stand in the commands, because nothing else can be meant. A database would have to be asked, and may be what is wrong. */
async function onlyMailbox(session: Session): Promise<string | undefined> {
  if (namesDatabase(session.ctx)) return undefined;
  try {
    const { records } = await mailboxesOf(session).listMailboxes();
    const mailboxes = new Set(records.map((record) => record.mailbox));
    return mailboxes.size === 1 ? records[0]?.mailbox : undefined;
  } catch {
    // An explanation must not fail for a home that cannot be read.
    return undefined;
  }
}
