import { type Cloud, placeOf } from '../core/cloud.ts';
import type { Context } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import { graphSendPermission } from '../core/permissions.ts';
import { problem } from '../errors/problem.ts';
import { readAccessToken } from '../oauth/claims.ts';
import { type ProtocolResult, protocolResult } from './result.ts';
import { graphStages, runStages, type Stage } from './stages.ts';

interface GraphSendTest {
  readonly ctx: Pick<Context, 'clock' | 'signal'>;
  readonly cloud: Cloud;
  readonly record: MailboxRecord;
  readonly timeoutMs: number;
  /** the one token of a set-up without mail protocols */
  readonly token: () => Promise<Token>;
  readonly graphToken?: () => Promise<Token>;
  readonly onStage?: (protocol: 'graph-send', stage: Stage) => void;
}

type Token = Pick<TokenSet, 'accessToken'> & Partial<Pick<TokenSet, 'scopes'>>;

/**
 * The test of `graph-send`: is there a token for Microsoft Graph, and may it send? Nothing is sent, because Graph has no call that offers a
 * message without sending it.
 */
export async function testGraphSend(run: GraphSendTest): Promise<ProtocolResult> {
  const { ctx, cloud, record, timeoutMs, token, graphToken = token, onStage } = run;
  const place = placeOf(cloud, 'graph-send');
  const { mailbox, for: product } = record;
  const permission = graphSendPermission(record);
  let scopes: readonly string[] | undefined;
  const stages = await runStages({
    order: graphStages,
    clock: ctx.clock,
    signal: ctx.signal,
    timeoutMs,
    late: () => problem('mail-stage-timeout', { ...place, stage: 'token', timeoutMs }),
    ...defined({ onStage: onStage === undefined ? undefined : (stage: Stage) => onStage('graph-send', stage) }),
    work: {
      async token() {
        const set = await graphToken();
        const claims = readAccessToken(set.accessToken);
        scopes = claims.opaque ? set.scopes : claims.scopes;
        return `${set.accessToken.length} characters`;
      },
      async scope() {
        if (!hasPermission(scopes, permission)) throw problem('graph-send-scope-missing', { mailbox, for: product, permission });
        return `the token for Microsoft Graph carries ${permission}`;
      },
    },
  });
  return protocolResult(
    { mailbox, protocol: 'graph-send', host: place, user: record.account?.username ?? record.signInAs ?? mailbox },
    stages,
  );
}

/** A scope is a bare name in a token and may be a whole address in the answer of the token endpoint. */
const hasPermission = (scopes: readonly string[] | undefined, permission: string): boolean =>
  scopes?.some((scope) => scope.slice(scope.lastIndexOf('/') + 1).toLowerCase() === permission.toLowerCase()) === true;
