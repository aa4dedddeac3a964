import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { seen, type Target, targets } from './targets.ts';

/**
 * Readers of what comes from outside, with inputs that nobody thought of. `npm test` tries some hundreds; `npm run fuzz` a million, or as
 * many as MAILAUTH_FUZZ_RUNS says. What ever broke a reader goes into `corpus.json` and is tried first, every time.
 */
const runs = Number(process.env.MAILAUTH_FUZZ_RUNS ?? 0);
const seed = Number(process.env.MAILAUTH_FUZZ_SEED ?? (runs > 0 ? Date.now() % 2 ** 31 : 4711));

/** Inputs in latin1, so that each character is one byte; `good` ones are changed a little, `broke` ones stay as they are. */
const corpusSchema = z.record(z.string(), z.object({ good: z.array(z.string()), broke: z.array(z.string()) }));
const corpus = corpusSchema.parse(JSON.parse(readFileSync(new URL('corpus.json', import.meta.url), 'utf8')));

const fragments = [
  '\0',
  '\r\n',
  '\n',
  '"',
  "'",
  '\\',
  '{',
  '}',
  '[',
  ']',
  '\u202e',
  '\x1b[31m',
  '__proto__',
  '1e999',
  '-1',
  '%00',
  '&&',
  'A'.repeat(5000),
];

/** One change of a text: a byte, a piece that goes, comes twice or comes from elsewhere. */
const change = fc.oneof(
  fc.record({ kind: fc.constant('byte' as const), at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), length: fc.nat({ max: 40 }) }),
  fc.record({ kind: fc.constant('twice' as const), at: fc.nat(), length: fc.nat({ max: 40 }) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: fc.nat(),
    text: fc.oneof(fc.constantFrom(...fragments), fc.string({ unit: 'binary' })),
  }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function changed(bytes: Buffer, one: Change): Buffer {
  const at = bytes.length === 0 ? 0 : one.at % (bytes.length + 1);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (one.kind) {
    case 'byte':
      return Buffer.concat([before, Buffer.from([one.value]), after.subarray(1)]);
    case 'cut':
      return Buffer.concat([before, after.subarray(one.length)]);
    case 'twice':
      return Buffer.concat([before, after.subarray(0, one.length), after]);
    case 'insert':
      return Buffer.concat([before, Buffer.from(one.text), after]);
  }
}

const inputFor = ({ name }: Target): fc.Arbitrary<Buffer> => {
  const good = corpus[name]?.good ?? [];
  const mutated = fc
    .tuple(fc.constantFrom(...good, ''), fc.array(change, { maxLength: 8 }))
    .map(([text, changes]) => changes.reduce(changed, Buffer.from(text, 'latin1')));
  const random = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
  return fc.oneof({ weight: 4, arbitrary: mutated }, { weight: 1, arbitrary: random });
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: looked for on purpose
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

const total = targets.reduce((sum, { share }) => sum + share, 0);
const longRun = 4 * 3_600_000;

describe('readers of what comes from outside', () => {
  it.each(targets.map((target) => [target.name, target] as const))(
    '%s: no throw but an error of ours, and no control character for a terminal',
    async (name, target) => {
      const { good = [], broke = [] } = corpus[name] ?? {};
      const check = async (bytes: Buffer) => {
        for (const text of await seen(target, bytes)) expect(text).not.toMatch(control);
      };
      for (const text of [...good, ...broke]) await check(Buffer.from(text, 'latin1'));
      const numRuns = runs === 0 ? target.share * 2 : Math.ceil((runs * target.share) / total);
      await fc.assert(fc.asyncProperty(inputFor(target), check), { numRuns, seed });
    },
    runs === 0 ? 30_000 : longRun,
  );

  it('each has a good input to begin with', () => {
    expect(targets.filter(({ name }) => (corpus[name]?.good ?? []).length === 0).map(({ name }) => name)).toEqual([]);
    expect(Object.keys(corpus).filter((name) => targets.every((target) => target.name !== name))).toEqual([]);
  });
});
