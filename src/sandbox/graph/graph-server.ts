import { defined } from '../../core/defined.ts';
import { type GraphRefusalFault, graphRefusals } from '../faults/faults-graph.ts';
import { decodeSegment, type SandboxReply, type SandboxRequest } from '../server/http.ts';
import type { Service } from '../server/service.ts';
import type { State } from '../tenant/state-schema.ts';
import { applications, notHere } from './graph-applications.ts';
import { badRequest, type Caller, callerOf, denied, type GraphAnswer, type GraphCall, graphError, type Key } from './graph-call.ts';
import { permissionGrants } from './graph-grants.ts';
import { mailboxToSendFrom, sendMail } from './graph-send-mail.ts';
import { servicePrincipals } from './graph-service-principals.ts';
import { deletedItems, me, organization, policies, users } from './graph-tenant.ts';

/** Everything under `/graph/`: the part of Microsoft Graph that registration needs (learn.microsoft.com/graph/api/overview). */
export async function graphEndpoint(service: Service, request: SandboxRequest): Promise<SandboxReply> {
  const busy = busyness(service) ?? refusedByFault(service, request);
  if (busy !== undefined) return send(service, request, busy);
  const caller = authenticate(service, request);
  if ('status' in caller) return send(service, request, caller);
  const mailbox = mailboxToSendFrom(request, caller);
  if (mailbox !== undefined) return send(service, request, await sendMail(service, request, caller, mailbox));
  const body = readBody(request);
  if (body.kind === 'broken') return send(service, request, badRequest('Unable to read JSON request payload.'));
  const answer = (state: State) => route(service, request, caller, body.value, state);
  // A call that may change something runs under the lock, from reading the state to writing it, so that two operators never lose a change.
  const read = request.method === 'GET';
  return send(service, request, read ? answer(await service.state.read()) : await service.state.change(answer));
}

function route(service: Service, request: SandboxRequest, caller: Caller, body: unknown, state: State): GraphAnswer {
  const [, , version, head = '', ...tail] = request.path.split('/').map(decodeSegment);
  if (version !== 'v1.0') return badRequest(`Invalid version: ${version ?? ''}.`);
  const [, collection = '', property, quoted] = /^(\w+)(?:\((appId|id)='([^']*)'\))?$/.exec(head) ?? [];
  const [first, ...others] = tail;
  const key: Key | undefined =
    property === undefined
      ? first === undefined || first === '' || first.startsWith('$')
        ? undefined
        : { by: 'id', value: first }
      : { by: property === 'appId' ? 'appId' : 'id', value: quoted ?? '' };
  const rest = (key?.by === 'appId' || key === undefined || property !== undefined ? tail : others).join('/');
  const call: GraphCall = {
    method: request.method,
    collection,
    key,
    rest,
    query: request.query,
    eventual: request.headers.consistencylevel === 'eventual',
    body,
    caller,
    state,
    fault: service.fault,
    now: service.ctx.clock.now(),
    uuid: () => service.ctx.random.uuid(),
    bytes: (count) => service.ctx.random.bytes(count),
  };
  return dispatch(call, `${service.addresses.graph}/v1.0/${collection}`);
}

function dispatch(call: GraphCall, at: string): GraphAnswer {
  switch (call.collection.toLowerCase()) {
    case 'applications':
      return applications(call, at);
    case 'serviceprincipals':
      return servicePrincipals(call, at);
    case 'oauth2permissiongrants':
      return permissionGrants(call, at);
    case 'organization':
      return organization(call, at);
    case 'policies':
      return policies(call);
    case 'directory':
      return deletedItems(call, `${at}/deletedItems`);
    case 'me':
      return me(call);
    case 'users':
      return users(call);
    default:
      return notHere(call);
  }
}

/** How many calls each sandbox has answered. */
const calls = new WeakMap<Service, number>();
const throttledCalls = 2;

/** The faults that refuse the first calls (learn.microsoft.com/graph/throttling). */
function busyness(service: Service): GraphAnswer | undefined {
  const before = calls.get(service) ?? 0;
  calls.set(service, before + 1);
  if (service.fault === 'graph-throttled' && before < throttledCalls) {
    return {
      ...graphError(429, 'TooManyRequests', 'Too many requests. Please wait before trying again.'),
      headers: { 'retry-after': '1' },
    };
  }
  if (service.fault === 'graph-unavailable' && before === 0) {
    return graphError(503, 'serviceNotAvailable', 'The service is temporarily unavailable. Please try again later.');
  }
  return undefined;
}

/** The faults that refuse a call every time. */
function refusedByFault(service: Service, request: SandboxRequest): GraphAnswer | undefined {
  const fault: GraphRefusalFault | undefined = graphRefusals.find((one) => one.name === service.fault);
  const call = `${request.method} ${request.path.replace(/^\/graph\/v1\.0\//, '')}`;
  if (fault === undefined || fault.on?.test(call) === false) return undefined;
  const { status, code, message = '', retryAfter } = fault;
  if (code === undefined) return { status, text: '<html>Please sign in to the network.</html>' };
  const headers = retryAfter === undefined ? undefined : { 'retry-after': String(retryAfter) };
  return { ...graphError(status, code, message), ...defined({ headers }) };
}

const audiences = ['https://graph.microsoft.com', '00000003-0000-0000-c000-000000000000'];

function authenticate(service: Service, request: SandboxRequest): Caller | GraphAnswer {
  const refuse = (message: string): GraphAnswer => ({
    ...graphError(401, 'InvalidAuthenticationToken', message),
    headers: { 'www-authenticate': `Bearer realm="", authorization_uri="${service.addresses.login}/common/oauth2/authorize"` },
  });
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (token === undefined) return refuse('Access token is empty.');
  if (token.split('.').length !== 3) return refuse('CompactToken parsing failed with error code: 80049217');
  const claims = service.mint.check(token);
  if (claims === undefined) return refuse('Lifetime validation failed, the token is expired, or it was not issued by this service.');
  if (![...audiences, service.addresses.graph].includes(claims.aud.replace(/\/$/, ''))) {
    return refuse('Access token validation failure. Invalid audience.');
  }
  const isChallenged =
    service.fault === 'graph-claims-refused' || (service.fault === 'graph-claims-challenge' && claims.acrs === undefined);
  return isChallenged ? challenge(service) : (callerOf(claims, service.fault) ?? denied());
}

/** A claims challenge, its header as recorded (Azure/azure-cli#29155, #31777). */
function challenge({ addresses }: Service): GraphAnswer {
  const claims = Buffer.from('{"access_token":{"acrs":{"essential":true,"value":"c1"}}}').toString('base64');
  const authority = `authorization_uri="${addresses.login}/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`;
  return {
    ...graphError(
      401,
      'InvalidAuthenticationToken',
      "Exception of type 'Microsoft.Graph.AGS.Contracts.ClaimsChallengeRequiredException' was thrown.",
    ),
    headers: {
      'www-authenticate': `Bearer realm="", ${authority}, error="insufficient_claims", claims="${claims}", PoP realm="", ${authority}`,
    },
  };
}

type Body = { readonly kind: 'read'; readonly value: unknown } | { readonly kind: 'broken' };

function readBody(request: SandboxRequest): Body {
  if (request.body.trim() === '') return { kind: 'read', value: undefined };
  try {
    return { kind: 'read', value: JSON.parse(request.body) };
  } catch {
    return { kind: 'broken' };
  }
}

function send(service: Service, request: SandboxRequest, answer: GraphAnswer): SandboxReply {
  const id = service.ctx.random.uuid();
  const sent = request.headers['client-request-id'];
  const { status, error, text, body } = answer;
  const headers = {
    'request-id': id,
    'client-request-id': typeof sent === 'string' ? sent : id,
    'cache-control': 'no-cache',
    ...answer.headers,
  };
  const innerError = { date: new Date(service.ctx.clock.now()).toISOString().slice(0, 19), 'request-id': id, 'client-request-id': id };
  const content = error === undefined ? body : { error: { ...error, innerError } };
  const type = text === undefined ? 'application/json; odata.metadata=minimal; charset=utf-8' : 'text/plain';
  if (content === undefined && text === undefined) return { status, headers, body: '' };
  return { status, headers: { 'content-type': type, ...headers }, body: text ?? JSON.stringify(content) };
}
