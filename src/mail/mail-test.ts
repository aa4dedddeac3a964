import type { MailHost, Protocol } from '../core/cloud.ts';
import type { Context } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import { problem } from '../errors/problem.ts';
import type { MailAttempt, TokenEvidence } from './mail-refusal.ts';
import type { Stage, StageName } from './stages.ts';

/** What the test of any mail protocol needs. */
export interface MailTest {
  readonly ctx: Pick<Context, 'network' | 'clock' | 'signal'>;
  readonly host: MailHost;
  readonly mailbox: string;
  /** the name for SASL `user=` */
  readonly user: string;
  /** rejects with a `MailauthError` where there is none */
  readonly token: () => Promise<Secret>;
  /** for each stage */
  readonly timeoutMs: number;
  /** reads the token's claims, for the diagnosis of a refusal only */
  readonly claims?: (token: Secret) => TokenEvidence | undefined;
  /** the delegate of a shared mailbox */
  readonly signInAs?: string;
  /** of the set-up */
  readonly tenantId?: string;
  readonly outlookScopeBase?: string;
  readonly onStage?: (stage: Stage) => void;
}

/** The error of a stage that took longer than its time. */
export function lateStage(test: MailTest): (stage: StageName, limit: 'stage' | 'total') => MailauthError {
  const { host, timeoutMs } = test;
  const where = { host: host.host, port: host.port };
  return (stage, limit) => {
    if (limit === 'total') return problem('mail-test-timeout', { ...where, stage, timeoutMs: totalOf(test) });
    return stage === 'connect'
      ? problem('connect-timeout', { ...where, purpose: 'the mail server' })
      : problem('mail-stage-timeout', { ...where, stage, timeoutMs });
  };
}

/** A server that is slow at every stage keeps nobody longer than this: no honest one needs a quarter of it. */
export const totalOf = ({ timeoutMs }: Pick<MailTest, 'timeoutMs'>): number => 4 * timeoutMs;

/** The circumstances of a failure, for its diagnosis. */
export function attemptOf(test: MailTest, protocol: Protocol, phase: MailAttempt['phase'], token: Secret): MailAttempt {
  const { mailbox, user, host, ctx } = test;
  return {
    mailbox,
    user,
    protocol,
    host: host.host,
    port: host.port,
    phase,
    tokenLength: token.length,
    token: test.claims?.(token),
    signInAs: test.signInAs,
    tenantId: test.tenantId,
    outlookScopeBase: test.outlookScopeBase,
    now: ctx.clock.now(),
  };
}

/** A connection that is lost while somebody signs in on it: often the token was too long for the server or a gateway. */
export function lostDuringAuth(cause: unknown, at: MailAttempt): MailauthError | undefined {
  if (at.phase !== 'auth' || !(cause instanceof MailauthError) || cause.code !== 'connection-closed') return undefined;
  return problem('mail-connection-closed-during-auth', at, { detail: cause.detail });
}
