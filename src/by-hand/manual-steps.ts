import { fold } from '../core/fold.ts';
import { code, codeCell, table, words } from '../products/sheet/sheet-markdown.ts';
import type { Theme } from '../ui/theme.ts';
import type { ManualStep } from './walk-through.ts';

/** Numbered steps for a screen. Links and values stay whole, so that they can be copied. Ends with a newline. */
export function renderStepsText(title: string, steps: readonly ManualStep[], theme: Theme, columns: number): string {
  const blocks = steps.map((step, i) => {
    const width = Math.max(0, ...step.values.map(({ field }) => field.length)) + 2;
    const values = step.values.flatMap(({ field, value, note }, at) => {
      const label = field === step.values[at - 1]?.field ? '' : field;
      const line = `     ${theme.dim(label.padEnd(width))}${value}`;
      return note === undefined ? [line] : [line, `     ${' '.repeat(width)}${theme.dim(fold(note, columns, width + 5))}`];
    });
    const bullet = (action: string) => `   - ${fold(action, columns, 5)}`;
    return [
      theme.bold(`${i + 1}. ${step.title}`),
      `   ${fold(step.where, columns, 3)}`,
      ...(step.link === undefined ? [] : [`   ${theme.cyan(step.link)}`]),
      ...step.actions.map(bullet),
      ...values,
      ...step.press.map(bullet),
      ...(step.trap === undefined ? [] : [`   ${theme.yellow(theme.signs.warning)} ${fold(step.trap, columns, 5)}`]),
    ].join('\n');
  });
  return `${[theme.bold(title), ...blocks].join('\n\n')}\n`;
}

/** The same for a wiki. Nothing of a value can become markup. */
export function renderStepsMarkdown(title: string, steps: readonly ManualStep[]): string {
  const blocks = steps.map((step, i) =>
    [
      `## ${i + 1}. ${words(step.title)}`,
      step.link === undefined ? words(step.where) : `${words(step.where)}  \n<${encodeLink(step.link)}>`,
      ...(step.actions.length === 0 ? [] : [bullets(step.actions)]),
      ...(step.values.length === 0 ? [] : [valueTable(step)]),
      ...(step.press.length === 0 ? [] : [bullets(step.press)]),
      ...(step.trap === undefined ? [] : [`> **Careful:** ${words(step.trap)}`]),
    ].join('\n\n'),
  );
  return `${[`# ${words(title)}`, ...blocks].join('\n\n')}\n`;
}

const bullets = (lines: readonly string[]): string =>
  lines.map((line) => `- ${line.startsWith('mailauth ') ? code(line) : words(line)}`).join('\n');

/** An autolink ends at `>` and must not hold blanks (CommonMark section 6.5). */
const encodeLink = (link: string): string => link.replace(/[<>\s]/g, (c) => encodeURIComponent(c));

function valueTable(step: ManualStep): string {
  const noted = step.values.some(({ note }) => note !== undefined);
  return table(
    noted ? ['Field', 'Value', ''] : ['Field', 'Value'],
    step.values.map(({ field, value, note }) => [words(field), codeCell(value), ...(noted ? [words(note ?? '')] : [])]),
  );
}
