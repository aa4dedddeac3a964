import { nodeCrypto } from '../core/builtins.ts';

/**
 * The format of the sealed file, version 1; all numbers big-endian. Pure: bytes in, bytes out.
 *
 *     0  8   magic "MAILAUTH"
 *     8  1   version, 1
 *     9  1   where the key comes from: 1 scrypt (RFC 7914), 2 key file
 *    10  3   scrypt: log2 N, r, p; zeros with a key file
 *    13  3   zeros
 *    16  32  salt
 *    48  16  key check: tells a wrong passphrase from a damaged file
 *    64  12  nonce, new with every write
 *    76  4   length of the body
 *    80  8   checksum of bytes 0 to 79: tells an accident to the header from a wrong passphrase
 *    88  …   body, AES-256-GCM; the whole header is its additional data
 *     …  16  tag
 *
 * Every later version keeps bytes 0 to 8, and the checksum where it is: by these this one tells it from a damaged file.
 *
 * One seal covers everything: no single entry can be removed, exchanged or set back. The body is laid out so that one entry among a
 * thousand is found without parsing the others: count (4), then for each name length (2), name, value length (4), value.
 */
export type KeyDerivation =
  | { readonly kind: 'scrypt'; readonly log2n: number; readonly r: number; readonly p: number; readonly salt: Uint8Array }
  | { readonly kind: 'key-file'; readonly salt: Uint8Array };

interface SealedHeader {
  readonly derivation: KeyDerivation;
  readonly keyCheck: Uint8Array;
  readonly nonce: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Why a file cannot be opened; the message never quotes the file. */
export class Unsealable extends Error {
  readonly kind: 'damaged' | 'newer' | 'wrong-key';
  /** of a newer one */
  readonly format: number;

  constructor(kind: Unsealable['kind'], message: string, format = 1) {
    super(message);
    this.name = 'Unsealable';
    this.kind = kind;
    this.format = format;
  }
}

export const saltLength = 32;
export const nonceLength = 12;
const magic = Buffer.from('MAILAUTH');
const checkedLength = 80;
const headerLength = 88;
const tagLength = 16;
/** of an entry's value, between its name and the value */
const lengthSize = 4;

const damaged = (why: string): Unsealable => new Unsealable('damaged', why);

/** Reads the header alone: nothing is decrypted and no key is needed. Throws `Unsealable`. */
export function readHeader(file: Uint8Array): SealedHeader {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < headerLength + tagLength) throw damaged(`it has only ${bytes.length} bytes`);
  if (!bytes.subarray(0, 8).equals(magic)) throw damaged('it does not begin as a sealed file does');
  if (!bytes.subarray(checkedLength, headerLength).equals(checksum(bytes.subarray(0, checkedLength))))
    throw damaged('its header was changed');
  const format = bytes.readUInt8(8);
  if (format !== 1) throw new Unsealable('newer', 'a newer mailauth wrote it', format);
  const expected = headerLength + bytes.readUInt32BE(76) + tagLength;
  if (bytes.length !== expected) throw damaged(`it has ${bytes.length} bytes, and should have ${expected}`);
  return {
    derivation: readDerivation(bytes),
    keyCheck: bytes.subarray(48, 64),
    nonce: bytes.subarray(64, 76),
    bytes: bytes.subarray(0, headerLength),
  };
}

/** Limited to twice the cost that mailauth writes: a forged header must not cost every command a gigabyte and a minute. */
function readDerivation(bytes: Buffer): KeyDerivation {
  const [kind, log2n = 0, r = 0, p = 0] = bytes.subarray(9, 13);
  const salt = bytes.subarray(16, 48);
  if (bytes.readUIntBE(13, 3) !== 0) throw damaged('its header is not one that mailauth writes');
  if (kind === 2 && log2n === 0 && r === 0 && p === 0) return { kind: 'key-file', salt };
  if (kind === 1 && log2n >= 14 && log2n <= 18 && r >= 1 && r <= 8 && p >= 1 && p <= 2) return { kind: 'scrypt', log2n, r, p, salt };
  throw damaged('its header names no key derivation that mailauth uses');
}

/** The decrypted body. `master`: 32 bytes of the key file, or of scrypt. Throws `Unsealable`. */
export function unseal(file: Uint8Array, master: Uint8Array): Buffer {
  const header = readHeader(file);
  const { salt } = header.derivation;
  if (!nodeCrypto().timingSafeEqual(header.keyCheck, subkey(master, salt, 'check', 16)))
    throw new Unsealable('wrong-key', 'it was sealed with another key');
  const decipher = nodeCrypto().createDecipheriv('aes-256-gcm', subkey(master, salt, 'seal', 32), header.nonce, {
    authTagLength: tagLength,
  });
  decipher.setAAD(header.bytes);
  decipher.setAuthTag(file.subarray(file.length - tagLength));
  try {
    const body = decipher.update(file.subarray(headerLength, file.length - tagLength));
    // GCM returns all plain text before the end; `final` only checks the tag.
    decipher.final();
    return body;
  } catch {
    throw damaged('its content was changed');
  }
}

/** A whole sealed file. `nonce`: 12 bytes that were never used before. */
export function seal(body: Uint8Array, master: Uint8Array, derivation: KeyDerivation, nonce: Uint8Array): Buffer {
  const { salt } = derivation;
  const header = Buffer.alloc(headerLength);
  magic.copy(header, 0);
  header.writeUInt8(1, 8);
  const { log2n, r, p } = derivation.kind === 'scrypt' ? derivation : { log2n: 0, r: 0, p: 0 };
  header.set([derivation.kind === 'scrypt' ? 1 : 2, log2n, r, p], 9);
  header.set(salt, 16);
  header.set(subkey(master, salt, 'check', 16), 48);
  header.set(nonce, 64);
  header.writeUInt32BE(body.length, 76);
  header.set(checksum(header.subarray(0, checkedLength)), checkedLength);
  const cipher = nodeCrypto().createCipheriv('aes-256-gcm', subkey(master, salt, 'seal', 32), nonce, { authTagLength: tagLength });
  cipher.setAAD(header);
  return Buffer.concat([header, cipher.update(body), cipher.final(), cipher.getAuthTag()]);
}

/** HKDF (RFC 5869) derives two keys, so that the key check, which anybody can read, tells nothing about the key that encrypts. */
function subkey(master: Uint8Array, salt: Uint8Array, use: 'check' | 'seal', length: number): Buffer {
  return Buffer.from(nodeCrypto().hkdfSync('sha256', master, salt, `mailauth sealed file 1 ${use}`, length));
}

const checksum = (bytes: Uint8Array): Buffer => nodeCrypto().createHash('sha256').update(bytes).digest().subarray(0, 8);

export function encodeEntries(entries: ReadonlyMap<string, string>): Buffer {
  const parts = [uint(entries.size, 4)];
  for (const [name, value] of entries) {
    const [key, content] = [Buffer.from(name), Buffer.from(value)];
    parts.push(uint(key.length, 2), key, uint(content.length, 4), content);
  }
  return Buffer.concat(parts);
}

function uint(value: number, size: 2 | 4): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
}

/** Gets the offsets of an entry's name, of its value and of its end; answers true to stop. */
type Visit = (name: number, value: number, end: number) => boolean;

/**
 * Visits every entry that has a name of `nameLength` bytes (undefined: of any), until `visit` answers true. It reads byte by byte in one loop,
 * because `token get` passes a thousand entries only once, before the compiler has optimised the code. Throws `Unsealable`.
 */
function walk(body: Uint8Array, nameLength: number | undefined, visit: Visit): void {
  const size = body.length;
  let at = 0;
  const u32 = (): number => {
    at += 4;
    return ((body[at - 4] ?? 0) * 256 + (body[at - 3] ?? 0)) * 65_536 + (body[at - 2] ?? 0) * 256 + (body[at - 1] ?? 0);
  };
  const count = u32();
  for (let i = 0; i < count && at <= size; i += 1) {
    const name = at + 2;
    const length = (body[at] ?? 0) * 256 + (body[at + 1] ?? 0);
    at = name + length;
    const valueLength = u32();
    const value = at;
    at += valueLength;
    if (at <= size && (nameLength === undefined || length === nameLength) && visit(name, value, at)) return;
  }
  // mailauth sealed this file, so only a bug of mailauth leads here; half a secret must not be the result.
  if (at !== size) throw damaged('its content is not what mailauth writes');
}

/** One entry's value. Throws `Unsealable`. */
export function findEntry(body: Buffer, name: string): string | undefined {
  const wanted = Buffer.from(name);
  let found: string | undefined;
  walk(body, wanted.length, (start, value, end) => {
    if (body.compare(wanted, 0, wanted.length, start, value - lengthSize) !== 0) return false;
    found = body.toString('utf8', value, end);
    return true;
  });
  return found;
}

/** All entries. Throws `Unsealable`. */
export function decodeEntries(body: Buffer): Map<string, string> {
  const entries = new Map<string, string>();
  walk(body, undefined, (name, value, end) => {
    entries.set(body.toString('utf8', name, value - lengthSize), body.toString('utf8', value, end));
    return false;
  });
  return entries;
}
