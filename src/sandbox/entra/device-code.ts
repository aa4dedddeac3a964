import { json, type SandboxReply, type SandboxRequest } from '../server/http.ts';
import type { Service } from '../server/service.ts';
import { audienceRefuses, declaredScopes, findApp } from '../tenant/app-objects.ts';
import { findTenant } from '../tenant/directory.ts';
import { sha256 } from '../tenant/state.ts';
import { readScopes, scopeRefusal } from './scope-rules.ts';
import { refuser } from './token-endpoint.ts';

/** Where a person types the code; on the pages server. */
export const devicePath = '/common/oauth2/deviceauth';

const lifeSeconds = 900;
/** Entra says 5; nobody rehearses waiting. */
const intervalSeconds = 1;
/** No letters or digits that look alike, as Entra's nine characters. */
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
  const audience = audienceRefuses(app, named);
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
