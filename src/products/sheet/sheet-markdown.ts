import { codeCell, fence, table, words } from '../../core/markdown.ts';
import type { Reveal } from '../step/step.ts';
import { fieldsMarkdown, numberedMarkdown, stepMarkdown } from '../step/step-markdown.ts';
import type { Sheet, SheetNote } from './sheet.ts';

/** The sheet for a wiki or a ticket. GitHub Flavored Markdown; nothing of a value can become markup. */
export function renderSheetMarkdown(sheet: Sheet, reveal: Reveal): string {
  const blocks = [
    `# ${words(sheet.title)}`,
    ...(sheet.writtenAt === undefined ? [] : [`Written by mailauth on ${words(sheet.writtenAt)}.`]),
    ...sheet.parts.map((step) => stepMarkdown(step, step.title, reveal)),
    ...(sheet.servers.length === 0 ? [] : [`## Mail servers\n\n${serverTable(sheet)}`]),
    ...sheet.notes.map(noteBlock),
    `## Renewal\n\n${words(sheet.renewal.what)}\n\n${numberedMarkdown(sheet.renewal.steps)}`,
    `## Registered in Entra\n\n${fieldsMarkdown(sheet.registered, reveal)}`,
  ];
  return `${blocks.join('\n\n')}\n`;
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
