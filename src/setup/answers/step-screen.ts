import type { Context } from '../../core/context.ts';
import { columnsOf } from '../../core/fold.ts';
import type { Step } from '../../products/step/step.ts';
import { printedStep } from '../../products/step/step.ts';
import { stepText } from '../../products/step/step-text.ts';
import { themeFor } from '../../ui/theme.ts';

/** One step for the operator of the wizard, with room above and below. Without colours: the wizard does not know `--no-color`. */
export function stepScreen(step: Step, heading: string, { err, env, surroundings }: Pick<Context, 'err' | 'env' | 'surroundings'>): string {
  return `\n${stepText(printedStep(step, surroundings), heading, { theme: themeFor({ env }, err, true), columns: columnsOf(err), reveal: false })}\n\n`;
}
