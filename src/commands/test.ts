import * as z from 'zod/mini';
import type { Protocol } from '../core/cloud.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { problem } from '../diagnose/problem.ts';
import type { ProtocolResult } from '../mail/result.ts';
import { rememberTests, runTests, testable, testError } from '../mail/run-tests.ts';
import type { Theme } from '../ui/theme.ts';
import { type CommandModule, examples } from './command.ts';
import { mailboxArgument, mailboxesOf } from './mailbox-argument.ts';
import type { Session } from './session.ts';
import { tokenOf } from './token.ts';

const schema = z.object({ allMailboxes: z.optional(z.boolean()), sendTo: z.optional(z.string()) });

export const test: CommandModule = {
  configure: (command) =>
    examples(command.argument('<protocol>', 'imap or all').argument('[mailbox]', 'address of a mailbox that is set up'), [
      'mailauth test imap helpdesk@contoso.com',
      'mailauth test all --json',
    ]).option('--for <product>', 'which set-up, when the mailbox has several'),

  async run({ args: [protocol = '', mailbox], flags }, session) {
    schema.parse(flags);
    checkProtocol(protocol);
    const record = await mailboxArgument(session, `mailauth test ${protocol}`, mailbox, flags);
    const protocols = wantedProtocols(protocol, record, session);
    const [network, cloud] = await Promise.all([session.network(), session.cloud(record)]);
    const results = await runTests({
      ctx: session.ctx,
      network,
      cloud,
      record,
      protocols,
      timeoutMs: session.stepTimeoutMs,
      token: async () => (await tokenOf(session, record, { minValidityMs: 60_000, force: false })).accessToken,
      onStage: (p, stage) => session.report.detail(`${p} ${stage.name}: ${stage.state} ${stage.detail}`),
    });
    await remember(record, results, session);
    const error = testError(results);
    return {
      data: { results },
      ...(error === undefined ? {} : { error }),
      text: (theme) => results.map((r) => render(r, theme)).join('\n'),
    };
  },
};

function checkProtocol(protocol: string): void {
  if (protocol === 'all' || testable.some((p) => p === protocol)) return;
  if (protocol === 'pop' || protocol === 'smtp')
    throw problem('not-yet', { what: `mailauth test ${protocol}`, instead: 'mailauth test imap' });
  throw problem('value-invalid', {
    what: 'protocol to test',
    value: protocol,
    why: 'Protocols are: imap, all.',
    next: 'mailauth test imap',
  });
}

function wantedProtocols(protocol: string, record: MailboxRecord, session: Session): readonly Protocol[] {
  if (protocol !== 'all') return testable.filter((p) => p === protocol);
  const untested = record.protocols.filter((p) => !testable.includes(p));
  if (untested.length > 0) session.report.note(`Not tested: ${untested.join(', ')} (this version tests IMAP only).`);
  return record.protocols.filter((p) => testable.includes(p));
}

/** The mailbox file notes the result; a home that cannot be written does not spoil the test. */
async function remember(record: MailboxRecord, results: readonly ProtocolResult[], session: Session): Promise<void> {
  try {
    await mailboxesOf(session).writeMailbox(rememberTests(record, results, session.ctx.clock.now()));
  } catch {
    session.report.detail('The result could not be noted in the mailbox file.');
  }
}

function render(result: ProtocolResult, theme: Theme): string {
  const { signs } = theme;
  const head = `${theme.bold(`${result.protocol.toUpperCase()} ${result.mailbox}`)} at ${result.host}:${result.port}`;
  const lines = result.stages.map((stage) => {
    const sign = { ok: theme.green(signs.ok), failed: theme.red(signs.failed), skipped: theme.dim(signs.skipped) }[stage.state];
    const ms = stage.state === 'skipped' ? '' : `${stage.ms} ms`;
    return `  ${sign} ${stage.name.padEnd(11)}${ms.padStart(8)}  ${stage.detail}`.trimEnd();
  });
  return `${head}\n${lines.join('\n')}\n`;
}
