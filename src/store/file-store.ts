import { basename, dirname, join } from 'node:path';
import type { Context, GuardedFile } from '../core/context.ts';
import { Secret } from '../core/secret.ts';
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
import type { SecretStore } from './store.ts';

/** A closed lid makes a lock look dead, and then somebody else writes: who wakes up begins again from what is there now. */
const changeTries = 5;
/** Twenty writers in a row, each with a few syncs of a slow disk. */
const lockWaitMs = 30_000;

export interface FileStoreOptions {
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
  const { ctx, home } = options;
  const path = sealedFile(home);

  /** undefined when nothing was ever stored here */
  const load = async (): Promise<Opened | undefined> => {
    const file = await readSealed(options, path);
    if (file !== undefined) return openSealed(options, path, file);
    // A first write would cover the copy, the only place where the secrets still are.
    if ((await readSealed(options, sealedCopy(home))) === undefined) return undefined;
    throw problem('sealed-file-damaged', { file: plain(path), why: 'it is gone, and its copy is still there' });
  };

  const entriesOf = async (): Promise<{ entries: Map<string, string>; derivation: KeyDerivation; nonce?: string; isNew: boolean }> => {
    const file = await load();
    if (file !== undefined) return { ...file, entries: decodeEntries(file.body), isNew: false };
    const salt = ctx.random.bytes(saltLength);
    const derivation: KeyDerivation = options.key.kind === 'scrypt' ? { kind: 'scrypt', ...scryptCost, salt } : { kind: 'key-file', salt };
    return { entries: new Map(), derivation, isNew: true };
  };

  const change = <T>(act: (entries: Map<string, string>) => T): Promise<T> =>
    guardWrites(home, async () => {
      // Before the lock: a person who is typing a passphrase must keep nobody waiting.
      const before = await entriesOf();
      await options.key.master(before.derivation, path, before.isNew);
      const release = await ctx.files.lock(`${path}.lock`, lockWaitMs);
      if (release === undefined) throw problem('store-busy', { what: plain(path) });
      try {
        for (let tries = 0; tries < changeTries; tries += 1) {
          const { entries, isNew, nonce, ...now } = await entriesOf();
          const derivation = isNew ? before.derivation : now.derivation;
          const result = act(entries);
          const master = await options.key.master(derivation, path, isNew);
          const sealed = seal(encodeEntries(entries), master, derivation, ctx.random.bytes(nonceLength));
          if ((await nonceThere()) !== nonce) continue;
          await put(options, sealed, isNew);
          return result;
        }
        throw problem('store-busy', { what: plain(path) });
      } finally {
        await release();
      }
    });

  const nonceThere = async (): Promise<string | undefined> => {
    const file = await readSealed(options, path);
    return file === undefined ? undefined : nonceOf(file.bytes);
  };

  return {
    name: 'file',
    describe: () => `sealed file ${path}`,

    async probe() {
      // Sealing what is there once more proves key, disk and lock, and a probe that is killed leaves nothing behind.
      await change(() => undefined);
      if ((await load()) === undefined)
        throw problem('sealed-file-damaged', { file: plain(path), why: 'it was gone after it was written' });
    },

    async read(entry) {
      const file = await load();
      const value = file === undefined ? undefined : findEntry(file.body, entry);
      return value === undefined ? undefined : new Secret(value);
    },

    write: (entry, value) =>
      change((entries) => {
        entries.set(entry, value.reveal());
      }),

    async remove(entry) {
      const file = await load();
      // Nothing there is nothing to write: a second logout works on a read-only disk, too.
      if (file === undefined || findEntry(file.body, entry) === undefined) return false;
      return change((entries) => entries.delete(entry));
    },
  };
}

/**
 * The copy first, so that at every moment one of the two is whole and a removed secret is in neither at the end; a new file first itself,
 * because a copy without its file reads as a loss.
 */
async function put({ ctx, home }: FileStoreOptions, bytes: Buffer, isNew: boolean): Promise<void> {
  const path = sealedFile(home);
  // Left by writers that were killed; under the lock nobody else is writing here.
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
  if (error.kind === 'newer') return problem('sealed-file-newer', { file }, cause);
  if (error.kind === 'wrong-key') return problem('sealed-key-wrong', { file, kind }, cause);
  return problem('sealed-file-damaged', { file, why: error.message }, cause);
}
