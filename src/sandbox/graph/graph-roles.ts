import * as z from 'zod/mini';
import { resourceApps, resources } from '../tenant/microsoft-resources.ts';
import type { RoleAssignment } from '../tenant/state-schema.ts';
import { badRequest, denied, type GraphAnswer, type GraphCall, type Key, notFound, sameId } from './graph-call.ts';
import { answerList, answerOne } from './graph-query.ts';
import { assignmentEntity, assignmentView } from './graph-view.ts';

const schema = z.strictObject({ principalId: z.string(), resourceId: z.string(), appRoleId: z.string() });

/** `POST /servicePrincipals/{resource}/appRoleAssignedTo` (learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto). */
export function assign(call: GraphCall, key: Key): GraphAnswer {
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
export function assignments(call: GraphCall, at: string, id: string): GraphAnswer {
  const side = call.rest === 'appRoleAssignments' ? 'principalId' : 'resourceId';
  return answerList(call.state.roleAssignments.filter((one) => sameId(one[side], id)).map(assignmentView), assignmentEntity, call, at);
}
