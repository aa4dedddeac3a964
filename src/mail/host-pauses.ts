import type { Clock } from '../core/context.ts';

/** In all, for one host, in one run: long enough for a burst, short enough for a monitoring job. */
export const pauseBudgetMs = 120_000;
const firstPauseMs = 5_000;

export interface HostPauses {
  /** resolves when the host may be asked; false: it wants longer pauses than one run waits, so it is asked no more */
  ready(host: string): Promise<boolean>;
  /** the host asked for fewer connections, for this long where it said so: nobody asks it before that is over */
  throttled(host: string, waitMs: number | undefined): void;
}

export interface HostPausesOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** told once for each pause, in milliseconds */
  readonly onPause: (host: string, ms: number) => void;
}

/**
 * Throttling is obeyed by all mailboxes of a run together: who asked and who waits in line. Exchange's "Suggested Backoff Time" and
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
      // The pause that runs already covers it: several connections were told the same at a time.
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
