import { extname, join, resolve } from 'node:path';
import type { Context } from '../../core/context.ts';
import type { MailboxKey } from '../../core/mailbox.ts';
import { codeCell, fence, table, words } from '../../core/markdown.ts';
import { again } from '../../core/next.ts';
import { problem } from '../../errors/problem.ts';
import { mailboxSlug } from '../../store/mailbox-file.ts';
import { toJsonFile } from '../../store/schemas.ts';
import { type Reveal, stepJson } from '../step/step.ts';
import { fieldsMarkdown, numberedMarkdown, stepMarkdown } from '../step/step-markdown.ts';
import type { Sheet, SheetNote } from './sheet.ts';
import { renderSheetHtml } from './sheet-html.ts';

type Render = (sheet: Sheet, reveal: Reveal) => string;

const renderers: Readonly<Record<string, Render>> = {
  '.md': renderSheetMarkdown,
  '.html': renderSheetHtml,
  '.json': renderSheetJson,
};

/** The form of a sheet by its file's ending. Throws `value-invalid` (exit 2): check it before anything is registered. */
export function sheetRenderer(file: string): Render {
  const render = renderers[extname(file).toLowerCase()];
  if (render !== undefined) return render;
  throw problem('value-invalid', {
    what: 'file for the hand-over sheet',
    value: file,
    why: '--handover knows the form by the ending: .md, .html or .json.',
    next: again({ handover: 'sheet.html' }),
  });
}

/** The page that the end of a set-up opens in a browser: a file of this home, without the secret. */
export const sheetPage = (home: string, key: MailboxKey): string => join(home, 'sheets', `${mailboxSlug(key)}.html`);

const generator = '<meta name="generator" content="mailauth">';
/** What every sheet has had since the second edition, by its kind of file. */
const marks: readonly string[] = [generator, '\nWritten by mailauth on ', '"schema": "mailauth/1"'];

/** The file's name belongs to something else: it exists, and no sheet of mailauth's is in it. */
export async function isTaken({ files }: Pick<Context, 'files'>, file: string): Promise<boolean> {
  const text = await files.read(resolve(file));
  return text !== undefined && text.trim() !== '' && !marks.some((mark) => text.includes(mark));
}

/** Writes the sheet, mode 0600, whole or not at all; answers the absolute path. Throws `value-invalid` and the disk's own errors. */
export async function writeSheet(ctx: Pick<Context, 'files'>, file: string, sheet: Sheet, reveal: boolean): Promise<string> {
  const render = sheetRenderer(file);
  const path = resolve(file);
  await ctx.files.writeAtomic(path, render(sheet, { reveal }));
  return path;
}

/** The sheet as data: for `--handover sheet.json` and `data.sheet`. */
export function sheetJson(sheet: Sheet, reveal: Reveal) {
  return {
    schema: 'mailauth/1' as const,
    title: sheet.title,
    mailbox: sheet.mailbox,
    for: sheet.for,
    product: sheet.product,
    writtenAt: sheet.writtenAt ?? null,
    parts: sheet.parts.map((step) => stepJson(step, reveal)),
    servers: sheet.servers,
    notes: sheet.notes,
    renewal: { at: sheet.renewal.at ?? null, what: sheet.renewal.what, steps: sheet.renewal.steps.map(({ text }) => text) },
    registered: sheet.registered.map(({ label, value }) => ({ label, value: String(value) })),
  };
}

export function renderSheetJson(sheet: Sheet, reveal: Reveal): string {
  return toJsonFile(sheetJson(sheet, reveal));
}

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
