import { constants, randomUUID, sign } from 'node:crypto';
import type { Cloud, ProtocolWord } from '../core/cloud.ts';
import type { HttpResponse } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import type { TokenSet } from '../core/mailbox.ts';
import { appRolesOf } from '../core/permissions.ts';
import { authorityOf } from '../core/sign-in-authority.ts';
import { problem } from '../errors/problem.ts';
import { readAccessToken } from './claims.ts';
import { type ClientCertificate, readClientCertificate, storedThumbprints } from './client-certificate.ts';
import { entraProblem } from './entra-error.ts';
import { readGrant } from './grant.ts';
import type { OAuthApp } from './oauth-app.ts';
import { formRequest, readTokenAnswer } from './token-exchange.ts';

/**
 * The scope of an app that acts for itself: every application permission that it has on Exchange Online. In the public cloud its host is
 * not the one of the delegated scopes (learn.microsoft.com, how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth).
 */
export function appOnlyScope({ outlookScopeBase }: Pick<Cloud, 'outlookScopeBase'>): string {
  const base = outlookScopeBase.replace(/\/+$/, '');
  return `${base === 'https://outlook.office.com' ? 'https://outlook.office365.com' : base}/.default`;
}

/** The parameters by which a confidential client shows who it is (RFC 6749 section 2.3.1, RFC 7523 section 2.2). Throws `certificate-ended`. */
function clientParameters(app: OAuthApp & { readonly mailbox?: string }): Readonly<Record<string, string>> {
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

/**
 * `POST` to the token endpoint as the app itself (RFC 6749 section 4.4.2). Not with MSAL: it keeps these tokens in a cache of its own and
 * hides what Entra answered; and `checkClient` needs the refusal, with its AADSTS numbers, as it came. Throws the network's problems and `certificate-ended`.
 */
export function postClientCredentials(app: OAuthApp & { readonly mailbox?: string }, scope: string): Promise<HttpResponse> {
  const form = { grant_type: 'client_credentials', client_id: app.clientId, scope, ...clientParameters(app) };
  return app.network.request(formRequest(app.endpoints.token, form, app));
}

/**
 * A token for the app itself (RFC 6749 section 4.4). No person signs in and no refresh token comes with it; the next token is asked for
 * in the same way. `scopes` of the set are the app's roles. Its account is the app: the client id, and the object id of its service
 * principal (`oid`), which Exchange Online PowerShell asks for. Throws Entra's and the network's problems, `token-answer-unreadable`.
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
    // The answer does not name the scopes. When Microsoft has encrypted the token, only the request is known.
    scopes: claims.opaque ? [scope] : claims.scopes,
    account: {
      username: app.clientId,
      ...defined({ objectId: claims.opaque ? undefined : claims.objectId }),
      tenantId: app.tenantId,
    },
    authority: authorityOf(app.cloud, app),
  };
}

/** The wanted application permissions that the token lacks. An empty list when the token cannot be read. */
export function missingRoles(set: Pick<TokenSet, 'scopes'>, protocols: readonly ProtocolWord[]): readonly string[] {
  if (set.scopes.some((scope) => scope.endsWith('/.default'))) return [];
  return appRolesOf(protocols).filter((role) => !set.scopes.includes(role));
}

/** RFC 7523 section 2.2 */
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** The assertion is used at once. Microsoft recommends a life of 5 to 10 minutes (learn.microsoft.com, certificate-credentials). */
const lifeSeconds = 300;

interface Assertion {
  readonly clientId: string;
  /** the token endpoint */
  readonly audience: string;
  /** milliseconds since the epoch */
  readonly now: number;
  /** unique: `jti` */
  readonly id: string;
}

/**
 * The JWT that stands in for a client secret (RFC 7523 section 3): PS256, the certificate named by `x5t#S256`
 * (learn.microsoft.com/entra/identity-platform/certificate-credentials). Not with MSAL, although MSAL signs certificates itself: the
 * token request of an app is sent without MSAL (client-credentials.ts says why), so nothing would use its assertion. A library such as
 * `jose` would save 20 of these lines.
 */
export function clientAssertion(certificate: Pick<ClientCertificate, 'key' | 'thumbprint'>, wanted: Assertion): string {
  const now = Math.floor(wanted.now / 1000);
  const header = { alg: 'PS256', typ: 'JWT', 'x5t#S256': certificate.thumbprint };
  const claims = {
    aud: wanted.audience,
    exp: now + lifeSeconds,
    iat: now,
    iss: wanted.clientId,
    jti: wanted.id,
    nbf: now,
    sub: wanted.clientId,
  };
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('sha256', Buffer.from(signed), {
    key: certificate.key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  });
  return `${signed}.${signature.toString('base64url')}`;
}
