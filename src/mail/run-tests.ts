import { type Cloud, mailOf, type Protocol, type ProtocolWord } from '../core/cloud.ts';
import type { Context, Network } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import type { MailauthError } from '../core/errors.ts';
import type { LastTest, MailboxRecord, TokenSet } from '../core/mailbox.ts';
import { rfc3339 } from '../core/time.ts';
import { problem } from '../errors/problem.ts';
import { readAccessToken } from '../oauth/claims.ts';
import { testGraphSend } from './graph-send.ts';
import { testImap } from './imap.ts';
import type { TokenEvidence } from './mail-refusal.ts';
import { testPop } from './pop.ts';
import type { MailResult, ProtocolResult } from './result.ts';
import { type SmtpTest, testSmtp } from './smtp.ts';
import type { Stage } from './stages.ts';
import { namesToTry, testByName } from './user-name.ts';

/** A token, and what the token endpoint said about it. That counts for opaque tokens, which cannot be read. */
export type TestToken = Pick<TokenSet, 'accessToken'> & Partial<Pick<TokenSet, 'expiresAt' | 'scopes' | 'account'>>;

export interface TestRun {
  readonly ctx: Pick<Context, 'clock' | 'signal' | 'random'>;
  readonly network: Network;
  readonly cloud: Cloud;
  readonly record: MailboxRecord;
  readonly protocols: readonly ProtocolWord[];
  readonly token: () => Promise<TestToken>;
  /** the token for Microsoft Graph */
  readonly graphToken?: () => Promise<TestToken>;
  readonly timeoutMs: number;
  /** SMTP sends one message there; without it nothing is sent */
  readonly sendTo?: string;
  readonly onStage?: (protocol: ProtocolWord, stage: Stage) => void;
}

/** Tests these protocols of one mailbox side by side, all with one token. Red tests are values. */
export async function runTests(run: TestRun): Promise<readonly ProtocolResult[]> {
  let asked: Promise<TestToken> | undefined;
  const token = (): Promise<TestToken> => {
    asked ??= run.token();
    return asked;
  };
  const mail = await Promise.all(mailOf(run.protocols).map((protocol) => testOne(protocol, { ...run, token })));
  return run.protocols.includes('graph-send') ? [...mail, await testGraphSend(run)] : mail;
}

function testOne(protocol: Protocol, run: TestRun): Promise<MailResult> {
  const { ctx, network, cloud, record, sendTo, onStage } = run;
  let granted: TestToken | undefined;
  const test: Omit<SmtpTest, 'user'> = {
    ctx: { network, clock: ctx.clock, signal: ctx.signal, random: ctx.random },
    host: cloud[protocol],
    mailbox: record.mailbox,
    async token() {
      granted = await run.token();
      return granted.accessToken;
    },
    timeoutMs: run.timeoutMs,
    claims: () => (granted === undefined ? undefined : evidenceOf(granted, record)),
    tenantId: record.tenantId,
    outlookScopeBase: cloud.outlookScopeBase,
    ...defined({ signInAs: record.signInAs, sendTo }),
    ...(onStage === undefined ? {} : { onStage: (stage: Stage) => onStage(protocol, stage) }),
  };
  return testByName(namesToTry(record, protocol), record.signInAs, (user) => probes[protocol]({ ...test, user }));
}

const probes: Readonly<Record<Protocol, (test: SmtpTest) => Promise<MailResult>>> = { imap: testImap, pop: testPop, smtp: testSmtp };

/** What the token says about itself; of an opaque token what the token endpoint said. */
export function evidenceOf({ accessToken, expiresAt, scopes, account }: TestToken, record: MailboxRecord): TokenEvidence {
  const claims = readAccessToken(accessToken);
  const said = record.access === 'app-only' ? appOf(record, account) : { username: account?.username };
  return claims.opaque ? { opaque: true, scopes, expiresAt, ...said } : { expiresAt, ...said, ...claims };
}

/** Microsoft may encrypt an app's token. Then the set-up says which app it belongs to. */
function appOf({ registration }: MailboxRecord, account: TestToken['account']): Partial<TokenEvidence> {
  const objectId = account?.objectId ?? registration.made?.servicePrincipalId;
  return { appOnly: true, appId: registration.clientId, ...defined({ objectId }) };
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
  const { smtpUser: before, ...rest } = record;
  const smtpUser = userOfSmtp(record, results, before);
  return { ...rest, ...defined({ smtpUser }), lastTests: [...kept, ...tested] };
}

/** The name that SMTP took, where it is not the mailbox; a red test changes nothing. */
function userOfSmtp(record: MailboxRecord, results: readonly ProtocolResult[], before: string | undefined): string | undefined {
  const green = results.find(({ protocol, ok }) => protocol === 'smtp' && ok);
  if (green === undefined) return before;
  return green.user.toLowerCase() === record.mailbox.toLowerCase() ? undefined : green.user;
}
