import type { Clock } from '../core/context.ts';

/** The longest time that one run waits for one host, in all: long enough for a burst, short enough for a monitoring job. */
export const pauseBudgetMs = 120_000;
const firstPauseMs = 5_000;

interface HostPauses {
  /** resolves when the host may be asked; false: the host wants longer pauses than one run waits, so it is not asked again */
  ready(host: string): Promise<boolean>;
  /** the host asked for fewer connections, for `waitMs` when it said how long; no connection is opened to it before that time is over */
  throttled(host: string, waitMs: number | undefined): void;
}

interface HostPausesOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** called once for each pause, in milliseconds */
  readonly onPause: (host: string, ms: number) => void;
}

/**
 * All mailboxes of a run obey throttling together: the one that was refused and those that wait. Exchange's "Suggested Backoff Time" and
 * Entra's Retry-After (RFC 9110 section 10.2.3) count; without one the pauses double. A host that wants more than the budget is left alone.
 */
export function hostPauses({ clock, signal, onPause }: HostPausesOptions): HostPauses {
  const hosts = new Map<string, { until: number; spentMs: number; nextMs: number; gone: boolean }>();
  return {
    async ready(host) {
      for (;;) {
        signal.throwIfAborted();
        const state = hosts.get(host);
        if (state === undefined) return true;
        if (state.gone) return false;
        const leftMs = state.until - clock.monotonic();
        if (leftMs <= 0) return true;
        await clock.sleep(leftMs, signal);
      }
    },
    throttled(host, waitMs) {
      const now = clock.monotonic();
      const state = hosts.get(host) ?? { until: now, spentMs: 0, nextMs: firstPauseMs, gone: false };
      hosts.set(host, state);
      const fresh = state.until <= now;
      const wanted = now + (waitMs ?? (fresh ? state.nextMs : 0));
      const from = Math.max(state.until, now);
      // The running pause covers this one: the host refused several connections at the same time.
      if (state.gone || wanted <= from) return;
      if (state.spentMs + (wanted - from) > pauseBudgetMs) {
        state.gone = true;
        return;
      }
      state.spentMs += wanted - from;
      state.nextMs *= 2;
      state.until = wanted;
      if (fresh) onPause(host, wanted - now);
    },
  };
}
