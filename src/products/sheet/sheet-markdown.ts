import type { Sheet, SheetField, SheetNote, SheetPart } from './sheet.ts';
import { hintOf, isCopied, type Reveal, shownValue } from './shown.ts';

/** The sheet for a wiki or a ticket. GitHub Flavored Markdown; nothing of a value can become markup. */
export function renderSheetMarkdown(sheet: Sheet, reveal: Reveal): string {
  const blocks = [
    `# ${words(sheet.title)}`,
    ...(sheet.writtenAt === undefined ? [] : [`Written by mailauth on ${words(sheet.writtenAt)}.`]),
    ...sheet.parts.map((part) => partBlock(part, reveal)),
    ...(sheet.servers.length === 0 ? [] : [`## Mail servers\n\n${serverTable(sheet)}`]),
    ...sheet.notes.map(noteBlock),
    `## Renewal\n\n${words(sheet.renewal.what)}\n\n${list(sheet.renewal.steps)}`,
    `## Registered in Entra\n\n${fieldTable(sheet.registered, reveal)}`,
  ];
  return `${blocks.join('\n\n')}\n`;
}

function partBlock(part: SheetPart, reveal: Reveal): string {
  return [
    `## ${words(part.where)}`,
    ...(part.fields.length === 0 ? [] : [fieldTable(part.fields, reveal)]),
    ...(part.trap === undefined ? [] : [`> **Careful:** ${words(part.trap)}`]),
    ...(part.press.length === 0 ? [] : [`Then:\n\n${list(part.press)}`]),
  ].join('\n\n');
}

function fieldTable(fields: readonly SheetField[], reveal: Reveal): string {
  const noted = fields.some((field) => hintOf(field) !== '' && (field.note !== undefined || field.how !== 'compare'));
  const cells = fields.map((field) => {
    const value = shownValue(field, reveal);
    const row = [words(field.label), isCopied(field, reveal) ? codeCell(value) : words(value)];
    return noted ? [...row, words(hintOf(field))] : row;
  });
  return table(noted ? ['Field', 'Value', ''] : ['Field', 'Value'], cells);
}

const serverTable = ({ servers }: Sheet): string =>
  table(
    ['', 'Server', 'Port', 'Encryption', 'User name', 'Sign-in'],
    servers.map((s) => [s.protocol, codeCell(s.host), codeCell(String(s.port)), words(s.security), codeCell(s.user), words(s.method)]),
  );

const noteBlock = (note: SheetNote): string =>
  [`## ${words(note.title)}`, ...note.lines.map(words), ...(note.commands.length === 0 ? [] : [fence(note.commands.join('\n'))])].join(
    '\n\n',
  );

const list = (steps: readonly string[]): string =>
  steps.map((step, i) => `${i + 1}. ${isCommand(step) ? code(step) : words(step)}`).join('\n');
const isCommand = (step: string): boolean => step.startsWith('mailauth ');

/** One table of cells that hold no bare `|`: made by `words` and `codeCell` (GFM section 4.10). */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** A code span in a table. `|` is escaped there too; behind a backslash it cannot be, so that such a value is prose. */
export const codeCell = (text: string): string => (text.includes('\\|') ? words(text) : code(text).replaceAll('|', '\\|'));

/** Prose: every ASCII punctuation that can begin markup is escaped (CommonMark section 2.4). */
export const words = (text: string): string => text.replace(/[\\`*_[\]<>#|~&!]/g, '\\$&');

/** A code span with a fence longer than any run of backticks inside (CommonMark section 6.1). */
export function code(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const ticks = '`'.repeat(longest + 1);
  const pad = text.startsWith('`') || text.endsWith('`') ? ' ' : '';
  return `${ticks}${pad}${text}${pad}${ticks}`;
}

export function fence(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const ticks = '`'.repeat(longest + 1);
  return `${ticks}\n${text}\n${ticks}`;
}
