import { unverifiedNote } from '../core/cloud.ts';
import { MailauthError } from '../core/errors.ts';
import { columnsOf } from '../core/fold.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { rfc3339 } from '../core/time.ts';
import { appEntries } from '../errors/catalogue/entra/entra-app-errors.ts';
import { problem } from '../errors/problem.ts';
import type { Answers, RegisterWay } from './answers/answers.ts';
import { recordOf } from './answers/answers-record.ts';
import { type FirstAnswers, remainingAnswers } from './answers/remaining-answers.ts';
import { renderSummary, summaryFacts } from './answers/summary.ts';
import { endSetup, type SetupOutcome } from './ending.ts';
import { madeBefore } from './journal/journal-file.ts';
import type { OpenSetup } from './journal/setup-deps.ts';
import { signInAdministrator } from './register/admin-step.ts';
import { agreeToChange } from './register/agree-step.ts';
import { publicPart } from './register/app-certificate.ts';
import { beginRegistration } from './register/auto.ts';
import { writeForAdministrator } from './register/handoff-step.ts';
import { withOpener } from './register/opener-step.ts';
import { register } from './register/register-step.ts';
import { registeredBefore } from './register/registered-before.ts';
import type { RegistrationStep } from './register/registration-step.ts';
import { earlierOf, type SetupPlan } from './setup-plan.ts';
import { askForConsent, opensConsentPage } from './sign-in/consent-step.ts';
import type { Registered } from './sign-in/registered-setup.ts';

/** Agreement, registration, consent; `ending.ts` has the sign-in and the tests. */
export async function carryOut(setup: OpenSetup, plan: SetupPlan): Promise<SetupOutcome> {
  const { deps, input, key, journal } = setup;
  const { existing, cloud, tenant, store, certificate } = plan;
  const recordFor = ({ answers, registration }: Registered): MailboxRecord => {
    const createdAt = existing?.createdAt ?? rfc3339(deps.ctx.clock.now());
    return recordOf({ key, answers, registration, tenant, cloud, store: store.name, createdAt });
  };
  const before = await registeredBefore(setup, plan.answers, plan, recordFor);
  const agreed = before === undefined ? await agree(setup, plan) : plan.answers;
  const step: RegistrationStep = {
    ...setup,
    ...{ tenant, cloud, store },
    ...(certificate && { certificate }),
    madeBefore: journal.now.registration ?? madeBefore(existing),
  };
  const { answers: wanted, ...administrator }: Administered =
    before === undefined && agreed.register === 'auto' ? await asAdministrator(agreed, step, plan) : { answers: agreed };
  const answers = await withOpener(wanted, setup, administrator.graph);
  if (answers.register === 'handoff') return handOff(setup, answers, plan);
  const registered = before === undefined ? await register(answers, { ...step, ...administrator }) : { ...before, answers };
  await journal.registered(registered.answers, registered.registration);
  const registeredSetup = { ...setup, store, cloud, record: recordFor(registered), registered };
  try {
    if (opensConsentPage(answers, input.flags.consent, journal.now.consentAsked)) {
      await askForConsent(registeredSetup);
      await journal.consentAsked();
    }
    return await endSetup(registeredSetup);
  } catch (error) {
    if (isAboutApp(error)) await journal.doubtApp();
    throw error;
  }
}

/** The summary, and the one question before anything is done. Answers how it goes on: another way where `auto` was declined. */
async function agree(setup: OpenSetup, { first, answers, existing, cloud, tenant, store, certificate }: SetupPlan): Promise<Answers> {
  const { deps, input, journal } = setup;
  const { ctx, report } = deps;
  report.show(renderSummary(summaryFacts(answers, tenant, cloud, store.describe()), columnsOf(ctx.err)));
  if (!cloud.verified) report.note(unverifiedNote(cloud));
  if (answers.register !== 'auto') {
    if (deps.canAsk && !(await ctx.prompts.confirm({ message: 'Go ahead?', default: true }))) throw problem('setup-declined', {});
    await journal.answered(answers);
    return answers;
  }
  // The operator did not choose this way by name, and nothing of it was begun.
  const isOpen = input.flags.register === undefined && existing === undefined && journal.now.registration === undefined;
  await journal.answered(answers);
  const way: RegisterWay = await agreeToChange(answers, tenant, deps, isOpen, certificate && publicPart(certificate));
  return way === 'auto' ? answers : anotherWay(setup, first, way);
}

/** The answers that another way to register needs. */
async function anotherWay({ deps, input, journal }: OpenSetup, first: FirstAnswers, way: RegisterWay): Promise<Answers> {
  const instead = await remainingAnswers(first, { ...input.flags, register: way }, earlierOf(journal.now, undefined), deps);
  await journal.answered(instead);
  return instead;
}

type Administered = { readonly answers: Answers } & Partial<Pick<RegistrationStep, 'madeBefore' | 'graph'>>;

/** The administrator's sign-in, or the answers of the way that a person chose when Microsoft refused it. */
async function asAdministrator(
  answers: Answers,
  step: RegistrationStep,
  { first }: SetupPlan,
): Promise<{ readonly answers: Answers } & Pick<RegistrationStep, 'madeBefore' | 'graph'>> {
  const madeBefore = await beginRegistration(step);
  const administrator = await signInAdministrator(answers, step);
  if (administrator.kind === 'graph') return { answers, madeBefore, graph: administrator.graph };
  return { answers: await anotherWay(step, first, administrator.way), madeBefore };
}

/** Another person is the administrator: the folder is written, and the set-up waits for the app's ID. */
async function handOff({ deps, key, journal }: OpenSetup, answers: Answers, { cloud, tenant }: SetupPlan): Promise<SetupOutcome> {
  const { registration } = journal.now;
  const setupId = registration?.setupId ?? deps.ctx.random.uuid();
  await journal.registering({ grantIds: [], ...registration, setupId });
  const written = await writeForAdministrator(answers, { deps, key, tenant, cloud, setupId });
  return { kind: 'handed-off', key, tenantId: tenant.id, ...written };
}

/** Is it something that an administrator may have to correct at the app itself? */
const isAboutApp = (error: unknown): boolean =>
  error instanceof MailauthError && (Object.hasOwn(appEntries, error.code) || error.code === 'app-role-missing');
