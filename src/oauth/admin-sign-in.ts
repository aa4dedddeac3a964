import type { Cloud } from '../core/cloud.ts';
import type { Context } from '../core/context.ts';
import type { Secret } from '../core/secret.ts';
import { problem } from '../errors/problem.ts';
import { type AuthorizationAnswer, newState, refuseForeignIssuer } from './authorization-answer.ts';
import { type BrowserTrip, browserTrip, type SignInView } from './browser-trip.ts';
import { entraProblem, readEntraError } from './entra-error.ts';
import { type Grant, readGrant } from './grant.ts';
import { foreignNonce } from './identity.ts';
import { adminPage } from './loopback-pages.ts';
import { newPkce } from './msal.ts';
import type { OAuthApp } from './oauth-app.ts';
import { formRequest, readTokenAnswer } from './token-exchange.ts';

/**
 * Microsoft Azure CLI: Microsoft's own public client, which every tenant knows. It is pre-authorised for the Graph permissions that a
 * registration needs, so Microsoft asks for no consent (docs/microsoft.md, "The administrator's sign-in").
 */
export const adminApp = { name: 'Microsoft Azure CLI', clientId: '04b07795-8ddb-461a-bbee-02f9e1bf7b46' } as const;

interface AdminSignIn extends Pick<BrowserTrip, 'method' | 'waitMs' | 'again' | 'canAsk'> {
  readonly app: Pick<OAuthApp, 'cloud' | 'tenantId' | 'endpoints' | 'network' | 'clock' | 'timeoutMs' | 'signal'>;
}

interface AdminGrant {
  /** for Graph; it stays in memory, is never stored and comes without a refresh token */
  readonly token: Secret;
  readonly account: string | undefined;
}

const graphScope = (cloud: Cloud): string => `${cloud.graph.replace(/\/$/, '')}/.default`;

/**
 * Signs an administrator in for Microsoft Graph, in the browser, once. Not with MSAL: MSAL always asks for `offline_access` and so for a
 * refresh token, and this token must not outlive the command.
 */
export async function adminSignIn(ctx: Context, { app, ...trip }: AdminSignIn, view: SignInView): Promise<AdminGrant> {
  const { cloud, endpoints } = app;
  const pkce = newPkce(ctx.random);
  const nonce = newState(ctx.random);
  const scope = `${graphScope(cloud)} openid profile`;
  const request: BrowserTrip = {
    ...trip,
    redirectUri: 'http://localhost',
    loopback: true,
    address: async ({ redirectUri, state }) => {
      const query = new URLSearchParams({
        client_id: adminApp.clientId,
        response_type: 'code',
        response_mode: 'query',
        redirect_uri: redirectUri,
        scope,
        state,
        nonce,
        code_challenge: pkce.challenge,
        code_challenge_method: 'S256',
        // The account that is signed in in this browser is rarely the administrator's.
        prompt: 'select_account',
      });
      return `${endpoints.authorization}?${query}`;
    },
  };
  return browserTrip(ctx, request, view, async (answer, redirectUri) => {
    const grant = await redeem(app, answer, { redirectUri, scope, verifier: pkce.verifier });
    if (grant.idToken !== undefined && grant.idToken.nonce !== nonce) throw problem('answer-foreign', { why: foreignNonce });
    const account = grant.idToken?.username;
    return { value: { token: grant.accessToken, account }, page: adminPage({ account }) };
  });
}

/** Exchanges the code for the token (RFC 6749 section 4.1.3). */
async function redeem(
  app: AdminSignIn['app'],
  answer: AuthorizationAnswer,
  { redirectUri, scope, verifier }: { readonly redirectUri: string; readonly scope: string; readonly verifier: Secret },
): Promise<Grant> {
  refuseForeignIssuer(answer, app.endpoints);
  const words = { cloud: app.cloud, tenant: app.tenantId, clientId: adminApp.clientId, scopes: [scope] };
  if (answer.kind === 'error') {
    const said = readEntraError({ error: answer.error, error_description: answer.description });
    throw entraProblem(said ?? { error: answer.error }, words);
  }
  if (answer.kind === 'consented') {
    throw problem('token-answer-unreadable', { why: 'This was the answer to a consent, not to a sign-in.' });
  }
  const form = {
    grant_type: 'authorization_code',
    client_id: adminApp.clientId,
    code: answer.code.reveal(),
    redirect_uri: redirectUri,
    code_verifier: verifier.reveal(),
    scope,
  };
  const response = await app.network.request(formRequest(app.endpoints.token, form, app));
  const { body, error, receivedAt } = readTokenAnswer(response, app.clock.now());
  if (error !== undefined) throw entraProblem(error, words);
  const grant = readGrant(body, [scope], receivedAt);
  if (grant === undefined) {
    throw problem('token-answer-unreadable', { why: 'The token endpoint answered, but not with a token for Graph.' });
  }
  return grant;
}
