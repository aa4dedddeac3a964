import { type PortalStep, portalSteps } from '../../by-hand/portal-steps.ts';
import { defined } from '../../core/defined.ts';
import { columnsOf, fold } from '../../core/fold.ts';
import type { Secret } from '../../core/secret.ts';
import { type Answers, checkGuid, isLoopback } from '../answers/answers.ts';
import { missingClientId } from '../answers/missing.ts';
import type { SetupDeps } from '../journal/setup-deps.ts';
import { publicPart } from './app-certificate.ts';
import { obtainSecret } from './client-secret.ts';
import type { RegistrationResult, RegistrationStep } from './registration-step.ts';

/**
 * `--register portal`: screen by screen, what each one yields asked for and kept before the next. Throws `answer-missing`, `Interrupted`.
 */
export async function throughPortal(answers: Answers, step: RegistrationStep): Promise<RegistrationResult> {
  const { deps, cloud } = step;
  let { clientId } = answers;
  const steps = (id: string | undefined) =>
    portalSteps({
      ...answers,
      ...(step.certificate === undefined ? {} : { certificate: publicPart(step.certificate) }),
      // Asked for by name, mailauth opens the consent page itself afterwards.
      ...(step.input.flags.consent === 'admin' && isLoopback(answers.redirectUri) ? { consent: 'user' as const } : {}),
      portal: cloud.portal,
      ...defined({ clientId: id }),
    });
  const count = steps(clientId).length;
  let clientSecret: Secret | undefined;
  for (let i = 0; i < count; i += 1) {
    const screen = steps(clientId)[i];
    if (screen === undefined) break;
    // Resumed behind the first screen: the app is there.
    if (screen.yields === 'client-id' && clientId !== undefined) continue;
    deps.report.show(renderStep(screen, i + 1, count, columnsOf(deps.ctx.err)));
    if (screen.yields === 'client-id' && deps.canAsk) {
      clientId = await askClientId(deps, answers);
      await step.remember({ ...answers, clientId });
    } else if (screen.yields === 'client-secret' && clientId !== undefined) {
      clientSecret = await obtainSecret(clientId, step);
    } else if (deps.canAsk) await waitDone(deps);
  }
  if (clientId === undefined) throw missingClientId(answers);
  return { clientId, ...defined({ clientSecret }) };
}

function askClientId({ ctx, facts }: SetupDeps, answers: Answers): Promise<string> {
  // The sandbox has no portal to fetch one from, but an app that is ready.
  const ready = facts.clientId?.(answers);
  return ctx.prompts.text({ message: 'Application (client) ID?', check: checkGuid, ...defined({ default: ready }) });
}

async function waitDone({ ctx }: SetupDeps): Promise<void> {
  while (!(await ctx.prompts.confirm({ message: 'Done?', default: true }))) {
    // Asked again until the operator is back from the portal; Ctrl-C stops, and the set-up can be resumed.
  }
}

/** `columns`: of the terminal, Infinity for a pipe. The link stays whole, so that it can be clicked and copied. */
export function renderStep(step: PortalStep, number: number, count: number, columns: number): string {
  const width = Math.max(0, ...step.values.map((v) => v.field.length)) + 8;
  const values = step.values.map((v, i) => {
    const label = v.field === step.values[i - 1]?.field ? '' : v.field;
    return `      ${label}`.padEnd(width) + fold(v.value, columns, width);
  });
  return [
    '',
    `  Step ${number} of ${count}: ${step.title}`,
    `  ${fold(step.menu, columns, 2)}`,
    `  ${step.link}`,
    '',
    ...step.actions.map((action) => `    - ${fold(action, columns, 6)}`),
    ...values,
    ...(step.trap === undefined ? [] : ['', `    ${fold(`Careful: ${step.trap}`, columns, 4)}`]),
    '',
  ].join('\n');
}
