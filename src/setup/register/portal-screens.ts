import { portalSteps } from '../../by-hand/portal-steps.ts';
import { defined } from '../../core/defined.ts';
import type { Secret } from '../../core/secret.ts';
import { headingOf } from '../../products/step/step-text.ts';
import { type Answers, checkGuid, isLoopback } from '../answers/answers.ts';
import { missingClientId } from '../answers/missing.ts';
import { stepScreen } from '../answers/step-screen.ts';
import type { SetupDeps } from '../journal/setup-deps.ts';
import { publicPart } from './app-certificate.ts';
import { obtainSecret } from './client-secret.ts';
import { planAnswers, type RegistrationResult, type RegistrationStep } from './registration-step.ts';

/**
 * `--register portal`: shows screen after screen. What a screen yields is asked for and kept before the next one is shown.
 * Throws `answer-missing`, `Interrupted`.
 */
export async function throughPortal(answers: Answers, step: RegistrationStep): Promise<RegistrationResult> {
  const { deps, cloud } = step;
  let { clientId } = answers;
  const steps = (id: string | undefined) =>
    portalSteps({
      ...planAnswers(answers),
      ...(step.certificate === undefined ? {} : { certificate: publicPart(step.certificate) }),
      // Where the operator asked for `--consent admin`, mailauth opens the consent page itself afterwards.
      ...(step.input.flags.consent === 'admin' && isLoopback(answers.redirectUri ?? '') ? { consent: 'user' as const } : {}),
      portal: cloud.portal,
      ...defined({ clientId: id }),
    });
  const count = steps(clientId).length;
  let clientSecret: Secret | undefined;
  for (let i = 0; i < count; i += 1) {
    const screen = steps(clientId)[i];
    if (screen === undefined) break;
    // A run that is resumed after the first screen has its app already.
    if (screen.yields === 'client-id' && clientId !== undefined) continue;
    deps.report.show(stepScreen(screen, headingOf(screen, i, count), deps.ctx));
    if (screen.yields === 'client-id' && deps.canAsk) {
      clientId = await askClientId(deps, answers);
      await step.journal.agreed({ ...answers, clientId });
    } else if (screen.yields === 'client-secret' && clientId !== undefined) {
      clientSecret = await obtainSecret(clientId, step);
    } else if (deps.canAsk) await waitDone(deps);
  }
  if (clientId === undefined) throw missingClientId(answers);
  return { clientId, ...defined({ clientSecret }) };
}

function askClientId({ ctx, facts }: SetupDeps, answers: Answers): Promise<string> {
  // The sandbox has no portal. It has an app that is ready.
  const ready = facts.clientId?.(answers);
  return ctx.prompts.text({ message: 'Application (client) ID?', check: checkGuid, ...defined({ default: ready }) });
}

async function waitDone({ ctx }: SetupDeps): Promise<void> {
  while (!(await ctx.prompts.confirm({ message: 'Done?', default: true }))) {
    // The question comes again until the operator is back from the portal. Ctrl-C stops, and the set-up can be resumed.
  }
}
