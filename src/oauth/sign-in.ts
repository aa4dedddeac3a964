import type { Context } from '../core/context.ts';
import type { Account, TokenSet } from '../core/mailbox.ts';
import { authorityOf } from '../core/sign-in-authority.ts';
import { problem } from '../errors/problem.ts';
import { type AuthorizationAnswer, newState, refuseForeignIssuer } from './authorization-answer.ts';
import { browserTrip } from './browser-trip.ts';
import { readAccessToken } from './claims.ts';
import { entraProblem, readEntraError } from './entra-error.ts';
import { checkIdentity } from './identity.ts';
import { successPage } from './loopback-pages.ts';
import { authorizationUrl, type Grant, newPkce, redeemCode } from './msal.ts';
import type { OAuthApp } from './oauth-app.ts';
import { checkScopes } from './scopes.ts';
import type { BrowserTrip, SignInView } from './sign-in-view.ts';

/** An account that signed in for a mailbox although another one was expected. */
export interface OtherAccount {
  readonly username: string;
  /** its tokens, where a person says that it is right. Throws `scope-missing` */
  tokens(): TokenSet;
}

export interface SignInRequest extends Omit<BrowserTrip, 'address'> {
  readonly app: OAuthApp;
  readonly mailbox: string;
  readonly signInAs?: string;
  /** full scope strings, OIDC ones included */
  readonly scopes: readonly string[];
  /** scopes of another resource that the person agrees to at the same time; their token is asked for later */
  readonly alsoConsent?: readonly string[];
  /** after a wrong account or with --force: let the person choose (no hint beside it, MSAL would drop it) */
  readonly selectAccount: boolean;
  /** gets the account that signed in, where another one was wanted */
  readonly seen?: (other: OtherAccount) => void;
  /** false: a proof, whose tokens are not stored; the page must not say so */
  readonly kept?: boolean;
}

/**
 * Authorization code flow with PKCE (RFC 6749 section 4.1, RFC 7636, RFC 8252). `keep` stores the tokens before the browser is told
 * that all is well. Whoever signed in and what was granted are checked before that, so a wrong account or a declined consent
 * leaves what was stored before. Throws the sign-in, Entra, network and store problems, `Interrupted`.
 */
export async function signIn(
  ctx: Context,
  request: SignInRequest,
  view: SignInView,
  keep: (tokens: TokenSet) => Promise<void>,
): Promise<TokenSet> {
  const { app, mailbox, signInAs, selectAccount } = request;
  const pkce = newPkce(ctx.random);
  const nonce = newState(ctx.random);
  const trip: BrowserTrip = {
    ...request,
    address: ({ redirectUri, state }) =>
      authorizationUrl(app, {
        redirectUri,
        scopes: [...request.scopes],
        alsoConsent: request.alsoConsent ?? [],
        state,
        nonce,
        codeChallenge: pkce.challenge,
        ...(selectAccount ? { prompt: 'select_account' as const } : { loginHint: signInAs ?? mailbox }),
      }),
  };
  return browserTrip(ctx, trip, view, async (answer, redirectUri) => {
    const tokens = await exchange(request, answer, redirectUri, { codeVerifier: pkce.verifier, nonce });
    await keep(tokens);
    return { value: tokens, page: successPage({ mailbox, account: tokens.account.username, kept: request.kept !== false }) };
  });
}

/** Code to tokens, then: who signed in, and what was granted? Nothing is stored before both are right. */
async function exchange(
  request: SignInRequest,
  answer: AuthorizationAnswer,
  redirectUri: string,
  { codeVerifier, nonce }: { readonly codeVerifier: TokenSet['accessToken']; readonly nonce: string },
): Promise<TokenSet> {
  const { app, mailbox } = request;
  refuseForeignIssuer(answer, app.endpoints, mailbox);
  const words = {
    mailbox,
    signInAs: request.signInAs,
    tenant: app.tenantId,
    clientId: app.clientId,
    scopes: request.scopes,
    cloud: app.cloud,
  };
  if (answer.kind === 'error') {
    const said = readEntraError({ error: answer.error, error_description: answer.description });
    throw entraProblem(said ?? { error: answer.error }, words);
  }
  if (answer.kind === 'consented')
    throw problem('token-answer-unreadable', { mailbox, why: 'This was the answer to a consent, not to a sign-in.' });
  const grant = await redeemCode(app, { code: answer.code, redirectUri, scopes: [...request.scopes], codeVerifier, nonce, mailbox });
  return acceptGrant(request, grant);
}

/** Throws `wrong-account`, `wrong-tenant`, `account-unknown`, `id-token-foreign`, `scope-missing`. */
export function acceptGrant(request: Pick<SignInRequest, 'app' | 'mailbox' | 'signInAs' | 'scopes' | 'seen'>, grant: Grant): TokenSet {
  const { app, mailbox, signInAs } = request;
  const account = checkIdentity({
    claims: grant.idToken,
    accessToken: readAccessToken(grant.accessToken.reveal()),
    mailbox,
    signInAs,
    tenantId: app.tenantId,
    clientId: app.clientId,
    seen: (other) => request.seen?.({ username: other.username, tokens: () => tokensOf(request, grant, other) }),
  });
  return tokensOf(request, grant, account);
}

function tokensOf({ app, mailbox, scopes }: Pick<SignInRequest, 'app' | 'mailbox' | 'scopes'>, grant: Grant, account: Account): TokenSet {
  checkScopes(grant.scopes, { mailbox, cloud: app.cloud, tenant: app.tenantId, clientId: app.clientId, scopes, redirectUri: undefined });
  return {
    accessToken: grant.accessToken,
    issuedAt: grant.receivedAt,
    expiresAt: grant.receivedAt + grant.expiresInSeconds * 1000,
    scopes: grant.scopes,
    account,
    authority: authorityOf(app.cloud, app),
    ...(grant.refreshToken === undefined ? {} : { refreshToken: grant.refreshToken, refreshTokenIssuedAt: grant.receivedAt }),
  };
}
