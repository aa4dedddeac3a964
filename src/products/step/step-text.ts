import type { Context } from '../../core/context.ts';
import { columnsOf, fold } from '../../core/fold.ts';
import type { ShownStep } from '../../core/shown.ts';
import { type Theme, themeFor } from '../../ui/theme.ts';
import { hintOf, type PrintedStep, printedStep, type Reveal, type Step, type StepField, sentences, shownValue } from './step.ts';

export interface StepTextOptions extends Reveal {
  readonly theme: Theme;
  /** of the terminal; Infinity for a pipe */
  readonly columns: number;
}

/** Several steps below one title, numbered. Ends with a newline. */
export function stepsText(title: string, steps: readonly PrintedStep[], options: StepTextOptions): string {
  const blocks = steps.map((step, i) => stepText(step, headingOf(step, i, steps.length), options));
  return `${[options.theme.bold(title), ...blocks].join('\n\n')}\n`;
}

export const headingOf = ({ title }: Pick<PrintedStep, 'title'>, i: number, count: number): string => `Step ${i + 1} of ${count}: ${title}`;

/** One step on a screen. Links, addresses and commands stay in one piece, so that they can be clicked and copied. */
export function stepText(step: PrintedStep, heading: string, options: StepTextOptions): string {
  const { theme, columns } = options;
  const { link, actions = [], fields, trap, press } = step;
  return [
    theme.bold(fold(heading, columns)),
    `  ${fold(step.where, columns, 2)}`,
    ...(link === undefined ? [] : [`  ${theme.cyan(link)}`]),
    ...numberedText(sentences(actions), options),
    // Below an action, its values stand under its words.
    ...fieldsText(fields, options, actions.length === 0 ? 2 : 6),
    ...(trap === undefined ? [] : [`  ${theme.yellow(theme.signs.warning)} ${fold(trap, columns, 4)}`]),
    ...(fields.length > 0 && actions.length === 0 && press.length > 0 ? ['  Then:'] : []),
    ...numberedText(press, options, actions.length),
  ].join('\n');
}

/** What to do, in order. `after`: so many stand before them already. */
export function numberedText(steps: readonly ShownStep[], { theme, columns }: StepTextOptions, after = 0): string[] {
  return steps.map(({ text, copied }, i) => `  ${`${after + i + 1}.`.padStart(3)} ${copied ? theme.cyan(text) : fold(text, columns, 6)}`);
}

/** Labels and values in two columns, a hint below its value. */
export function fieldsText(fields: readonly StepField[], { theme, columns, reveal }: StepTextOptions, indent = 2): string[] {
  const width = Math.max(0, ...fields.map(({ label }) => label.length)) + 2;
  const [before, at] = [' '.repeat(indent), indent + width];
  return fields.flatMap((field, i) => {
    // Several values of one kind stand below each other; the first one says what they are.
    const label = field.label === fields[i - 1]?.label ? '' : field.label;
    const shown = shownValue(field, { reveal });
    const value = field.command === true || shown.includes('://') ? shown : fold(shown, columns, at);
    const hint = hintOf(field);
    return [
      `${before}${theme.dim(label.padEnd(width))}${value}`,
      ...(hint === '' ? [] : [' '.repeat(at) + theme.dim(fold(hint, columns, at))]),
    ];
  });
}

/** One step for the operator of the wizard, with room above and below. Without colours: the wizard does not know `--no-color`. */
export function stepScreen(step: Step, heading: string, { err, env, surroundings }: Pick<Context, 'err' | 'env' | 'surroundings'>): string {
  return `\n${stepText(printedStep(step, surroundings), heading, { theme: themeFor({ env }, err, true), columns: columnsOf(err), reveal: false })}\n\n`;
}
