import { fold } from '../../core/fold.ts';
import type { Theme } from '../../ui/theme.ts';
import type { Sheet, SheetField, SheetPart } from './sheet.ts';
import { hintOf, type Reveal, shownValue } from './shown.ts';

export interface TextOptions extends Reveal {
  readonly theme: Theme;
  /** of the terminal; Infinity for a pipe */
  readonly columns: number;
}

/** The sheet on a screen. Values stay whole on a line of their own width, so that they can be copied. Ends with a newline. */
export function renderSheetText(sheet: Sheet, options: TextOptions): string {
  const { theme, columns } = options;
  const blocks = [
    theme.bold(sheet.title),
    ...sheet.parts.map((part) => renderPart(part, options)),
    ...(sheet.servers.length === 0 ? [] : [[theme.bold('Mail servers'), ...serverLines(sheet, columns)].join('\n')]),
    ...sheet.notes.map((note) =>
      [
        theme.bold(note.title),
        ...note.lines.map((line) => `  ${fold(line, columns, 2)}`),
        ...note.commands.map((c) => `    ${theme.cyan(c)}`),
      ].join('\n'),
    ),
    [theme.bold('Renewal'), `  ${fold(sheet.renewal.what, columns, 2)}`, ...numbered(sheet.renewal.steps, columns)].join('\n'),
    [theme.bold('Registered in Entra'), ...fieldLines(sheet.registered, options)].join('\n'),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function renderPart(part: SheetPart, options: TextOptions): string {
  const { theme, columns } = options;
  return [
    theme.bold(fold(part.where, columns)),
    ...fieldLines(part.fields, options),
    ...(part.trap === undefined ? [] : [`  ${theme.yellow(theme.signs.warning)} ${fold(part.trap, columns, 4)}`]),
    ...(part.press.length === 0 ? [] : ['  Then:', ...numbered(part.press, columns)]),
  ].join('\n');
}

function fieldLines(fields: readonly SheetField[], { theme, columns, ...reveal }: TextOptions): string[] {
  const width = Math.max(0, ...fields.map((field) => field.label.length)) + 2;
  return fields.flatMap((field) => {
    const shown = shownValue(field, reveal);
    // Addresses and lists of them are copied, and copied whole; words are read.
    const value = shown.includes('://') ? shown : fold(shown, columns, width + 2);
    const line = `  ${theme.dim(field.label.padEnd(width))}${value}`;
    const hint = field.note === undefined && field.how === 'compare' ? '' : hintOf(field);
    return hint === '' ? [line] : [line, `  ${' '.repeat(width)}${theme.dim(fold(hint, columns, width + 2))}`];
  });
}

function serverLines({ servers }: Sheet, columns: number): string[] {
  const width = Math.max(...servers.map(({ host }) => host.length)) + 2;
  return servers.map((s) => {
    const where = `  ${s.protocol.padEnd(6)}${s.host.padEnd(width)}${String(s.port).padEnd(7)}${s.security.padEnd(10)}`;
    const both = `${s.user}, ${s.method}`;
    return where + (where.length + both.length <= columns ? both : `${s.user},\n${' '.repeat(where.length)}${s.method}`);
  });
}

const numbered = (steps: readonly string[], columns: number): string[] =>
  // A command is copied, and copied whole.
  steps.map((step, i) => `  ${`${i + 1}.`.padStart(4)} ${step.startsWith('mailauth ') ? step : fold(step, columns, 7)}`);
