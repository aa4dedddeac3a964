import type { Refused } from '../faults/entra-replies.ts';
import { registrationOf } from '../tenant/app-objects.ts';
import { sha256 } from '../tenant/state.ts';
import type { App, DeviceCode, State } from '../tenant/state-schema.ts';
import { grant, type Outcome, refused, type Setting, type TokenForm } from './token-grants.ts';

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/** One poll (RFC 8628 section 3.4 and 3.5). Edits the state. */
export function redeemDevice(state: State, app: App, form: TokenForm, setting: Setting): Outcome | Said {
  const given = form.device_code ?? '';
  if (given === '') return refused(900144, { parameter: 'device_code' });
  const code = state.deviceCodes.find((one) => one.sha256 === sha256(given));
  if (code === undefined || code.clientId !== app.clientId || code.state === 'redeemed' || setting.fault === 'device-code-unknown')
    return refused(70018);
  // Without a redirect URI this switch alone decides what the app is (learn.microsoft.com/graph, application: isFallbackPublicClient).
  if (registrationOf(app).publicFallback !== true || setting.fault === 'device-not-public') return refused(7000218);
  code.polls += 1;
  return misbehaved(code, setting) ?? answered(state, app, code, setting);
}

/** OAuth errors that Entra gives no number. */
export interface Said {
  readonly kind: 'said';
  readonly error: 'slow_down' | 'authorization_declined';
}

function misbehaved(code: DeviceCode, { fault, now }: Setting): Refused | Said | undefined {
  if (fault === 'device-expired' || code.expiresAt <= now) return refused(70020);
  if (fault === 'device-slow-down' && code.polls === 1) return { kind: 'said', error: 'slow_down' };
  if (fault === 'device-unavailable' && code.polls === 1) return refused(90033);
  return undefined;
}

function answered(state: State, app: App, code: DeviceCode, setting: Setting): Outcome | Said {
  if (code.state === 'declined') return { kind: 'said', error: 'authorization_declined' };
  if (code.user === undefined || code.state !== 'accepted') return refused(70016);
  if (setting.fault === 'device-blocked') return refused(53003);
  if (setting.fault === 'device-security-defaults') return refused(530035);
  const outcome = grant(state, app, { user: code.user, confidential: false, scope: code.scope, refreshing: false }, code.scope, setting);
  if (outcome.kind === 'granted') code.state = 'redeemed';
  return outcome;
}
