import type { Context } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import type { Reporter } from '../core/report.ts';
import { fromHere } from '../errors/here.ts';
import { problem } from '../errors/problem.ts';
import { type AuthorizationAnswer, newState } from './authorization-answer.ts';
import { type Loopback, openLoopback } from './loopback.ts';
import { failurePage, type ResultPage } from './loopback-pages.ts';
import { readPasted } from './paste.ts';
import { type Place, placeOf, sshForward } from './place.ts';

/** One trip of a person's browser to Microsoft and back. */
export interface BrowserTrip {
  /** as registered */
  readonly redirectUri: string;
  /** this computer can catch the redirect */
  readonly loopback: boolean;
  /** `browser` opens one here; `paste` prints the address for another computer and also takes what is pasted */
  readonly method: 'browser' | 'paste';
  readonly waitMs: number;
  /** the command that does it again, for the words of a deadline that passed */
  readonly again: string;
  /** a person can be asked to paste */
  readonly canAsk: boolean;
  /** in the sandbox the copyable commands need its flag */
  readonly sandbox: boolean;
  /** where the browser goes, for this redirect URI and state */
  address(to: { readonly redirectUri: string; readonly state: string }): Promise<string>;
}

/** What the surroundings show while somebody signs in. */
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
 * Sends a browser on its way, waits for the one answer, lets `finish` act on it, and only then tells the browser what came of it:
 * the page that `finish` answers, or the failure it threw. Throws the loopback and paste problems, `sign-in-timeout`, `Interrupted`.
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
    const { answer, respond } = await firstAnswer(ctx, trip, { listener, url, deadline, redirectUri, state }, view).catch((thrown) => {
      throw fromTrip(thrown, trip);
    });
    try {
      const { value, page } = await finish(answer, redirectUri);
      await respond(page);
      return value;
    } catch (thrown) {
      const error = fromTrip(thrown, trip);
      await respond(pageOf(error));
      throw error;
    }
  } finally {
    await listener?.close();
  }
}

const fromTrip = (thrown: unknown, { again, sandbox }: BrowserTrip): unknown =>
  thrown instanceof MailauthError ? fromHere(thrown, { again, sandbox }) : thrown;

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

/** Opens the browser, or says why it will not. True: a pasted address is waited for as well. */
async function launch(ctx: Context, trip: BrowserTrip, waiting: Waiting, view: SignInView): Promise<boolean> {
  if (trip.method === 'paste') {
    view.note(
      'Open the address in a browser on any computer and sign in. Copy the address of the page it ends on (it may not load) and paste it here.',
    );
    return trip.canAsk || !ctx.interactive;
  }
  const place = await placeOf(ctx);
  if (!ctx.browser.usable) {
    view.note(`No browser can be opened here. ${byHand(place)}`);
    hintForward(place, waiting, view);
    return trip.canAsk;
  }
  view.waiting('Waiting for the sign-in in your browser (Ctrl-C stops)');
  const outcome = await ctx.browser.open(waiting.url);
  if (outcome.kind === 'opened') return trip.canAsk && mayNotComeBack(place, waiting, view);
  view.note(`The browser did not start (${outcome.why}). ${byHand(place)}`);
  hintForward(place, waiting, view);
  return trip.canAsk;
}

/** Where the person's own browser is, and what becomes of its way back. */
function byHand({ ssh, wsl, codespaces, container }: Place): string {
  // The redirect is http to localhost, which is the person's own computer; a forwarded port is https at GitHub.
  if (codespaces)
    return 'This is a codespace: open the address in your own browser. Its last page does not load there, because forwarded ports have https addresses of their own; copy the address of that page and paste it here.';
  if (ssh !== undefined) return 'Open the address on your own computer, and paste the address it ends on.';
  if (wsl)
    return 'This is Linux inside Windows (WSL): open the address in a browser on Windows. If the page at the end does not load there, copy its address and paste it here.';
  if (container) return 'This is a container: open the address on any computer, and paste the address it ends on.';
  return 'Open the address yourself; from another computer, paste the address it ends on.';
}

/** Over SSH the browser is on another computer, whose localhost is not ours: a forwarded port makes it so. */
function hintForward({ ssh, codespaces }: Place, { listener }: Waiting, view: SignInView): void {
  // `gh codespace ssh` comes by a way of its own, which these names do not lead to.
  if (ssh === undefined || listener === undefined || codespaces) return;
  view.note('Nothing needs to be pasted if the other computer reaches this one: run the next line in a terminal there first.');
  view.note(sshForward(ssh, new URL(listener.redirectUri).port || '80'));
}

/** A browser that runs outside of this machine opens, but its localhost may be another one. */
function mayNotComeBack(place: Place, waiting: Waiting, view: SignInView): boolean {
  const { ssh, wsl, codespaces } = place;
  if (ssh !== undefined && !codespaces) {
    view.note('If no browser comes up on your screen, open the address there, and paste the address it ends on.');
    hintForward(place, waiting, view);
    return true;
  }
  if (!wsl && !codespaces) return false;
  view.note('If the page at the end does not load in your browser, copy its address and paste it here.');
  return true;
}

interface Waiting {
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
 * The listener and the pasted address race; the loser is stopped. The launcher runs beside them: a browser that stays in the
 * foreground takes two seconds to be believed, and may have answered by then.
 */
async function firstAnswer(ctx: Context, trip: BrowserTrip, waiting: Waiting, view: SignInView): Promise<Answered> {
  const stop = new AbortController();
  const listened =
    waiting.listener === undefined
      ? timeOut(ctx, trip, waiting.deadline, stop.signal)
      : waiting.listener.answer(waiting.deadline).then(({ params, respond }) => ({ answer: params, respond }));
  const pasting = launch(ctx, trip, waiting, view).then((wanted) =>
    wanted && !stop.signal.aborted ? pasted(ctx, trip, waiting, view, stop.signal) : never,
  );
  try {
    return await Promise.race([listened, pasting]);
  } finally {
    stop.abort(new Error('answered'));
    for (const racer of [listened, pasting]) racer.catch(() => undefined);
  }
}

const never = new Promise<never>(() => undefined);

async function timeOut(ctx: Context, trip: BrowserTrip, deadline: number, stop: AbortSignal): Promise<never> {
  await ctx.clock.sleep(Math.max(0, deadline - ctx.clock.now()), AbortSignal.any([stop, ctx.signal]));
  throw problem('sign-in-timeout', { seconds: Math.round(trip.waitMs / 1000), again: trip.again });
}

/**
 * Asks until something usable is pasted. At the end of a piped standard input only the
 * listener can still answer; throws `paste-ended` where there is none.
 */
async function pasted(ctx: Context, trip: BrowserTrip, waiting: Waiting, view: SignInView, stop: AbortSignal): Promise<Answered> {
  const signal = AbortSignal.any([stop, ctx.signal]);
  const sent = { redirectUri: waiting.redirectUri, state: waiting.state };
  let before = '';
  for (;;) {
    const text = ctx.interactive
      ? await ctx.prompts.text({ message: 'Paste the address (or wait for the browser):', wrapped: true }, stop)
      : await ctx.readLine(signal);
    if (text === undefined) {
      if (waiting.listener === undefined) throw problem('paste-ended', { again: trip.again });
      if (trip.method === 'paste') {
        view.note('Standard input has ended, so nothing can be pasted: only a browser on this computer, or a forwarded port, can answer.');
      }
      return never;
    }
    if (text.trim() === '') continue;
    // A line break in what was copied ends the first paste early: the rest comes as the next, and may look like a code of its own.
    const whole = beginsAnew(text) ? text : before + text;
    const read = readPasted(whole, sent);
    if (read.kind === 'answer') return { answer: read.answer, respond: async () => undefined };
    before = read.unfinished === true ? whole : '';
    view.note(read.why);
  }
}

const beginsAnew = (text: string): boolean => /^\W*(?:https?:|localhost|127\.)/i.test(text);

function pageOf(error: unknown): ResultPage {
  if (error instanceof MailauthError) return failurePage({ title: error.title, why: error.why, next: error.next });
  return failurePage({ title: 'The sign-in could not be finished', why: 'The terminal says more.', next: [] });
}
