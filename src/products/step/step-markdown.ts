import { autolink, code, codeCell, table, words } from '../../core/markdown.ts';
import { hintOf, isCommand, isCopied, type Reveal, type Step, type StepField, shownValue } from './step.ts';

/** Several steps below one title, numbered, for a wiki or a ticket. Nothing of a value can become markup. */
export function stepsMarkdown(title: string, steps: readonly Step[]): string {
  const blocks = steps.map((step, i) => stepMarkdown(step, `${i + 1}. ${step.title}`, { reveal: false }));
  return `${[`# ${words(title)}`, ...blocks].join('\n\n')}\n`;
}

/** One step. GitHub Flavored Markdown. */
export function stepMarkdown(step: Step, heading: string, reveal: Reveal): string {
  const { link, actions = [], fields, trap, press } = step;
  return [
    `## ${words(heading)}`,
    link === undefined ? words(step.where) : `${words(step.where)}  \n${autolink(link)}`,
    ...(actions.length === 0 ? [] : [numberedMarkdown(actions)]),
    ...(fields.length === 0 ? [] : [fieldsMarkdown(fields, reveal)]),
    ...(trap === undefined ? [] : [`> **Careful:** ${words(trap)}`]),
    ...(fields.length > 0 && actions.length === 0 && press.length > 0 ? ['Then:'] : []),
    ...(press.length === 0 ? [] : [numberedMarkdown(press, actions.length)]),
  ].join('\n\n');
}

/** What to do, in order. `after`: so many stand before them already. */
export const numberedMarkdown = (lines: readonly string[], after = 0): string =>
  lines.map((line, i) => `${after + i + 1}. ${isCommand(line) ? code(line) : words(line)}`).join('\n');

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
