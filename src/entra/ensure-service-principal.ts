import * as z from 'zod/mini';
import { problem } from '../errors/problem.ts';
import type { GraphAnswer, GraphRefusal } from './graph-answer.ts';
import { says } from './graph-answer.ts';
import { servicePrincipalBody } from './manifest.ts';
import type { RegistrationRun } from './registration-run.ts';

const principal = z.object({ id: z.string().check(z.minLength(1)) });

/**
 * Makes sure of the app's service principal in this tenant, to which grants belong. Resolves to its object id. A new app cannot have one
 * yet.
 */
export async function ensureServicePrincipal(
  run: RegistrationRun,
  { appId }: { readonly appId: string },
  isNewApp: boolean,
): Promise<string> {
  const path = `/servicePrincipals(appId='${encodeURIComponent(appId)}')?$select=id,appId`;
  const { graph } = run.deps;
  let spObjectId: string | undefined;
  if (!isNewApp) {
    const answer = await graph.get(path);
    if (answer.kind === 'refused' && answer.status !== 404) throw run.fail(answer, 'read the service principal');
    if (answer.kind === 'ok') spObjectId = idOf(answer.body);
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
