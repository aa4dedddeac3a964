import type { Cloud, Tenant } from '../core/cloud.ts';
import type { Context } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import type { AdminGrant, Run } from '../core/run-parts.ts';
import type { Secret } from '../core/secret.ts';
import { type AdminWays, adminNext } from '../errors/catalogue/registration/admin-errors.ts';
import { problem } from '../errors/problem.ts';
import { adminRefusal, adminServices, asAdminRefusal } from './admin-refusal.ts';
import { type AuthorizationAnswer, newState, refuseForeignIssuer } from './authorization-answer.ts';
import { browserTrip } from './browser-trip.ts';
import { readEntraError } from './entra-error.ts';
import { type Grant, readGrant } from './grant.ts';
import { foreignNonce } from './identity.ts';
import { adminPage } from './loopback-pages.ts';
import { newPkce } from './msal.ts';
import { appAt, type OAuthApp } from './oauth-app.ts';
import type { BrowserTrip, SignInView } from './sign-in-view.ts';
import { formRequest, readTokenAnswer } from './token-exchange.ts';

interface AdminSignIn extends Pick<BrowserTrip, 'method' | 'waitMs' | 'canAsk'>, AdminWays {
  readonly app: Pick<OAuthApp, 'cloud' | 'tenantId' | 'endpoints' | 'network' | 'clock' | 'timeoutMs' | 'signal'>;
  /** what Graph asked for when it challenged an earlier sign-in: the `claims` of its header, as JSON */
  readonly challenge?: { readonly claims: string; readonly account: string | undefined };
}

/**
 * Signs an administrator in for Microsoft Graph or Exchange Online, in the browser, once. Not with MSAL: MSAL always asks for `offline_access` and so for a
 * refresh token, and this token must not outlive the command.
 */
async function adminSignIn(ctx: Context, { app, ...trip }: AdminSignIn, view: SignInView): Promise<AdminGrant> {
  const { cloud, endpoints } = app;
  const { challenge } = trip;
  const pkce = newPkce(ctx.random);
  const nonce = newState(ctx.random);
  const service = adminServices[trip.service ?? 'graph'];
  const scope = `${service.scope(cloud)} openid profile`;
  const request: BrowserTrip = {
    ...trip,
    redirectUri: 'http://localhost',
    loopback: true,
    address: async ({ redirectUri, state }) => {
      const query = new URLSearchParams({
        client_id: service.app.clientId,
        response_type: 'code',
        response_mode: 'query',
        redirect_uri: redirectUri,
        scope,
        state,
        nonce,
        code_challenge: pkce.challenge,
        code_challenge_method: 'S256',
        ...(challenge === undefined ? {} : { claims: challenge.claims }),
        // The account that is signed in in this browser is rarely the administrator's.
        ...(challenge?.account === undefined ? { prompt: 'select_account' } : { login_hint: challenge.account }),
      });
      return `${endpoints.authorization}?${query}`;
    },
  };
  const finish = async (answer: AuthorizationAnswer, redirectUri: string) => {
    const grant = await redeem({ app, ...trip }, answer, { redirectUri, scope, verifier: pkce.verifier });
    if (grant.idToken !== undefined && grant.idToken.nonce !== nonce) throw problem('answer-foreign', { why: foreignNonce });
    const account = grant.idToken?.username;
    const expiresAt = grant.receivedAt + grant.expiresInSeconds * 1000;
    return { value: { token: grant.accessToken, account, expiresAt }, page: adminPage({ account }) };
  };
  try {
    return await browserTrip(ctx, request, view, finish);
  } catch (error) {
    throw leadingOn(error, { ...trip, cloud });
  }
}

/** Who signs in for what, and where: what a command hands on. */
export interface AdminWork extends AdminWays {
  readonly tenant: Tenant;
  readonly cloud: Cloud;
  readonly method: 'browser' | 'paste';
}

/** What of a token's life must be left for the work that it is kept for. */
const spareMs = 120_000;

const keptAs = ({ service = 'graph', tenant, cloud }: AdminWork): string => `${service} ${cloud.name} ${tenant.id}`;

/** Has an administrator signed in for this, for an earlier set-up of the same run? */
export function isSignedInAlready({ administrators, ctx }: Run, work: AdminWork): boolean {
  const kept = administrators?.get(keptAs(work));
  return kept !== undefined && !(kept instanceof MailauthError) && kept.expiresAt - spareMs > ctx.clock.now();
}

/** The token was refused: the next work of this kind signs in once more. */
export const forgetAdministrator = ({ administrators }: Run, work: AdminWork): void => {
  administrators?.delete(keptAs(work));
};

/**
 * The same for a run of a command: says what happens, and that it has happened. Where the run keeps sign-ins, an administrator signs in once for
 * a tenant and a service, and is asked once.
 */
export async function signInAdministrator(run: Run, work: AdminWork & Pick<AdminSignIn, 'challenge'>): Promise<AdminGrant> {
  const { administrators } = run;
  const kept = work.challenge === undefined ? administrators?.get(keptAs(work)) : undefined;
  if (kept instanceof MailauthError) throw kept.but({ next: adminNext(work) });
  if (kept !== undefined && isSignedInAlready(run, work)) return kept;
  try {
    const grant = await signInNow(run, work);
    administrators?.set(keptAs(work), grant);
    return grant;
  } catch (error) {
    if (error instanceof MailauthError) administrators?.set(keptAs(work), error);
    throw error;
  }
}

async function signInNow(run: Run, work: AdminWork & Pick<AdminSignIn, 'challenge'>): Promise<AdminGrant> {
  const { ctx, report } = run;
  const { tenant, cloud, ...rest } = work;
  const { app: registration, title } = adminServices[work.service ?? 'graph'];
  const app = await appAt({ cloud, tenantId: tenant.id, endpoints: tenant.endpoints, registration }, run);
  const trip = { ...rest, app, waitMs: run.browserTimeoutMs, canAsk: run.asksForAddress ?? run.canAsk };
  const view = {
    ...{ report, step: 'admin-sign-in' },
    ...{ atAddress: 'Sign in as an administrator:', inBrowser: 'Sign in there as an administrator.' },
  };
  const grant = await adminSignIn(ctx, trip, view);
  report.progress('admin-sign-in', 'done', `Signed in for ${title}${grant.account === undefined ? '' : `: ${grant.account}`}`);
  return grant;
}

/** Microsoft shows most refusals on its own page and never sends them back: then nobody comes, and the ways on are the same. */
function leadingOn(error: unknown, about: AdminWays & { readonly cloud: Cloud }): unknown {
  if (!(error instanceof MailauthError) || error.code === 'admin-sign-in-refused') return error;
  if (error.code === 'sign-in-timeout') return error.but({ next: [...error.next, ...adminNext(about).slice(1)] });
  return error.detail.aadsts === undefined ? error : asAdminRefusal(error, about);
}

/** Exchanges the code for the token (RFC 6749 section 4.1.3). */
async function redeem(
  { app, again, otherWays, challenge, service = 'graph' }: Pick<AdminSignIn, 'app' | 'again' | 'otherWays' | 'challenge' | 'service'>,
  answer: AuthorizationAnswer,
  { redirectUri, scope, verifier }: { readonly redirectUri: string; readonly scope: string; readonly verifier: Secret },
): Promise<Grant> {
  refuseForeignIssuer(answer, app.endpoints);
  const about = { cloud: app.cloud, tenant: app.tenantId, again, otherWays, service };
  const { app: own, title } = adminServices[service];
  if (answer.kind === 'error') {
    const said = readEntraError({ error: answer.error, error_description: answer.description });
    throw adminRefusal(said ?? { error: answer.error }, about);
  }
  if (answer.kind === 'consented') {
    throw problem('token-answer-unreadable', { why: 'This was the answer to a consent, not to a sign-in.' });
  }
  const form = {
    grant_type: 'authorization_code',
    client_id: own.clientId,
    code: answer.code.reveal(),
    redirect_uri: redirectUri,
    code_verifier: verifier.reveal(),
    scope,
    ...(challenge === undefined ? {} : { claims: challenge.claims }),
  };
  const response = await app.network.request(formRequest(app.endpoints.token, form, app));
  const { body, error, receivedAt } = readTokenAnswer(response, app.clock.now());
  if (error !== undefined) throw adminRefusal(error, about);
  const grant = readGrant(body, [scope], receivedAt);
  if (grant === undefined) {
    throw problem('token-answer-unreadable', { why: `The token endpoint answered, but not with a token for ${title}.` });
  }
  return grant;
}
