import { basename, dirname, join } from 'node:path';
import type { Context, GuardedFile } from '../core/context.ts';
import { Secret } from '../core/secret.ts';
import type { SecretStore } from '../core/stores.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { guardWrites } from './home.ts';
import { type KeySource, readGuarded, refuseExposed, scryptCost } from './key-source.ts';
import {
  decodeEntries,
  encodeEntries,
  findEntry,
  type KeyDerivation,
  nonceLength,
  readHeader,
  saltLength,
  seal,
  Unsealable,
  unseal,
} from './sealed-file.ts';

/** A process that slept while it held the lock looks dead, and another one writes: the first begins again from what is there now. */
const changeTries = 5;
/** Long enough for twenty writers in a row, each with a few syncs of a slow disk. */
const lockWaitMs = 30_000;

interface FileStoreOptions {
  readonly ctx: Pick<Context, 'env' | 'platform' | 'files' | 'random'>;
  readonly home: string;
  readonly key: KeySource;
}

/** The sealed file of a home. */
export const sealedFile = (home: string): string => join(home, 'secrets.sealed');
/** A copy of it, written with each change, and opened by `mailauth store restore` alone. */
export const sealedCopy = (home: string): string => `${sealedFile(home)}.copy`;

/** Secrets in one sealed file. Reading takes no lock and writes nothing; a change is read, sealed anew and put in place under a lock. */
export function fileStore(options: FileStoreOptions): SecretStore {
  const path = sealedFile(options.home);
  return {
    name: 'file',
    describe: () => `sealed file ${path}`,

    async probe() {
      // Sealing what is there once more proves key, disk and lock, and a probe that is killed leaves nothing behind.
      await change(options, () => undefined);
      if ((await load(options)) === undefined)
        throw problem('sealed-file-damaged', { file: plain(path), why: 'it was gone after it was written' });
    },

    async read(entry) {
      const file = await load(options);
      const value = file === undefined ? undefined : findEntry(file.body, entry);
      return value === undefined ? undefined : new Secret(value);
    },

    write: (entry, value) =>
      change(options, (entries) => {
        entries.set(entry, value.reveal());
      }),

    async remove(entry) {
      const file = await load(options);
      // Where the entry is not there, nothing is written: so a second logout also works on a read-only disk.
      if (file === undefined || findEntry(file.body, entry) === undefined) return false;
      return change(options, (entries) => entries.delete(entry));
    },
  };
}

/** Undefined when nothing was ever stored here. */
async function load(options: FileStoreOptions): Promise<Opened | undefined> {
  const path = sealedFile(options.home);
  const file = await readSealed(options, path);
  if (file !== undefined) return openSealed(options, path, file);
  // A first write would cover the copy, the only place where the secrets still are.
  if ((await readSealed(options, sealedCopy(options.home))) === undefined) return undefined;
  throw problem('sealed-file-damaged', { file: plain(path), why: 'it is gone, and its copy is still there' });
}

interface Entries {
  readonly entries: Map<string, string>;
  readonly derivation: KeyDerivation;
  /** of the file that was read */
  readonly nonce?: string;
  readonly isNew: boolean;
}

async function entriesOf(options: FileStoreOptions): Promise<Entries> {
  const file = await load(options);
  if (file !== undefined) return { ...file, entries: decodeEntries(file.body), isNew: false };
  const salt = options.ctx.random.bytes(saltLength);
  const derivation: KeyDerivation = options.key.kind === 'scrypt' ? { kind: 'scrypt', ...scryptCost, salt } : { kind: 'key-file', salt };
  return { entries: new Map(), derivation, isNew: true };
}

function change<T>(options: FileStoreOptions, act: (entries: Map<string, string>) => T): Promise<T> {
  const { ctx, home, key } = options;
  const path = sealedFile(home);
  return guardWrites(home, async () => {
    // The key is made before the lock is taken: a person who types a passphrase must not keep other processes waiting.
    const before = await entriesOf(options);
    await key.master(before.derivation, path, before.isNew);
    const release = await ctx.files.lock(`${path}.lock`, lockWaitMs);
    if (release === undefined) throw problem('store-busy', { what: plain(path) });
    try {
      for (let tries = 0; tries < changeTries; tries += 1) {
        const { entries, isNew, nonce, ...now } = await entriesOf(options);
        const derivation = isNew ? before.derivation : now.derivation;
        const result = act(entries);
        const master = await key.master(derivation, path, isNew);
        const sealed = seal(encodeEntries(entries), master, derivation, ctx.random.bytes(nonceLength));
        if ((await nonceNow(options)) !== nonce) continue;
        await put(options, sealed, isNew);
        return result;
      }
      throw problem('store-busy', { what: plain(path) });
    } finally {
      await release();
    }
  });
}

async function nonceNow(options: FileStoreOptions): Promise<string | undefined> {
  const file = await readSealed(options, sealedFile(options.home));
  return file === undefined ? undefined : nonceOf(file.bytes);
}

/**
 * Writes the copy first, so that at every moment one of the two is whole and a removed secret is in neither at the end. A new file is
 * written before its copy, because a copy without its file looks like a file that was lost.
 */
async function put({ ctx, home }: FileStoreOptions, bytes: Buffer, isNew: boolean): Promise<void> {
  const path = sealedFile(home);
  // Temporary files of writers that were killed: under the lock no other process is writing here.
  for (const name of await ctx.files.list(home)) {
    if (name.startsWith(`${basename(path)}.`) && name.endsWith('.tmp')) await ctx.files.remove(join(dirname(path), name));
  }
  for (const to of isNew ? [path, sealedCopy(home)] : [sealedCopy(home), path]) await ctx.files.writeAtomic(to, bytes);
}

/** The bytes of a sealed file that only its owner can read. Throws `file-exposed`, `file-foreign`, `sealed-file-damaged`. */
export async function readSealed({ ctx }: Pick<FileStoreOptions, 'ctx'>, path: string): Promise<GuardedFile | undefined> {
  const file = await readGuarded(ctx.files, path, (why) => problem('sealed-file-unreadable', { file: plain(path), why }));
  if (file !== undefined) refuseExposed(file, path, ctx);
  return file;
}

interface Opened {
  readonly body: Buffer;
  readonly derivation: KeyDerivation;
  /** tells this state of the file from every other, in hex */
  readonly nonce: string;
}

/** Throws `Unsealable` where there is no header. */
const nonceOf = (bytes: Uint8Array): string => Buffer.from(readHeader(bytes).nonce).toString('hex');

/** Throws `sealed-file-damaged`, `sealed-file-newer`, `sealed-key-wrong`, `sealed-key-kind`, and what the key source throws. */
export async function openSealed({ key }: Pick<FileStoreOptions, 'key'>, path: string, { bytes }: GuardedFile): Promise<Opened> {
  try {
    const { derivation } = readHeader(bytes);
    if (derivation.kind !== key.kind) throw problem('sealed-key-kind', { file: plain(path), kind: derivation.kind });
    return { body: unseal(bytes, await key.master(derivation, path, false)), derivation, nonce: nonceOf(bytes) };
  } catch (error) {
    if (!(error instanceof Unsealable)) throw error;
    throw sealedProblem(error, plain(path), key.kind);
  }
}

function sealedProblem(error: Unsealable, file: string, kind: KeyDerivation['kind']): Error {
  const cause = { cause: error };
  if (error.kind === 'newer') return problem('sealed-file-newer', { file, format: error.format }, cause);
  if (error.kind === 'wrong-key') return problem('sealed-key-wrong', { file, kind }, cause);
  return problem('sealed-file-damaged', { file, why: error.message }, cause);
}
