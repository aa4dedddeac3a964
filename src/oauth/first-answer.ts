import type { Context } from '../core/context.ts';
import { problem } from '../errors/problem.ts';
import { askForPaste } from './ask-for-paste.ts';
import type { AuthorizationAnswer } from './authorization-answer.ts';
import { executionEnvironment, forwardHint, hintWhenOpened, openByHand } from './execution-environment.ts';
import type { Loopback, LoopbackAnswer } from './loopback.ts';
import type { ResultPage } from './loopback-pages.ts';
import { aborted, type BrowserTrip, isShort, type SignInView, showAddress, tellOfWait, waitAtTerminal } from './sign-in-view.ts';

export interface TripUnderWay {
  readonly ctx: Context;
  readonly trip: BrowserTrip;
  readonly view: SignInView;
  readonly listener: Loopback | undefined;
  readonly url: string;
  readonly limitMs: number;
  readonly deadline: number;
  readonly redirectUri: string;
  readonly state: string;
  /** it is said that the browser opened, or that it did not */
  readonly opening: { isTold: boolean };
  /** aborted once a browser has insisted on https, which only a pasted address gets around */
  readonly insisted: AbortSignal;
}

export interface Answered {
  readonly answer: AuthorizationAnswer;
  respond(page: ResultPage): Promise<void>;
  readonly refuse?: LoopbackAnswer['refuse'];
  readonly fromAnotherUser?: LoopbackAnswer['fromAnotherUser'];
}

/** Opens the browser, or says why it cannot. True: a pasted address is asked for at once. */
export async function launch(underWay: TripUnderWay): Promise<boolean> {
  const { ctx, trip, view, url, deadline, listener, opening } = underWay;
  const { report } = view;
  if (trip.method === 'paste') {
    report.note(
      'Open the address in a browser on any computer and sign in. Copy the address of the page it ends on (it may not load) and paste it here.',
    );
    return trip.canAsk || !ctx.interactive;
  }
  const environment = await executionEnvironment(ctx);
  const tellAll = (...lines: readonly string[]): void => {
    for (const line of [...lines, ...forwardHint(environment, listener?.redirectUri)]) report.note(line);
  };
  if (!ctx.browser.usable) {
    tellAll(`No browser can be opened here. ${openByHand(environment)}`);
    return trip.canAsk;
  }
  const short = isShort(ctx, trip, view);
  if (short) report.busy(view.step, 'Opening your browser');
  else tellOfWait(view, trip.waitMs);
  const outcome = await ctx.browser.open(url);
  if (opening.isTold) return false;
  if (outcome.kind === 'failed') {
    opening.isTold = true;
    if (short) showAddress(view, url, deadline);
    tellAll(`The browser did not start (${outcome.why}). ${openByHand(environment)}`);
    return trip.canAsk;
  }
  if (short) tellOpened(underWay);
  const hint = trip.canAsk ? hintWhenOpened(environment, short) : undefined;
  if (hint !== undefined) tellAll(hint);
  return !short && hint !== undefined;
}

/** Said once: by the launcher, or by an answer that was quicker. */
function tellOpened({ ctx, opening, view }: TripUnderWay): void {
  if (!opening.isTold && ctx.browser.isStandIn !== true) view.report.progress(view.step, 'done', `Opened your browser. ${view.inBrowser}`);
  opening.isTold = true;
}

/**
 * The listener and the pasted address race, and the loser is stopped. The launcher runs beside them: a browser that stays in the
 * foreground counts as opened only after two seconds, and the person may have answered by then.
 */
export async function firstAnswer(underWay: TripUnderWay, launched: Promise<boolean>): Promise<Answered> {
  const { ctx, trip, view, listener, deadline } = underWay;
  const stop = new AbortController();
  const listened =
    listener === undefined
      ? timeOut(underWay, stop.signal)
      : listener.answer(deadline).then(({ params, ...rest }) => {
          if (isShort(ctx, trip, view)) tellOpened(underWay);
          return { answer: params, ...rest };
        });
  const beside = besideListener(underWay, launched, stop.signal);
  try {
    return await Promise.race([listened, beside.then((answer) => answer ?? never)]);
  } finally {
    stop.abort(new Error('answered'));
    listened.catch(() => undefined);
    // The line of the wait is taken away, and the terminal is as it was, before anything else is said.
    if (view.report.takesKeys) await beside.catch(() => undefined);
    else beside.catch(() => undefined);
  }
}

const never = new Promise<never>(() => undefined);

/** A pasted address, where one is asked for at once or by a key. Undefined: the listener alone can answer. */
async function besideListener(underWay: TripUnderWay, launched: Promise<boolean>, stop: AbortSignal): Promise<Answered | undefined> {
  const { trip, insisted, view } = underWay;
  const ended = aborted(stop);
  let wanted = await Promise.race([launched, ended]);
  while (!stop.aborted) {
    if (!wanted) {
      if (view.report.takesKeys) await waitAtTerminal(underWay, AbortSignal.any([stop, insisted]));
      else if (trip.canAsk) await Promise.race([aborted(insisted), ended]);
      else return undefined;
    }
    if (stop.aborted) return undefined;
    const answer = await pasted(underWay, stop);
    if (answer !== undefined || !view.report.takesKeys) return answer;
    wanted = false;
  }
  return undefined;
}

/** A pasted address comes from no connection, so nobody is told how it went but the person at the terminal. */
async function pasted({ ctx, trip, view, listener, redirectUri, state }: TripUnderWay, stop: AbortSignal): Promise<Answered | undefined> {
  const asked = {
    ctx,
    redirectUri,
    state,
    note: view.report.note,
    again: trip.again,
    wanted: trip.method === 'paste',
    alone: listener === undefined,
    leaves: isShort(ctx, trip, view),
  };
  const answer = await askForPaste(asked, stop);
  return answer === undefined ? undefined : { answer, respond: async () => undefined };
}

async function timeOut({ ctx, trip, deadline }: TripUnderWay, stop: AbortSignal): Promise<never> {
  await ctx.clock.sleep(Math.max(0, deadline - ctx.clock.now()), AbortSignal.any([stop, ctx.signal]));
  throw tooLate(trip);
}

/** The time that was given: the listener counts from its opening, which is longer. */
export const tooLate = ({ waitMs, again }: BrowserTrip) => problem('sign-in-timeout', { seconds: Math.round(waitMs / 1000), again });
