import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeEntries,
  encodeEntries,
  findEntry,
  type KeyDerivation,
  readHeader,
  seal,
  Unsealable,
  unseal,
} from '../../../src/store/sealed-file.ts';

const key = Buffer.alloc(32, 1);
const salt = Buffer.alloc(32, 2);
const nonce = Buffer.alloc(12, 3);
const keyFile: KeyDerivation = { kind: 'key-file', salt };
const scrypt: KeyDerivation = { kind: 'scrypt', log2n: 17, r: 8, p: 1, salt };
const two = new Map([
  ['token/x', 'one ä😀'],
  ['client-secret/x', ''],
]);
const sealed = (entries = two, derivation: KeyDerivation = keyFile) => seal(encodeEntries(entries), key, derivation, nonce);

/** What opening came to: the kind of the trouble, or the entries. */
function outcome(file: Uint8Array, master: Uint8Array = key): string | Map<string, string> {
  try {
    return decodeEntries(unseal(file, master));
  } catch (error) {
    if (error instanceof Unsealable) return error.kind;
    throw error;
  }
}

describe('the sealed file', () => {
  it('gives back what was sealed, and finds one entry without the others', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.string({ unit: 'grapheme' }))), (list) => {
        const entries = new Map(list);
        expect(outcome(sealed(entries))).toEqual(entries);
        for (const [name, value] of entries) expect(findEntry(encodeEntries(entries), name)).toBe(value);
      }),
      { numRuns: 50 },
    );
    expect(findEntry(encodeEntries(two), 'token/y')).toBeUndefined();
  });

  it('is opened by no other key, and says so', () => {
    expect(outcome(sealed(), Buffer.alloc(32, 9))).toBe('wrong-key');
    expect(outcome(sealed(two, scrypt), Buffer.alloc(32, 9))).toBe('wrong-key');
  });

  it.each([
    ['key file', keyFile],
    ['passphrase', scrypt],
  ])('with a %s: every flipped bit and every cut is noticed, and none is taken for a wrong key', (_, derivation) => {
    const whole = sealed(two, derivation);
    for (let i = 0; i < whole.length; i += 1) {
      for (const bit of [1, 128]) {
        const changed = Buffer.from(whole);
        changed[i] = (changed[i] ?? 0) ^ bit;
        expect(outcome(changed), `byte ${i}`).toBe('damaged');
      }
      expect(outcome(whole.subarray(0, i)), `cut at ${i}`).toBe('damaged');
    }
    expect(outcome(Buffer.concat([whole, Buffer.of(0)]))).toBe('damaged');
  });

  it('cannot be put together from two of its versions', () => {
    const [first, second] = [sealed(), seal(encodeEntries(new Map(two).set('token/x', 'two ä😀')), key, keyFile, Buffer.alloc(12, 4))];
    expect(first.length).toBe(second.length);
    for (let i = 65; i < first.length - 1; i += 1) {
      expect(outcome(Buffer.concat([first.subarray(0, i), second.subarray(i)])), `at ${i}`).toBe('damaged');
    }
  });

  it('never shows a secret or a name in its bytes', () => {
    const bytes = sealed(new Map([['token/helpdesk', 'a-secret-value']])).toString('latin1');
    expect(bytes).not.toContain('helpdesk');
    expect(bytes).not.toContain('a-secret');
  });

  it('refuses costs that mailauth never writes before anything is derived', () => {
    for (const cost of [
      { log2n: 19, r: 8, p: 1 },
      { log2n: 17, r: 8, p: 3 },
      { log2n: 31, r: 8, p: 1 },
      { log2n: 10, r: 8, p: 1 },
      { log2n: 17, r: 200, p: 1 },
      { log2n: 17, r: 8, p: 0 },
      { log2n: 17, r: 8, p: 255 },
    ]) {
      expect(() => readHeader(sealed(two, { kind: 'scrypt', salt, ...cost }))).toThrow(/key derivation/);
    }
    expect(readHeader(sealed(two, scrypt)).derivation).toEqual(scrypt);
  });

  it('is not guessed at when it is something else', () => {
    expect(outcome(Buffer.alloc(0))).toBe('damaged');
    expect(outcome(Buffer.from('{"version":1,"secrets":{}}'.padEnd(200)))).toBe('damaged');
    expect(outcome(randomBytes(500))).toBe('damaged');
  });
});
