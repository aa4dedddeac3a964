import { autolink, code, codeCell, table, words } from '../../core/markdown.ts';
import type { ShownStep } from '../../core/shown.ts';
import { hintOf, isCopied, type PrintedStep, type Reveal, type StepField, sentences, shownValue } from './step.ts';

/** Several steps below one title, numbered, for a wiki or a ticket. Nothing of a value can become markup. */
export function stepsMarkdown(title: string, steps: readonly PrintedStep[]): string {
  const blocks = steps.map((step, i) => stepMarkdown(step, `${i + 1}. ${step.title}`, { reveal: false }));
  return `${[`# ${words(title)}`, ...blocks].join('\n\n')}\n`;
}

/** One step. GitHub Flavored Markdown. */
export function stepMarkdown(step: PrintedStep, heading: string, reveal: Reveal): string {
  const { link, actions = [], fields, trap, press } = step;
  return [
    `## ${words(heading)}`,
    link === undefined ? words(step.where) : `${words(step.where)}  \n${autolink(link)}`,
    ...(actions.length === 0 ? [] : [numberedMarkdown(sentences(actions))]),
    ...(fields.length === 0 ? [] : [fieldsMarkdown(fields, reveal)]),
    ...(trap === undefined ? [] : [`> **Careful:** ${words(trap)}`]),
    ...(fields.length > 0 && actions.length === 0 && press.length > 0 ? ['Then:'] : []),
    ...(press.length === 0 ? [] : [numberedMarkdown(press, actions.length)]),
  ].join('\n\n');
}

/** What to do, in order. `after`: so many stand before them already. */
export const numberedMarkdown = (steps: readonly ShownStep[], after = 0): string =>
  steps.map(({ text, copied }, i) => `${after + i + 1}. ${copied ? code(text) : words(text)}`).join('\n');

/** The fields as a table, with a third column where any of them has a hint. */
export function fieldsMarkdown(fields: readonly StepField[], reveal: Reveal): string {
  const hinted = fields.some((field) => hintOf(field) !== '');
  return table(
    hinted ? ['Field', 'Value', ''] : ['Field', 'Value'],
    fields.map((field) => {
      const value = shownValue(field, reveal);
      const row = [words(field.label), isCopied(field, reveal) ? codeCell(value) : words(value)];
      return hinted ? [...row, words(hintOf(field))] : row;
    }),
  );
}
