import { defined } from '../core/defined.ts';
import { again } from '../core/next.ts';
import type { Run } from '../core/run-parts.ts';
import { problem } from '../errors/problem.ts';
import type { DeviceOptions } from '../oauth/device.ts';
import type { Sandbox } from '../sandbox/start-sandbox.ts';
import { deviceApproval, withApproval } from './approval.ts';
import { canAsk } from './mailbox-argument.ts';
import type { Session } from './session.ts';

/** What a command hands on when a person signs in: an administrator, or the person of the mailbox. */
export const signInRun = (session: Session, box: Sandbox | undefined): Run => ({
  ctx: withApproval(session, box),
  report: session.report,
  canAsk: canAsk(session),
  stepTimeoutMs: session.stepTimeoutMs,
  browserTimeoutMs: session.browserTimeoutMs,
  network: () => session.network(),
});

/** Without `--timeout` a device code is waited for as long as it is valid. */
export const deviceOptions = (session: Session, box: Sandbox | undefined, qr: boolean): DeviceOptions => ({
  qr,
  waitMs: session.globals.timeoutMs,
  ...defined({ shown: deviceApproval(session, box) }),
});

/** Throws `usage` (exit 2) where `--qr` is given for a way to sign in that has no code. */
export function checkQr(qr: boolean, signIn: string | undefined): void {
  if (qr && signIn !== 'device')
    throw problem('usage', { message: '--qr goes with --sign-in device', help: again({ signIn: 'device', qr: true }) });
}
