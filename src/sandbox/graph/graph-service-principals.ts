import * as z from 'zod/mini';
import { registrationOf } from '../tenant/app-objects.ts';
import { type ResourceApp, resourceApps, resources } from '../tenant/microsoft-resources.ts';
import type { RoleAssignment, ServicePrincipal } from '../tenant/state-schema.ts';
import { forgetPrincipal, lagCalls, notHere } from './graph-applications.ts';
import {
  badRequest,
  conflict,
  denied,
  type GraphAnswer,
  type GraphCall,
  graphError,
  type Key,
  manages,
  mayAsk,
  noContent,
  notFound,
  sameId,
} from './graph-call.ts';
import { answerCount, answerList, answerOne, type Row } from './graph-query.ts';
import {
  assignmentEntity,
  assignmentView,
  grantEntity,
  grantView,
  readyPrincipalView,
  resourceView,
  servicePrincipalEntity,
  servicePrincipalView,
} from './graph-view.ts';

const createSchema = z.looseObject({ appId: z.string(), tags: z.optional(z.array(z.string())) });
const changeSchema = z.looseObject({ tags: z.optional(z.array(z.string())), accountEnabled: z.optional(z.boolean()) });

/** `/servicePrincipals`: the tenant's apps, Microsoft Graph and Exchange Online. */
export function servicePrincipals(call: GraphCall, at: string): GraphAnswer {
  const reading = call.method === 'GET';
  const assigning = call.rest === 'appRoleAssignedTo' && !reading;
  if (!mayAsk(call.caller, reading ? 'read' : assigning ? 'assign' : 'register')) return denied();
  const { key } = call;
  if (key === undefined) {
    if (reading && call.rest === '') return answerList(allRows(call), servicePrincipalEntity, call, at);
    if (reading && call.rest === '$count') return answerCount(allRows(call), servicePrincipalEntity, call);
    return call.method === 'POST' && call.rest === '' ? create(call) : notHere(call);
  }
  if (call.method === 'POST' && call.rest === 'appRoleAssignedTo') return assign(call, key);
  return reading ? readOne(call, at, key.value) : write(call, key);
}

function write(call: GraphCall, key: Key): GraphAnswer {
  const mine = call.state.servicePrincipals.find((one) => sameId(key.by === 'appId' ? one.appId : one.objectId, key.value));
  const app = mine === undefined ? undefined : call.state.apps.find((one) => one.clientId === mine.appId);
  if (mine === undefined || app === undefined) return rowOf(call) === undefined ? notFound(key.value) : denied();
  if (!manages(call.caller, app)) return denied();
  if (call.rest !== '') return notHere(call);
  if (call.method === 'PATCH') return change(call, mine);
  if (call.method !== 'DELETE') return notHere(call);
  forgetPrincipal(call.state, app);
  return noContent;
}

/** The row of the key in the address: `{id}` or `(appId='…')`. */
function rowOf(call: GraphCall): Row | undefined {
  const { key } = call;
  return key === undefined ? undefined : allRows(call).find((row) => sameId(String(key.by === 'appId' ? row.appId : row.id), key.value));
}

function readOne(call: GraphCall, at: string, value: string): GraphAnswer {
  const row = rowOf(call);
  if (row === undefined) return notFound(value);
  if (call.rest === '') return answerOne(row, servicePrincipalEntity, call);
  if (call.rest === 'appRoleAssignments' || call.rest === 'appRoleAssignedTo') return assignments(call, at, String(row.id));
  if (call.rest !== 'oauth2PermissionGrants') return notHere(call);
  const grants = call.state.grants.filter((one) => one.clientId === row.id).map(grantView);
  return answerList(grants, grantEntity, call, at);
}

function allRows({ state, fault }: GraphCall): readonly Row[] {
  const own = state.servicePrincipals.flatMap((principal) => {
    const app = state.apps.find((one) => one.clientId === principal.appId);
    return app === undefined ? [] : [servicePrincipalView(principal, app)];
  });
  const ready = state.apps.flatMap((app) => {
    const row = readyPrincipalView(state, app);
    return row === undefined ? [] : [row];
  });
  const microsoft = resourceApps
    .filter((one) => one !== resources.outlook || fault !== 'no-exchange')
    .map((one) => resourceView(publishedBy(one, fault)));
  return [...own, ...ready, ...microsoft];
}

/** Under a fault, Exchange Online of this cloud publishes no POP permission. */
function publishedBy(resource: ResourceApp, fault: GraphCall['fault']): ResourceApp {
  if (fault !== 'permission-unpublished' || resource !== resources.outlook) return resource;
  return {
    ...resource,
    roles: resource.roles.filter((one) => !one.value.startsWith('POP.')),
    scopes: resource.scopes.filter((one) => !one.value.startsWith('POP.')),
  };
}

function create(call: GraphCall): GraphAnswer {
  const read = createSchema.safeParse(call.body);
  if (!read.success) return badRequest("A value is required for property 'appId' of resource 'ServicePrincipal'.");
  const appId = read.data.appId.toLowerCase();
  if (allRows(call).some((row) => row.appId === appId)) {
    return conflict(
      `The service principal cannot be created, updated, or restored because the service principal name ${appId} is already in use.`,
    );
  }
  const app = call.state.apps.find((one) => one.clientId === appId);
  const lag = app === undefined ? undefined : registrationOf(app).lag;
  if (app === undefined || (lag !== undefined && lag.servicePrincipal > 0)) {
    if (lag !== undefined) lag.servicePrincipal -= 1;
    const message = `The appId '${appId}' of the service principal does not reference a valid application object.`;
    return graphError(400, 'Request_BadRequest', message, [{ code: 'NoBackingApplicationObject', message, target: 'appId' }]);
  }
  if (!manages(call.caller, app)) return denied();
  const made: ServicePrincipal = {
    objectId: call.uuid(),
    appId,
    createdAt: call.now,
    tags: read.data.tags ?? [],
    lag: call.fault === 'graph-lag' ? lagCalls : 0,
  };
  call.state.servicePrincipals.push(made);
  return answerOne(servicePrincipalView(made, app), servicePrincipalEntity, call, 201);
}

function change(call: GraphCall, principal: ServicePrincipal): GraphAnswer {
  const read = changeSchema.safeParse(call.body);
  if (!read.success) return badRequest("Invalid value specified for property 'tags' of resource 'ServicePrincipal'.");
  principal.tags = read.data.tags ?? principal.tags;
  principal.enabled = read.data.accountEnabled ?? principal.enabled ?? true;
  return noContent;
}

const schema = z.strictObject({ principalId: z.string(), resourceId: z.string(), appRoleId: z.string() });

/** `POST /servicePrincipals/{resource}/appRoleAssignedTo` (learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto). */
function assign(call: GraphCall, key: Key): GraphAnswer {
  const { state, caller } = call;
  if (caller.roles.length === 0) return denied();
  const read = schema.safeParse(call.body);
  if (!read.success)
    return badRequest(
      `Invalid value specified for property '${read.error.issues[0]?.path.join('.') ?? ''}' of resource 'AppRoleAssignment'.`,
    );
  const { principalId, resourceId, appRoleId } = read.data;
  const resource = resourceApps.find((one) => sameId(key.by === 'appId' ? one.appId : one.objectId, key.value));
  if (resource === undefined || (resource === resources.outlook && call.fault === 'no-exchange')) return notFound(key.value);
  if (!sameId(resource.objectId, resourceId))
    return badRequest("The property 'resourceId' is another resource than the one of the address.");
  const principal = state.servicePrincipals.find((one) => sameId(one.objectId, principalId));
  if (principal === undefined) return notFound(principalId);
  if (principal.lag > 0) {
    principal.lag -= 1;
    return notFound(principalId);
  }
  if (!resource.roles.some((one) => sameId(one.id, appRoleId))) return badRequest('Permission being assigned was not found on application');
  const same = (one: RoleAssignment) =>
    sameId(one.principalId, principalId) && sameId(one.resourceId, resourceId) && sameId(one.appRoleId, appRoleId);
  if (state.roleAssignments.some(same)) return badRequest('Permission being assigned already exists on the object');
  const made: RoleAssignment = { id: call.bytes(32).toString('base64url'), ...read.data, createdAt: call.now };
  state.roleAssignments.push(made);
  return answerOne(assignmentView(made), assignmentEntity, call, 201);
}

/** `GET …/appRoleAssignments` of an app, `…/appRoleAssignedTo` of a resource. `id`: object id of the service principal in the address. */
function assignments(call: GraphCall, at: string, id: string): GraphAnswer {
  const side = call.rest === 'appRoleAssignments' ? 'principalId' : 'resourceId';
  return answerList(call.state.roleAssignments.filter((one) => sameId(one[side], id)).map(assignmentView), assignmentEntity, call, at);
}
