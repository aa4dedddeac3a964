import type { Cloud, Tenant } from '../../core/cloud.ts';
import type { Command } from '../../core/next.ts';
import type { Run } from '../../core/run-parts.ts';
import { Secret } from '../../core/secret.ts';
import { createGraph, type Graph, type WaitReason } from '../../entra/graph.ts';
import type { AdminWays } from '../../errors/catalogue/registration/admin-errors.ts';
import { problem } from '../../errors/problem.ts';
import { adminApp } from '../../oauth/admin-refusal.ts';
import { type AdminGrant, adminSignIn } from '../../oauth/admin-sign-in.ts';
import { appAt } from '../../oauth/oauth-app.ts';

interface AdminWork extends AdminWays {
  readonly tenant: Tenant;
  readonly cloud: Cloud;
  readonly method: 'browser' | 'paste';
  /** in place of MAILAUTH_GRAPH_TOKEN */
  readonly token?: Secret;
}

/**
 * Microsoft Graph with an administrator's token: MAILAUTH_GRAPH_TOKEN, else a sign-in in the browser. The token stays in this object.
 * Throws `admin-sign-in-refused` and the sign-in's other problems, `graph-token-refused`.
 */
export async function adminGraph(run: Run, work: AdminWork): Promise<Graph> {
  const { ctx, report } = run;
  const { cloud, again, otherWays } = work;
  const given = work.token ?? givenToken(run, again);
  const grant = given === undefined ? await signInOnce(run, work) : undefined;
  const token = given ?? grant?.token;
  if (token === undefined) throw new Error('no token for Microsoft Graph');
  return createGraph({
    network: await run.network(),
    cloud,
    token,
    otherWays,
    ...(grant === undefined
      ? {}
      : {
          onChallenge: async (claims: string) => {
            report.note(
              'Microsoft Graph asks for one more sign-in of the administrator: a policy, or another network address than before.',
            );
            return (await signInOnce(run, { ...work, challenge: { claims, account: grant.account } })).token;
          },
        }),
    clock: ctx.clock,
    random: ctx.random,
    signal: ctx.signal,
    timeoutMs: run.stepTimeoutMs,
    again,
    onWait: (reason, ms) => report.progress('registration', 'waiting', waitWords(reason, ms)),
  });
}

/** MAILAUTH_GRAPH_TOKEN; undefined: it is not set. */
function givenToken({ ctx, report }: Run, again: Command): Secret | undefined {
  const { MAILAUTH_GRAPH_TOKEN: given } = ctx.env;
  if (!given) return undefined;
  report.detail('Graph token taken from MAILAUTH_GRAPH_TOKEN');
  return graphToken(given, 'MAILAUTH_GRAPH_TOKEN', again);
}

/** A token as it was given. One that no header can carry would fail at each call like a connection that was lost. */
export function graphToken(text: string, source: string, again: Command): Secret {
  const token = new Secret(text.trim());
  if (!/[^\x21-\x7e]/.test(token.reveal())) return token;
  throw problem('graph-token-refused', { again, why: `${source} holds a blank, a line break or another character that no token has.` });
}

async function signInOnce(run: Run, work: AdminWork & Pick<Parameters<typeof adminSignIn>[1], 'challenge'>): Promise<AdminGrant> {
  const { ctx, report } = run;
  const { tenant, cloud, token: _, ...rest } = work;
  const app = await appAt({ cloud, tenantId: tenant.id, endpoints: tenant.endpoints, registration: adminApp }, run);
  const trip = { ...rest, app, waitMs: run.browserTimeoutMs, canAsk: run.canAsk };
  const view = {
    ...{ report, step: 'admin-sign-in' },
    ...{ atAddress: 'Sign in as an administrator:', inBrowser: 'Sign in there as an administrator.' },
  };
  const grant = await adminSignIn(ctx, trip, view);
  report.progress('admin-sign-in', 'done', `Signed in for Microsoft Graph${grant.account === undefined ? '' : `: ${grant.account}`}`);
  return grant;
}

export function waitWords(reason: WaitReason, ms: number): string {
  const why: Record<WaitReason, string> = {
    throttled: 'Microsoft asks to slow down',
    'server-error': 'Microsoft answered with a server error',
    connection: 'The connection was lost',
    replication: 'Microsoft is still publishing the app in its data centres',
  };
  return `${why[reason]}; waiting ${Math.max(1, Math.round(ms / 1000))} s`;
}
