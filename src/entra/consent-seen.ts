import * as z from 'zod/mini';
import { MailauthError } from '../core/errors.ts';
import { grantsOf } from './grants.ts';
import type { Graph } from './graph.ts';

const principal = z.object({ id: z.string().check(z.minLength(1)) });

/**
 * Are these permissions allowed for the whole tenant by now, on any resource: the admin-consent page grants them on Exchange Online, the
 * portal's button on Microsoft Graph. Members of a tenant may read that (learn.microsoft.com/entra/fundamentals/users-default-permissions).
 * undefined: this token cannot tell.
 */
export async function isConsentSeen(graph: Graph, clientId: string, permissions: readonly string[]): Promise<boolean | undefined> {
  try {
    const answer = await graph.get(`/servicePrincipals(appId='${encodeURIComponent(clientId)}')?$select=id`);
    // The admin-consent page also makes the service principal where there was none.
    if (answer.kind === 'refused') return answer.status === 404 ? false : undefined;
    const read = principal.safeParse(answer.body);
    if (!read.success) return undefined;
    const grants = await grantsOf(graph, read.data.id);
    if ('kind' in grants) return undefined;
    const granted = grants.flatMap((one) => one.scope.split(' '));
    return permissions.every((name) => granted.includes(name));
  } catch (error) {
    // A token that ended while we waited, a network that went away: the person can still say it.
    if (error instanceof MailauthError) return undefined;
    throw error;
  }
}
