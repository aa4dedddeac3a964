import { nodeCrypto } from '../core/builtins.ts';

/**
 * The format of a secret in PostgreSQL, version 1:
 *
 *     0  1   version, 1
 *     1  32  salt, new with every write: the key of this value is HKDF-SHA256 (RFC 5869) of the key file with it
 *     33 12  nonce of AES-256-GCM
 *     45 …   the value, encrypted
 *     …  16  tag
 *
 * The additional data are the database's own random id and the name of the row, so that no value can be given for another one. Every value has
 * a key of its own, because one key may seal only 2^32 values with random nonces (NIST SP 800-38D section 8.3), and a million mailboxes reach
 * that in half a year.
 */
const saltLength = 32;
const nonceLength = 12;
const tagLength = 16;
const headLength = 1 + saltLength + nonceLength;

/** What a row is bound to: `id` of the database, and its name. */
export interface RowPlace {
  readonly id: Uint8Array;
  readonly name: string;
}

/** `newer`: another version of mailauth wrote it; `damaged`: it was changed, or it belongs to another row or database. */
export class UnusableRow extends Error {
  readonly kind: 'newer' | 'damaged';
  /** of a newer one */
  readonly format: number;

  constructor(kind: UnusableRow['kind'], format = 1) {
    super(kind === 'newer' ? 'a newer mailauth wrote it' : 'it was changed, or it belongs to another row or another database');
    this.name = 'UnusableRow';
    this.kind = kind;
    this.format = format;
  }
}

/** `random`: fresh random bytes. */
export function sealRow(value: string, master: Uint8Array, place: RowPlace, random: (count: number) => Buffer): Buffer {
  const head = Buffer.concat([Buffer.of(1), random(saltLength), random(nonceLength)]);
  const cipher = nodeCrypto().createCipheriv('aes-256-gcm', keyOf(master, head), head.subarray(1 + saltLength), {
    authTagLength: tagLength,
  });
  cipher.setAAD(bound(place));
  return Buffer.concat([head, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** Throws `UnusableRow`. */
export function unsealRow(row: Uint8Array, master: Uint8Array, place: RowPlace): string {
  const bytes = Buffer.from(row.buffer, row.byteOffset, row.byteLength);
  if (bytes.length < headLength + tagLength) throw new UnusableRow('damaged');
  if (bytes[0] !== 1) throw new UnusableRow('newer', bytes[0]);
  const end = bytes.length - tagLength;
  const decipher = nodeCrypto().createDecipheriv('aes-256-gcm', keyOf(master, bytes), bytes.subarray(1 + saltLength, headLength), {
    authTagLength: tagLength,
  });
  decipher.setAAD(bound(place));
  decipher.setAuthTag(bytes.subarray(end));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(headLength, end)), decipher.final()]).toString('utf8');
  } catch {
    throw new UnusableRow('damaged');
  }
}

/** Tells whether two machines have the same key file; says nothing about the keys of values. */
export const keyCheck = (master: Uint8Array, id: Uint8Array): Buffer =>
  Buffer.from(nodeCrypto().hkdfSync('sha256', master, id, 'mailauth postgres 1 check', 16));

const keyOf = (master: Uint8Array, head: Uint8Array): Buffer =>
  Buffer.from(nodeCrypto().hkdfSync('sha256', master, head.subarray(1, 1 + saltLength), 'mailauth postgres 1 value', 32));

const bound = ({ id, name }: RowPlace): Buffer => Buffer.concat([id, Buffer.from(name)]);
