import { isAbsolute, relative, resolve } from 'node:path';
import { nodeCrypto } from '../core/builtins.ts';
import type { Context, Files, GuardedFile } from '../core/context.ts';
import { decodeText, plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { diskReason } from './home.ts';
import type { KeyDerivation } from './sealed-file.ts';

export const keyLength = 32;
/** RFC 7914. One derivation takes 128 MiB and about half a second, so that guessing passphrases is expensive. */
export const scryptCost = { log2n: 17, r: 8, p: 1 } as const;

/** Where the key of a sealed file comes from. Read at most once a command, so that a person is asked once. */
export interface KeySource {
  readonly kind: KeyDerivation['kind'];
  /** 32 bytes. `file` is named in the question and in errors; `isNew`: it does not exist yet, so a person types the passphrase twice */
  master(derivation: KeyDerivation, file: string, isNew: boolean): Promise<Uint8Array>;
}

interface KeySourceOptions {
  readonly ctx: Pick<Context, 'env' | 'files' | 'prompts' | 'platform'>;
  /** a person is there, and prompts are on */
  readonly canAsk: boolean;
  /** the key file that mailauth made for this home */
  readonly recorded?: string | undefined;
}

/** MAILAUTH_KEY_FILE, else the key file of this home, else MAILAUTH_PASSPHRASE_FILE, MAILAUTH_PASSPHRASE, a masked question; the first that is set is the only one. */
export function keySource(options: KeySourceOptions): KeySource {
  const { ctx } = options;
  const { MAILAUTH_KEY_FILE: named } = ctx.env;
  const keyFile = named ? resolve(named) : options.recorded;
  if (keyFile !== undefined) {
    let key: Promise<Uint8Array> | undefined;
    return {
      kind: 'key-file',
      master: () => {
        key ??= readKeyFile(keyFile, named ? 'MAILAUTH_KEY_FILE' : 'home.json', ctx);
        return key;
      },
    };
  }
  let passphrase: Promise<string> | undefined;
  const derived = new Map<string, Promise<Uint8Array>>();
  return {
    kind: 'scrypt',
    async master(derivation, file, isNew) {
      passphrase ??= readPassphrase(ctx, options.canAsk, file, isNew);
      const words = await passphrase;
      const salt = Buffer.from(derivation.salt).toString('hex');
      const known = derived.get(salt) ?? stretch(words, derivation);
      derived.set(salt, known);
      return known;
    },
  };
}

async function stretch(passphrase: string, derivation: KeyDerivation): Promise<Uint8Array> {
  if (derivation.kind !== 'scrypt') throw new Error('a key file needs no scrypt');
  const { log2n, r, p, salt } = derivation;
  const N = 2 ** log2n;
  return new Promise((done, fail) => {
    // Another keyboard or system may compose the same characters differently, so they are brought into one form (Unicode NFC).
    nodeCrypto().scrypt(passphrase.normalize('NFC'), salt, keyLength, { N, r, p, maxmem: 128 * r * (N + p + 2) }, (error, key) =>
      error === null ? done(key) : fail(error),
    );
  });
}

/** The least length of a new passphrase. The passphrase of an existing file is taken whatever its length. */
const fewestCharacters = 12;

async function readPassphrase(ctx: KeySourceOptions['ctx'], canAsk: boolean, file: string, isNew: boolean): Promise<string> {
  const longEnough = (words: string, from: string): string => {
    if (isNew && words.length < fewestCharacters) throw problem('passphrase-short', { from, fewest: fewestCharacters });
    return words;
  };
  const { MAILAUTH_PASSPHRASE_FILE: passphraseFile, MAILAUTH_PASSPHRASE: fromEnvironment } = ctx.env;
  if (passphraseFile) {
    const path = resolve(passphraseFile);
    const { bytes } = await readPrivate(path, 'MAILAUTH_PASSPHRASE_FILE', ctx);
    const words = decodeText(bytes).replace(/[\r\n]+$/, '');
    if (words !== '' && !/[\r\n]/.test(words)) return longEnough(words, plain(path));
    throw problem('passphrase-file-unusable', { file: plain(path), why: 'It must hold the passphrase on one line and nothing else' });
  }
  if (fromEnvironment) return longEnough(fromEnvironment, 'MAILAUTH_PASSPHRASE');
  if (!canAsk) throw problem('passphrase-needed', { file: plain(file) });
  if (!isNew) return ctx.prompts.secret({ message: `Passphrase of ${plain(file)}?`, check: (value) => value !== '' || 'nothing there' });
  const first = await ctx.prompts.secret({
    message: `New passphrase for ${plain(file)}? (it opens the sign-ins kept there; without it every mailbox must sign in again)`,
    check: (value) => value.length >= fewestCharacters || `at least ${fewestCharacters} characters; four or five unrelated words are good`,
  });
  await ctx.prompts.secret({ message: 'The same passphrase again?', check: (value) => value === first || 'not the same' });
  return first;
}

async function readKeyFile(path: string, namedBy: NamedBy, ctx: KeySourceOptions['ctx']): Promise<Uint8Array> {
  const { bytes } = await readPrivate(path, namedBy, ctx);
  if (bytes.length === keyLength) return bytes;
  throw problem('key-file-unusable', { file: plain(path), why: `It has ${bytes.length} bytes, and must have ${keyLength}` });
}

type NamedBy = 'MAILAUTH_KEY_FILE' | 'MAILAUTH_PASSPHRASE_FILE' | 'home.json';

async function readPrivate(path: string, namedBy: NamedBy, ctx: KeySourceOptions['ctx']): Promise<GuardedFile> {
  const code = namedBy === 'MAILAUTH_PASSPHRASE_FILE' ? 'passphrase-file-unusable' : 'key-file-unusable';
  const file = await readGuarded(ctx.files, path, (why) => problem(code, { file: plain(path), why }));
  if (file === undefined) throw problem(code, { file: plain(path), why: `${namedBy} names it, and there is no such file` });
  refuseExposed(file, path, ctx);
  return file;
}

/** Turns what the disk says about reading into the caller's problem. */
export async function readGuarded(files: Files, path: string, unreadable: (why: string) => Error): Promise<GuardedFile | undefined> {
  try {
    return await files.readGuarded(path);
  } catch (error) {
    const why = diskReason(error);
    throw why === undefined ? error : unreadable(`It cannot be read: ${why}`);
  }
}

/**
 * Throws `file-exposed` or `file-foreign` where another user can read or change the file. Service managers make two kinds of files with modes
 * of their own, in folders that are private as a whole: systemd's credentials (0400, or 0440 where an access list lets the
 * service in; systemd.exec(5), CREDENTIALS_DIRECTORY) and a container's secrets (0444 under /run/secrets; Docker, "Manage sensitive data").
 */
export function refuseExposed(file: GuardedFile, path: string, ctx: Pick<Context, 'env' | 'platform'>): void {
  // Windows has access lists in place of modes, and they protect the profile folder.
  if (ctx.platform === 'win32') return;
  const { CREDENTIALS_DIRECTORY: credentials } = ctx.env;
  const handed = credentials && isInside(path, credentials) ? 0o027 : isInside(path, '/run/secrets') ? 0o022 : undefined;
  if (file.owner === 'other') throw problem('file-foreign', { file: plain(path) });
  if ((file.mode & (handed ?? 0o077)) !== 0)
    throw problem('file-exposed', { file: plain(path), mode: file.mode.toString(8).padStart(4, '0') });
}

function isInside(path: string, folder: string): boolean {
  const way = relative(resolve(folder), path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}
