import { type PortalStep, portalSteps } from '../../by-hand/portal-steps.ts';
import { defined } from '../../core/defined.ts';
import { Back } from '../../core/errors.ts';
import { columnsOf, fold } from '../../core/fold.ts';
import { isLoopback } from '../../core/mailbox.ts';
import type { Secret } from '../../core/secret.ts';
import { problem } from '../../errors/problem.ts';
import { headingOf, stepScreen } from '../../products/step/step-text.ts';
import { type Answers, checkClientId } from '../answers/answers.ts';
import { missingClientId } from '../answers/missing.ts';
import { resumeHere } from '../journal/setup-deps.ts';
import { publicPart } from './app-certificate.ts';
import { obtainSecret } from './client-secret.ts';
import { askForApp } from './known-app.ts';
import { planAnswers, type RegistrationResult, type RegistrationStep } from './registration-step.ts';

/** What the walk has brought back so far. */
interface Yield {
  clientId: string | undefined;
  clientSecret: Secret | undefined;
}

/**
 * `--register portal`: shows screen after screen. What a screen yields is asked for and kept before the next one is shown. Esc goes back one
 * screen, and from the first one to the summary. A walk that was stopped goes on at its screen.
 * Throws `answer-missing`, `setup-declined`, `Back`, `Interrupted`.
 */
export async function throughPortal(answers: Answers, step: RegistrationStep): Promise<RegistrationResult> {
  const { deps, journal } = step;
  const got: Yield = { clientId: answers.clientId, clientSecret: undefined };
  const count = screens(answers, got, step).length;
  for (let i = firstScreen(answers, step); i < count; ) {
    const screen = screens(answers, got, step)[i];
    if (screen === undefined) break;
    deps.report.show(stepScreen(screen, headingOf(screen, i, count), deps.ctx));
    try {
      await finish(screen, answers, got, step);
      i += 1;
      await journal.walked(i);
    } catch (error) {
      if (!(error instanceof Back) || i === 0) throw error;
      i -= 1;
    }
  }
  const { clientId, clientSecret } = got;
  if (clientId === undefined) throw missingClientId(answers);
  return { clientId, ...defined({ clientSecret }) };
}

/** A run that has its app already begins behind the first screen, or where it was stopped. */
const firstScreen = ({ clientId }: Answers, { journal }: RegistrationStep): number =>
  clientId === undefined ? 0 : Math.max(1, journal.now.portalScreen ?? 1);

function screens(answers: Answers, { clientId }: Yield, step: RegistrationStep): readonly PortalStep[] {
  return portalSteps({
    ...planAnswers(answers),
    ...(step.certificate === undefined ? {} : { certificate: publicPart(step.certificate) }),
    // Where the operator asked for `--consent admin`, mailauth opens the consent page itself afterwards.
    ...(step.input.flags.consent === 'admin' && isLoopback(answers.redirectUri ?? '') ? { consent: 'user' as const } : {}),
    portal: step.cloud.portal,
    ...defined({ clientId }),
  });
}

/** Waits until the person is through with this screen, and keeps what they bring back. */
async function finish(screen: PortalStep, answers: Answers, got: Yield, step: RegistrationStep): Promise<void> {
  const { deps, journal, cloud, tenant } = step;
  if (screen.yields === 'client-id') {
    if (!deps.canAsk) return;
    got.clientId = await askForApp((earlier) => typedId(earlier ?? got.clientId, answers, step), { cloud, tenant }, deps);
    await journal.answered({ ...answers, clientId: got.clientId });
  } else if (screen.yields === 'client-secret' && got.clientId !== undefined) {
    got.clientSecret = await obtainSecret(got.clientId, step);
  } else if (deps.canAsk) await waitDone(screen, answers, step);
}

function typedId(earlier: string | undefined, answers: Answers, { deps, tenant }: RegistrationStep): Promise<string> {
  const ready = deps.facts.clientId?.(answers);
  if (ready !== undefined && earlier === undefined) deps.report.show(`  ${fold(noPortal, columnsOf(deps.ctx.err), 2)}\n`);
  const shown = { message: 'Application (client) ID?', check: checkClientId(tenant.id), back: true };
  return deps.ctx.prompts.text({ ...shown, ...defined({ default: ready, filledIn: earlier }) });
}

const noPortal = "The sandbox has no portal: Enter takes the sandbox's own app, and its client secret.";

async function waitDone({ link }: PortalStep, answers: Answers, { deps, cloud }: RegistrationStep): Promise<void> {
  const { ctx, report } = deps;
  const open = ctx.browser.usable ? ([{ value: 'open', name: 'Open this page of the portal' }] as const) : [];
  const choices = [
    { value: 'done', name: 'Done, go on' },
    ...open,
    { value: 'back', name: 'Back to the step before' },
    { value: 'stop', name: 'Stop', description: 'goes on at this step next time' },
  ] as const;
  for (;;) {
    const chosen = await ctx.prompts.select({ message: 'Done?', choices, back: true });
    if (chosen === 'done') return;
    if (chosen === 'back') throw new Back();
    if (chosen === 'stop') throw problem('setup-declined', { resume: resumeHere(answers, cloud) });
    const opened = await ctx.browser.open(link);
    if (opened.kind === 'failed') report.note(`No browser was opened (${opened.why}): ${link}`);
  }
}
