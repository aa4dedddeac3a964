import type { Cloud, Tenant } from '../../core/cloud.ts';
import type { Context } from '../../core/context.ts';
import type { Command } from '../../core/next.ts';
import type { Run } from '../../core/run-parts.ts';
import { Secret } from '../../core/secret.ts';
import { createGraph, type Graph, type WaitReason } from '../../entra/graph.ts';
import { problem } from '../../errors/problem.ts';
import { adminApp, adminSignIn } from '../../oauth/admin-sign-in.ts';
import { viewOf } from '../../oauth/browser-trip.ts';
import { appAt } from '../../oauth/oauth-app.ts';

/** Said before anybody agrees: as whom mailauth will act in the tenant. */
export const actsAs = ({ MAILAUTH_GRAPH_TOKEN: given }: Context['env']): string =>
  given
    ? 'For that the token in MAILAUTH_GRAPH_TOKEN is used, without a sign-in of an administrator. It is not stored.'
    : `For that an administrator signs in, through ${adminApp.name} (${adminApp.clientId}), an app of Microsoft's own. That sign-in is used once and not stored.`;

/**
 * Microsoft Graph with an administrator's token: MAILAUTH_GRAPH_TOKEN, else a sign-in in the browser. The token stays in this object.
 * Throws the sign-in's problems, `graph-token-refused`.
 */
export async function adminGraph(run: Run, tenant: Tenant, cloud: Cloud, again: Command, method: 'browser' | 'paste'): Promise<Graph> {
  const { ctx, report } = run;
  const { MAILAUTH_GRAPH_TOKEN: given } = ctx.env;
  let token: Secret;
  if (given) {
    token = new Secret(given.trim());
    // No header can carry it: each call would fail like a connection that was lost.
    if (/[^\x21-\x7e]/.test(token.reveal()))
      throw problem('graph-token-refused', {
        again,
        why: 'MAILAUTH_GRAPH_TOKEN holds a blank, a line break or another character that no token has.',
      });
    report.detail('Graph token taken from MAILAUTH_GRAPH_TOKEN');
  } else {
    const app = await appAt({ cloud, tenantId: tenant.id, endpoints: tenant.endpoints, registration: adminApp }, run);
    const trip = { app, method, waitMs: run.browserTimeoutMs, again, canAsk: run.canAsk };
    const grant = await adminSignIn(ctx, trip, viewOf(report, 'admin-sign-in', 'Sign in as an administrator:'));
    token = grant.token;
    report.progress('admin-sign-in', 'done', `Signed in for Microsoft Graph${grant.account === undefined ? '' : `: ${grant.account}`}`);
  }
  return createGraph({
    network: await run.network(),
    cloud,
    token,
    clock: ctx.clock,
    random: ctx.random,
    signal: ctx.signal,
    timeoutMs: run.stepTimeoutMs,
    again,
    onWait: (reason, ms) => report.progress('registration', 'waiting', waitWords(reason, ms)),
  });
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
