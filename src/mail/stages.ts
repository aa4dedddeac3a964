import type { MailHost, Protocol } from '../core/cloud.ts';
import type { Clock } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';

interface StageEntry {
  readonly name: string;
  /** `preflight`: before the sign-in. `conversation`: with the token; what goes wrong there is read by the protocol's reader. */
  readonly part: 'preparation' | 'preflight' | 'conversation';
  /** the protocols that have the stage; without it all have it */
  readonly only?: readonly Protocol[];
}

/**
 * Every stage, in the order in which it is done and listed when TLS comes first. To add a check, add an entry here and
 * its work in the protocols that have it (`imap.ts`, `pop.ts`, `smtp.ts`).
 */
const table = [
  { name: 'token', part: 'preparation' },
  { name: 'dns', part: 'preflight' },
  { name: 'connect', part: 'preflight' },
  { name: 'tls', part: 'preflight' },
  { name: 'greeting', part: 'preflight' },
  { name: 'capability', part: 'preflight' },
  { name: 'auth', part: 'conversation' },
  { name: 'mailbox', part: 'conversation' },
  { name: 'send', part: 'conversation', only: ['smtp'] },
  { name: 'quit', part: 'conversation' },
] as const satisfies readonly StageEntry[];

type Entry = (typeof table)[number];
/** `scope` is the one stage of `graph-send` behind its token. */
export type StageName = Entry['name'] | 'scope';
export type PreflightStage = Extract<Entry, { readonly part: 'preflight' }>['name'];
export type ConversationStage = Extract<Entry, { readonly part: 'conversation' }>['name'];

export const preflightStages: readonly PreflightStage[] = table.flatMap((one) => (one.part === 'preflight' ? [one.name] : []));
export const conversationStages: readonly ConversationStage[] = table.flatMap((one) => (one.part === 'conversation' ? [one.name] : []));

/** Those of `graph-send`, which is no protocol of a mail server. */
export const graphStages: readonly StageName[] = ['token', 'scope'];

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
 * The stages of one protocol, in the order in which they are done and listed. With STARTTLS the greeting and the
 * capabilities come in clear, and the TLS handshake follows them.
 */
export function stageOrder(protocol: Protocol, security: MailHost['security']): readonly StageName[] {
  const names = table.flatMap((one) => ('only' in one && !one.only.some((has) => has === protocol) ? [] : [one.name]));
  if (security === 'tls') return names;
  return names.filter((name) => name !== 'tls').flatMap((name) => (name === 'capability' ? [name, 'tls' as const] : [name]));
}

export interface RunOptions {
  readonly order: readonly StageName[];
  readonly work: Partial<Record<StageName, StageWork>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** for each stage by itself */
  readonly timeoutMs: number;
  /** for all stages together; without it only each stage's own limit counts */
  readonly totalMs?: number;
  /** the error of a stage that took too long, by itself or together with all stages before it */
  readonly late: (stage: StageName, limit: 'stage' | 'total') => MailauthError;
  /** called with each stage as it ends, for progress */
  readonly onStage?: ((stage: Stage) => void) | undefined;
}

/**
 * Runs stages one after another, each timed and under its own deadline. After the first failure, and where a stage has
 * no work, it is `skipped`. The result always lists every stage. Rejects only with the signal's reason when it aborts,
 * or with an error that is not a `MailauthError` (a bug of mailauth).
 */
export async function runStages(options: RunOptions): Promise<StageRun> {
  const stages: Stage[] = [];
  let failure: StageRun['failure'];
  const start = options.clock.monotonic();
  for (const name of options.order) {
    const work = failure === undefined ? options.work[name] : undefined;
    const { stage, error } = await runStage(name, work, start, options);
    if (error !== undefined) failure = { stage: name, error };
    stages.push(stage);
    options.onStage?.(stage);
  }
  return failure === undefined ? { stages } : { stages, failure };
}

async function runStage(
  name: StageName,
  work: StageWork | undefined,
  start: number,
  options: RunOptions,
): Promise<{ readonly stage: Stage; readonly error?: MailauthError }> {
  const { clock, signal } = options;
  if (work === undefined) return { stage: { name, state: 'skipped', ms: 0, detail: '' } };
  const began = clock.monotonic();
  const elapsedMs = (): number => Math.round(clock.monotonic() - began);
  try {
    const detail = await inTime(name, work, began - start, options);
    return { stage: { name, state: 'ok', ms: elapsedMs(), detail } };
  } catch (cause) {
    if (signal.aborted || !(cause instanceof MailauthError)) throw cause;
    const detail = cause.detail.reply === undefined ? cause.title : `${cause.title}: ${cause.detail.reply}`;
    return { stage: { name, state: 'failed', ms: elapsedMs(), detail }, error: cause };
  }
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
    // After a success the signal must not abort: a socket that was opened under it lives on.
    stop.abort(cause);
    throw o.signal.aborted ? o.signal.reason : cause;
  } finally {
    settled.abort();
  }
}
