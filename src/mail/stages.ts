import type { MailHost, Protocol } from '../core/cloud.ts';
import type { Clock } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';

/** Every stage there is, in the order of the contract (section 4). */
export const stageNames = ['token', 'dns', 'connect', 'tls', 'greeting', 'capability', 'auth', 'mailbox', 'send', 'quit'] as const;
export type StageName = (typeof stageNames)[number];

/** One line of a test, as `test --json` prints it. `detail` is plain text: no control characters, no secret. */
export interface Stage {
  readonly name: StageName;
  readonly state: 'ok' | 'failed' | 'skipped';
  /** whole milliseconds, 0 when skipped */
  readonly ms: number;
  readonly detail: string;
}

/** What a stage does: resolves to its detail, rejects with a `MailauthError`. The signal aborts at the stage's deadline too. */
export type StageWork = (signal: AbortSignal) => Promise<string>;

export interface StageRun {
  readonly stages: readonly Stage[];
  readonly failure?: { readonly stage: StageName; readonly error: MailauthError };
}

/**
 * The stages of one protocol, in the order they are done and listed. With starttls the greeting and the capabilities
 * come in clear before the handshake. Only SMTP sends.
 */
export function stageOrder(protocol: Protocol, security: MailHost['security']): readonly StageName[] {
  const starttls = ['token', 'dns', 'connect', 'greeting', 'capability', 'tls', 'auth', 'mailbox', 'send', 'quit'] as const;
  const order: readonly StageName[] = security === 'starttls' ? starttls : stageNames;
  return protocol === 'smtp' ? order : order.filter((name) => name !== 'send');
}

export interface RunOptions {
  readonly order: readonly StageName[];
  readonly work: Partial<Record<StageName, StageWork>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** for each stage by itself */
  readonly timeoutMs: number;
  /** for all of them together; without it only the stages' own limits count */
  readonly totalMs?: number;
  /** the error of a stage that took longer, by itself or with all before it */
  readonly late: (stage: StageName, limit: 'stage' | 'total') => MailauthError;
  /** told of each stage as it ends, for progress */
  readonly onStage?: ((stage: Stage) => void) | undefined;
}

/**
 * Runs stages one after another, each timed and under its own deadline; after the first failure, and where there is
 * no work, a stage is `skipped`. All stages are always listed. Rejects only with the signal's reason when it aborts,
 * or with what is no `MailauthError` (a bug of ours).
 */
export async function runStages(o: RunOptions): Promise<StageRun> {
  const stages: Stage[] = [];
  let failure: StageRun['failure'];
  const start = o.clock.monotonic();
  for (const name of o.order) {
    const work = o.work[name];
    const began = o.clock.monotonic();
    const ended = (state: Stage['state'], detail: string): Stage => ({
      name,
      state,
      ms: state === 'skipped' ? 0 : Math.round(o.clock.monotonic() - began),
      detail,
    });
    let stage: Stage;
    if (failure !== undefined || work === undefined) {
      stage = ended('skipped', '');
    } else {
      try {
        stage = ended('ok', await inTime(name, work, began - start, o));
      } catch (cause) {
        if (o.signal.aborted || !(cause instanceof MailauthError)) throw cause;
        failure = { stage: name, error: cause };
        stage = ended('failed', cause.detail.reply === undefined ? cause.title : `${cause.title}: ${cause.detail.reply}`);
      }
    }
    stages.push(stage);
    o.onStage?.(stage);
  }
  return failure === undefined ? { stages } : { stages, failure };
}

async function inTime(name: StageName, work: StageWork, spentMs: number, o: RunOptions): Promise<string> {
  o.signal.throwIfAborted();
  const stop = new AbortController();
  const settled = new AbortController();
  const leftMs = Math.max((o.totalMs ?? Number.POSITIVE_INFINITY) - spentMs, 0);
  const deadline = o.clock.sleep(Math.min(o.timeoutMs, leftMs), settled.signal).then((): never => {
    throw o.late(name, leftMs < o.timeoutMs ? 'total' : 'stage');
  });
  const interrupted = new Promise<never>((_, reject) => {
    o.signal.addEventListener('abort', () => reject(o.signal.reason), { once: true, signal: settled.signal });
  });
  try {
    return await Promise.race([work(AbortSignal.any([o.signal, stop.signal])), deadline, interrupted]);
  } catch (cause) {
    // Not after success: a socket opened under this signal lives on.
    stop.abort(cause);
    throw o.signal.aborted ? o.signal.reason : cause;
  } finally {
    settled.abort();
  }
}
