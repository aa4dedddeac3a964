import type { Context } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import { type Command, inPlaceOfLogin } from '../core/next.ts';
import type { Reporter } from '../core/run-parts.ts';
import { type Surroundings, stepsShown } from '../core/shown.ts';
import { problem } from '../errors/problem.ts';
import { askForPaste } from './ask-for-paste.ts';
import { type AuthorizationAnswer, newState } from './authorization-answer.ts';
import { executionEnvironment, forwardHint, hintWhenOpened, openByHand } from './execution-environment.ts';
import { type Loopback, type LoopbackAnswer, openLoopback } from './loopback.ts';
import { failurePage, type ResultPage } from './loopback-pages.ts';

/** One trip of a person's browser to Microsoft and back. */
export interface BrowserTrip {
  /** as registered */
  readonly redirectUri: string;
  /** this computer can catch the redirect */
  readonly loopback: boolean;
  /** `browser` opens a browser here; `paste` prints the address for another computer and also takes a pasted address */
  readonly method: 'browser' | 'paste';
  readonly waitMs: number;
  /** the command that repeats the sign-in, for the error of a deadline that passed */
  readonly again: Command;
  /** a person can be asked to paste */
  readonly canAsk: boolean;
  /** the address that the browser opens, for this redirect URI and state */
  address(to: { readonly redirectUri: string; readonly state: string }): Promise<string>;
}

/** What the command shows while a person signs in. */
export interface SignInView {
  authorizationRequired(url: string, expiresAt: number): void;
  note(text: string): void;
  waiting(text: string): void;
}

/** Shows it as the step `step` of a run; `text` stands before the address and says what to do there. */
export const viewOf = (report: Reporter, step: string, text: string): SignInView => ({
  authorizationRequired(url, expiresAt) {
    report.progress(step, 'waiting', text);
    report.authorizationRequired(url, expiresAt);
  },
  note: (line) => report.note(line),
  waiting: (line) => report.progress(step, 'started', line),
});

/**
 * Opens a browser, waits for the one answer and lets `finish` act on it. Only then the browser is told how it ended: it gets the page
 * that `finish` resolves to, or the failure that it threw. Throws the loopback and paste problems, `sign-in-timeout`, `Interrupted`.
 */
export async function browserTrip<T>(
  ctx: Context,
  trip: BrowserTrip,
  view: SignInView,
  finish: (answer: AuthorizationAnswer, redirectUri: string) => Promise<{ readonly value: T; readonly page: ResultPage }>,
): Promise<T> {
  const insisted = new AbortController();
  const listener = trip.loopback ? await listen(ctx, trip, view, insisted) : undefined;
  const redirectUri = listener?.redirectUri ?? trip.redirectUri;
  const state = listener?.state ?? newState(ctx.random);
  try {
    const url = await trip.address({ redirectUri, state });
    const deadline = ctx.clock.now() + trip.waitMs;
    view.authorizationRequired(url, deadline);
    let underWay: TripUnderWay = { ctx, trip, view, listener, url, deadline, redirectUri, state, insisted: insisted.signal };
    const launched = launch(underWay);
    let refused: unknown;
    for (;;) {
      const arrived = await firstAnswer(underWay, launched).catch((thrown) => {
        const late = insisted.signal.aborted ? problem('loopback-https', { again: trip.again }) : tooLate(trip);
        throw fromTrip(isLate(thrown) ? (refused ?? late) : thrown, trip);
      });
      try {
        const { value, page } = await finish(arrived.answer, redirectUri);
        await arrived.respond(page);
        return value;
      } catch (thrown) {
        const error = fromTrip(thrown, trip);
        const page = pageOf(error, ctx.surroundings);
        const who = await whoFailed(error, arrived, ctx);
        if (arrived.refuse === undefined || who === undefined) {
          await arrived.respond(page);
          throw error;
        }
        arrived.refuse(page);
        view.note(refusals[who]);
        if (who === 'stranger') continue;
        refused = error;
        underWay = { ...underWay, deadline: Math.min(underWay.deadline, ctx.clock.now() + secondTabMs) };
      }
    }
  } finally {
    await listener?.close();
  }
}

/** A person who took the wrong account may have the right one in a second tab. Nobody else is kept waiting for longer than this. */
const secondTabMs = 3_000;
const refusals = {
  stranger: 'Another user of this computer brought an answer to this sign-in. It was refused; mailauth still waits for yours.',
  'wrong account': 'That was the wrong account. mailauth waits a moment for another tab.',
} as const;

const isLate = (thrown: unknown): boolean => thrown instanceof MailauthError && thrown.code === 'sign-in-timeout';
// The time that was given: the listener counts from its opening, which is longer.
const tooLate = ({ waitMs, again }: BrowserTrip) => problem('sign-in-timeout', { seconds: Math.round(waitMs / 1000), again });

/** Whose answer failed, where that must not end the sign-in: the address of a browser can be read by every user of the computer. */
async function whoFailed(error: unknown, arrived: Answered, { files }: Context): Promise<keyof typeof refusals | undefined> {
  if (!(error instanceof MailauthError)) return undefined;
  if (await arrived.fromAnotherUser?.(files)) return 'stranger';
  return error.code === 'wrong-account' ? 'wrong account' : undefined;
}

const fromTrip = (thrown: unknown, { again }: BrowserTrip): unknown =>
  thrown instanceof MailauthError ? thrown.but({ next: thrown.next.map((step) => inPlaceOfLogin(step, again)) }) : thrown;

/** With `paste` a taken port does no harm: the address is pasted instead. */
async function listen(ctx: Context, trip: BrowserTrip, view: SignInView, insisted: AbortController): Promise<Loopback | undefined> {
  try {
    return await openLoopback({
      redirectUri: trip.redirectUri,
      random: ctx.random,
      clock: ctx.clock,
      signal: ctx.signal,
      again: trip.again,
      onTls: () => {
        if (!insisted.signal.aborted) view.note(`${httpsOnly} ${trip.canAsk ? pasteInstead : pasteNextTime}`);
        insisted.abort();
      },
    });
  } catch (error) {
    const busy = error instanceof MailauthError && (error.code === 'loopback-port-taken' || error.code === 'loopback-refused');
    if (!busy || trip.method !== 'paste') throw error;
    view.note(`${error.title}; the address can only be pasted.`);
    return undefined;
  }
}

const httpsOnly =
  'A browser came with https, but an address of this computer is answered with http: it is in https-only mode. Allow http for localhost in that browser,';
const pasteInstead = 'or copy the address of the page that does not load and paste it here.';
const pasteNextTime = 'or stop here and sign in with --sign-in paste.';

/** Opens the browser, or says why it cannot. True: a pasted address is waited for as well. */
async function launch({ ctx, trip, view, listener, url }: TripUnderWay): Promise<boolean> {
  if (trip.method === 'paste') {
    view.note(
      'Open the address in a browser on any computer and sign in. Copy the address of the page it ends on (it may not load) and paste it here.',
    );
    return trip.canAsk || !ctx.interactive;
  }
  const environment = await executionEnvironment(ctx);
  const forward = (): void => {
    for (const line of forwardHint(environment, listener?.redirectUri)) view.note(line);
  };
  if (!ctx.browser.usable) {
    view.note(`No browser can be opened here. ${openByHand(environment)}`);
    forward();
    return trip.canAsk;
  }
  view.waiting('Waiting for the sign-in in your browser (Ctrl-C stops)');
  const outcome = await ctx.browser.open(url);
  if (outcome.kind === 'opened') {
    const hint = trip.canAsk ? hintWhenOpened(environment) : undefined;
    if (hint === undefined) return false;
    view.note(hint);
    forward();
    return true;
  }
  view.note(`The browser did not start (${outcome.why}). ${openByHand(environment)}`);
  forward();
  return trip.canAsk;
}

interface TripUnderWay {
  readonly ctx: Context;
  readonly trip: BrowserTrip;
  readonly view: SignInView;
  readonly listener: Loopback | undefined;
  readonly url: string;
  readonly deadline: number;
  readonly redirectUri: string;
  readonly state: string;
  /** aborted once a browser has insisted on https, which only a pasted address gets around */
  readonly insisted: AbortSignal;
}

interface Answered {
  readonly answer: AuthorizationAnswer;
  respond(page: ResultPage): Promise<void>;
  readonly refuse?: LoopbackAnswer['refuse'];
  readonly fromAnotherUser?: LoopbackAnswer['fromAnotherUser'];
}

/**
 * The listener and the pasted address race, and the loser is stopped. The launcher runs beside them: a browser that stays in the
 * foreground counts as opened only after two seconds, and the person may have answered by then.
 */
async function firstAnswer(underWay: TripUnderWay, launched: Promise<boolean>): Promise<Answered> {
  const { listener, deadline, insisted, trip } = underWay;
  const stop = new AbortController();
  const listened =
    listener === undefined
      ? timeOut(underWay, stop.signal)
      : listener.answer(deadline).then(({ params, ...rest }) => ({ answer: params, ...rest }));
  const pasting = launched.then(async (wanted) => {
    if (!wanted && !trip.canAsk) return never;
    if (!wanted) await abortOf(insisted);
    return stop.signal.aborted ? never : pasted(underWay, stop.signal);
  });
  try {
    return await Promise.race([listened, pasting]);
  } finally {
    stop.abort(new Error('answered'));
    for (const racer of [listened, pasting]) racer.catch(() => undefined);
  }
}

const abortOf = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

const never = new Promise<never>(() => undefined);

/** A pasted address comes from no connection, so nobody is told how it went but the person at the terminal. */
async function pasted({ ctx, trip, view, listener, redirectUri, state }: TripUnderWay, stop: AbortSignal): Promise<Answered> {
  const asked = {
    ctx,
    redirectUri,
    state,
    note: view.note,
    again: trip.again,
    wanted: trip.method === 'paste',
    alone: listener === undefined,
  };
  return { answer: (await askForPaste(asked, stop)) ?? (await never), respond: async () => undefined };
}

async function timeOut({ ctx, trip, deadline }: TripUnderWay, stop: AbortSignal): Promise<never> {
  await ctx.clock.sleep(Math.max(0, deadline - ctx.clock.now()), AbortSignal.any([stop, ctx.signal]));
  throw tooLate(trip);
}

function pageOf(error: unknown, here: Surroundings): ResultPage {
  if (error instanceof MailauthError) return failurePage({ title: error.title, why: error.why, next: stepsShown(error.next, here) });
  return failurePage({ title: 'The sign-in could not be finished', why: 'The terminal says more.', next: [] });
}
