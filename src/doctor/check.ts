import type { Clock } from '../core/context.ts';
import type { MailauthError } from '../core/errors.ts';
import { type Line, led, type NextStep } from '../core/next.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';

type CheckState = 'ok' | 'warning' | 'failed';

/** What a check found. All texts are plain: no control characters, no secret. */
interface Verdict {
  readonly state: CheckState;
  /** the evidence, one line */
  readonly detail: string;
  readonly why?: string;
  /** the first is THE command to copy */
  readonly next?: readonly NextStep[];
}

/** One thing about this computer that mailauth depends on. */
export interface Check {
  /** stable: scripts look for it */
  readonly id: string;
  readonly title: string;
  /** where it may wait for a person, instead of the limit that all checks have */
  readonly limitMs?: number;
  /** Throws a `MailauthError` for what is broken. The signal aborts at the time limit. */
  run(signal: AbortSignal): Promise<Verdict>;
}

/** One of `data.checks[]` of `doctor --json`. */
export interface CheckResult extends Verdict {
  readonly id: string;
  readonly title: string;
  /** whole milliseconds */
  readonly ms: number;
}

const longestDetail = 600;

export const ok = (detail: string): Verdict => ({ state: 'ok', detail: plain(detail, longestDetail) });

/** An error of the catalogue as the verdict of a check; `seen` is what was found on the way there. */
function verdictOf(state: 'warning' | 'failed', error: MailauthError, seen?: string): Verdict {
  const said = error.detail.reply === undefined || error.detail.reply === '' ? error.title : `${error.title} (${error.detail.reply})`;
  return {
    state,
    detail: plain(seen === undefined ? said : `${seen}: ${said}`, longestDetail),
    ...(error.why === undefined ? {} : { why: plain(error.why, longestDetail) }),
    next: [...error.next, ...(error.admin === undefined ? [] : [forAdministrator(error.admin)])],
  };
}

const forAdministrator = (admin: string | Line): NextStep =>
  typeof admin === 'string' ? `Ask an administrator: ${admin}` : led('Ask an administrator', admin);

export const failed = (error: MailauthError, seen?: string): Verdict => verdictOf('failed', error, seen);
export const warned = (error: MailauthError, seen?: string): Verdict => verdictOf('warning', error, seen);

interface RunChecks {
  readonly clock: Clock;
  /** Ctrl-C */
  readonly signal: AbortSignal;
  /** for each check by itself */
  readonly limitMs: number;
  /** whatever a check threw, in the catalogue's words */
  readonly meaning: (thrown: unknown) => Promise<MailauthError>;
  readonly onEnd?: (result: CheckResult) => void;
}

/** A check that honours its signal says by itself where it was stuck. Other checks are stopped this much later. */
const graceMs = 500;

/** Runs all checks at the same time and answers in their order. No check stops another. Rejects only with the signal's reason. */
export async function runChecks(checks: readonly Check[], o: RunChecks): Promise<readonly CheckResult[]> {
  o.signal.throwIfAborted();
  const over = new AbortController();
  // One listener for all: Node warns about the eleventh.
  const interrupted = new Promise<never>((_, reject) => {
    o.signal.addEventListener('abort', () => reject(o.signal.reason), { once: true, signal: over.signal });
  });
  const runOne = async (check: Check): Promise<CheckResult> => {
    const began = o.clock.monotonic();
    const verdict = await Promise.race([inTime(check, o), interrupted]);
    const result = { id: check.id, title: check.title, ...verdict, ms: Math.round(o.clock.monotonic() - began) };
    o.onEnd?.(result);
    return result;
  };
  try {
    return await Promise.all(checks.map(runOne));
  } finally {
    over.abort();
  }
}

async function inTime(check: Check, o: RunChecks): Promise<Verdict> {
  const stop = new AbortController();
  const settled = new AbortController();
  const { limitMs = o.limitMs } = check;
  const tooLate = () => failed(problem('doctor-check-late', { what: check.title, seconds: Math.ceil(limitMs / 1000) }));
  const late = o.clock.sleep(limitMs, settled.signal).then(async () => {
    stop.abort(new DOMException('no answer in time', 'TimeoutError'));
    await o.clock.sleep(graceMs, settled.signal);
    return tooLate();
  });
  try {
    return await Promise.race([check.run(AbortSignal.any([o.signal, stop.signal])), late]);
  } catch (thrown) {
    o.signal.throwIfAborted();
    return thrown === stop.signal.reason ? tooLate() : failed(await o.meaning(thrown));
  } finally {
    settled.abort();
    stop.abort();
    late.catch(() => undefined);
  }
}
