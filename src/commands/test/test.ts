import * as z from 'zod/mini';
import { protocolWords } from '../../core/cloud.ts';
import type { MailauthError } from '../../core/errors.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { again, type Command, mailauth } from '../../core/next.ts';
import { anyOf, bareAddress } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { type ProtocolResult, proofOf, resultsShown, stageTally } from '../../mail/result.ts';
import { testError } from '../../mail/run-tests.ts';
import { type CommandModule, examples } from '../../session/command.ts';
import { mailboxArgument } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { filterOptions, mayBeChosen, readFilter } from '../../session/set-up-filter.ts';
import { refuseForeignSignIn } from '../../session/token-for.ts';
import { checkAddress } from '../../setup/answers/answers.ts';
import type { Theme } from '../../ui/theme.ts';
import { testMailbox } from './test-mailbox.ts';

const schema = z.object({
  sendTo: z.optional(z.string()),
  allMailboxes: z.optional(z.boolean()),
  concurrency: z.optional(z.string()),
});

export const test: CommandModule = {
  configure: (command) =>
    filterOptions(
      examples(
        command
          .argument('[protocol]', `${anyOf([...protocolWords, 'all'])} (those of the set-up), which is the default`)
          .argument('[mailbox]', 'address of a mailbox that is set up'),
        [
          'mailauth test                                    every protocol of the only mailbox',
          'mailauth test imap helpdesk@contoso.com',
          'mailauth test all --json',
          'mailauth test smtp --verbose                     every stage with its time',
          'mailauth test smtp --send-to me@contoso.com      sends one small message',
          'mailauth test all --all-mailboxes --json         every set-up, for monitoring',
          'mailauth test --all-mailboxes --label Contoso    those of one customer',
        ],
      )
        .option('--send-to <address>', 'SMTP: send one message there; without it nothing is sent')
        .option('--all-mailboxes', 'every mailbox that is set up: one table, one exit code')
        .option('--concurrency <n>', 'with --all-mailboxes: mailboxes in work at a time, 1 to 64 (default: 4)')
        .option('--for <product>', 'which set-up, when the mailbox has several; with --all-mailboxes only those')
        .optionsGroup('With --all-mailboxes:'),
    ),

  async run({ args, flags }, session) {
    const [first = 'all', ...others] = args;
    const [protocol, mailbox] = first.includes('@') ? ['all', first] : [first, ...others];
    if (first.includes('@') && others.length > 0) throw usage('The protocol stands before the mailbox', mailauth('test', ...others, first));
    const { sendTo, allMailboxes, concurrency } = schema.parse(flags);
    checkProtocol(protocol, mailbox);
    if (allMailboxes === true) {
      const { testAllMailboxes } = await import('./test-all.ts');
      return testAllMailboxes({ protocol, mailbox, sendTo, concurrency, flags }, session);
    }
    if (concurrency !== undefined) throw usage('--concurrency needs --all-mailboxes', mailauth('test', protocol, { allMailboxes: true }));
    if (!mayBeChosen(readFilter(flags)))
      throw usage('--tenant and --label need --all-mailboxes', mailauth('test', protocol, { allMailboxes: true }));
    if (sendTo !== undefined) checkSendTo(sendTo, protocol, mailbox);
    const record = await mailboxArgument(session, mailauth('test', protocol), mailbox, flags, { needs: 'token' });
    const wanted = protocol === 'all' ? record.protocols : protocolWords.filter((p) => p === protocol);
    if (sendTo !== undefined && !wanted.includes('smtp')) throw sendToNeedsSmtp(sendTo, mailbox);
    await refuseForeignSignIn(session, record);
    const tally = stageTally(wanted);
    const started = (text: string) => session.report.progress('test', 'started', text);
    started(tally.text());
    const results = await testMailbox(session, record, wanted, {
      ...(sendTo === undefined ? {} : { sendTo: bareAddress(sendTo) }),
      onStage: (p, stage) => started(tally.note(p, stage)),
    });
    session.report.settle();
    const error = testError(results);
    if (error !== undefined) await tellOfChange(session, record);
    return {
      data: { results: resultsShown(results, session.ctx.surroundings) },
      ...(error === undefined ? {} : { error }),
      text: (theme) => text(results, theme, session.globals.verbose),
    };
  },
};

/** Until a change in Exchange Online reaches the mail servers, a red test says nothing about it. */
const reachesMs = 3_600_000;

async function tellOfChange({ ctx, home, report }: Session, record: MailboxRecord): Promise<void> {
  const { changeNotes } = await import('../../exchange/change-notes.ts');
  // Notes that cannot be read are for `exchange` to say.
  const notes = await changeNotes(ctx, home, record)
    .read()
    .catch(() => []);
  const since = ctx.clock.now() - Math.max(0, ...notes.map(({ at }) => Date.parse(at)));
  if (since > reachesMs) return;
  report.note(
    `Exchange Online was changed ${Math.round(since / 60_000)} minutes ago; it can take up to an hour until the mail servers know.`,
  );
}

function checkProtocol(protocol: string, mailbox: string | undefined): void {
  if (protocol === 'all' || protocolWords.some((p) => p === protocol)) return;
  throw problem('value-invalid', {
    what: 'protocol to test',
    value: protocol,
    why: `Protocols are: ${[...protocolWords, 'all'].join(', ')}.`,
    next: again({}, ['imap', ...(mailbox === undefined ? [] : [mailbox])]),
  });
}

function checkSendTo(sendTo: string, protocol: string, mailbox: string | undefined): void {
  const verdict = checkAddress(sendTo);
  if (verdict !== true)
    throw problem('value-invalid', {
      what: 'address for --send-to',
      value: sendTo,
      why: verdict,
      next: again({ sendTo: false }),
    });
  if (protocol !== 'smtp' && protocol !== 'all') throw sendToNeedsSmtp(sendTo, mailbox);
}

const sendToNeedsSmtp = (sendTo: string, mailbox: string | undefined): MailauthError =>
  problem('value-invalid', {
    what: 'address for this test',
    value: sendTo,
    why: '--send-to belongs to the test of SMTP; the others send nothing.',
    next: again({}, ['smtp', ...(mailbox === undefined ? [] : [mailbox])]),
  });

const usage = (message: string, help: Command): MailauthError => problem('usage', { message, help });

/** A green protocol is one line and a red one all its stages, or all of them with `verbose`; the last line is the verdict. */
function text(results: readonly ProtocolResult[], theme: Theme, verbose: boolean): string {
  const blocks = results.map((result) => (verbose || !result.ok ? stagesText(result, theme) : greenLine(result, theme)));
  const green = results.filter(({ ok }) => ok).length;
  const isOne = results.length === 1;
  const verdict =
    green === results.length
      ? `${theme.green(theme.signs.ok)} ${isOne ? 'It works' : `All ${results.length} work`}: mail of ${results[0]?.mailbox ?? 'this mailbox'} by OAuth 2.`
      : `${theme.red(theme.signs.failed)} ${isOne ? 'It does not work yet.' : `${results.length - green} of ${results.length} failed.`}`;
  return `${blocks.join('')}${verdict}\n`;
}

function greenLine(result: ProtocolResult, theme: Theme): string {
  const seconds = (result.stages.reduce((sum, { ms }) => sum + ms, 0) / 1000).toFixed(1);
  return `${theme.green(theme.signs.ok)} ${theme.bold(result.protocol.toUpperCase().padEnd(4))} ${proofOf(result)}  ${theme.dim(`${seconds} s`)}\n${noteText(result, theme)}`;
}

function stagesText(result: ProtocolResult, theme: Theme): string {
  const { signs } = theme;
  const head = `${theme.bold(`${result.protocol.toUpperCase()} ${result.mailbox}`)} at ${result.host}:${result.port}`;
  const lines = result.stages.map((stage) => {
    const sign = { ok: theme.green(signs.ok), failed: theme.red(signs.failed), skipped: theme.dim(signs.skipped) }[stage.state];
    const ms = stage.state === 'skipped' ? '' : `${stage.ms} ms`;
    const why = stage.name === 'send' && stage.state === 'skipped' && result.ok ? 'only with --send-to' : stage.detail;
    return `  ${sign} ${stage.name.padEnd(11)}${ms.padStart(8)}  ${why}`.trimEnd();
  });
  return `${head}\n${lines.join('\n')}\n${noteText(result, theme)}\n`;
}

const noteText = ({ note }: ProtocolResult, theme: Theme): string =>
  note === undefined ? '' : `  ${theme.yellow(theme.signs.warning)} ${note.title}\n    ${note.why ?? ''}\n`;
