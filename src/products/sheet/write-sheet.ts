import { extname, resolve } from 'node:path';
import type { Context } from '../../core/context.ts';
import { again } from '../../core/next.ts';
import { problem } from '../../errors/problem.ts';
import type { Reveal } from '../step/step.ts';
import type { Sheet } from './sheet.ts';
import { renderSheetHtml } from './sheet-html.ts';
import { renderSheetJson } from './sheet-json.ts';
import { renderSheetMarkdown } from './sheet-markdown.ts';

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

/** Writes the sheet, mode 0600, whole or not at all; answers the absolute path. Throws `value-invalid` and the disk's own errors. */
export async function writeSheet(ctx: Pick<Context, 'files'>, file: string, sheet: Sheet, reveal: boolean): Promise<string> {
  const render = sheetRenderer(file);
  const path = resolve(file);
  await ctx.files.writeAtomic(path, render(sheet, { reveal }));
  return path;
}
