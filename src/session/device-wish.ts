import { defined } from '../core/defined.ts';
import { problem } from '../errors/problem.ts';
import type { Sandbox } from '../sandbox/start-sandbox.ts';
import type { DeviceWish } from '../setup/sign-in/sign-in-step.ts';
import { deviceApproval } from './approval.ts';
import type { Session } from './session.ts';

/** Without `--timeout` a device code is waited for as long as it counts. */
export function deviceWish(session: Session, box: Sandbox | undefined, qr: boolean): DeviceWish {
  const shown = deviceApproval(session, box);
  return { qr, waitMs: session.globals.timeoutMs, ...defined({ shown }) };
}

/** Throws `usage` (exit 2) for a QR code of a sign-in that has none. */
export function checkQr(qr: boolean, signIn: string | undefined, command: string): void {
  if (qr && signIn !== 'device')
    throw problem('usage', { message: '--qr goes with --sign-in device', help: `${command} --sign-in device --qr` });
}
