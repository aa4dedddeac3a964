import type { Clock } from '../core/context.ts';
import { type GraphAnswer, type GraphRefusal, means, type WaitReason } from './graph.ts';

export interface PatienceDeps {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onWait?: (reason: WaitReason, ms: number) => void;
}

/** Asks again while what was just made is not seen everywhere. The last refusal is the answer when time is up, or after `tries` waits. */
export type Patiently = <A extends GraphAnswer | { readonly kind: 'ok' }>(
  ask: () => Promise<A | GraphRefusal>,
  tries?: number,
) => Promise<A | GraphRefusal>;

const backoffMs = [2000, 4000, 8000, 15_000];
/** For what may as well have been deleted: 14 s. */
export const fewTries = 3;

/** The directory needs seconds, seldom a minute, to show its own new objects; one set-up waits `maxMs` for it in all. */
export function createPatience({ clock, signal, onWait }: PatienceDeps, maxMs = 90_000): Patiently {
  let waitedMs = 0;
  return async (ask, tries = Number.POSITIVE_INFINITY) => {
    for (let attempt = 0; ; attempt += 1) {
      const answer = await ask();
      if (!isLag(answer) || attempt >= tries) return answer;
      const ms = backoffMs[Math.min(attempt, backoffMs.length - 1)] ?? 0;
      if (waitedMs + ms > maxMs) return answer;
      waitedMs += ms;
      onWait?.('replication', ms);
      await clock.sleep(ms, signal);
    }
  };
}

/** How Graph says that a replica has not heard of an object yet, or that two replicas disagree. */
export function isLag(answer: { readonly kind: 'ok' } | GraphRefusal): boolean {
  if (answer.kind === 'ok') return false;
  return means(answer, 'graph-lag');
}
