import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as zod from 'zod/mini';
import { namedCloud } from '../../../src/core/cloud.ts';
import * as tiny from '../../../src/quick/tiny-schema.ts';
import { mailboxFileSchema } from '../../../src/store/schemas.ts';
import { temporaryFolder } from '../../support/context.ts';

type Outcome = { readonly success: boolean; readonly data?: unknown };
interface Reader {
  safeParse(value: unknown): Outcome;
}

/** One schema of each word, by either library. */
const vocabulary = (z: typeof zod): Readonly<Record<string, Reader>> => ({
  string: z.string(),
  boolean: z.boolean(),
  int: z.int(),
  literal: z.literal(1),
  enum: z.enum(['a', 'b']),
  array: z.array(z.string()),
  record: z.record(z.string(), z.string()),
  minLength: z.string().check(z.minLength(2)),
  range: z.int().check(z.minimum(1), z.maximum(10)),
  positive: z.int().check(z.positive()),
  regex: z.string().check(z.regex(/^[0-9a-f]{4}$/)),
  refine: z.string().check(z.refine((text) => text !== 'no')),
  object: z.object({
    must: z.string(),
    may: z.optional(z.string()),
    exact: z.exactOptional(z.int()),
    inner: z.exactOptional(z.object({ list: z.array(z.boolean()) })),
  }),
});

const ours = vocabulary(tiny as unknown as typeof zod);
const theirs = vocabulary(zod);

/** It may refuse what zod takes, never the other way round, and it reads the same. */
function compare(mine: Reader, zods: Reader, value: unknown): boolean {
  const [tinyRead, zodRead] = [mine.safeParse(value), zods.safeParse(value)];
  if (tinyRead.success) expect(zodRead).toMatchObject({ success: true, data: tinyRead.data });
  return tinyRead.success === zodRead.success;
}

const values = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue() },
  fc.constantFrom('a', 'b', 'no', 'ab12', 1, 5, 0, -1, 2 ** 60, 1.5, Number.NaN, undefined, null, '', true),
  fc.record(
    {
      must: fc.oneof(fc.string(), fc.integer()),
      may: fc.option(fc.string(), { nil: undefined }),
      exact: fc.oneof(fc.integer(), fc.constant(undefined)),
      inner: fc.record({ list: fc.array(fc.oneof({ weight: 9, arbitrary: fc.boolean() }, fc.constant(1))), odd: fc.integer() }),
      ['__proto__']: fc.string(),
      other: fc.string(),
    },
    { requiredKeys: [] },
  ),
  fc.dictionary(fc.string(), fc.string()),
);

describe('the words of zod/mini that the quick way uses', () => {
  it.each(Object.keys(theirs))('%s: takes nothing that zod refuses', (word) => {
    const [mine, zods] = [ours[word], theirs[word]];
    if (mine === undefined || zods === undefined) throw new Error('not in both');
    fc.assert(
      fc.property(values, (value) => void compare(mine, zods, value)),
      { numRuns: 100 },
    );
  });

  it.each<[string, unknown]>([
    ['string', 'x'],
    ['boolean', false],
    ['int', 7],
    ['literal', 1],
    ['enum', 'b'],
    ['array', ['a']],
    ['record', { a: 'b' }],
    ['minLength', 'ab'],
    ['range', 10],
    ['positive', 1],
    ['regex', '09af'],
    ['refine', 'yes'],
    ['object', { must: 'x' }],
    ['object', { must: 'x', may: undefined, exact: 1, inner: { list: [true] }, other: 1 }],
  ])('%s: takes %j as zod does', (word, value) => {
    expect(ours[word]?.safeParse(value)).toEqual({ success: true, data: theirs[word]?.safeParse(value).data });
  });
});

describe('our own schemas, built as the quick way is built', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let quick: Reader;
  beforeAll(async () => {
    folder = await temporaryFolder();
    const root = join(import.meta.dirname, '../../..');
    const outfile = join(folder.path, 'schemas.mjs');
    const alias = { 'zod/mini': join(root, 'src/quick/tiny-schema.ts') };
    await build({ entryPoints: [join(root, 'src/store/schemas.ts')], outfile, alias, bundle: true, format: 'esm', logLevel: 'silent' });
    const built: { mailboxFileSchema: Reader } = await import(pathToFileURL(outfile).href);
    quick = built.mailboxFileSchema;
  });
  afterAll(() => folder.remove());

  const record = {
    version: 1,
    mailbox: 'ops@contoso.com',
    for: 'this-computer',
    access: 'app-only',
    tenantId: 't',
    cloud: namedCloud('public'),
    endpoints: { issuer: 'i', authorization: 'a', token: 't' },
    registration: {
      clientId: 'c',
      clientType: 'public',
      redirectUri: 'r',
      secretExpiresAt: '2027-01-01T00:00:00Z',
      madeByMailauth: true,
      made: { tag: 't', grantIds: ['g'] },
    },
    protocols: ['imap'],
    scopes: ['s'],
    account: { username: 'u' },
    store: 'keychain',
    createdAt: '2026-01-01T00:00:00Z',
    lastTests: [{ at: '2026-01-01T00:00:00Z', protocol: 'imap', ok: true }],
  };

  it('takes a whole mailbox file', () => {
    expect(quick.safeParse(record)).toEqual({ success: true, data: mailboxFileSchema.parse(record) });
  });

  /** Every place of the record, and what may stand there instead. */
  const places = (value: unknown, at: readonly string[] = []): string[][] =>
    typeof value === 'object' && value !== null
      ? [[...at], ...Object.entries(value).flatMap(([k, v]) => places(v, [...at, k]))]
      : [[...at]];
  const changed = (value: unknown, at: readonly string[], put: unknown): unknown => {
    const [first, ...rest] = at;
    if (first === undefined) return put;
    const copy = structuredClone(value) as Record<string, unknown>;
    copy[first] = changed(copy[first], rest, put);
    return copy;
  };

  it('judges a changed one as zod does, wherever it was changed', () => {
    let same = 0;
    const wrong = [undefined, null, '', 'x', 0, 1, 70_000, 1.5, true, [], {}, ['x'], '2026-13-45'];
    const tried = places(record).flatMap((at) => wrong.map((put) => changed(record, at, put)));
    for (const value of tried) if (compare(quick, mailboxFileSchema as Reader, value)) same += 1;
    expect(same).toBe(tried.length);
  });
});
