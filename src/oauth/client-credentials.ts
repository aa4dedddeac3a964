import { randomUUID } from 'node:crypto';
import { appRoleNames } from '../core/app-roles.ts';
import type { Cloud, Protocol } from '../core/cloud.ts';
import type { HttpResponse } from '../core/context.ts';
import type { TokenSet } from '../core/mailbox.ts';
import { problem } from '../errors/problem.ts';
import { readAccessToken } from './claims.ts';
import { assertionType, clientAssertion } from './client-assertion.ts';
import { readClientCertificate, storedThumbprints } from './client-certificate.ts';
import { entraProblem } from './entra-error.ts';
import { readGrant } from './grant.ts';
import type { OAuthApp } from './oauth-app.ts';
import { readTokenAnswer } from './token-exchange.ts';

/**
 * What an app asks for itself: everything it was given on Exchange Online. In the public cloud the address is another than the one of
 * the delegated scopes (learn.microsoft.com, how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth).
 */
export function appOnlyScope({ outlookScopeBase }: Pick<Cloud, 'outlookScopeBase'>): string {
  const base = outlookScopeBase.replace(/\/+$/, '');
  return `${base === 'https://outlook.office.com' ? 'https://outlook.office365.com' : base}/.default`;
}

/** The parameters by which a confidential client shows who it is (RFC 6749 section 2.3.1, RFC 7523 section 2.2). Throws `certificate-ended`. */
export function clientParameters(app: OAuthApp & { readonly mailbox?: string }): Readonly<Record<string, string>> {
  const { clientSecret, clientCertificate, clientId, endpoints, clock } = app;
  if (clientSecret !== undefined) return { client_secret: clientSecret.reveal() };
  if (clientCertificate === undefined) return {};
  const certificate = readClientCertificate(clientCertificate.reveal(), clock.now());
  if (typeof certificate === 'string') {
    throw problem('certificate-ended', { why: certificate, mailbox: app.mailbox ?? '' });
  }
  return {
    client_assertion_type: assertionType,
    client_assertion: clientAssertion(certificate, { clientId, audience: endpoints.token, now: clock.now(), id: randomUUID() }),
  };
}

/** `POST` to the token endpoint as the app itself (RFC 6749 section 4.4.2). Throws the network's problems, `certificate-ended`. */
export function postClientCredentials(app: OAuthApp & { readonly mailbox?: string }, scope: string): Promise<HttpResponse> {
  return app.network.request({
    method: 'POST',
    url: app.endpoints.token,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: app.clientId, scope, ...clientParameters(app) }).toString(),
    timeoutMs: app.timeoutMs,
    signal: app.signal,
  });
}

/**
 * A token for the app itself (RFC 6749 section 4.4): nobody signs in, there is no refresh token, the next one is asked for the same way.
 * `scopes` of the set are its roles; its account is the app, by client id and the object id of its service principal (`oid`), which is
 * what Exchange Online PowerShell wants. Throws Entra's and the network's problems, `token-answer-unreadable`.
 */
export async function appToken(app: OAuthApp, mailbox: string): Promise<TokenSet> {
  const scope = appOnlyScope(app.cloud);
  const response = await postClientCredentials({ ...app, mailbox }, scope);
  const { body, error, receivedAt } = readTokenAnswer(response, app.clock.now());
  if (error !== undefined) {
    const certificate = storedThumbprints(app.clientCertificate);
    throw entraProblem(error, { cloud: app.cloud, tenant: app.tenantId, clientId: app.clientId, scopes: [scope], mailbox, certificate });
  }
  const grant = readGrant(body, [scope], receivedAt);
  if (grant === undefined) throw problem('token-answer-unreadable', { mailbox, why: 'The token endpoint answered, but not with a token.' });
  const claims = readAccessToken(grant.accessToken);
  return {
    accessToken: grant.accessToken,
    issuedAt: receivedAt,
    expiresAt: receivedAt + grant.expiresInSeconds * 1000,
    // The answer names no scopes; Microsoft may encrypt the token, then only the request is known.
    scopes: claims.opaque ? [scope] : claims.scopes,
    account: {
      username: app.clientId,
      ...(claims.opaque || claims.objectId === undefined ? {} : { objectId: claims.objectId }),
      tenantId: app.tenantId,
    },
  };
}

/** Wanted application permissions that the token does not carry; none where it cannot be looked into. */
export function missingRoles(set: Pick<TokenSet, 'scopes'>, protocols: readonly Protocol[]): readonly string[] {
  if (set.scopes.some((scope) => scope.endsWith('/.default'))) return [];
  return protocols.map((protocol) => appRoleNames[protocol]).filter((role) => !set.scopes.includes(role));
}
