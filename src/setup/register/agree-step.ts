import { unverifiedNote } from '../../core/cloud.ts';
import { Back } from '../../core/errors.ts';
import { columnsOf } from '../../core/fold.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { problem } from '../../errors/problem.ts';
import { planRegistration } from '../../products/plan.ts';
import { productNamed } from '../../products/products.ts';
import type { AnswerId, Answers, RegisterWay } from '../answers/answers.ts';
import { wayChoices } from '../answers/app-questions.ts';
import { changeable } from '../answers/changeable.ts';
import { missingAgreement } from '../answers/missing.ts';
import { textOf } from '../answers/question.ts';
import { summaryFacts } from '../answers/summary.ts';
import { type OpenSetup, resumeHere, type SetupPlan } from '../journal/setup-deps.ts';
import { publicPart } from './app-certificate.ts';
import { allDetails, shortSummary } from './plan-words.ts';
import { planAnswers } from './registration-step.ts';

/**
 * The summary, and the one question before anything is done. `auto` changes the tenant, so it needs agreement also where nobody can be asked.
 * Throws `Back` where a person wants another answer or another way, `needs-yes`, `setup-declined`.
 */
export async function agreeToSetup(setup: OpenSetup, planned: SetupPlan, users: readonly MailboxRecord[]): Promise<void> {
  const { deps, said, journal } = setup;
  const { ctx, report, canAsk, agreed } = deps;
  const { answers, tenant, cloud, store } = planned;
  const plan = registrationPlan(planned);
  const columns = columnsOf(ctx.err);
  report.show(shortSummary({ answers, tenant, plan, users }, ctx.env, columns));
  const details = allDetails(summaryFacts(answers, tenant, cloud, store.describe()), plan, tenant, ctx.env, columns);
  report.detail(details.trim());
  if (!cloud.verified) report.note(unverifiedNote(cloud));
  await journal.answered(answers);
  if (agreed || (!canAsk && answers.register !== 'auto')) return;
  if (!canAsk) throw missingAgreement(answers);
  for (;;) {
    const message = answers.register === 'auto' && users.length === 0 ? 'Create it?' : 'Go ahead?';
    const chosen = await ctx.prompts
      .select({ message, choices: choicesFor(setup, planned), back: said.canGoBack })
      .catch((error: unknown) => {
        if (error instanceof Back) said.back();
        throw error;
      });
    if (chosen === 'yes') return;
    if (chosen === 'stop') throw problem('setup-declined', { resume: resumeHere(answers, cloud) });
    if (chosen === 'details') report.show(details);
    else if (chosen === 'change') await changeOne(setup, planned);
    else await anotherWay(setup, answers);
  }
}

/** What is to be registered, where something is. */
function registrationPlan({ answers, certificate }: SetupPlan) {
  const guide = productNamed(answers.for);
  if (guide === undefined) throw new Error(`no guide ${answers.for}`);
  if (answers.register === 'existing') return undefined;
  return planRegistration(guide, { ...planAnswers(answers), ...(certificate && { certificate: publicPart(certificate) }) }, '');
}

function choicesFor({ journal }: OpenSetup, { existing }: SetupPlan) {
  // Of another way nothing would be known of what this one has begun in the tenant.
  const { creating, appObjectId } = journal.now.registration ?? {};
  const isOpen = existing === undefined && creating !== true && appObjectId === undefined;
  return [
    { value: 'yes', name: 'Yes' },
    { value: 'change', name: 'Change an answer', description: 'mailbox, product, who signs in, name, secret …' },
    ...(isOpen
      ? [
          {
            value: 'another',
            name: 'Another way',
            description: 'in the portal, by another administrator, with an app that exists',
          } as const,
        ]
      : []),
    { value: 'details', name: 'All details', description: 'addresses, permissions, IDs' },
    { value: 'stop', name: 'Stop', description: 'the answers are kept, and nothing was changed' },
  ] as const;
}

/** Esc comes back to the summary's menu. */
async function changeOne({ deps, said }: OpenSetup, { answers, tenant }: SetupPlan): Promise<void> {
  const offered = changeable(answers);
  const choices = offered.map(({ id, title }) => ({
    value: id,
    name: title,
    description: id === 'tenant' ? tenant.foundBy : (textOf(answers, id) ?? 'not given'),
  }));
  const chosen = await orBack(deps.ctx.prompts.select<AnswerId>({ message: 'Which answer?', choices, back: true }));
  if (chosen === undefined) return;
  said.change(chosen, chosen === 'tenant' ? tenant.foundBy : (textOf(answers, chosen) ?? ''));
  throw new Back();
}

async function anotherWay({ deps, said }: OpenSetup, { register }: Answers): Promise<void> {
  const choices = wayChoices.filter(({ value }) => value !== register);
  const chosen = await orBack(deps.ctx.prompts.select<RegisterWay>({ message: 'Which way?', choices, back: true }));
  if (chosen === undefined) return;
  said.answered('register', chosen);
  throw new Back();
}

/** undefined: Esc. */
async function orBack<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Back) return undefined;
    throw error;
  }
}
