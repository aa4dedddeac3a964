import type { Cloud } from '../../core/cloud.ts';
import { MailauthError } from '../../core/errors.ts';
import { columnsOf, fold } from '../../core/fold.ts';
import { adminConsentLink, isPersonal } from '../../core/links.ts';
import { isLoopback, type MailboxRecord } from '../../core/mailbox.ts';
import { type Command, inPlaceOfLogin } from '../../core/next.ts';
import type { Run } from '../../core/run-parts.ts';
import { shown } from '../../core/shown.ts';
import type { EntraWords } from '../../errors/catalogue/entra/entra-words.ts';
import { problem } from '../../errors/problem.ts';
import { waitWithKeys } from '../../ui/waiting.ts';
import type { Journal } from '../journal/journal.ts';

export interface ConsentWait {
  readonly deps: Pick<Run, 'ctx' | 'report' | 'canAsk' | 'browserTimeoutMs'>;
  readonly record: MailboxRecord;
  readonly cloud: Cloud;
  /** is it allowed for everybody by now? undefined: cannot be read. Left out where nothing but a sign-in can tell */
  readonly look?: () => Promise<boolean | undefined>;
  /** the command that goes on after a stop */
  readonly again: Command;
  /** that an administrator is asked is written down before anybody waits, so that a stop is resumed here; `login` has no journal */
  readonly journal?: Pick<Journal, 'consentAsked'>;
}

/** How often Graph is asked: an administrator takes minutes, and Graph's limit is thousands of calls (learn.microsoft.com/graph/throttling-limits). */
const pollMs = 5000;

/**
 * Repeats a sign-in while all that it lacks is an administrator's consent and the person wants to wait for that. Where there is no person
 * to ask, or the person does not want to wait, throws `consent-needed` or `consent-declined` (6) with the link in `admin` and the command that goes on.
 */
export async function untilConsented<T>(attempt: () => Promise<T>, wait: ConsentWait): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      await waitForConsent(error, wait);
    }
  }
}

/**
 * Comes back when it is worth a try again. What can be known without the person here is little: Entra tells an app of a consent only in
 * a sign-in, a silent one (`prompt=none`) would open a tab in this browser each time, and the administrator's own browser comes back to
 * its own localhost, not to ours. Only Graph can be asked, where its token is at hand; else the next sign-in tells, at a press of Enter.
 */
export async function waitForConsent(error: unknown, wait: ConsentWait): Promise<void> {
  if (!lacksConsent(error, wait.record)) throw error;
  await wait.journal?.consentAsked();
  const words = wordsOf(wait);
  const refused = toSend(error, words, wait);
  const { ctx, report, canAsk } = wait.deps;
  if (!canAsk) throw refused;
  report.progress('consent', 'failed', refused.title);
  report.show(invitation(words, columnsOf(ctx.err)));
  const choices = [
    { value: 'wait', name: 'Wait here until an administrator has accepted' },
    { value: 'stop', name: 'Stop here', description: `go on later with ${shown(wait.again, wait.deps.ctx.surroundings)}` },
  ] as const;
  if ((await ctx.prompts.select({ message: 'What now?', choices, default: 'wait' })) === 'stop') throw refused;
  if (wait.look !== undefined && (await seen(wait.look, wait))) return;
  while (!(await ctx.prompts.confirm({ message: 'Has an administrator accepted? Enter goes on', default: true }))) {
    // Asked again until an administrator has; Ctrl-C stops, and the same command goes on.
  }
}

/**
 * "Return to the application without granting consent", on the page "Need admin approval", is delivered like a press on Cancel
 * (AADSTS65004), so a declined consent counts as well. Personal accounts have no administrator to ask.
 */
function lacksConsent(error: unknown, { tenantId }: MailboxRecord): error is MailauthError & { readonly code: ConsentCode } {
  return error instanceof MailauthError && isConsentCode(error.code) && !isPersonal({ tenant: tenantId });
}

type ConsentCode = 'consent-needed' | 'consent-declined';
const isConsentCode = (code: string): code is ConsentCode => code === 'consent-needed' || code === 'consent-declined';

function wordsOf({ record, cloud }: ConsentWait): EntraWords {
  const { redirectUri, clientId } = record.registration;
  return {
    cloud: asBrowsersSeeIt(cloud, record.endpoints.authorization),
    tenant: record.tenantId,
    clientId,
    scopes: record.scopes,
    mailbox: record.mailbox,
    signInAs: record.signInAs,
    // A product that catches its own redirect would not understand this answer: the portal's page is the way there.
    redirectUri: isLoopback(redirectUri) ? redirectUri : undefined,
    said: '',
    error: '',
  };
}

/** What a browser opens in the sandbox is plain http; everywhere else both addresses have one origin. */
export const asBrowsersSeeIt = (cloud: Cloud, authorization: string): Cloud =>
  cloud.name === 'sandbox' ? { ...cloud, login: new URL(authorization).origin } : cloud;

function toSend(error: MailauthError & { readonly code: ConsentCode }, words: EntraWords, { again }: ConsentWait): MailauthError {
  const told = problem(error.code, words, { detail: error.detail, cause: error });
  return told.but({ next: told.next.map((step) => inPlaceOfLogin(step, again)) });
}

/** The link stays whole on a line of its own, so that it can be clicked and copied. */
function invitation(words: EntraWords, columns: number): string {
  const ends =
    words.redirectUri === undefined
      ? 'The button there is "Grant admin consent for …", under API permissions.'
      : 'After "Accept", the last page does not load on another computer. That does no harm.';
  return [
    '',
    `  ${fold('Where Microsoft manages consent, only an administrator can allow IMAP and POP. Send them this link:', columns, 2)}`,
    '',
    adminConsentLink(words),
    '',
    `  ${fold(`They accept once, for the whole organization. ${ends}`, columns, 2)}`,
    '',
    '',
  ].join('\n');
}

/** Looks every few seconds, for as long as a browser is waited for. False: it cannot be seen, ask the person. */
async function seen(look: () => Promise<boolean | undefined>, { deps }: ConsentWait): Promise<boolean> {
  const { report, browserTimeoutMs } = deps;
  const minutes = Math.max(1, Math.round(browserTimeoutMs / 60_000));
  const often = `Microsoft Graph is asked every ${pollMs / 1000} s, for ${minutes} min at most (Ctrl-C stops)`;
  const text = `Waiting for an administrator: ${often}`;
  if (!report.takesKeys) report.progress('consent', 'waiting', text);
  const wait = {
    step: 'consent',
    text,
    live: `Waiting for an administrator: Microsoft is asked every ${pollMs / 1000} s`,
    limitMs: browserTimeoutMs,
    leftMs: browserTimeoutMs,
  };
  const granted = await waitWithKeys(deps, wait, [], lookOften(look, deps));
  if (granted === true) report.progress('consent', 'done', 'An administrator has accepted');
  else if (granted === undefined) report.note('Microsoft Graph does not let this account read it; the next sign-in will tell.');
  else report.note(`No administrator has accepted within ${minutes} min.`);
  return granted === true;
}

/** Until it is known, or the time is over. */
async function lookOften(
  look: () => Promise<boolean | undefined>,
  { ctx, browserTimeoutMs }: ConsentWait['deps'],
): Promise<boolean | undefined> {
  const deadline = ctx.clock.now() + browserTimeoutMs;
  while (ctx.clock.now() < deadline) {
    await ctx.clock.sleep(pollMs, ctx.signal);
    const granted = await look();
    if (granted !== false) return granted;
  }
  return false;
}
