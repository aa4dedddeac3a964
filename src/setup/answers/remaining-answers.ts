import type { Context } from '../../core/context.ts';
import { defined } from '../../core/defined.ts';
import type { Reporter } from '../../core/run-parts.ts';
import type { Answers, Known } from './answers.ts';
import { answer } from './ask.ts';
import { type Earlier, earlierAnswers } from './earlier-answers.ts';
import { requireAppOnly, requireFitting } from './fitting.ts';
import type { Facts, Flags } from './question.ts';
import { registrationQuestions } from './questions.ts';
import { stepScreen } from './step-screen.ts';

/** Mailbox and product: known before anything is looked up. */
export type FirstAnswers = Known & Pick<Answers, 'mailbox' | 'for'>;

/** Who is asked, and what the surroundings know. */
interface Asker {
  readonly ctx: Pick<Context, 'prompts' | 'err' | 'env' | 'surroundings'>;
  readonly report: Pick<Reporter, 'show'>;
  readonly canAsk: boolean;
  readonly facts: Facts;
}

/**
 * Everything else that is asked of the operator, and whether it goes together. Throws `answer-missing` (3), `value-invalid`,
 * `redirect-not-accepted`, `redirect-not-here`, `password-not-here`, and what a device code and app-only access do not go with (all 2).
 */
export async function remainingAnswers(first: FirstAnswers, flags: Flags, earlier: Earlier, deps: Asker): Promise<Answers> {
  const saved = earlierAnswers(earlier, flags);
  // Known from the start: it decides how the app is registered, and that the portal's first screen is done.
  const clientId = flags.clientId ?? saved.clientId;
  const known = await answer(
    registrationQuestions,
    { ...first, ...defined({ clientId }) },
    {
      ctx: deps.ctx,
      canAsk: deps.canAsk,
      flags,
      saved,
      facts: deps.facts,
      showScreen: (screen) => deps.report.show(stepScreen(screen, screen.title, deps.ctx)),
    },
  );
  if (known.access === 'app-only') requireAppOnly({ ...known, ...first }, flags);
  const { register, clientType, protocols, consent } = known;
  if (!register || !clientType || !protocols || !consent) throw new Error('every question that always applies has an answer');
  const answers = { ...known, ...first, register, clientType, protocols, consent };
  requireFitting(answers);
  return answers;
}
