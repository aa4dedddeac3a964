import type { Context } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import { inPlaceOfLogin } from '../core/next.ts';
import { type Surroundings, stepsShown } from '../core/shown.ts';
import { problem } from '../errors/problem.ts';
import { type AuthorizationAnswer, newState } from './authorization-answer.ts';
import { type Answered, firstAnswer, launch, type TripUnderWay, tooLate } from './first-answer.ts';
import { type Loopback, openLoopback } from './loopback.ts';
import { failurePage, type ResultPage } from './loopback-pages.ts';
import { type BrowserTrip, isShort, type SignInView, showAddress } from './sign-in-view.ts';

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
    if (!isShort(ctx, trip, view)) showAddress(view, url, deadline);
    let underWay: TripUnderWay = {
      ...{ ctx, trip, view, listener, url, deadline, redirectUri, state },
      ...{ limitMs: trip.waitMs, opening: { isTold: false }, insisted: insisted.signal },
    };
    const launched = launch(underWay);
    let refused: unknown;
    for (;;) {
      const arrived = await firstAnswer(underWay, launched).catch((thrown) => {
        const late = insisted.signal.aborted ? problem('loopback-https', { again: trip.again }) : tooLate(trip);
        throw fromTrip(isLate(thrown) ? (refused ?? late) : thrown, trip);
      });
      view.report.busy(view.step, 'Your browser has answered; asking Microsoft');
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
        view.report.note(refusals[who]);
        if (who === 'stranger') continue;
        refused = error;
        underWay = { ...underWay, limitMs: secondTabMs, deadline: Math.min(underWay.deadline, ctx.clock.now() + secondTabMs) };
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
        if (!insisted.signal.aborted) view.report.note(`${httpsOnly} ${trip.canAsk ? pasteInstead : pasteNextTime}`);
        insisted.abort();
      },
    });
  } catch (error) {
    const busy = error instanceof MailauthError && (error.code === 'loopback-port-taken' || error.code === 'loopback-refused');
    if (!busy || trip.method !== 'paste') throw error;
    view.report.note(`${error.title}; the address can only be pasted.`);
    return undefined;
  }
}

const httpsOnly =
  'A browser came with https, but an address of this computer is answered with http: it is in https-only mode. Allow http for localhost in that browser,';
const pasteInstead = 'or copy the address of the page that does not load and paste it here.';
const pasteNextTime = 'or stop here and sign in with --sign-in paste.';

function pageOf(error: unknown, here: Surroundings): ResultPage {
  if (error instanceof MailauthError) return failurePage({ title: error.title, why: error.why, next: stepsShown(error.next, here) });
  return failurePage({ title: 'The sign-in could not be finished', why: 'The terminal says more.', next: [] });
}
