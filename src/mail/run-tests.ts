import type { Cloud, Protocol } from '../core/cloud.ts';
import type { Context, Network } from '../core/context.ts';
import type { MailauthError } from '../core/errors.ts';
import type { LastTest, MailboxRecord } from '../core/mailbox.ts';
import type { Secret } from '../core/secret.ts';
import { problem } from '../diagnose/problem.ts';
import { readAccessToken } from '../oauth/claims.ts';
import { rfc3339, saslUser } from '../tokens/formats.ts';
import { testImap } from './imap.ts';
import { testPop } from './pop.ts';
import type { ProtocolResult } from './result.ts';
import { type SmtpTest, testSmtp } from './smtp.ts';
import type { Stage } from './stages.ts';

export interface TestRun {
  readonly ctx: Pick<Context, 'clock' | 'signal' | 'random'>;
  readonly network: Network;
  readonly cloud: Cloud;
  readonly record: MailboxRecord;
  readonly protocols: readonly Protocol[];
  readonly token: () => Promise<Secret>;
  readonly timeoutMs: number;
  /** SMTP sends one message there; without it nothing is sent */
  readonly sendTo?: string;
  readonly onStage?: (protocol: Protocol, stage: Stage) => void;
}

/** Tests these protocols of one mailbox side by side, all with one token. Red tests are values. */
export function runTests(run: TestRun): Promise<readonly ProtocolResult[]> {
  let asked: Promise<Secret> | undefined;
  const token = (): Promise<Secret> => {
    asked ??= run.token();
    return asked;
  };
  return Promise.all(run.protocols.map((protocol) => testOne(protocol, { ...run, token })));
}

function testOne(protocol: Protocol, run: TestRun): Promise<ProtocolResult> {
  const { ctx, network, cloud, record, sendTo, onStage } = run;
  const test: SmtpTest = {
    ctx: { network, clock: ctx.clock, signal: ctx.signal, random: ctx.random },
    host: cloud[protocol],
    mailbox: record.mailbox,
    user: saslUser(record),
    token: run.token,
    timeoutMs: run.timeoutMs,
    claims: (secret) => readAccessToken(secret.reveal()),
    outlookScopeBase: cloud.outlookScopeBase,
    ...(record.signInAs === undefined ? {} : { signInAs: record.signInAs }),
    ...(sendTo === undefined ? {} : { sendTo }),
    ...(onStage === undefined ? {} : { onStage: (stage: Stage) => onStage(protocol, stage) }),
  };
  switch (protocol) {
    case 'imap':
      return testImap(test);
    case 'pop':
      return testPop(test);
    case 'smtp':
      return testSmtp(test);
  }
}

/** The tests' common error; one of its own when several failed for different reasons (exit 1). */
export function testError(results: readonly ProtocolResult[]): MailauthError | undefined {
  const failures = results.flatMap(({ mailbox, protocol, error }) => (error === undefined ? [] : [{ mailbox, protocol, error }]));
  const [first] = failures;
  if (first === undefined) return undefined;
  if (failures.every(({ error }) => error.exit === first.error.exit)) return first.error;
  return problem('results-differ', { failed: failures.map((f) => `${f.protocol} (${f.error.title})`), mailbox: first.mailbox });
}

/** What the mailbox file remembers of these results: the latest of each protocol. */
export function rememberTests(record: MailboxRecord, results: readonly ProtocolResult[], now: number): MailboxRecord {
  const tested: LastTest[] = results.map(({ protocol, ok, diagnosis }) => ({
    at: rfc3339(now),
    protocol,
    ok,
    ...(diagnosis === undefined ? {} : { code: diagnosis.code }),
  }));
  const kept = record.lastTests.filter((old) => !tested.some((t) => t.protocol === old.protocol));
  return { ...record, lastTests: [...kept, ...tested] };
}
