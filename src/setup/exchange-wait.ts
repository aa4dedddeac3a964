import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import { mailauth } from '../core/next.ts';
import { shown } from '../core/shown.ts';
import { type ProtocolResult, proofOf } from '../mail/result.ts';
import { runTests } from '../mail/run-tests.ts';
import { aborted } from '../oauth/sign-in-view.ts';
import { escapeKey } from '../ui/theme.ts';
import { type WaitKey, waitWithKeys } from '../ui/waiting.ts';
import { graphTokenNow } from './sign-in/graph-token-now.ts';
import { testMailbox } from './sign-in/kept-tokens.ts';
import type { RegisteredSetup } from './sign-in/registered-setup.ts';

export interface SignedInNow {
  readonly record: MailboxRecord;
  readonly set: TokenSet;
}

/** Red tests that a change in Exchange Online can mend. */
const mendable = [
  ...['smtp-auth-disabled', 'smtp-send-as-denied', 'smtp-authenticate-failed', 'imap-not-connected', 'imap-authenticate-failed'],
  ...['pop-disabled', 'pop-authenticate-failed', 'mail-no-full-access', 'mail-app-only'],
];
export const isMendable = ({ ok, diagnosis }: ProtocolResult): boolean =>
  !ok && diagnosis !== undefined && mendable.includes(diagnosis.code);

/** Every protocol of the set-up, with the tokens of its sign-in. */
export const testedNow = (at: RegisteredSetup, { record, set }: SignedInNow): Promise<readonly ProtocolResult[]> =>
  testMailbox(
    at.deps,
    record,
    at.cloud,
    async () => set,
    () => graphTokenNow(at, record),
  );

/** A switch takes minutes to reach the mail servers, seldom an hour. */
const mostWaitMs = 300_000;
const betweenMs = 20_000;

/** After a change: tests until everything is green, for some minutes; then it says the command for later. */
export async function untilItActs(at: RegisteredSetup, now: SignedInNow): Promise<readonly ProtocolResult[]> {
  const { deps } = at;
  const first = await testedNow(at, now);
  if (!first.some(isMendable)) return first;
  const live = 'Waiting until the change reaches the mail servers';
  const results = await testedAgain(at, now, first, {
    live,
    text: `${live}, ${minutesOf(mostWaitMs)} at most (Ctrl-C stops)`,
    limitMs: mostWaitMs,
  });
  if (results.some(isMendable))
    deps.report.note(`The change has not reached the mail servers yet; it can take an hour. Later: ${laterOf(at, now)}`);
  return results;
}

/**
 * Somebody else changes Exchange Online: mailauth cannot read there, but the mail servers tell when it is done, because the token is at hand.
 * Where no key can be taken, and when the time is over, the person is asked.
 */
export async function untilAdministrator(
  at: RegisteredSetup,
  now: SignedInNow,
  red: readonly ProtocolResult[],
): Promise<readonly ProtocolResult[]> {
  const { deps } = at;
  const { report, browserTimeoutMs: limitMs, ctx } = deps;
  const live = 'Waiting for an Exchange administrator';
  const text = `${live}: the mail servers are tried every ${betweenMs / 1000} s, for ${minutesOf(limitMs)} at most`;
  const message = 'Is it changed by now? Enter tries again';
  let results = red;
  let stopped = false;
  const stop = () => {
    stopped = true;
  };
  if (report.takesKeys) results = await testedAgain(at, now, results, { live, text, limitMs }, stop);
  while (results.some(isMendable) && !stopped && (await ctx.prompts.confirm({ message, default: true }))) {
    const before = results;
    results = await retested(at, now, before);
    tellGreen(at, before, results);
    for (const one of results.filter(isMendable))
      report.progress('test', 'failed', `${one.protocol.toUpperCase()}: ${one.diagnosis?.title ?? 'failed'}`);
  }
  if (results.some(isMendable)) report.note(`When the administrator has changed it: ${laterOf(at, now)}`);
  return results;
}

const minutesOf = (ms: number): string => `${Math.max(1, Math.round(ms / 60_000))} min`;

const laterOf = ({ deps }: RegisteredSetup, { record }: SignedInNow): string =>
  shown(mailauth('test', 'all', record.mailbox), deps.ctx.surroundings);

interface Patience {
  readonly live: string;
  readonly text: string;
  readonly limitMs: number;
}

/** Tries the red protocols again and again, at once where Enter is pressed, until they are green, the time is over or Esc is pressed. */
async function testedAgain(
  at: RegisteredSetup,
  now: SignedInNow,
  first: readonly ProtocolResult[],
  { live, text, limitMs }: Patience,
  onStop?: () => void,
): Promise<readonly ProtocolResult[]> {
  const { ctx } = at.deps;
  const stop = new AbortController();
  let wake = new AbortController();
  const keys: readonly WaitKey[] = [
    { key: '\r', shown: 'Enter', does: 'tries now', press: () => wake.abort() },
    {
      key: escapeKey,
      shown: 'Esc',
      does: 'stops waiting',
      press: () => {
        onStop?.();
        stop.abort();
      },
    },
  ];
  let results = first;
  const work = async (): Promise<void> => {
    const deadline = ctx.clock.now() + limitMs;
    while (results.some(isMendable) && deadline - ctx.clock.now() >= betweenMs) {
      wake = new AbortController();
      await ctx.clock.sleep(betweenMs, AbortSignal.any([ctx.signal, stop.signal, wake.signal])).catch((error: unknown) => {
        if (ctx.signal.aborted) throw error;
      });
      if (stop.signal.aborted) return;
      results = await retested(at, now, results);
    }
  };
  try {
    await waitWithKeys(
      at.deps,
      { step: 'exchange', text, live, limitMs, leftMs: limitMs },
      keys,
      Promise.race([work(), aborted(stop.signal)]),
    );
  } finally {
    stop.abort();
  }
  tellGreen(at, first, results);
  return results;
}

/** Only what is red is tried, and what is still red is not said again. */
async function retested(
  { deps, cloud }: RegisteredSetup,
  { record, set }: SignedInNow,
  before: readonly ProtocolResult[],
): Promise<readonly ProtocolResult[]> {
  const { ctx, stepTimeoutMs: timeoutMs } = deps;
  const protocols = before.filter(isMendable).map(({ protocol }) => protocol);
  const again = await runTests({ ctx, network: await deps.network(), cloud, record, protocols, token: async () => set, timeoutMs });
  return before.map((old) => again.find(({ protocol }) => protocol === old.protocol) ?? old);
}

function tellGreen({ deps }: RegisteredSetup, before: readonly ProtocolResult[], now: readonly ProtocolResult[]): void {
  for (const result of now)
    if (result.ok && !before.includes(result)) deps.report.progress('test', 'done', `${result.protocol.toUpperCase()}: ${proofOf(result)}`);
}
