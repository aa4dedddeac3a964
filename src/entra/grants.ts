import * as z from 'zod/mini';
import { problem } from '../errors/problem.ts';
import { type Graph, type GraphRefusal, quoted, says } from './graph.ts';
import { grantBody } from './manifest.ts';
import type { Patiently } from './patience.ts';

const grant = z.object({
  id: z.string().check(z.minLength(1)),
  resourceId: z.string(),
  scope: z.catch(z.string(), ''),
  consentType: z.string(),
});
export type Grant = z.infer<typeof grant>;

export type GrantOutcome =
  | { readonly kind: 'granted'; readonly grantId: string; readonly change: 'made' | 'widened' | 'none' }
  | GraphRefusal;

export interface GrantWanted {
  readonly clientSpId: string;
  readonly resourceSpId: string;
  readonly scopes: readonly string[];
}

/** Tenant-wide grants of one service principal; those for single people are not ours. */
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
 * Consent for everybody on one resource: one grant for each pair of app and resource. What is granted beyond our scopes stays.
 * `present`: grants as last read; undefined for an app that was just made and has none.
 */
export async function ensureGrant(
  graph: Graph,
  patiently: Patiently,
  wanted: GrantWanted,
  present: readonly Grant[] = [],
): Promise<GrantOutcome> {
  const has = present.find((one) => one.resourceId === wanted.resourceSpId);
  if (has !== undefined) return widen(graph, patiently, has, wanted.scopes);
  const answer = await patiently(() => graph.post('/oauth2PermissionGrants', grantBody(wanted)));
  if (answer.kind === 'refused') return isThere(answer) ? found(graph, patiently, wanted, answer) : answer;
  const read = z.object({ id: z.string().check(z.minLength(1)) }).safeParse(answer.body);
  if (!read.success) throw problem('graph-unreadable', { host: 'Microsoft Graph', why: 'A grant without an id.' });
  return { kind: 'granted', grantId: read.data.id, change: 'made' };
}

/** Graph answers a second POST with 409, some of its replicas with 400. */
const isThere = (refusal: GraphRefusal): boolean =>
  refusal.status === 409 || says(refusal, 'Request_MultipleObjectsWithSameKeyValue', 'Permission entry already exists');

/** Somebody else, or an answer of ours that was lost, made it in the meantime; the list may show it a little later. */
async function found(graph: Graph, patiently: Patiently, wanted: GrantWanted, refusal: GraphRefusal): Promise<GrantOutcome> {
  const answer = await patiently(async () => {
    const grants = await grantsOf(graph, wanted.clientSpId);
    if ('kind' in grants) return grants;
    const one = grants.find((candidate) => candidate.resourceId === wanted.resourceSpId);
    return one === undefined ? { ...refusal, codes: [...refusal.codes, 'Directory_ObjectNotFound'] } : { kind: 'ok' as const, one };
  });
  return answer.kind === 'ok' ? widen(graph, patiently, answer.one, wanted.scopes) : answer;
}

async function widen(graph: Graph, patiently: Patiently, has: Grant, scopes: readonly string[]): Promise<GrantOutcome> {
  const granted = has.scope.split(' ').filter((scope) => scope !== '');
  const missing = scopes.filter((scope) => !granted.includes(scope));
  if (missing.length === 0) return { kind: 'granted', grantId: has.id, change: 'none' };
  const path = `/oauth2PermissionGrants/${encodeURIComponent(has.id)}`;
  const answer = await patiently(() => graph.patch(path, { scope: [...granted, ...missing].join(' ') }));
  return answer.kind === 'refused' ? answer : { kind: 'granted', grantId: has.id, change: 'widened' };
}
