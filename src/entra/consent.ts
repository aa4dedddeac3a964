import type { Cloud } from '../core/cloud.ts';
import { adminConsentLink } from '../core/links.ts';

/**
 * Where an administrator consents for the whole tenant; the answer comes back to `redirectUri`, exactly as registered.
 * `tenant`: id, domain or `organizations`; personal accounts have no such page. learn.microsoft.com/entra/identity-platform/v2-admin-consent
 */
export function adminConsentUrl(
  cloud: Cloud,
  tenant: string,
  clientId: string,
  scopes: readonly string[],
  redirectUri: string,
  state: string,
): string {
  if (scopes.length === 0) throw new Error('admin consent needs scopes');
  const url = new URL(adminConsentLink({ cloud, tenant, clientId, scopes, redirectUri }));
  url.searchParams.set('state', state);
  return url.href.replaceAll('+', '%20');
}
