import type { Command } from '../../core/next.ts';
import type { Run } from '../../core/run-parts.ts';
import { Secret } from '../../core/secret.ts';
import { createGraph, type Graph, type WaitReason } from '../../entra/graph.ts';
import { problem } from '../../errors/problem.ts';
import { type AdminWork, signInAdministrator } from '../../oauth/admin-sign-in.ts';

interface GraphWork extends AdminWork {
  /** in place of MAILAUTH_GRAPH_TOKEN */
  readonly token?: Secret;
}

/**
 * Microsoft Graph with an administrator's token: MAILAUTH_GRAPH_TOKEN, else a sign-in in the browser. The token stays in this object.
 * Throws `admin-sign-in-refused` and the sign-in's other problems, `graph-token-refused`.
 */
export async function adminGraph(run: Run, { token: given, ...work }: GraphWork): Promise<Graph> {
  const { ctx, report } = run;
  const { cloud, again, otherWays } = work;
  const inPlace = given ?? givenToken(run, again);
  const grant = inPlace === undefined ? await signInAdministrator(run, work) : undefined;
  const token = inPlace ?? grant?.token;
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
            return (await signInAdministrator(run, { ...work, challenge: { claims, account: grant.account } })).token;
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

export function waitWords(reason: WaitReason, ms: number): string {
  const why: Record<WaitReason, string> = {
    throttled: 'Microsoft asks to slow down',
    'server-error': 'Microsoft answered with a server error',
    connection: 'The connection was lost',
    replication: 'Microsoft is still publishing the app in its data centres',
  };
  return `${why[reason]}; waiting ${Math.max(1, Math.round(ms / 1000))} s`;
}
