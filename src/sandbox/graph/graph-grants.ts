import * as z from 'zod/mini';
import { type ResourceApp, resourceApps, resources, servicePrincipalIdOf } from '../tenant/microsoft-resources.ts';
import type { PermissionGrant } from '../tenant/state-schema.ts';
import { notHere } from './graph-applications.ts';
import { badRequest, conflict, denied, type GraphAnswer, type GraphCall, mayAsk, noContent, notFound, sameId } from './graph-call.ts';
import { answerList, answerOne } from './graph-query.ts';
import { grantEntity, grantView } from './graph-view.ts';

const createSchema = z.strictObject({
  clientId: z.string(),
  consentType: z.enum(['AllPrincipals', 'Principal']),
  principalId: z.optional(z.nullable(z.string())),
  resourceId: z.string(),
  scope: z.optional(z.nullable(z.string())),
  // Both were required once and are ignored since (learn.microsoft.com/graph/api/resources/oauth2permissiongrant).
  startTime: z.optional(z.unknown()),
  expiryTime: z.optional(z.unknown()),
});
const changeSchema = z.strictObject({ scope: z.string() });

/** `/oauth2PermissionGrants`: delegated permissions for all users (`AllPrincipals`) or for one user. Only administrators may write them. */
export function permissionGrants(call: GraphCall, at: string): GraphAnswer {
  const { state, key } = call;
  const reading = call.method === 'GET';
  if (!mayAsk(call.caller, reading ? 'read' : 'grant') && !mayAsk(call.caller, 'grant')) return denied();
  if (!reading && call.caller.roles.length === 0) return denied();
  if (call.rest !== '') return notHere(call);
  if (key === undefined) {
    if (reading) return answerList(state.grants.map(grantView), grantEntity, call, at);
    return call.method === 'POST' ? create(call) : notHere(call);
  }
  const grant = state.grants.find((one) => one.id === key.value);
  if (grant === undefined) return notFound(key.value);
  switch (call.method) {
    case 'GET':
      return answerOne(grantView(grant), grantEntity, call);
    case 'PATCH':
      return change(call, grant);
    case 'DELETE':
      state.grants = state.grants.filter((one) => one !== grant);
      return noContent;
    default:
      return notHere(call);
  }
}

function create(call: GraphCall): GraphAnswer {
  const { state } = call;
  const read = createSchema.safeParse(call.body);
  if (!read.success) {
    const path = read.error.issues[0]?.path.join('.') ?? '';
    return badRequest(`Invalid value specified for property '${path}' of resource 'OAuth2PermissionGrant'.`);
  }
  const { clientId, consentType, principalId = null, resourceId } = read.data;
  if ((consentType === 'AllPrincipals') !== (principalId === null)) {
    return badRequest('principalId is required with consentType Principal, and must be null with AllPrincipals.');
  }
  if (behind(call, clientId)) return notFound(clientId);
  const client = clientObjectId(call, clientId);
  if (client === undefined) return notFound(clientId);
  const resource = resourceApps.find((one) => sameId(one.objectId, resourceId));
  if (resource === undefined || (resource === resources.outlook && call.fault === 'no-exchange')) return notFound(resourceId);
  const scope = tidy(read.data.scope ?? '');
  const unknown = unknownScope(resource, scope);
  if (unknown !== undefined) return unknown;
  const twin = state.grants.find(
    (one) =>
      one.clientId === client && one.resourceId === resource.objectId && one.consentType === consentType && one.principalId === principalId,
  );
  if (twin !== undefined) return conflict('Permission entry already exists.');
  const grant: PermissionGrant = {
    // Graph's ids are opaque, 43 characters, and not object ids.
    id: call.bytes(32).toString('base64url'),
    clientId: client,
    resourceId: resource.objectId,
    consentType,
    principalId,
    scope,
  };
  state.grants.push(grant);
  return answerOne(grantView(grant), grantEntity, call, 201);
}

function change(call: GraphCall, grant: PermissionGrant): GraphAnswer {
  const read = changeSchema.safeParse(call.body);
  if (!read.success) return badRequest("Only the property 'scope' of resource 'OAuth2PermissionGrant' can be changed.");
  const scope = tidy(read.data.scope);
  const resource = resourceApps.find((one) => one.objectId === grant.resourceId);
  const unknown = resource === undefined ? undefined : unknownScope(resource, scope);
  if (unknown !== undefined) return unknown;
  grant.scope = scope;
  return noContent;
}

function unknownScope(resource: ResourceApp, scope: string): GraphAnswer | undefined {
  const unknown = scope.split(' ').find((name) => name !== '' && !resource.scopes.some((one) => one.value === name));
  return unknown === undefined ? undefined : badRequest(`The scope '${unknown}' does not exist on ${resource.displayName}.`);
}

/** Is the new service principal still unknown here? Counts down. */
function behind({ state }: GraphCall, clientId: string): boolean {
  const principal = state.servicePrincipals.find((one) => sameId(one.objectId, clientId));
  if (principal === undefined || principal.lag === 0) return false;
  principal.lag -= 1;
  return true;
}

/** The client's service principal. Graph needs its object id here, never a client id. */
function clientObjectId({ state }: GraphCall, id: string): string | undefined {
  return state.apps
    .map((app) => servicePrincipalIdOf(state, app.clientId))
    .find((objectId) => objectId !== undefined && sameId(objectId, id));
}

function tidy(scope: string): string {
  return [...new Set(scope.split(/\s+/).filter((name) => name !== ''))].join(' ');
}
