import type { Context } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import type { TokenSet } from '../core/mailbox.ts';
import { entraProblem, readEntraError } from '../diagnose/entra-error.ts';
import { fromHere } from '../diagnose/here.ts';
import { problem } from '../diagnose/problem.ts';
import { type AuthorizationAnswer, newState } from './authorization-answer.ts';
import { readAccessToken } from './claims.ts';
import { checkIdentity } from './identity.ts';
import { type Loopback, openLoopback } from './loopback.ts';
import { authorizationUrl, type Grant, newPkce, type OAuthApp, redeemCode } from './msal.ts';
import { failurePage, type ResultPage, successPage } from './pages.ts';
import { readPasted } from './paste.ts';
import { checkScopes } from './scopes.ts';

export interface SignInRequest {
  readonly app: OAuthApp;
  readonly mailbox: string;
  readonly signInAs?: string;
  /** as registered */
  readonly redirectUri: string;
  /** this computer can catch the redirect */
  readonly loopback: boolean;
  /** full scope strings, OIDC ones included */
  readonly scopes: readonly string[];
  /** `browser` opens one here; `paste` prints the address for another computer and also takes what is pasted */
  readonly method: 'browser' | 'paste';
  /** after a wrong account or with --force: let the person choose (no hint beside it, MSAL would drop it) */
  readonly selectAccount: boolean;
  readonly waitMs: number;
  /** the command that does it again, for the words of a deadline that passed */
  readonly again: string;
  /** a person can be asked to paste */
  readonly canAsk: boolean;
}

/** What the surroundings show while somebody signs in. */
export interface SignInView {
  authorizationRequired(url: string, expiresAt: number): void;
  note(text: string): void;
  waiting(text: string): void;
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
  const { app } = request;
  const pkce = newPkce(ctx.random);
  const listener = request.loopback ? await listen(ctx, request, view) : undefined;
  const redirectUri = listener?.redirectUri ?? request.redirectUri;
  const state = listener?.state ?? newState(ctx.random);
  try {
    const url = await authorizationUrl(app, {
      redirectUri,
      scopes: [...request.scopes],
      state,
      codeChallenge: pkce.challenge,
      ...(request.selectAccount ? { prompt: 'select_account' as const } : { loginHint: request.signInAs ?? request.mailbox }),
    });
    const deadline = ctx.clock.now() + request.waitMs;
    view.authorizationRequired(url, deadline);
    const { answer, respond } = await firstAnswer(ctx, request, { listener, url, deadline, redirectUri, state }, view);
    try {
      const tokens = await exchange(request, answer, redirectUri, pkce.verifier);
      await keep(tokens);
      await respond(successPage({ mailbox: request.mailbox, account: tokens.account.username }));
      return tokens;
    } catch (thrown) {
      const here = { again: request.again, sandbox: app.cloud.name === 'sandbox' };
      const error = thrown instanceof MailauthError ? fromHere(thrown, here) : thrown;
      await respond(pageOf(error));
      throw error;
    }
  } finally {
    await listener?.close();
  }
}

/** With `paste` a taken port does no harm: the address is pasted instead. */
async function listen(ctx: Context, request: SignInRequest, view: SignInView): Promise<Loopback | undefined> {
  try {
    return await openLoopback({
      redirectUri: request.redirectUri,
      random: ctx.random,
      clock: ctx.clock,
      signal: ctx.signal,
      again: request.again,
    });
  } catch (error) {
    const busy = error instanceof MailauthError && (error.code === 'loopback-port-taken' || error.code === 'loopback-refused');
    if (!busy || request.method !== 'paste') throw error;
    view.note(`${error.title}; the address can only be pasted.`);
    return undefined;
  }
}

/** Opens the browser, or says why it will not. True: a pasted address is waited for as well. */
async function launch(ctx: Context, request: SignInRequest, url: string, view: SignInView): Promise<boolean> {
  if (request.method === 'paste') {
    view.note(
      'Open the address in a browser on any computer and sign in. Copy the address of the page it ends on (it may not load) and paste it here.',
    );
    return request.canAsk || !ctx.interactive;
  }
  if (!ctx.browser.usable) {
    view.note('No browser can be opened here. Open the address yourself; from another computer, paste the address it ends on.');
    return request.canAsk;
  }
  view.waiting('Waiting for the sign-in in your browser (Ctrl-C stops)');
  const outcome = await ctx.browser.open(url);
  if (outcome.kind === 'opened') return false;
  view.note(`The browser did not start (${outcome.why}). Open the address yourself.`);
  return request.canAsk;
}

interface Waiting {
  readonly listener: Loopback | undefined;
  readonly url: string;
  readonly deadline: number;
  readonly redirectUri: string;
  readonly state: string;
}

interface Answered {
  readonly answer: AuthorizationAnswer;
  respond(page: ResultPage): Promise<void>;
}

/**
 * The listener and the pasted address race; the loser is stopped. The launcher runs beside them: a browser that stays in the
 * foreground takes two seconds to be believed, and may have answered by then.
 */
async function firstAnswer(ctx: Context, request: SignInRequest, waiting: Waiting, view: SignInView): Promise<Answered> {
  const stop = new AbortController();
  const listened =
    waiting.listener === undefined
      ? timeOut(ctx, request, waiting.deadline, stop.signal)
      : waiting.listener.answer(waiting.deadline).then(({ params, respond }) => ({ answer: params, respond }));
  const pasting = launch(ctx, request, waiting.url, view).then((wanted) =>
    wanted && !stop.signal.aborted ? pasted(ctx, waiting, view, stop.signal) : never,
  );
  try {
    return await Promise.race([listened, pasting]);
  } finally {
    stop.abort(new Error('answered'));
    for (const racer of [listened, pasting]) racer.catch(() => undefined);
  }
}

const never = new Promise<never>(() => undefined);

async function timeOut(ctx: Context, request: SignInRequest, deadline: number, stop: AbortSignal): Promise<never> {
  await ctx.clock.sleep(Math.max(0, deadline - ctx.clock.now()), AbortSignal.any([stop, ctx.signal]));
  throw problem('sign-in-timeout', { seconds: Math.round(request.waitMs / 1000), again: request.again });
}

/** Asks until something usable is pasted. At the end of a piped standard input only the listener can still answer. */
async function pasted(ctx: Context, waiting: Waiting, view: SignInView, stop: AbortSignal): Promise<Answered> {
  const signal = AbortSignal.any([stop, ctx.signal]);
  for (;;) {
    const text = ctx.interactive
      ? await ctx.prompts.text({ message: 'Paste the address (or wait for the browser):' }, stop)
      : await ctx.readLine(signal);
    if (text === undefined) return never;
    if (text.trim() === '') continue;
    const read = readPasted(text, { redirectUri: waiting.redirectUri, state: waiting.state });
    if (read.kind === 'answer') return { answer: read.answer, respond: async () => undefined };
    view.note(read.why);
  }
}

/** Code to tokens, then: who signed in, and what was granted? Nothing is stored before both are right. */
async function exchange(
  request: SignInRequest,
  answer: AuthorizationAnswer,
  redirectUri: string,
  codeVerifier: TokenSet['accessToken'],
): Promise<TokenSet> {
  const { app, mailbox } = request;
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
  const grant = await redeemCode(app, { code: answer.code, redirectUri, scopes: [...request.scopes], codeVerifier, mailbox });
  return acceptGrant(request, grant);
}

/** Throws `wrong-account`, `wrong-tenant`, `account-unknown`, `id-token-foreign`, `scope-missing`. */
export function acceptGrant(request: Pick<SignInRequest, 'app' | 'mailbox' | 'signInAs' | 'scopes'>, grant: Grant): TokenSet {
  const { app, mailbox, signInAs } = request;
  const account = checkIdentity({
    claims: grant.idToken,
    accessToken: readAccessToken(grant.accessToken.reveal()),
    mailbox,
    signInAs,
    tenantId: app.tenantId,
    clientId: app.clientId,
  });
  checkScopes(grant.scopes, {
    mailbox,
    cloud: app.cloud,
    tenant: app.tenantId,
    clientId: app.clientId,
    scopes: request.scopes,
    redirectUri: undefined,
  });
  return {
    accessToken: grant.accessToken,
    issuedAt: grant.receivedAt,
    expiresAt: grant.receivedAt + grant.expiresInSeconds * 1000,
    scopes: grant.scopes,
    account,
    ...(grant.refreshToken === undefined ? {} : { refreshToken: grant.refreshToken, refreshTokenIssuedAt: grant.receivedAt }),
  };
}

function pageOf(error: unknown): ResultPage {
  if (error instanceof MailauthError) return failurePage({ title: error.title, why: error.why, next: error.next });
  return failurePage({ title: 'The sign-in could not be finished', why: 'The terminal says more.', next: [] });
}
