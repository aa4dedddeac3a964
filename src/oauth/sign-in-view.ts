import type { Context } from '../core/context.ts';
import type { Command } from '../core/next.ts';
import type { Reporter, Wait } from '../core/run-parts.ts';
import { type WaitKey, waitWithKeys } from '../ui/waiting.ts';

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
  readonly report: Reporter;
  /** of the run */
  readonly step: string;
  /** before the address, where it is shown: what to do there */
  readonly atAddress: string;
  /** behind "Opened your browser.", where no address is shown */
  readonly inBrowser: string;
}

export function showAddress({ report, step, atAddress }: SignInView, url: string, expiresAt: number): void {
  report.progress(step, 'waiting', atAddress);
  report.authorizationRequired(url, expiresAt);
}

/**
 * The address is long and rarely needed. Where keys work, it is shown when a key asks for it, or when the browser does not start; where the
 * sandbox answers it by itself, no person needs it.
 */
export const isShort = ({ browser }: Context, trip: BrowserTrip, { report }: SignInView): boolean =>
  trip.method === 'browser' && browser.usable && (report.takesKeys || (report.isForPeople && browser.isStandIn === true));

const text = 'Waiting for the sign-in in your browser (Ctrl-C stops)';

/** Says that the browser is waited for where no key can be taken, before it has opened. */
export function tellOfWait({ report, step }: SignInView, waitMs: number): void {
  report.progress(step, 'started', text);
  report.waiting(browserWait(step, waitMs, waitMs));
}

const browserWait = (step: string, limitMs: number, leftMs: number): Wait => ({
  step,
  text,
  live: 'Waiting for you in the browser',
  limitMs,
  leftMs,
});

interface AtTerminal {
  readonly ctx: Context;
  readonly view: SignInView;
  readonly url: string;
  readonly limitMs: number;
  readonly deadline: number;
}

/** Waits with keys until `over`, or until the person wants to paste: then true. */
export async function waitAtTerminal({ ctx, view, url, limitMs, deadline }: AtTerminal, over: AbortSignal): Promise<boolean> {
  const { report, step } = view;
  const pasting = new AbortController();
  const open = async (): Promise<void> => {
    const outcome = await ctx.browser.open(url);
    if (outcome.kind === 'opened' || over.aborted) return;
    report.note(`The browser did not start (${outcome.why}).`);
    report.authorizationRequired(url, deadline);
  };
  const keys: readonly WaitKey[] = [
    ...(ctx.browser.usable ? [{ key: 'o', does: 'opens it again', press: () => void open() }] : []),
    { key: 'u', does: 'shows the address', press: () => report.authorizationRequired(url, deadline) },
    { key: 'p', does: "pastes another computer's answer", press: () => pasting.abort() },
  ];
  const wait = browserWait(step, limitMs, deadline - ctx.clock.now());
  await waitWithKeys({ ctx, report }, wait, keys, aborted(AbortSignal.any([over, pasting.signal])));
  return !over.aborted;
}

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
