import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { asciiJson, quoteAsciiPowerShell, quoteBash } from '../../../../src/by-hand/handoff/script-quoting.ts';

/** Every character that means something to a shell, often, among all others that can be seen. */
const shellish = fc.constantFrom(...`'"\`$\\;&|<>(){}[]*?!#~%^= @\u2018\u2019\u201a\u201bäß😀漢`.match(/./gu)!);
const character = fc.oneof(
  shellish,
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((c) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(c)),
);
const value = fc.array(character, { maxLength: 40 }).map((all) => all.join(''));

it('bash reads back exactly what was quoted', () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 20, maxLength: 60 }), (values) => {
      const script = `PATH=; printf '%s\\0' ${values.map(quoteBash).join(' ')}`;
      const run = spawnSync('bash', ['--norc'], { input: script, encoding: 'utf8' });
      expect(run).toMatchObject({ status: 0, stderr: '', stdout: values.map((one) => `${one}\0`).join('') });
    }),
    { numRuns: 20 },
  );
});

/** What PowerShell makes of it (about_Quoting_Rules, about_Type_Conversion), for just the two forms that are used. */
function readPowerShell(expression: string): string {
  const whole = expression.startsWith('(') ? expression.slice(1, -1) : expression;
  const parts = whole.match(/'(?:[^']|'')*'|\[char\]0x[0-9a-f]{4}/g) ?? [];
  expect(parts.join(' + ')).toBe(whole);
  return parts
    .map((part) => (part.startsWith("'") ? part.slice(1, -1).replaceAll("''", "'") : String.fromCharCode(Number(part.slice(6)))))
    .join('');
}

it('PowerShell gets ASCII only, and the same value', () => {
  fc.assert(
    fc.property(value, (one) => {
      const quoted = quoteAsciiPowerShell(one);
      expect(quoted).toMatch(/^[ -~]+$/);
      expect(readPowerShell(quoted)).toBe(one);
    }),
  );
});

it('JSON stays the same object in ASCII', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'binary' })), (object) => {
      const json = asciiJson(object, 2);
      expect(json).toMatch(/^[\n -~]*$/);
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(object)));
    }),
  );
});
