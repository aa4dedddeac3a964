import * as z from 'zod/mini';
import { sha256 } from '../core/hashes.ts';
import type { Keychain } from '../core/keychain-port.ts';

/**
 * Values of any size in a keychain whose entries have a limit (Windows: 1280 UTF-16 units).
 *
 * A short value is the entry itself. A long one is cut into part entries `<account>#<generation><index>`, and the entry
 * itself becomes a head that names generation, number of parts and SHA-256. A write fills the generation that
 * the head does not name, switches the head, and only then deletes the old parts: whatever stops it, a reader finds
 * the old value or the new one. Parts are written upwards and deleted downwards, so that leftovers are always
 * a row from 0 that the next write or removal can find. One writer at a time; readers need no lock.
 */
export interface SplitEntry {
  /** undefined when there is no entry; throws `DamagedValue` */
  read(): Promise<string | undefined>;
  write(value: string): Promise<void>;
  /** false when there was no entry */
  remove(): Promise<boolean>;
}

/** `newer`: a later mailauth cut the value in parts, in its own way. */
export class DamagedValue extends Error {
  readonly newer: number | undefined;

  constructor(message: string, newer?: number) {
    super(message);
    this.newer = newer;
  }
}

type Generation = 'a' | 'b';

const headSchema = z.object({
  'mailauth-split': z.literal(1),
  generation: z.enum(['a', 'b']),
  parts: z.int().check(z.positive(), z.maximum(10_000)),
  sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
});
type Head = z.infer<typeof headSchema>;

const headStart = '{"mailauth-split":';
/** A head has about 140 units, so a keychain with a smaller limit cannot be used. */
const smallestLimit = 256;
/** A reader has to try again only when another process wrote the whole value meanwhile. */
const readTries = 5;
const writeTries = 3;

export function splitEntry(keychain: Keychain, service: string, account: string): SplitEntry {
  const { limit } = keychain;
  if (limit < smallestLimit) throw new RangeError(`a keychain with a limit of ${limit}`);
  const parts = partEntries(keychain, service, account);

  const currentGeneration = async (): Promise<Generation | undefined> => {
    const stored = (await keychain.getPassword(service, account)) ?? '';
    refuseNewerHead(stored);
    const head = headSchema.safeParse(parseJson(stored));
    // A damaged head names no generation, and writing repairs it.
    return head.data?.generation;
  };

  const writeSplit = async (value: string): Promise<void> => {
    const text = encode(value);
    for (let tries = 0; tries < writeTries; tries++) {
      const generation = otherThan(await currentGeneration());
      const head = await parts.write(generation, text);
      const marker = JSON.stringify(head);
      await keychain.setPassword(service, account, marker);
      // Another program that wrote at the same time without the lock may have mixed its parts with these.
      if ((await keychain.getPassword(service, account)) !== marker) return;
      if ((await parts.read(head)) === undefined) continue;
      await parts.clean(generation, head.parts);
      await parts.clean(otherThan(generation), 0);
      return;
    }
    throw new DamagedValue('another program writes the same entry again and again');
  };

  return {
    async read() {
      for (let tries = 0; tries < readTries; tries++) {
        const stored = await keychain.getPassword(service, account);
        if (stored === null) return undefined;
        const head = parseHead(stored);
        if (head === undefined) return stored;
        const text = await parts.read(head);
        if (text !== undefined) return decode(text);
      }
      throw new DamagedValue('its parts do not fit together');
    },

    async write(value) {
      if (!fitsPlain(value, limit)) return writeSplit(value);
      await keychain.setPassword(service, account, value);
      await parts.cleanAll();
    },

    async remove() {
      const existed = await keychain.deletePassword(service, account);
      await parts.cleanAll();
      return existed;
    },
  };
}

const otherThan = (generation: Generation | undefined): Generation => (generation === 'a' ? 'b' : 'a');

/** The part entries of one value. */
function partEntries(keychain: Keychain, service: string, account: string) {
  const partAccount = (generation: Generation, index: number) => `${account}#${generation}${index}`;

  const clean = async (generation: Generation, from: number): Promise<void> => {
    let end = from;
    while ((await keychain.getPassword(service, partAccount(generation, end))) !== null) end++;
    for (let index = end - 1; index >= from; index--) await keychain.deletePassword(service, partAccount(generation, index));
  };

  return {
    /** undefined where the parts are not those that the head names */
    async read(head: Head): Promise<string | undefined> {
      let text = '';
      for (let index = 0; index < head.parts; index++) {
        const part = await keychain.getPassword(service, partAccount(head.generation, index));
        if (part === null) return undefined;
        text += part;
      }
      return sha256(text) === head.sha256 ? text : undefined;
    },

    /** Answers the head that names what was written. */
    async write(generation: Generation, text: string): Promise<Head> {
      const parts = cut(text, keychain.limit);
      for (const [index, part] of parts.entries()) await keychain.setPassword(service, partAccount(generation, index), part);
      return { 'mailauth-split': 1, generation, parts: parts.length, sha256: sha256(text) };
    },

    /** Deletes the parts of a generation from this index on, the last one first. */
    clean,

    async cleanAll(): Promise<void> {
      await clean('a', 0);
      await clean('b', 0);
    },
  };
}

/** Lone surrogates would come back as U+FFFD (keychains store UTF-8), and a value that looks like a head would be taken for one. */
const fitsPlain = (value: string, limit: number): boolean =>
  value.length <= limit && !/\p{Cs}/u.test(value) && !value.startsWith(headStart);

/** Pure ASCII, so that it can be cut anywhere and one unit is one byte: a JSON string with everything else as `\uXXXX`. */
const encode = (value: string): string =>
  JSON.stringify(value).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

function decode(text: string): string {
  const parsed = z.string().safeParse(parseJson(text));
  if (!parsed.success) throw new DamagedValue('its parts are not what was written');
  return parsed.data;
}

function parseHead(stored: string): Head | undefined {
  if (!stored.startsWith(headStart)) return undefined;
  refuseNewerHead(stored);
  const head = headSchema.safeParse(parseJson(stored));
  if (!head.success) throw new DamagedValue('its head cannot be read');
  return head.data;
}

const newerHead = z.object({ 'mailauth-split': z.int().check(z.minimum(2)) });

function refuseNewerHead(stored: string): void {
  const head = stored.startsWith(headStart) ? newerHead.safeParse(parseJson(stored)) : undefined;
  if (head?.success === true) throw new DamagedValue('a newer mailauth wrote it', head.data['mailauth-split']);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** At least one part, also for an empty text (which JSON never is). */
function cut(text: string, limit: number): readonly string[] {
  if (text.length <= limit) return [text];
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += limit) parts.push(text.slice(at, at + limit));
  return parts;
}
