import type { Cloud } from '../core/cloud.ts';
import { adminConsentLink } from '../diagnose/catalogue/entra-words.ts';
import { type EntraError, readEntraError } from '../diagnose/entra-error.ts';

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

export type AdminConsentAnswer =
  | { readonly kind: 'granted'; readonly scopes: readonly string[] }
  /** for `entraProblem` */
  | { readonly kind: 'error'; readonly error: EntraError }
  | { readonly kind: 'unreadable'; readonly why: 'none' | 'twice' };

/**
 * The query of the redirect. `admin_consent=True` comes with failures too, so the error is looked at first. The `tenant` in it
 * proves nothing and is left out; the state is judged before, by `hasState`.
 */
export function readAdminConsentAnswer(params: URLSearchParams): AdminConsentAnswer {
  for (const name of ['admin_consent', 'error', 'error_description', 'error_subcode', 'scope']) {
    if (params.getAll(name).length > 1) return { kind: 'unreadable', why: 'twice' };
  }
  const error = readEntraError({
    error: params.get('error')?.slice(0, 200),
    error_description: params.get('error_description')?.slice(0, 4000),
    error_subcode: params.get('error_subcode')?.slice(0, 200),
  });
  if (error !== undefined) return { kind: 'error', error };
  if (params.get('admin_consent')?.toLowerCase() !== 'true') return { kind: 'unreadable', why: 'none' };
  return { kind: 'granted', scopes: (params.get('scope') ?? '').slice(0, 4000).split(' ').filter(Boolean) };
}
