import { defined } from '../../core/defined.ts';
import { MailauthError } from '../../core/errors.ts';
import type { RegistrationPlan } from '../../core/registration-plan.ts';
import type { RegisteredApp } from '../../entra/registration.ts';
import type { Answers } from '../answers/answers.ts';
import { questions } from '../answers/questions.ts';
import type { JournaledRegistration } from '../journal/journal-file.ts';
import { planOf, type RegistrationStep } from './registration-step.ts';

/** Some tenants take no application without a reference to a service of theirs: a person is asked for it, and it is tried once more. */
export async function withReference(
  answers: Answers,
  step: RegistrationStep,
  made: JournaledRegistration,
  attempt: (plan: RegistrationPlan, before: JournaledRegistration) => Promise<RegisteredApp>,
): Promise<{ readonly answers: Answers; readonly app: RegisteredApp }> {
  const { deps, journal } = step;
  try {
    return { answers, app: await attempt(planOf(answers, step, made), made) };
  } catch (error) {
    const isAsked = error instanceof MailauthError && error.code === 'service-reference-needed';
    if (!isAsked || !deps.canAsk || deps.agreed || answers.serviceManagementReference !== undefined) throw error;
    deps.report.progress('registration', 'failed', error.title);
    const { message, check } = questions.serviceManagementReference;
    const given = await deps.ctx.prompts.text({ message, ...defined({ check }) });
    const more = { ...answers, serviceManagementReference: given.trim() };
    await journal.answered(more);
    // The refusal was clear: nothing was made that would have to be looked for.
    return { answers: more, app: await attempt(planOf(more, step, made), { ...made, creating: false }) };
  }
}
