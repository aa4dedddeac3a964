import { fold } from '../../core/fold.ts';
import { fieldsText, numberedText, type StepTextOptions, stepText } from '../step/step-text.ts';
import type { Sheet } from './sheet.ts';

/** The sheet on a screen. Values stay whole on a line of their own width, so that they can be copied. Ends with a newline. */
export function renderSheetText(sheet: Sheet, options: StepTextOptions): string {
  const { theme, columns } = options;
  const blocks = [
    theme.bold(sheet.title),
    ...sheet.parts.map((step) => stepText(step, step.title, options)),
    ...(sheet.servers.length === 0 ? [] : [[theme.bold('Mail servers'), ...serverLines(sheet, columns)].join('\n')]),
    ...sheet.notes.map((note) =>
      [
        theme.bold(note.title),
        ...note.lines.map((line) => `  ${fold(line, columns, 2)}`),
        ...note.commands.map((c) => `    ${theme.cyan(c)}`),
      ].join('\n'),
    ),
    [theme.bold('Renewal'), `  ${fold(sheet.renewal.what, columns, 2)}`, ...numberedText(sheet.renewal.steps, options)].join('\n'),
    [theme.bold('Registered in Entra'), ...fieldsText(sheet.registered, options)].join('\n'),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function serverLines({ servers }: Sheet, columns: number): string[] {
  const width = Math.max(...servers.map(({ host }) => host.length)) + 2;
  return servers.map((s) => {
    const where = `  ${s.protocol.padEnd(6)}${s.host.padEnd(width)}${String(s.port).padEnd(7)}${s.security.padEnd(10)}`;
    const both = `${s.user}, ${s.method}`;
    return where + (where.length + both.length <= columns ? both : `${s.user},\n${' '.repeat(where.length)}${s.method}`);
  });
}
