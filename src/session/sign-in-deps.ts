import type { Sandbox } from '../sandbox/start-sandbox.ts';
import type { AdminDeps } from '../setup/register/admin-step.ts';
import { withApproval } from './approval.ts';
import { canAsk } from './mailbox-argument.ts';
import type { Session } from './session.ts';

/** What every command hands on in which somebody signs in: an administrator or the mailbox's own person. */
export const signInDeps = (session: Session, box: Sandbox | undefined): AdminDeps => ({
  ctx: withApproval(session, box),
  report: session.report,
  canAsk: canAsk(session),
  stepTimeoutMs: session.stepTimeoutMs,
  browserTimeoutMs: session.browserTimeoutMs,
  network: () => session.network(),
});
