import { join } from 'node:path';
import { MailauthError } from '../core/errors.ts';
import type { MailboxKey } from '../core/mailbox.ts';
import { problem } from '../errors/problem.ts';
import { guardWrites } from '../store/home.ts';
import { mailboxSlug } from '../store/mailbox-file.ts';
import type { Known } from './answers/answers.ts';
import { answer, flagAnswers } from './answers/ask.ts';
import { firstQuestions, registrationQuestions } from './answers/questions.ts';
import type { FirstAnswers } from './answers/remaining-answers.ts';
import { carryOut } from './carry-out.ts';
import type { SetupOutcome } from './ending.ts';
import { Journal } from './journal/journal.ts';
import { type InterruptedSetup, journals } from './journal/journal-file.ts';
import { type OpenSetup, ofThisSetup, type SetupDeps, type SetupOptions } from './journal/setup-deps.ts';
import { planSetup } from './setup-plan.ts';

export type { SetupOutcome } from './ending.ts';

/**
 * The wizard: questions, tenant, store, summary, registration, sign-in, tests. Each finished step is in the journal before the next
 * begins, so that a stop at any point loses at most the step in hand. Run again on a finished mailbox it changes nothing.
 */
export async function runSetup(input: SetupOptions, deps: SetupDeps): Promise<SetupOutcome> {
  // Before anything is asked or looked up.
  flagAnswers([...firstQuestions, ...registrationQuestions], {}, input.flags);
  const book = journals(deps.ctx, deps.home);
  const first = await firstAnswers(input, deps);
  const key: MailboxKey = { mailbox: first.mailbox, for: first.for };
  const release = await guardWrites(deps.home, () => deps.ctx.files.lock(join(deps.home, 'locks', `setup-${mailboxSlug(key)}`), 0));
  if (release === undefined) throw problem('setup-busy', { mailbox: key.mailbox });
  try {
    if (input.fresh) await forgetInterrupted(deps, key);
    const interrupted = input.fresh ? undefined : await book.read(key);
    if (interrupted !== undefined)
      deps.report.note(`Going on with the set-up that was begun ${interrupted.startedAt}; --fresh forgets it.`);
    return await setUp({ deps, input, key, journal: new Journal(deps, key, interrupted) }, first);
  } catch (error) {
    const { answers, app } = (await book.read(key).catch(() => undefined)) ?? {};
    throw ofThisSetup({ ...key, clientId: input.flags.clientId ?? answers?.clientId ?? app?.clientId }, error);
  } finally {
    await release();
  }
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
  // A journal that cannot be read is what --fresh is for.
  const before = await book.read(key).catch(() => undefined);
  const { setupId, appId, creating } = before?.registration ?? {};
  if (appId !== undefined) deps.report.note(`The app ${appId} of the set-up that is forgotten remains in the tenant (App registrations).`);
  else if (creating === true)
    deps.report.note(`The set-up that is forgotten may have left an app with the tag mailauth:${setupId} in the tenant.`);
  await book.forget(key);
}

/** Mailbox and product; from an interrupted set-up where exactly one waits. Throws `nothing-to-resume`, `resume-choice`. */
async function firstAnswers(input: SetupOptions, deps: SetupDeps): Promise<FirstAnswers> {
  const saved = input.fresh ? {} : await interruptedAnswers(input, deps);
  const known = await answer(firstQuestions, {}, { ctx: deps.ctx, canAsk: deps.canAsk, flags: input.flags, saved, facts: deps.facts });
  const { mailbox, for: product } = known;
  if (mailbox === undefined || product === undefined) throw new Error('the first questions always have answers');
  return { ...known, mailbox, for: product };
}

/** Those of the interrupted set-up that the flags mean, as far as they name one. */
async function interruptedAnswers({ flags, resume }: SetupOptions, deps: SetupDeps): Promise<Known> {
  const { mailbox, for: product } = flags;
  if (mailbox !== undefined && (product !== undefined || !resume)) return {};
  const all = await journals(deps.ctx, deps.home).all();
  const waiting = all.filter(
    ({ answers }) =>
      (mailbox === undefined || answers.mailbox === mailbox.trim().toLowerCase()) &&
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
