import type { Cloud } from '../../core/cloud.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import type { Run } from '../../core/run-parts.ts';
import type { ProtocolResult } from '../../mail/result.ts';
import { runTests, type TestToken } from '../../mail/run-tests.ts';

/** The proof at the end of a set-up or a sign-in: each protocol of the set-up, live. A red test is a value. */
export async function testMailbox(
  run: Pick<Run, 'ctx' | 'report' | 'stepTimeoutMs' | 'network'>,
  record: MailboxRecord,
  cloud: Cloud,
  token: () => Promise<TestToken>,
): Promise<readonly ProtocolResult[]> {
  const { ctx, report, stepTimeoutMs } = run;
  report.progress('test', 'started', 'Testing the mail server');
  const network = await run.network();
  const results = await runTests({ ctx, network, cloud, record, protocols: record.protocols, token, timeoutMs: stepTimeoutMs });
  for (const { protocol, ok, host, port, stages, diagnosis } of results) {
    const found = stages.find((s) => s.name === 'mailbox')?.detail ?? '';
    const proof = protocol === 'smtp' ? found : `INBOX has ${found}`;
    const text = ok ? `signed in at ${host}:${port}, ${proof}` : (diagnosis?.title ?? 'failed');
    report.progress('test', ok ? 'done' : 'failed', `${protocol.toUpperCase()}: ${text}`);
  }
  return results;
}
