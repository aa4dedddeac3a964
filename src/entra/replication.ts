import type { Clock } from '../core/context.ts';
import { pauseMs } from '../core/time.ts';
import type { GraphCommands } from '../errors/catalogue/registration/graph-errors.ts';
import type { Graph, WaitReason } from './graph.ts';
import { type GraphAnswer, type GraphRefusal, means } from './graph-answer.ts';

export interface ReplicationDeps {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onWait?: (reason: WaitReason, ms: number) => void;
}

/** What a change of one app works with. */
export interface AppWork extends ReplicationDeps {
  readonly graph: Graph;
  /** the commands that an error names */
  readonly commands: GraphCommands;
}

/**
 * Asks again while not every replica of the directory shows what was just made. When time is up, or after `tries` waits,
 * the last refusal is the answer.
 */
export type UntilReplicated = <A extends GraphAnswer | { readonly kind: 'ok' }>(
  ask: () => Promise<A | GraphRefusal>,
  tries?: number,
) => Promise<A | GraphRefusal>;

const firstPauseMs = 2000;
const longestWaitMs = 90_000;
/** Waits 14 s in all, for an object that somebody may have deleted in the meantime. */
export const fewTries = 3;
/** Waits 44 s in all, for a client secret: reads of Graph lag behind its writes, so that one read proves nothing (docs/microsoft.md, "Replication"). */
export const secretTries = 5;

/** Answers as if a replica did not have the object yet, so that it is asked for again. */
export const notYet: GraphRefusal = {
  kind: 'refused',
  status: 404,
  code: 'Directory_ObjectNotFound',
  message: '',
  codes: ['Directory_ObjectNotFound'],
};

/** The directory needs seconds, seldom a minute, until it shows its own new objects. One set-up waits at most 90 s for that in all. */
export function untilReplicatedWith({ clock, signal, onWait }: ReplicationDeps): UntilReplicated {
  let waitedMs = 0;
  return async (ask, tries = Number.POSITIVE_INFINITY) => {
    for (let attempt = 0; ; attempt += 1) {
      const answer = await ask();
      if (!isLag(answer) || attempt >= tries) return answer;
      const ms = pauseMs(attempt, firstPauseMs);
      if (waitedMs + ms > longestWaitMs) return answer;
      waitedMs += ms;
      onWait?.('replication', ms);
      await clock.sleep(ms, signal);
    }
  };
}

/** Does Graph say that a replica does not have an object yet, or that two replicas disagree? */
export const isLag = (answer: { readonly kind: 'ok' } | GraphRefusal): boolean => answer.kind === 'refused' && means(answer, 'graph-lag');
