const longestPauseMs = 15_000;

/** How long to wait before the next try, `attempt` counted from 0: each pause is twice the one before, and none is over 15 s. */
export const pauseMs = (attempt: number, firstMs: number): number => Math.min(firstMs * 2 ** attempt, longestPauseMs);

/** Pauses for what Microsoft has accepted and is still publishing in its data centres: 89 s in all. */
export const publishingPausesMs: readonly number[] = Array.from({ length: 8 }, (_, attempt) => pauseMs(attempt, 2000));
