import * as z from 'zod/mini';
import type { Cloud } from '../core/cloud.ts';
import { MailauthError } from '../core/errors.ts';
import { adminConsentLink } from '../core/links.ts';
import { grantsOf } from './grants.ts';
import type { Graph } from './graph.ts';

/** One request for the consent of a whole tenant. */
interface AdminConsentRequest {
  readonly cloud: Cloud;
  /** id, domain or `organizations`; personal accounts have no page for it */
  readonly tenant: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** exactly as registered */
  readonly redirectUri: string;
  readonly state: string;
}

/**
 * The address where an administrator consents for the whole tenant; the answer comes back to `redirectUri`
 * (learn.microsoft.com/entra/identity-platform/v2-admin-consent).
 */
export function adminConsentUrl({ state, ...request }: AdminConsentRequest): string {
  if (request.scopes.length === 0) throw new Error('admin consent needs scopes');
  const url = new URL(adminConsentLink(request));
  url.searchParams.set('state', state);
  return url.href.replaceAll('+', '%20');
}

const principal = z.object({ id: z.string().check(z.minLength(1)) });

/**
 * Are these permissions granted for the whole tenant, on any resource? The admin-consent page grants them on Exchange Online, the
 * portal's button grants them on Microsoft Graph. Members of a tenant may read grants
 * (learn.microsoft.com/entra/fundamentals/users-default-permissions). undefined: this token does not allow an answer.
 */
export async function isConsentSeen(graph: Graph, clientId: string, permissions: readonly string[]): Promise<boolean | undefined> {
  try {
    const answer = await graph.get(`/servicePrincipals(appId='${encodeURIComponent(clientId)}')?$select=id`);
    // The admin-consent page makes the service principal when it does not exist, so its absence means: no consent yet.
    if (answer.kind === 'refused') return answer.status === 404 ? false : undefined;
    const read = principal.safeParse(answer.body);
    if (!read.success) return undefined;
    const grants = await grantsOf(graph, read.data.id);
    if ('kind' in grants) return undefined;
    const granted = grants.flatMap((one) => one.scope.split(' '));
    return permissions.every((name) => granted.includes(name));
  } catch (error) {
    // The token expired during the wait, or the network failed: the person can still say that the consent was given.
    if (error instanceof MailauthError) return undefined;
    throw error;
  }
}
