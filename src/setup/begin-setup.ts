import { join } from 'node:path';
import type { Cloud } from '../core/cloud.ts';
import type { Context } from '../core/context.ts';
import { Back, Interrupted, MailauthError } from '../core/errors.ts';
import { columnsOf, fold } from '../core/fold.ts';
import type { MailboxKey } from '../core/mailbox.ts';
import { plus, withFlagsGiven } from '../core/next.ts';
import { isPlain } from '../core/plain-terminal.ts';
import { bareAddress } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { guardWrites } from '../store/home.ts';
import { mailboxSlug } from '../store/mailbox-file.ts';
import type { Known } from './answers/answers.ts';
import { answer, flagAnswers } from './answers/ask.ts';
import { firstQuestions, registrationQuestions } from './answers/questions.ts';
import type { FirstAnswers } from './answers/remaining-answers.ts';
import { Said } from './answers/said.ts';
import { carryOut } from './carry-out.ts';
import type { SetupOutcome } from './ending.ts';
import { Journal } from './journal/journal.ts';
import { type InterruptedSetup, journals } from './journal/journal-file.ts';
import { type Found, type OpenSetup, ofThisSetup, resumeHere, type SetupDeps, type SetupOptions } from './journal/setup-deps.ts';
import { planSetup } from './setup-plan.ts';

export type { SetupOutcome } from './ending.ts';

/**
 * The wizard: questions, tenant, store, summary, registration, sign-in, tests. Each finished step is in the journal before the next
 * begins, so that a stop at any point loses at most the step in hand. Run again on a finished mailbox it changes nothing. A person who
 * goes back, or changes an answer, goes through the questions once more; what was answered is not asked again. `tenants`: those that were
 * looked up already.
 */
export async function runSetup(given: SetupOptions, deps: SetupDeps, tenants: Found['tenants'] = new Map()): Promise<SetupOutcome> {
  // Before anything is asked or looked up.
  flagAnswers([...firstQuestions, ...registrationQuestions], {}, given.flags);
  const saved = given.fresh ? {} : await interruptedAnswers(given, deps);
  if (deps.canAsk && given.flags.mailbox === undefined && saved.mailbox === undefined) deps.report.show(opening(deps.ctx));
  const said = new Said();
  const found: Found = { tenants };
  for (let round = 0; ; round += 1) {
    try {
      return await setUpOnce(
        { ...given, flags: said.over(given.flags), fresh: given.fresh && round === 0 },
        { deps, saved, said, found, round },
      );
    } catch (error) {
      if (!(error instanceof Back)) throw error;
    }
  }
}

/** What this is and how long it takes. A plain terminal says at each question how to go back. */
function opening({ err, env }: Pick<Context, 'err' | 'env'>): string {
  const back = isPlain(env) ? '' : ' Esc goes back one question.';
  return `${fold(`Set up a mailbox: a few questions and one sign-in as administrator, about two minutes.${back}`, columnsOf(err))}\n\n`;
}

/** What stays the same when the questions are gone through again. */
interface Rounds extends Pick<OpenSetup, 'deps' | 'said' | 'found'> {
  readonly saved: Known;
  /** from 0 */
  readonly round: number;
}

/** Throws `Back` where a person wants another answer. */
async function setUpOnce(input: SetupOptions, { deps, saved, said, found, round }: Rounds): Promise<SetupOutcome> {
  const book = journals(deps.ctx, deps.home);
  const first = await firstAnswers(input, saved, said, deps);
  const key: MailboxKey = { mailbox: first.mailbox, for: first.for };
  const release = await guardWrites(deps.home, () => deps.ctx.files.lock(join(deps.home, 'locks', `setup-${mailboxSlug(key)}`), 0));
  if (release === undefined) throw problem('setup-busy', { mailbox: key.mailbox });
  let journal: Journal | undefined;
  try {
    if (input.fresh) await forgetInterrupted(deps, key);
    const interrupted = input.fresh ? undefined : await book.read(key);
    if (interrupted !== undefined && round === 0)
      deps.report.note(`Going on with the set-up that was begun ${interrupted.startedAt}; --fresh forgets it.`);
    journal = new Journal(deps, key, interrupted);
    return await setUp({ deps, input, key, journal, said, found }, first);
  } catch (error) {
    if (error instanceof Back) {
      // What was only answered is known to this run; it may become another mailbox now.
      if (journal?.isOnlyAnswers === true) await book.forget(key);
      throw error;
    }
    const kept = await book.read(key).catch(() => undefined);
    if (kept !== undefined) tellHowToGoOn(error, key, journal?.now.cloud, deps);
    const { answers, app } = kept ?? {};
    throw ofThisSetup({ ...key, clientId: input.flags.clientId ?? answers?.clientId ?? app?.clientId }, error);
  } finally {
    await release();
  }
}

/** A stop names the command that goes on. The reason of a signal says more than what the signal made fail. */
function tellHowToGoOn(error: unknown, key: MailboxKey, cloud: Cloud | undefined, { ctx }: SetupDeps): void {
  const stop: unknown = ctx.signal.aborted ? ctx.signal.reason : error;
  if (!(stop instanceof Interrupted) || cloud === undefined) return;
  const { running } = ctx.surroundings;
  stop.goOn = withFlagsGiven(resumeHere(key, cloud), running && plus(running, { fresh: false }));
}

async function setUp(setup: OpenSetup, first: FirstAnswers): Promise<SetupOutcome> {
  try {
    const planned = await planSetup(setup, first);
    return planned.kind === 'already' ? planned : await carryOut(setup, planned.plan);
  } catch (error) {
    const isUnknown = error instanceof MailauthError && error.code === 'client-unknown';
    if (isUnknown && setup.journal.now.answers.clientId !== undefined) await setup.journal.forgetClientId();
    throw error;
  }
}

/** Removes only the journal on this computer. It says first what the journal knows about the tenant, because no other file knows it. */
async function forgetInterrupted(deps: SetupDeps, key: MailboxKey): Promise<void> {
  const book = journals(deps.ctx, deps.home);
  await book.refuseNewer(key);
  // A journal that cannot be read is what --fresh is for.
  const before = await book.read(key).catch(() => undefined);
  const { setupId, appId, creating } = before?.registration ?? {};
  if (appId !== undefined) deps.report.note(`The app ${appId} of the set-up that is forgotten remains in the tenant (App registrations).`);
  else if (creating === true)
    deps.report.note(`The set-up that is forgotten may have left an app with the tag mailauth:${setupId} in the tenant.`);
  await book.forget(key);
}

/** Mailbox and product. `saved`: of the interrupted set-up that is gone on with. */
export async function firstAnswers({ flags }: SetupOptions, saved: Known, said: Said, deps: SetupDeps): Promise<FirstAnswers> {
  const { ctx, canAsk, facts } = deps;
  const known = await answer(firstQuestions, {}, { ctx, canAsk, flags, saved, said, facts });
  const { mailbox, for: product } = known;
  if (mailbox === undefined || product === undefined) throw new Error('the first questions always have answers');
  return { ...known, mailbox, for: product };
}

/** The answers of the interrupted set-up that the flags mean: where exactly one waits. Throws `nothing-to-resume`, `resume-choice`. */
async function interruptedAnswers({ flags, resume }: SetupOptions, deps: SetupDeps): Promise<Known> {
  const { mailbox, for: product } = flags;
  if (mailbox !== undefined && (product !== undefined || !resume)) return {};
  const all = await journals(deps.ctx, deps.home).all();
  const waiting = all.filter(
    ({ answers }) =>
      (mailbox === undefined || answers.mailbox === bareAddress(mailbox).toLowerCase()) &&
      (product === undefined || answers.for === product.trim()),
  );
  const [only] = waiting;
  if (only !== undefined && waiting.length === 1) return resume || (await wantsResume(deps, only)) ? only.answers : {};
  if (!resume) return {};
  // Nothing waits for this mailbox, or what its default product names: the full command works with or without --resume.
  if (mailbox !== undefined && (waiting.length === 0 || waiting.some(({ answers }) => answers.for === 'this-computer'))) return {};
  if (waiting.length === 0) throw problem('nothing-to-resume', {});
  return (await whichSetup(deps, waiting)).answers;
}

/** Throws `resume-choice` where there is no person to ask. */
async function whichSetup(deps: SetupDeps, waiting: readonly InterruptedSetup[]): Promise<InterruptedSetup> {
  const choices = waiting.map(({ answers: { mailbox = '', for: product = '' }, startedAt }, i) => ({
    value: String(i),
    name: mailbox,
    description: `for ${product}, interrupted ${startedAt}`,
  }));
  const chosen = deps.canAsk
    ? waiting[Number(await deps.ctx.prompts.select({ message: 'Which interrupted set-up?', choices }))]
    : undefined;
  if (chosen === undefined) {
    const candidates = waiting.map(({ answers: { mailbox = '', for: product = '' } }) => ({ mailbox, for: product }));
    throw problem('resume-choice', { candidates });
  }
  return chosen;
}

async function wantsResume(deps: SetupDeps, journal: InterruptedSetup): Promise<boolean> {
  if (!deps.canAsk) return false;
  return deps.ctx.prompts.confirm({ message: `The set-up of ${journal.answers.mailbox} was interrupted. Go on with it?`, default: true });
}
