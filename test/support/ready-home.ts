import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { MemoryKeychain } from './context.ts';
import { keyFiles } from './sandbox.ts';

/** What a home and its keychain hold, kept in memory, so that nothing is left on the disk when the tests end. */
export interface Home {
  readonly entries: readonly Entry[];
  readonly secrets: ReadonlyMap<string, string>;
}

interface Entry {
  readonly name: string;
  readonly mode: number;
  /** undefined for a folder */
  readonly bytes: Buffer | undefined;
}

export async function readHome(folder: string, keychain: MemoryKeychain): Promise<Home> {
  const found = await readdir(folder, { withFileTypes: true, recursive: true });
  const entries = found.map(async (one): Promise<Entry> => {
    const path = join(one.parentPath, one.name);
    const { mode } = await stat(path);
    return { name: relative(folder, path), mode: mode & 0o777, bytes: one.isDirectory() ? undefined : await readFile(path) };
  });
  // A folder comes before what is in it.
  const sorted = (await Promise.all(entries)).sort((a, b) => (a.name < b.name ? -1 : 1));
  return { entries: sorted, secrets: new Map(keychain.entries) };
}

/** No command has run there: only the keys of the sandbox are there, which the machines of a worker share. */
export const isNew = ({ entries, secrets }: Home): boolean =>
  secrets.size === 0 && entries.every(({ name }) => name === 'sandbox' || keyFiles.some((file) => name === join('sandbox', file)));

export async function writeHome(folder: string, keychain: MemoryKeychain, { entries, secrets }: Home): Promise<void> {
  for (const { name, mode, bytes } of entries) {
    const path = join(folder, name);
    if (bytes === undefined) await mkdir(path, { recursive: true });
    else await writeFile(path, bytes);
    // Whatever the umask of this process is, the copy has the mode of the original.
    await chmod(path, mode);
  }
  for (const [entry, secret] of secrets) keychain.entries.set(entry, secret);
}
