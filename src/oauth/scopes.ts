import type { Cloud, Protocol } from '../core/cloud.ts';
import { delegatedPermissionsOf } from '../core/permissions.ts';
import type { EntraWords } from '../errors/catalogue/entra/entra-words.ts';
import { problem } from '../errors/problem.ts';

/** OpenID Connect Core section 5.4 and 11: of no resource, so they may stand beside any. */
const openIdScopes: readonly string[] = ['offline_access', 'openid', 'profile', 'email'];

/**
 * What a mailbox's token request asks for. Full addresses: a bare name would mean Microsoft Graph, and a request may name
 * one resource only (AADSTS28000), so a Graph scope never stands here.
 * Source: learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
 */
export function scopesFor(cloud: Cloud, protocols: readonly Protocol[]): string[] {
  return [...delegatedPermissionsOf(protocols).map((name) => `${cloud.outlookScopeBase}/${name}`), ...openIdScopes];
}

/** The `scope` of a token response; without one, all that was asked for was granted (RFC 6749 section 5.1). */
export function grantedScopes(scope: string | undefined, requested: readonly string[]): string[] {
  const granted = (scope ?? '').split(/\s+/).filter((one) => one !== '');
  return granted.length > 0 ? granted : [...requested];
}

/**
 * Short names (`IMAP.AccessAsUser.All`) of the mail permissions that were wanted and not granted. Only the last segment
 * counts, in any case: Microsoft stamps the resource's address anew. OpenID scopes are not looked at, they are often not echoed.
 */
export function missingScopes(wanted: readonly string[], granted: readonly string[]): string[] {
  const has = new Set(granted.map((scope) => lastSegment(scope).toLowerCase()));
  return wanted
    .filter((scope) => !openIdScopes.includes(scope))
    .map(lastSegment)
    .filter((name) => !has.has(name.toLowerCase()));
}

/** Throws `scope-missing` (exit 6) when a wanted mail permission was not granted. `blanks.scopes` is what was wanted. */
export function checkScopes(
  granted: readonly string[],
  blanks: Pick<EntraWords, 'cloud' | 'tenant' | 'clientId' | 'scopes' | 'redirectUri' | 'mailbox'>,
): void {
  const missing = missingScopes(blanks.scopes, granted);
  if (missing.length > 0) throw problem('scope-missing', { ...blanks, missing });
}

const lastSegment = (scope: string): string => scope.slice(scope.lastIndexOf('/') + 1);
