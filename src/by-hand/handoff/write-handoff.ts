import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Context } from '../../core/context.ts';
import { sha256 } from '../../core/hashes.ts';
import type { MailboxKey } from '../../core/mailbox.ts';
import { plain } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { mailboxSlug } from '../../store/mailbox-file.ts';
import { toJsonFile } from '../../store/schemas.ts';
import type { HandoffFile } from './handoff-request.ts';

/** Holds hashes of what mailauth wrote, to tell a file that somebody edited from one of ours. */
const memory = '.written-by-mailauth.json';
/** so many hashes are kept for each file */
const versions = 5;
const hashes = z.record(z.string(), z.array(z.string()));

/** `<home>/handoff/<slug of mailbox and product>` */
export const handoffFolder = (home: string, key: MailboxKey): string => join(home, 'handoff', mailboxSlug(key));

/** The mailboxes that have a folder here. A folder whose name holds a hash is left out: only its own set-up knows whose it is. */
export async function handoffKeys({ files }: Pick<Context, 'files'>, home: string): Promise<readonly MailboxKey[]> {
  const names = await files.list(join(home, 'handoff'));
  return names.flatMap((name) => {
    const [mailbox = '', product = ''] = name.split('~');
    const key = { mailbox, for: product };
    return mailboxSlug(key) === name ? [key] : [];
  });
}

/**
 * Writes the folder (0700, files 0600, each whole or not at all) and returns its path. A second run with the same content writes nothing.
 * Throws `handoff-file-kept` (1), before anything is written, if a file of the same name is not as mailauth left it.
 */
export async function writeHandoff(ctx: Pick<Context, 'files'>, folder: string, files: readonly HandoffFile[]): Promise<string> {
  const written = await remembered(ctx, folder);
  const present = await Promise.all(files.map(({ name }) => ctx.files.read(join(folder, name))));
  const changed = files.filter(({ text }, i) => present[i] !== text);
  const foreign = files.filter(({ name, text }, i) => {
    const has = present[i];
    return has !== undefined && has !== text && written[name]?.includes(sha256(has)) !== true;
  });
  if (foreign.length > 0) throw problem('handoff-file-kept', { folder: plain(folder), files: foreign.map(({ name }) => name) });

  if (changed.length > 0) {
    // Written before the files: after a run that stops between two files, the next run knows the old and the new ones as ours.
    const both = files.map(({ name, text }) => [name, [...new Set([sha256(text), ...(written[name] ?? [])])].slice(0, versions)] as const);
    await ctx.files.writeAtomic(join(folder, memory), toJsonFile({ ...written, ...Object.fromEntries(both) }));
  }
  for (const { name, text } of changed) await ctx.files.writeAtomic(join(folder, name), text);
  return folder;
}

async function remembered({ files }: Pick<Context, 'files'>, folder: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const text = await files.read(join(folder, memory));
  if (text === undefined) return {};
  try {
    const read = hashes.safeParse(JSON.parse(text));
    return read.success ? read.data : {};
  } catch {
    // A damaged file tells nothing: no file counts as ours then, and none is overwritten.
    return {};
  }
}
