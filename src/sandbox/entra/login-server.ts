import { graphEndpoint } from '../graph/graph-server.ts';
import { decodeSegment, json, type SandboxReply, type SandboxRequest } from '../server/http.ts';
import type { Service } from '../server/service.ts';
import { deviceCodeEndpoint } from './device-code.ts';
import { openIdConfiguration } from './discovery-documents.ts';
import { tokenEndpoint } from './token-endpoint.ts';

/** Every route of the https server: the v2 endpoints, Graph, and the sandbox's own ping. */
export async function loginServer(service: Service, request: SandboxRequest): Promise<SandboxReply> {
  const { method, path } = request;
  if (path === '/sandbox/ping') return json(200, { sandbox: 'mailauth', nonce: service.nonce, seen: service.seen });
  if (path.startsWith('/graph/')) return graphEndpoint(service, request);
  const [, named = '', rest = ''] = /^\/([^/]+)\/(.*)$/.exec(path) ?? [];
  const tenant = decodeSegment(named);
  switch (`${method} ${rest}`) {
    case 'GET v2.0/.well-known/openid-configuration':
      return openIdConfiguration(service, tenant, request);
    case 'GET discovery/v2.0/keys':
      return json(200, service.mint.publicKeys);
    case 'POST oauth2/v2.0/token':
      return tokenEndpoint(service, tenant, request);
    case 'POST oauth2/v2.0/devicecode':
      return deviceCodeEndpoint(service, tenant, request);
    case 'GET oauth2/v2.0/authorize':
    case 'GET v2.0/adminconsent':
      return { status: 302, headers: { location: `${service.addresses.pages}${request.target}` }, body: '' };
    default:
      return json(404, { error: 'not_found', error_description: `The sandbox has nothing at ${method} ${path}.` });
  }
}
