import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyCheck, sealRow, UnusableRow, unsealRow } from '../../../src/database/sealed-row.ts';

const master = randomBytes(32);
const place = { id: randomBytes(32), name: 'token/this-computer/ops@contoso.com' };
const value = '{"accessToken":"geheim ✓"}';
const sealed = sealRow(value, master, place, randomBytes);

describe('a sealed row', () => {
  it('opens with its key in its place, and shows nothing of the value', () => {
    expect(unsealRow(sealed, master, place)).toBe(value);
    expect(sealed.toString('latin1')).not.toContain('accessToken');
    expect(unsealRow(sealRow('', master, place, randomBytes), master, place)).toBe('');
  });

  it('is another one with every write', () => {
    expect(sealRow(value, master, place, randomBytes).equals(sealed)).toBe(false);
  });

  it.each([
    ['another key', sealed, randomBytes(32), place],
    ['another row', sealed, master, { ...place, name: 'token/this-computer/boss@contoso.com' }],
    ['another database', sealed, master, { ...place, id: randomBytes(32) }],
    ['cut off', sealed.subarray(0, -1), master, place],
    ['too short for anything', sealed.subarray(0, 40), master, place],
    ['empty', Buffer.alloc(0), master, place],
  ])('does not open: %s', (_what, bytes, key, where) => {
    expect(() => unsealRow(bytes, key, where)).toThrow(UnusableRow);
  });

  it('does not open with any one byte changed', () => {
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(() => unsealRow(changed, master, place), `byte ${at}`).toThrow(UnusableRow);
    }
  });

  it('of a newer version is told from a damaged one', () => {
    const newer = Buffer.concat([Buffer.of(2), sealed.subarray(1)]);
    expect(() => unsealRow(newer, master, place)).toThrow(expect.objectContaining({ kind: 'newer' }));
  });
});

it('the check of the key tells two key files apart, and two databases', () => {
  expect(keyCheck(master, place.id)).toEqual(keyCheck(master, place.id));
  expect(keyCheck(master, place.id)).not.toEqual(keyCheck(randomBytes(32), place.id));
  expect(keyCheck(master, place.id)).not.toEqual(keyCheck(master, randomBytes(32)));
});
