import * as z from 'zod/mini';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { type GraphAnswer, type GraphRefusal, says } from './graph-answer.ts';
import { appRoleAssignmentBody, appRoleIds, servicePrincipalBody } from './manifest.ts';
import { rolesThat } from './refusals.ts';
import { aboutNow, type RegistrationRun } from './registration-run.ts';
import type { Resources } from './resources.ts';

const principal = z.object({ id: z.string().check(z.minLength(1)), accountEnabled: z.catch(z.nullish(z.boolean()), undefined) });

/**
 * Makes sure of the app's service principal in this tenant, to which grants belong. Resolves to its object id. A new app cannot have one
 * yet.
 */
export async function ensureServicePrincipal(
  run: RegistrationRun,
  { appId }: { readonly appId: string },
  isNewApp: boolean,
): Promise<string> {
  const path = `/servicePrincipals(appId='${encodeURIComponent(appId)}')?$select=id,appId,accountEnabled`;
  const { graph } = run.deps;
  let spObjectId: string | undefined;
  if (!isNewApp) {
    const answer = await graph.get(path);
    if (answer.kind === 'refused' && answer.status !== 404) throw run.fail(answer, 'read the service principal');
    if (answer.kind === 'ok') {
      spObjectId = idOf(answer.body);
      if (principal.safeParse(answer.body).data?.accountEnabled === false)
        throw problem('app-switched-off', { ...aboutNow(run), clientId: plain(appId, 64), by: 'tenant' });
    }
  }
  if (spObjectId === undefined) {
    const made = await run.untilReplicated(() => graph.post('/servicePrincipals', servicePrincipalBody(appId)));
    const answer: GraphAnswer = made.kind === 'refused' && isThere(made) ? await run.untilReplicated(() => graph.get(path)) : made;
    if (answer.kind === 'refused') throw run.fail(answer, 'make the service principal');
    spObjectId = idOf(answer.body);
    run.changed.add('service-principal');
  }
  run.exists.push('its service principal');
  await run.record({ step: 'service-principal', spObjectId });
  return spObjectId;
}

/** The service principal exists already: a run made it that was stopped before it recorded it, or Entra made it with somebody's consent. */
const isThere = (refusal: GraphRefusal): boolean =>
  refusal.status === 409 || says(refusal, 'Request_MultipleObjectsWithSameKeyValue', 'already in use');

function idOf(body: unknown): string {
  const read = principal.safeParse(body);
  if (!read.success) throw problem('graph-unreadable', { host: 'Microsoft Graph', why: 'A service principal without an id.' });
  return read.data.id;
}

const assignment = z.object({ resourceId: z.string(), appRoleId: z.string() });
type Assignment = z.infer<typeof assignment>;

/**
 * App-only access: gives the app its roles on Exchange Online, which is an administrator's consent to application permissions
 * (learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto). Existing roles stay. `isNew`: the app cannot have a role yet.
 */
export async function ensureAppRoles(run: RegistrationRun, clientSpId: string, resources: Resources, isNew: boolean): Promise<void> {
  const { plan, deps } = run;
  const resourceSpId = resources.spIds.exchange;
  if (plan.appRoles === undefined || plan.consent !== 'admin' || resourceSpId === undefined) return;
  const ids = resources.roleIds ?? appRoleIds;
  const present = isNew ? [] : await assignmentsOf(run, clientSpId);
  for (const name of plan.appRoles) {
    const roleId = ids[name];
    if (roleId === undefined) throw new Error(`no id for the role ${name}`);
    if (present.some((one) => one.resourceId === resourceSpId && one.appRoleId === roleId)) continue;
    const path = `/servicePrincipals/${encodeURIComponent(resourceSpId)}/appRoleAssignedTo`;
    const answer = await run.untilReplicated(() => deps.graph.post(path, appRoleAssignmentBody(clientSpId, resourceSpId, roleId)));
    if (answer.kind === 'refused' && !isAssigned(answer)) {
      throw run.fail(answer, `give the app ${name} on Exchange Online`, rolesThat.consent);
    }
    run.changed.add('app-role');
  }
  run.exists.push('its roles on Exchange Online');
}

/** The assignment exists already: somebody else made it, or a request of ours whose answer was lost. */
const isAssigned = (refusal: GraphRefusal): boolean =>
  refusal.status === 409 || says(refusal, 'Permission being assigned already exists on the object');

async function assignmentsOf(run: RegistrationRun, clientSpId: string): Promise<readonly Assignment[]> {
  const answer = await run.untilReplicated(() =>
    run.deps.graph.list(`/servicePrincipals/${encodeURIComponent(clientSpId)}/appRoleAssignments`),
  );
  if (answer.kind === 'refused') throw run.fail(answer, 'read the roles of the app', rolesThat.consent);
  return answer.items.flatMap((item) => {
    const read = assignment.safeParse(item);
    return read.success ? [read.data] : [];
  });
}
