import { type Cloud, mailOf, type ProtocolWord } from '../core/cloud.ts';
import { delegatedPermissionsOf, type GraphSender, graphPermissionsOf } from '../core/permissions.ts';
import type { EntraWords } from '../errors/catalogue/entra/entra-words.ts';
import { problem } from '../errors/problem.ts';

/** OpenID Connect Core section 5.4 and 11: of no resource, so they may stand beside any. */
const openIdScopes: readonly string[] = ['offline_access', 'openid', 'profile', 'email'];

/**
 * What a mailbox's token request asks for. Full addresses: a bare name would mean Microsoft Graph, and a request may name
 * one resource only (AADSTS28000), so a Graph scope stands here only where nothing is wanted of the mail servers.
 * Source: learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
 */
export function scopesFor(cloud: Cloud, protocols: readonly ProtocolWord[], sender: GraphSender = {}): string[] {
  if (delegatedPermissionsOf(protocols).length === 0) return graphScopes(cloud, protocols, sender);
  return [...delegatedPermissionsOf(protocols).map((name) => `${cloud.outlookScopeBase}/${name}`), ...openIdScopes];
}

/** What a request for Microsoft Graph's own token asks for: to send, where that is wanted. */
export function graphScopes(cloud: Cloud, protocols: readonly ProtocolWord[], sender: GraphSender): string[] {
  // The ports of the sandbox change; Entra knows Graph by the address of its cloud.
  const base = cloud.name === 'sandbox' ? 'https://graph.microsoft.com' : cloud.graph;
  return [...graphPermissionsOf(protocols, sender).map((name) => `${base}/${name}`), ...openIdScopes];
}

/** The Graph permission that a sign-in for the mail servers also gets consent for; its token is another request. */
export const scopesBeside = (cloud: Cloud, protocols: readonly ProtocolWord[], sender: GraphSender): readonly string[] =>
  mailOf(protocols).length === 0 ? [] : graphScopes(cloud, protocols, sender).filter((scope) => !openIdScopes.includes(scope));

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
