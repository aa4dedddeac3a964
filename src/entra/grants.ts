import * as z from 'zod/mini';
import { problem } from '../errors/problem.ts';
import { type Graph, quoted } from './graph.ts';
import { type GraphRefusal, says } from './graph-answer.ts';
import { grantBody, type Resource } from './manifest.ts';
import { rolesThat } from './refusals.ts';
import type { RegistrationRun } from './registration-run.ts';
import type { UntilReplicated } from './replication.ts';
import type { Resources } from './resources.ts';

const grant = z.object({
  id: z.string().check(z.minLength(1)),
  resourceId: z.string(),
  scope: z.catch(z.string(), ''),
  consentType: z.string(),
});
type Grant = z.infer<typeof grant>;

type GrantOutcome = { readonly kind: 'granted'; readonly grantId: string; readonly change: 'made' | 'widened' | 'none' } | GraphRefusal;

interface GrantWanted {
  readonly clientSpId: string;
  readonly resourceSpId: string;
  readonly scopes: readonly string[];
}

/** The tenant-wide grants of one service principal, without the grants for single users. */
export async function grantsOf(graph: Graph, clientSpId: string): Promise<readonly Grant[] | GraphRefusal> {
  const filter = `clientId%20eq%20${quoted(clientSpId)}%20and%20consentType%20eq%20'AllPrincipals'`;
  const answer = await graph.list(`/oauth2PermissionGrants?$filter=${filter}`);
  if (answer.kind === 'refused') return answer;
  return answer.items.flatMap((item) => {
    const read = grant.safeParse(item);
    return read.success && read.data.consentType === 'AllPrincipals' ? [read.data] : [];
  });
}

/**
 * Consents for the whole tenant on one resource: one grant for each pair of app and resource. What is granted beyond these scopes stays.
 * `present`: the grants as last read; undefined for an app that was just made and so has none.
 */
async function ensureGrant(
  graph: Graph,
  untilReplicated: UntilReplicated,
  wanted: GrantWanted,
  present: readonly Grant[] = [],
): Promise<GrantOutcome> {
  const has = present.find((one) => one.resourceId === wanted.resourceSpId);
  if (has !== undefined) return widen(graph, untilReplicated, has, wanted.scopes);
  const answer = await untilReplicated(() => graph.post('/oauth2PermissionGrants', grantBody(wanted)));
  if (answer.kind === 'refused') return isThere(answer) ? found(graph, untilReplicated, wanted, answer) : answer;
  const read = z.object({ id: z.string().check(z.minLength(1)) }).safeParse(answer.body);
  if (!read.success) throw problem('graph-unreadable', { host: 'Microsoft Graph', why: 'A grant without an id.' });
  return { kind: 'granted', grantId: read.data.id, change: 'made' };
}

/** Graph answers a second POST with 409, some of its replicas with 400. */
const isThere = (refusal: GraphRefusal): boolean =>
  refusal.status === 409 || says(refusal, 'Request_MultipleObjectsWithSameKeyValue', 'Permission entry already exists');

/** The grant exists already: somebody else made it, or a request of ours whose answer was lost. The list may show it a little later. */
async function found(graph: Graph, untilReplicated: UntilReplicated, wanted: GrantWanted, refusal: GraphRefusal): Promise<GrantOutcome> {
  const answer = await untilReplicated(async () => {
    const grants = await grantsOf(graph, wanted.clientSpId);
    if ('kind' in grants) return grants;
    const one = grants.find((candidate) => candidate.resourceId === wanted.resourceSpId);
    return one === undefined ? { ...refusal, codes: [...refusal.codes, 'Directory_ObjectNotFound'] } : { kind: 'ok' as const, one };
  });
  return answer.kind === 'ok' ? widen(graph, untilReplicated, answer.one, wanted.scopes) : answer;
}

async function widen(graph: Graph, untilReplicated: UntilReplicated, has: Grant, scopes: readonly string[]): Promise<GrantOutcome> {
  const granted = has.scope.split(' ').filter((scope) => scope !== '');
  const missing = scopes.filter((scope) => !granted.includes(scope));
  if (missing.length === 0) return { kind: 'granted', grantId: has.id, change: 'none' };
  const path = `/oauth2PermissionGrants/${encodeURIComponent(has.id)}`;
  const answer = await untilReplicated(() => graph.patch(path, { scope: [...granted, ...missing].join(' ') }));
  return answer.kind === 'refused' ? answer : { kind: 'granted', grantId: has.id, change: 'widened' };
}

export type GrantIds = Partial<Record<Resource, string>>;

const names: Readonly<Record<Resource, string>> = { graph: 'Microsoft Graph', exchange: 'Exchange Online' };

/** Consents for the whole tenant on each resource of the plan, one after the other. `isNew`: the app cannot have a grant yet. */
export async function ensureGrants(run: RegistrationRun, clientSpId: string, resources: Resources, isNew: boolean): Promise<GrantIds> {
  const { plan, deps } = run;
  if (plan.consent !== 'admin') return {};
  const present = isNew ? [] : await presentGrants(run, clientSpId);
  const wanted = [
    { resource: 'graph', scopes: plan.graphPermissions },
    { resource: 'exchange', scopes: plan.exchangePermissions },
  ] as const;
  const ids: GrantIds = {};
  for (const { resource, scopes } of wanted) {
    const resourceSpId = resources.spIds[resource];
    if (resourceSpId === undefined || scopes.length === 0) continue;
    const outcome = await ensureGrant(deps.graph, run.untilReplicated, { clientSpId, resourceSpId, scopes }, present);
    if (outcome.kind === 'refused') throw run.fail(outcome, `consent on ${names[resource]} for the whole tenant`, rolesThat.consent);
    if (outcome.change !== 'none') run.changed.add('grant');
    ids[resource] = outcome.grantId;
    run.exists.push(`the consent on ${names[resource]}`);
    await run.record({ step: 'grant', resource, grantId: outcome.grantId });
  }
  return ids;
}

async function presentGrants(run: RegistrationRun, clientSpId: string): Promise<readonly Grant[]> {
  const grants = await grantsOf(run.deps.graph, clientSpId);
  if ('kind' in grants) throw run.fail(grants, 'read the consent of this tenant', rolesThat.consent);
  return grants;
}
