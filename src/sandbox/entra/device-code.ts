import { type Refused, refused } from '../faults/entra-refusals.ts';
import { json, type SandboxReply, type SandboxRequest } from '../server/http.ts';
import type { Service } from '../server/service.ts';
import { audienceRefuses, declaredScopes, findApp, registrationOf } from '../tenant/app-objects.ts';
import { findTenant } from '../tenant/directory.ts';
import { sha256 } from '../tenant/state.ts';
import type { App, DeviceCode, State } from '../tenant/state-schema.ts';
import type { TokenForm } from './check-client.ts';
import { refuser } from './replies.ts';
import { readScopes, scopeRefusal } from './scope-rules.ts';
import { grant, type Outcome, type Setting } from './token-grants.ts';

/** The page where a person types the code, on the server for browsers. */
export const devicePath = '/common/oauth2/deviceauth';

const lifeSeconds = 900;
/** Entra says 5. A rehearsal needs no such wait. */
const intervalSeconds = 1;
/** Entra's codes have nine characters, without letters and digits that look alike. */
const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ';

/** `POST /{tenant}/oauth2/v2.0/devicecode` (RFC 8628 section 3.1; learn.microsoft.com, v2-oauth2-device-code). */
export async function deviceCodeEndpoint(service: Service, named: string, request: SandboxRequest): Promise<SandboxReply> {
  const refuse = refuser(service, request);
  const form = Object.fromEntries(new URLSearchParams(request.body));
  const found = findTenant(named);
  if (found.kind !== 'found') return refuse(found.kind === 'unknown' ? 90002 : 900023, { tenant: named });
  for (const parameter of ['client_id', 'scope']) if ((form[parameter] ?? '') === '') return refuse(900144, { parameter });
  const { client_id: clientId = '', scope = '' } = form;
  const state = await service.state.read();
  const app = findApp(state, clientId);
  if (app === undefined || service.fault === 'client-unknown') return refuse(700016, { client: clientId });
  const audience = audienceRefuses(app, named, found.id);
  if (audience !== undefined) return refuse(audience.aadsts, audience.blanks);
  const read = readScopes(scope, service.addresses.graph, declaredScopes(app));
  if (read.kind !== 'ok') {
    const { aadsts, blanks } = scopeRefusal(read);
    return refuse(aadsts, blanks);
  }
  const userCode = [...service.ctx.random.bytes(9)].map((byte) => alphabet[byte % alphabet.length]).join('');
  const deviceCode = service.mint.code();
  await service.state.change((now) => {
    const expiresAt = service.ctx.clock.now() + lifeSeconds * 1000;
    now.deviceCodes.push({ sha256: sha256(deviceCode), userCode, clientId: app.clientId, scope, expiresAt, state: 'pending', polls: 0 });
  });
  const page = `${service.addresses.pages}${devicePath}`;
  return json(200, {
    user_code: userCode,
    device_code: deviceCode,
    verification_uri: page,
    expires_in: lifeSeconds,
    interval: intervalSeconds,
    message: `To sign in, use a web browser to open the page ${page} and enter the code ${userCode} to authenticate.`,
  });
}

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

/** OAuth errors without an AADSTS number. */
interface Said {
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
