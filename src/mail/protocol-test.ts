import type { MailHost, Protocol } from '../core/cloud.ts';
import type { Context } from '../core/context.ts';
import type { MailauthError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import { problem } from '../errors/problem.ts';
import { withoutToken, xoauth2 } from '../tokens/sasl.ts';
import type { MailAttempt, TokenEvidence } from './mail-refusal.ts';
import { type MailResult, protocolResult } from './result.ts';
import {
  type ConversationStage,
  conversationStages,
  type PreflightStage,
  preflightStages,
  runStages,
  type Stage,
  type StageName,
  type StageWork,
  stageOrder,
} from './stages.ts';

/** What the test of any mail protocol needs. */
export interface MailTest {
  readonly ctx: Pick<Context, 'network' | 'clock' | 'signal'>;
  readonly host: MailHost;
  readonly mailbox: string;
  /** the name for SASL `user=` */
  readonly user: string;
  /** rejects with a `MailauthError` when there is no token */
  readonly token: () => Promise<Secret>;
  /** for each stage */
  readonly timeoutMs: number;
  /** reads the token's claims; used only for the diagnosis of a refusal */
  readonly claims?: ((token: Secret) => TokenEvidence | undefined) | undefined;
  /** the delegate of a shared mailbox */
  readonly signInAs?: string | undefined;
  /** the tenant of the set-up */
  readonly tenantId?: string | undefined;
  readonly outlookScopeBase?: string | undefined;
  readonly onStage?: ((stage: Stage) => void) | undefined;
}

/** What a stage of the conversation does: resolves to the stage's detail. What it throws is given to `explain`. */
type ConversationWork = (token: Secret, signal: AbortSignal) => Promise<string>;

/** What one protocol adds to the common frame. */
export interface Conversation {
  readonly protocol: Protocol;
  readonly preflight: Readonly<Record<PreflightStage, StageWork>>;
  readonly work: Partial<Record<ConversationStage, ConversationWork>>;
  /** refuses names that would change the protocol's commands; called before anything is sent */
  checkNames?(): void;
  /** ends the preflight, and opens a second connection where the protocol needs one; what it throws is not explained */
  beforeAuth?(token: Secret, signal: AbortSignal): Promise<void>;
  /** what the failure of a stage means; `clean` takes the token out of the server's words */
  explain(cause: unknown, at: MailAttempt, clean: (said: string) => string): unknown;
  close(): void;
}

/**
 * The frame of every live test: each stage with its time, and a diagnosis of the first failure. A red test is a value;
 * rejects only with the signal's reason. The token goes to the server over TLS with a checked certificate, and nowhere else.
 */
export async function protocolTest(test: MailTest, conversation: Conversation): Promise<MailResult> {
  const { ctx, host, mailbox, user, timeoutMs } = test;
  const { protocol } = conversation;
  try {
    const run = await runStages({
      order: stageOrder(protocol, host.security),
      clock: ctx.clock,
      signal: ctx.signal,
      timeoutMs,
      totalMs: totalMsOf(test),
      late: lateStage(test),
      onStage: test.onStage,
      work: workOf(test, conversation),
    });
    return protocolResult({ mailbox, protocol, host, user }, run);
  } finally {
    conversation.close();
  }
}

function workOf(test: MailTest, conversation: Conversation): Partial<Record<StageName, StageWork>> {
  const { user } = test;
  const { protocol, preflight } = conversation;
  let token: Secret | undefined;

  const withToken =
    (stage: ConversationStage, act: ConversationWork): StageWork =>
    async (signal) => {
      if (token === undefined) throw new Error(`${protocol}: no token yet`);
      const secret = token;
      if (stage === 'auth') await conversation.beforeAuth?.(secret, signal);
      try {
        return await act(secret, signal);
      } catch (cause) {
        if (signal.aborted) throw signal.reason;
        throw conversation.explain(cause, attemptOf(test, protocol, stage, secret), (said) => withoutToken(said, user, secret));
      }
    };

  const work: Partial<Record<StageName, StageWork>> = {
    async token() {
      token = await test.token();
      // Refuses a user name that would add fields to the SASL message, before anything is sent.
      xoauth2(user, token);
      conversation.checkNames?.();
      return `${token.length} characters`;
    },
  };
  for (const stage of preflightStages) work[stage] = preflight[stage];
  for (const stage of conversationStages) {
    const act = conversation.work[stage];
    if (act !== undefined) work[stage] = withToken(stage, act);
  }
  return work;
}

/** The error of a stage that took longer than its time. */
function lateStage(test: MailTest): (stage: StageName, limit: 'stage' | 'total') => MailauthError {
  const { host, timeoutMs } = test;
  return (stage, limit) => {
    const where = { host: host.host, port: host.port, through: test.ctx.network.proxyFor(host.host, host.port) };
    if (limit === 'total') return problem('mail-test-timeout', { ...where, stage, timeoutMs: totalMsOf(test) });
    return stage === 'connect'
      ? problem('connect-timeout', { ...where, purpose: 'the mail server' })
      : problem('mail-stage-timeout', { ...where, stage, timeoutMs });
  };
}

/** A server that is slow at every stage holds the test no longer than this; no honest server needs a quarter of it. */
const totalMsOf = ({ timeoutMs }: Pick<MailTest, 'timeoutMs'>): number => 4 * timeoutMs;

function attemptOf(test: MailTest, protocol: Protocol, phase: ConversationStage, token: Secret): MailAttempt {
  const { mailbox, user, host, ctx, signInAs, tenantId, outlookScopeBase } = test;
  return {
    mailbox,
    user,
    protocol,
    host: host.host,
    port: host.port,
    phase,
    tokenLength: token.length,
    token: test.claims?.(token),
    signInAs,
    tenantId,
    outlookScopeBase,
    now: ctx.clock.now(),
  };
}

/** The detail of the stage `mailbox` in IMAP and POP. */
export const messages = (count: number | undefined): string =>
  count === undefined ? 'opened; the server does not say how many messages it has' : count === 1 ? '1 message' : `${count} messages`;
