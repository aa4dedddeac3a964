import { setMaxListeners } from 'node:events';
import type { MailHost, ProtocolWord } from '../core/cloud.ts';
import type { Clock } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import type { ExitCode, MailauthError } from '../core/errors.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { problem } from '../errors/problem.ts';
import { hostPauses } from './host-pauses.ts';
import { suggestedPauseMs } from './mail-refusal.ts';
import { type ProtocolResult, withDiagnosis } from './result.ts';
import { graphStages, type StageName, stageOrder } from './stages.ts';

/** One mailbox of the run, and what of it is tested. */
type Place = Pick<MailHost, 'host' | 'port'> & Partial<Pick<MailHost, 'security'>>;

export interface Candidate {
  readonly record: MailboxRecord;
  readonly protocols: readonly ProtocolWord[];
}

/** What is kept of a tested mailbox: without the error objects, whose causes would keep sockets in memory. */
export interface TestedMailbox {
  readonly mailbox: string;
  readonly for: string;
  readonly tenantId: string;
  readonly label?: string;
  readonly results: readonly ProtocolResult[];
  /** of the red results */
  readonly exits: readonly ExitCode[];
}

export interface MailboxesRun {
  readonly candidates: readonly Candidate[];
  /** mailboxes in work at a time */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** tests these protocols of one mailbox; what it throws is made a red result */
  readonly test: (candidate: Candidate) => Promise<readonly ProtocolResult[]>;
  readonly hostOf: (record: MailboxRecord, protocol: ProtocolWord) => Place;
  /** what was thrown, as an error to show */
  readonly explain: (thrown: unknown) => Promise<MailauthError>;
  /** after each mailbox */
  readonly onDone: (done: number, red: number) => void;
  readonly onPause: (host: string, ms: number) => void;
}

/** The name under which the sign-in service pauses: all mailboxes share it. */
const signInService = 'the sign-in service';

/**
 * Tests many mailboxes, at most `concurrency` in work. One that fails, throws or hangs (until its stages' limits) stops no other.
 * A throttled protocol is asked once more after the pause that its host asked for. After an interruption: what was finished by then.
 */
export async function testMailboxes(run: MailboxesRun): Promise<readonly TestedMailbox[]> {
  const { candidates, concurrency, signal } = run;
  // Each open connection listens to the signal: many listeners at a time are not a leak.
  setMaxListeners(0, signal);
  const finished = new Map<number, TestedMailbox>();
  let next = 0;
  let red = 0;

  const testOne = testerOf(run);
  const work = async (): Promise<void> => {
    for (let at = next++; at < candidates.length && !signal.aborted; at = next++) {
      const candidate = candidates[at];
      if (candidate === undefined) return;
      const results = await testOne(candidate);
      const exits = results.flatMap(({ error }) => (error === undefined ? [] : [error.exit]));
      // The spread leaves the error objects behind.
      const slim = results.map((result) => ({ ...result }));
      const { mailbox, for: product, tenantId, label } = candidate.record;
      finished.set(at, { mailbox, for: product, tenantId, ...defined({ label }), results: slim, exits });
      if (exits.length > 0) red += 1;
      run.onDone(finished.size, red);
    }
  };

  await Promise.all(
    Array.from({ length: Math.min(concurrency, candidates.length) }, () =>
      work().catch((thrown: unknown) => {
        if (!signal.aborted) throw thrown;
      }),
    ),
  );
  return [...finished].sort(([a], [b]) => a - b).map(([, tested]) => tested);
}

/** Tests one mailbox, with regard to the pauses that the hosts asked for in this run. */
function testerOf(run: MailboxesRun): (candidate: Candidate) => Promise<readonly ProtocolResult[]> {
  const { signal } = run;
  const pauses = hostPauses(run);

  const ready = async (candidate: Candidate): Promise<Candidate & { readonly refused: readonly ProtocolResult[] }> => {
    const open: ProtocolWord[] = [];
    const refused: ProtocolResult[] = [];
    const signInOpen = await pauses.ready(signInService);
    for (const protocol of candidate.protocols) {
      const host = run.hostOf(candidate.record, protocol);
      const mayAsk = signInOpen && (await pauses.ready(host.host));
      if (mayAsk) open.push(protocol);
      else refused.push(notAsked(candidate.record, protocol, host));
    }
    return { record: candidate.record, protocols: open, refused };
  };

  const ask = async (candidate: Candidate): Promise<readonly ProtocolResult[]> => {
    const { refused, ...open } = await ready(candidate);
    if (open.protocols.length === 0) return refused;
    const results = await run.test(open).catch(async (thrown: unknown) => {
      if (signal.aborted) throw thrown;
      const error = await run.explain(thrown);
      return open.protocols.map((protocol) => notBegun(candidate.record, protocol, run.hostOf(candidate.record, protocol), error));
    });
    for (const { error, host } of results) {
      const asked = error === undefined ? undefined : pauseWanted(error);
      if (asked !== undefined) pauses.throttled(asked.bySignIn ? signInService : host, asked.waitMs);
    }
    return [...results, ...refused];
  };

  return async (candidate) => {
    const first = await ask(candidate);
    const crowded = first.filter(({ error }) => error !== undefined && pauseWanted(error) !== undefined).map((r) => r.protocol);
    if (crowded.length === 0) return first;
    const asked = await ask({ record: candidate.record, protocols: crowded });
    // The host's own answer says more than the note that it was not asked again.
    const second = asked.filter(({ error }) => error?.code !== 'mail-host-paused');
    return candidate.protocols.flatMap((p) => [second, first].flatMap((results) => results.filter((r) => r.protocol === p)).slice(0, 1));
  };
}

/** The pause a throttling reply asks for. */
function pauseWanted(error: MailauthError): { bySignIn: boolean; waitMs: number | undefined } | undefined {
  switch (error.code) {
    case 'throttled':
    case 'smtp-throttled':
      return { bySignIn: false, waitMs: suggestedPauseMs(error.detail.reply ?? '') };
    case 'entra-busy': {
      const seconds = error.detail.retryAfterSeconds;
      // A fault of the service that names no pause is not throttling.
      return seconds === undefined ? undefined : { bySignIn: true, waitMs: seconds * 1000 };
    }
    default:
      return undefined;
  }
}

function notAsked(record: MailboxRecord, protocol: ProtocolWord, host: Place): ProtocolResult {
  const { mailbox } = record;
  const error = problem('mail-host-paused', {
    mailbox,
    protocol,
    host: host.host,
  });
  return notBegun(record, protocol, host, error);
}

/** A result in which no stage was begun: its first stage shows why. */
function notBegun({ mailbox }: MailboxRecord, protocol: ProtocolWord, host: Place, error: MailauthError): ProtocolResult {
  const order: readonly StageName[] = protocol === 'graph-send' ? graphStages : stageOrder(protocol, host.security ?? 'tls');
  const stages = order.map((name, i) =>
    i === 0 ? ({ name, state: 'failed', ms: 0, detail: error.title } as const) : ({ name, state: 'skipped', ms: 0, detail: '' } as const),
  );
  return withDiagnosis({ mailbox, protocol, ok: false, host: host.host, port: host.port, user: mailbox, stages }, error);
}
