import { basename, dirname, join } from 'node:path';
import { type Line, line } from '../core/next.ts';
import { shown } from '../core/shown.ts';
import type { Session } from './session.ts';

/** The folder of the package or of the clone. This is built into a file in its `dist`; as a source it stands two folders deep. */
const ownFolder = join(import.meta.dirname, basename(import.meta.dirname) === 'dist' ? '..' : '../..');

/** What other programs import. */
export const libraryFile = join(ownFolder, 'dist', 'library.mjs');

/** What npm installed is known to it by its name. A clone is not, and a stranger could have that name before mailauth is published. */
const toInstall = (): Line =>
  basename(dirname(ownFolder)) === 'node_modules' ? line`npm install --global entra-mailauth` : line`npm install --global ${ownFolder}`;

/** `npx` runs a program from the folder `_npx` of npm's cache, `pnpm dlx` from `dlx` of pnpm's. Neither promises to keep it. */
const inCache = /[\\/](?:_npx|dlx)[\\/]/;

/** Warns before an export or a timer names a mailauth that may be gone one day. True where it warned. */
export function noteCached({ ctx, report }: Session): boolean {
  if (!inCache.test(ctx.machine.program[1] ?? '')) return false;
  report.note(
    'This names a mailauth in the cache of npx or pnpm dlx, which may be emptied one day. For one that stays:',
    shown(toInstall(), ctx.surroundings),
  );
  return true;
}

/** Says how the shell finds mailauth, where it does not. */
export async function noteMissingInPath({ ctx, report }: Session): Promise<void> {
  const separator = ctx.platform === 'win32' ? ';' : ':';
  const names = ctx.platform === 'win32' ? ['mailauth.cmd', 'mailauth.ps1'] : ['mailauth'];
  for (const folder of (ctx.env.PATH ?? '').split(separator)) {
    if (folder === '') continue;
    const found: readonly string[] = await ctx.files.list(folder).catch(() => []);
    if (names.some((name) => found.includes(name))) return;
  }
  report.note('mailauth is not in your PATH yet:', shown(toInstall(), ctx.surroundings));
}
