import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Msal from '@azure/msal-node';
import type { Random } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import { MailauthError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import { problem } from '../errors/problem.ts';
import { entraProblem } from './entra-error.ts';
import { type Grant, readGrant } from './grant.ts';
import { foreignNonce } from './identity.ts';
import type { OAuthApp } from './oauth-app.ts';
import { TokenExchange } from './token-exchange.ts';

export type { Grant } from './grant.ts';

/** `mailbox` is only for the words of an error. */
interface About {
  readonly mailbox?: string;
}

/** Loaded by require: the CommonJS build loads in half the time of the import (measured). */
const require = createRequire(import.meta.filename);
let loaded: typeof Msal | undefined;
function msal(): typeof Msal {
  const library: typeof Msal = loaded ?? require('@azure/msal-node');
  loaded = library;
  return library;
}

/** RFC 7636: 256 random bits and their S256 challenge. */
export function newPkce(random: Random): { verifier: Secret; challenge: string } {
  const verifier = random.bytes(32).toString('base64url');
  return { verifier: new Secret(verifier), challenge: createHash('sha256').update(verifier, 'ascii').digest('base64url') };
}

interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** of another resource: consent is asked for them, and no token */
  readonly alsoConsent?: readonly string[];
  readonly state: string;
  readonly codeChallenge: string;
  /** comes back in the id_token (OpenID Connect Core section 3.1.2.1) */
  readonly nonce: string;
  readonly loginHint?: string;
  /** `select_account`: MSAL leaves the hint out beside it */
  readonly prompt?: 'select_account' | 'consent';
}

/** The address a browser opens: authorization code flow, PKCE, answer in the query (RFC 6749 section 4.1.1). No network. */
export async function authorizationUrl(app: OAuthApp, request: AuthorizationRequest): Promise<string> {
  const { redirectUri, scopes, alsoConsent = [], state, codeChallenge, nonce, loginHint, prompt } = request;
  const address = await client(app, new TokenExchange(app)).getAuthCodeUrl({
    redirectUri,
    scopes: [...scopes],
    ...(alsoConsent.length === 0 ? {} : { extraScopesToConsent: [...alsoConsent] }),
    state,
    nonce,
    codeChallenge,
    codeChallengeMethod: 'S256',
    responseMode: 'query',
    ...defined({ loginHint, prompt }),
  });
  return withoutExtras(address);
}

/**
 * MSAL's telemetry, routing hints and requests for optional claims. They are a third of the address, and people copy it from a narrow
 * terminal.
 */
const extras = ['x-client-SKU', 'x-client-VER', 'x-client-OS', 'x-client-CPU', 'X-AnchorMailbox', 'clidata', 'claims', 'client-request-id'];

function withoutExtras(address: string): string {
  const start = address.indexOf('?') + 1;
  const kept = address
    .slice(start)
    .split('&')
    .filter((pair) => !extras.includes(pair.slice(0, pair.indexOf('='))));
  return address.slice(0, start) + kept.join('&');
}

interface CodeRequest extends About {
  readonly code: Secret;
  /** the one of the authorization request, letter by letter */
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly codeVerifier: Secret;
  /** the one of the authorization request: MSAL refuses an answer whose id_token does not repeat it */
  readonly nonce: string;
}

/** Code to tokens (RFC 6749 section 4.1.3). Throws Entra's and the network's problems, `token-answer-unreadable`, the signal's reason. */
export async function redeemCode(app: OAuthApp, request: CodeRequest): Promise<Grant> {
  const { code, redirectUri, scopes, codeVerifier, nonce, mailbox } = request;
  try {
    return await redeem(app, request, (msalClient) =>
      msalClient.acquireTokenByCode({ code: code.reveal(), redirectUri, scopes: [...scopes], codeVerifier: codeVerifier.reveal(), nonce }),
    );
  } catch (error) {
    // Entra has one number for an authorization code that is too old and for a refresh token that is too old.
    const tooOld = error instanceof MailauthError && error.detail.aadsts === 70008;
    throw tooOld ? problem('code-expired', { mailbox }, { detail: error.detail }) : error;
  }
}

interface RefreshRequest extends About {
  readonly refreshToken: Secret;
  readonly scopes: readonly string[];
}

/** A new access token, and mostly a new refresh token (RFC 6749 section 6). Throws as `redeemCode` does. */
export async function redeemRefreshToken(app: OAuthApp, request: RefreshRequest): Promise<Grant> {
  const { refreshToken, scopes } = request;
  return redeem(app, request, (msalClient) =>
    msalClient.acquireTokenByRefreshToken({ refreshToken: refreshToken.reveal(), scopes: [...scopes] }),
  );
}

type Client = Msal.PublicClientApplication | Msal.ConfidentialClientApplication;
type Wanted = Pick<CodeRequest, 'scopes' | 'mailbox'> & { readonly redirectUri?: string };

/**
 * MSAL builds and sends the request; what came back is read from the wire. MSAL's own result has no refresh token, and its
 * errors hide their causes (`endpoints_resolution_error`, `network_error`).
 */
async function redeem(app: OAuthApp, wanted: Wanted, ask: (client: Client) => Promise<unknown>): Promise<Grant> {
  const exchange = new TokenExchange(app);
  let failure: unknown;
  try {
    await ask(client(app, exchange));
  } catch (error) {
    failure = error;
  }
  if (exchange.failure !== undefined) throw exchange.failure;
  const { answer } = exchange;
  // Nothing was sent: MSAL refused its input.
  if (answer === undefined) throw unreadable(wanted, 'The request could not be built.', failure);
  if (answer.error !== undefined) throw entraProblem(answer.error, { ...wanted, ...blanks(app) });
  const grant = readGrant(answer.body, wanted.scopes, answer.receivedAt);
  if (grant === undefined) throw unreadable(wanted, 'It is not the answer of a token endpoint.', failure);
  if (msalCodeOf(failure) === 'nonce_mismatch') throw problem('answer-foreign', { mailbox: wanted.mailbox, why: foreignNonce });
  if (failure !== undefined) throw unreadable(wanted, 'The sign-in library does not accept it.', failure);
  return grant;
}

const blanks = ({ cloud, tenantId, clientId }: OAuthApp) => ({ cloud, tenant: tenantId, clientId });

const msalCodeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'errorCode' in error && typeof error.errorCode === 'string' ? error.errorCode : undefined;

function unreadable({ mailbox }: Wanted, why: string, cause: unknown): Error {
  // MSAL's message may quote the answer; its code may not.
  const code = msalCodeOf(cause);
  return problem('token-answer-unreadable', { mailbox, why }, code === undefined ? {} : { detail: { reply: code.slice(0, 80) } });
}

/** Each call needs a new client: MSAL's cache and its memory of throttled requests must not outlive one call. */
function client(app: OAuthApp, exchange: TokenExchange): Client {
  const { clientId, clientSecret, cloud, tenantId, endpoints } = app;
  const { PublicClientApplication, ConfidentialClientApplication, LogLevel } = msal();
  const auth = {
    clientId,
    authority: `${cloud.login}/${tenantId}`,
    knownAuthorities: [new URL(cloud.login).host],
    // With these MSAL makes no request for discovery.
    authorityMetadata: JSON.stringify({
      issuer: endpoints.issuer,
      authorization_endpoint: endpoints.authorization,
      token_endpoint: endpoints.token,
      end_session_endpoint: `${cloud.login}/${tenantId}/oauth2/v2.0/logout`,
      jwks_uri: `${cloud.login}/${tenantId}/discovery/v2.0/keys`,
    }),
  };
  const system = {
    networkClient: exchange,
    loggerOptions: { loggerCallback: () => undefined, piiLoggingEnabled: false, logLevel: LogLevel.Error },
  };
  if (clientSecret === undefined) return new PublicClientApplication({ auth, system });
  return new ConfidentialClientApplication({ auth: { ...auth, clientSecret: clientSecret.reveal() }, system });
}
