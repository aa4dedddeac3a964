import type { Run } from '../core/run.ts';
import type { Sandbox } from '../sandbox/start-sandbox.ts';
import { withApproval } from './approval.ts';
import { canAsk } from './mailbox-argument.ts';
import type { Session } from './session.ts';

/** What every command hands on in which somebody signs in: an administrator or the mailbox's own person. */
export const signInDeps = (session: Session, box: Sandbox | undefined): Run => ({
  ctx: withApproval(session, box),
  report: session.report,
  canAsk: canAsk(session),
  stepTimeoutMs: session.stepTimeoutMs,
  browserTimeoutMs: session.browserTimeoutMs,
  network: () => session.network(),
});
