import { portalSteps } from '../../by-hand/portal-steps.ts';
import type { Cloud } from '../../core/cloud.ts';
import { headingOf } from '../../products/step/step-text.ts';
import type { Answers } from '../answers/answers.ts';
import { missingAgreement, missingClientId, missingPassword, missingSecret } from '../answers/missing.ts';
import { stepScreen } from '../answers/step-screen.ts';
import type { SetupDeps, SetupOptions } from '../journal/setup-deps.ts';
import { planAnswers } from './registration-step.ts';

/**
 * Without a person: what `register` would have to ask for, said before the network and the keychain are touched.
 * `kept`: an earlier run may have left a client secret in the store. Throws `answer-missing`.
 */
export function requireAnswers(answers: Answers, input: SetupOptions, deps: SetupDeps, cloud: Cloud, kept: boolean): void {
  if (answers.register === 'handoff') return;
  if (answers.register === 'auto') {
    if (deps.agreed) return;
    throw missingAgreement(answers);
  }
  if (answers.clientId === undefined) {
    // The steps in the portal are worth reading also where there is no person to ask.
    const steps = answers.register === 'portal' ? portalSteps({ ...planAnswers(answers), portal: cloud.portal }) : [];
    steps.forEach((step, i) => {
      deps.report.show(stepScreen(step, headingOf(step, i, steps.length), deps.ctx));
    });
    throw missingClientId(answers);
  }
  const secretKnown =
    kept || input.clientSecretFile !== undefined || input.certificateFile !== undefined || deps.knownSecret(answers.clientId) !== undefined;
  if (answers.clientType === 'confidential' && !secretKnown) throw missingSecret(answers.mailbox, answers.clientId);
}

/** The same for the sign-in with a password: without it nothing is worth a change in the tenant. Throws `answer-missing`. */
export function requirePassword(answers: Answers, { passwordFile }: SetupOptions, { canAsk }: SetupDeps): void {
  if (answers.signIn === 'password' && passwordFile === undefined && !canAsk) throw missingPassword(answers);
}
