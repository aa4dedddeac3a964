import { describe, expect, it } from 'vitest';
import { fold } from '../../../src/core/fold.ts';

describe('fold', () => {
  it('keeps what fits, and everything where there is no edge', () => {
    expect(fold('one two', 40)).toBe('one two');
    expect(fold('word '.repeat(50).trim(), Number.POSITIVE_INFINITY)).not.toContain('\n');
  });

  it('breaks between words and goes on below where it began', () => {
    const text = 'the quick brown fox jumps over the lazy dog and sleeps';
    const folded = fold(text, 30, 4).split('\n');
    expect(folded.every((line, i) => line.length + (i === 0 ? 4 : 0) <= 30)).toBe(true);
    expect(folded.slice(1).every((line) => /^ {4}\S/.test(line))).toBe(true);
    expect(folded.map((line) => line.trim()).join(' ')).toBe(text);
  });

  it('breaks an address or a path only after a slash, and nothing is lost', () => {
    const address = 'https://login.microsoftonline.com/5a4db0c5-c0de-4a11-b0b5-c0ffee000365/oauth2/v2.0/token';
    expect(fold(address, 60).split('\n')).toEqual([
      'https://login.microsoftonline.com/',
      '5a4db0c5-c0de-4a11-b0b5-c0ffee000365/oauth2/v2.0/token',
    ]);
    const path = 'C:\\Users\\somebody\\AppData\\Roaming\\mailauth\\sandbox\\secrets.json';
    expect(fold(path, 40).replaceAll('\n', '')).toBe(path);
    expect(fold('x'.repeat(90), 40)).toBe('x'.repeat(90));
  });
});
