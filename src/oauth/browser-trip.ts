import type { Context } from '../core/context.ts';
import { Interrupted, MailauthError } from '../core/errors.ts';
import { type Command, inPlaceOfLogin } from '../core/next.ts';
import type { Reporter } from '../core/run-parts.ts';
import { type Surroundings, stepsShown } from '../core/shown.ts';
import { problem } from '../errors/problem.ts';
import { type AuthorizationAnswer, newState } from './authorization-answer.ts';
import { executionEnvironment, forwardHint, hintWhenOpened, openByHand } from './execution-environment.ts';
import { type Loopback, openLoopback } from './loopback.ts';
import { failurePage, type ResultPage } from './loopback-pages.ts';
import { readPasted } from './paste.ts';

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
  const listener = trip.loopback ? await listen(ctx, trip, view) : undefined;
  const redirectUri = listener?.redirectUri ?? trip.redirectUri;
  const state = listener?.state ?? newState(ctx.random);
  try {
    const url = await trip.address({ redirectUri, state });
    const deadline = ctx.clock.now() + trip.waitMs;
    view.authorizationRequired(url, deadline);
    const underWay = { ctx, trip, view, listener, url, deadline, redirectUri, state };
    const { answer, respond } = await firstAnswer(underWay).catch((thrown) => {
      throw fromTrip(thrown, trip);
    });
    try {
      const { value, page } = await finish(answer, redirectUri);
      await respond(page);
      return value;
    } catch (thrown) {
      const error = fromTrip(thrown, trip);
      await respond(pageOf(error, ctx.surroundings));
      throw error;
    }
  } finally {
    await listener?.close();
  }
}

const fromTrip = (thrown: unknown, { again }: BrowserTrip): unknown =>
  thrown instanceof MailauthError ? thrown.but({ next: thrown.next.map((step) => inPlaceOfLogin(step, again)) }) : thrown;

/** With `paste` a taken port does no harm: the address is pasted instead. */
async function listen(ctx: Context, trip: BrowserTrip, view: SignInView): Promise<Loopback | undefined> {
  try {
    return await openLoopback({
      redirectUri: trip.redirectUri,
      random: ctx.random,
      clock: ctx.clock,
      signal: ctx.signal,
      again: trip.again,
    });
  } catch (error) {
    const busy = error instanceof MailauthError && (error.code === 'loopback-port-taken' || error.code === 'loopback-refused');
    if (!busy || trip.method !== 'paste') throw error;
    view.note(`${error.title}; the address can only be pasted.`);
    return undefined;
  }
}

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
}

interface Answered {
  readonly answer: AuthorizationAnswer;
  respond(page: ResultPage): Promise<void>;
}

/**
 * The listener and the pasted address race, and the loser is stopped. The launcher runs beside them: a browser that stays in the
 * foreground counts as opened only after two seconds, and the person may have answered by then.
 */
async function firstAnswer(underWay: TripUnderWay): Promise<Answered> {
  const { listener, deadline } = underWay;
  const stop = new AbortController();
  const listened =
    listener === undefined
      ? timeOut(underWay, stop.signal)
      : listener.answer(deadline).then(({ params, respond }) => ({ answer: params, respond }));
  const pasting = launch(underWay).then((wanted) => (wanted && !stop.signal.aborted ? pasted(underWay, stop.signal) : never));
  try {
    return await Promise.race([listened, pasting]);
  } finally {
    stop.abort(new Error('answered'));
    for (const racer of [listened, pasting]) racer.catch(() => undefined);
  }
}

const never = new Promise<never>(() => undefined);

async function timeOut({ ctx, trip, deadline }: TripUnderWay, stop: AbortSignal): Promise<never> {
  await ctx.clock.sleep(Math.max(0, deadline - ctx.clock.now()), AbortSignal.any([stop, ctx.signal]));
  throw problem('sign-in-timeout', { seconds: Math.round(trip.waitMs / 1000), again: trip.again });
}

/**
 * Asks until the person pastes a usable address. When piped standard input has ended, only the listener can still answer; without a
 * listener it throws `paste-ended`.
 */
async function pasted({ ctx, trip, view, listener, redirectUri, state }: TripUnderWay, stop: AbortSignal): Promise<Answered> {
  let before = '';
  for (;;) {
    const text = await nextPaste(ctx, stop);
    if (text === undefined) {
      if (listener === undefined) throw problem('paste-ended', { again: trip.again });
      if (trip.method === 'paste') {
        view.note('Standard input has ended, so nothing can be pasted: only a browser on this computer, or a forwarded port, can answer.');
      }
      return never;
    }
    if (text.trim() === '') continue;
    // A line break in what was copied ends the first paste early. The rest comes as the next paste and may look like a code of its own.
    const whole = beginsAnew(text) ? text : before + text;
    const read = readPasted(whole, { redirectUri, state });
    if (read.kind === 'answer') return { answer: read.answer, respond: async () => undefined };
    before = read.unfinished === true ? whole : '';
    view.note(read.why);
  }
}

/** Undefined at the end of a standard input that is no terminal. */
async function nextPaste(ctx: Context, stop: AbortSignal): Promise<string | undefined> {
  if (ctx.interactive) return ctx.prompts.text({ message: 'Paste the address (or wait for the browser):', wrapped: true }, stop);
  const text = await ctx.readLine(AbortSignal.any([stop, ctx.signal]));
  // Ctrl-D, or a terminal that was closed.
  if (text === undefined && ctx.longInput.isTerminal) throw new Interrupted();
  return text;
}

const beginsAnew = (text: string): boolean => /^\W*(?:https?:|localhost|127\.)/i.test(text);

function pageOf(error: unknown, here: Surroundings): ResultPage {
  if (error instanceof MailauthError) return failurePage({ title: error.title, why: error.why, next: stepsShown(error.next, here) });
  return failurePage({ title: 'The sign-in could not be finished', why: 'The terminal says more.', next: [] });
}
