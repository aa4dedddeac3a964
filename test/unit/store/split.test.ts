import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Keychain } from '../../../src/core/keychain-port.ts';
import { DamagedValue, splitEntry } from '../../../src/store/split.ts';
import { MemoryKeychain } from '../../support/context.ts';

const limit = 256;

/** Lets `calls` calls through, then every further one fails, like a process that was killed. */
function dying(keychain: Keychain, calls: number): Keychain {
  let left = calls;
  const spend = () => {
    if (left-- <= 0) throw new Error('killed');
  };
  return {
    limit: keychain.limit,
    label: keychain.label,
    async getPassword(service, account) {
      spend();
      return keychain.getPassword(service, account);
    },
    async setPassword(service, account, password) {
      spend();
      await keychain.setPassword(service, account, password);
    },
    async deletePassword(service, account) {
      spend();
      return keychain.deletePassword(service, account);
    },
    close() {},
  };
}

const open = (keychain: Keychain) => splitEntry(keychain, 'mailauth', 'home:token');
const long = (letter: string, units = 1000) => letter.repeat(units);

/** Runs `act` again and again, killed one call later each time, from the same state, until it survives. */
async function killedAtEachCall(
  prepare: (keychain: MemoryKeychain) => Promise<void>,
  act: (keychain: Keychain) => Promise<unknown>,
  check: (keychain: MemoryKeychain) => Promise<void>,
): Promise<number> {
  for (let calls = 0; ; calls++) {
    const keychain = new MemoryKeychain(limit);
    await prepare(keychain);
    const survived = await act(dying(keychain, calls)).then(
      () => true,
      () => false,
    );
    await check(keychain);
    if (survived) return calls;
    if (calls > 200) throw new Error('never ends');
  }
}

describe('a crash at any keychain call', () => {
  const values = { short: 'short', 'other short': 'other', long: long('x'), 'longer, other': long('y', 1500), none: undefined };
  const pairs = Object.entries(values).flatMap(([from, before]) =>
    Object.entries(values).flatMap(([to, after]) => (before === after ? [] : [{ from, to, before, after }])),
  );

  it.each(pairs)('from $from to $to: the reader sees old or new, the next write leaves nothing else', async ({ before, after }) => {
    const seen = new Set<string | undefined>();
    const calls = await killedAtEachCall(
      async (keychain) => {
        if (before !== undefined) await open(keychain).write(before);
      },
      (keychain) => (after === undefined ? open(keychain).remove() : open(keychain).write(after)),
      async (keychain) => {
        const value = await open(keychain).read();
        expect([before, after]).toContain(value);
        seen.add(value);
        await open(keychain).write('z');
        expect([...keychain.entries.values()]).toEqual(['z']);
      },
    );
    expect(calls).toBeGreaterThan(0);
    expect(seen.has(after)).toBe(true);
  });

  it('twice in a row leaves leftovers that removal finds', async () => {
    const old = long('o');
    for (let first = 0; first < 14; first++) {
      for (let second = 0; second < 14; second++) {
        const keychain = new MemoryKeychain(limit);
        await open(keychain).write(old);
        await open(dying(keychain, first))
          .write(long('p', 1400))
          .catch(() => undefined);
        await open(dying(keychain, second))
          .write(long('q', 700))
          .catch(() => undefined);
        expect([old, long('p', 1400), long('q', 700)]).toContain(await open(keychain).read());
        await open(keychain).remove();
        expect(keychain.entries.size).toBe(0);
      }
    }
  });
});

describe('round trip', () => {
  it('gives back any text, also lone surrogates and text that looks like a head', async () => {
    const any = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 900 }),
      fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 900 }).map((units) => String.fromCharCode(...units)),
      fc.string({ maxLength: 400 }).map((text) => `{"mailauth-split":${text}`),
      fc.integer({ min: 0, max: 400 }).map((count) => '😀'.repeat(count)),
    );
    await fc.assert(
      fc.asyncProperty(any, any, async (first, second) => {
        const keychain = new MemoryKeychain(limit);
        await open(keychain).write(first);
        expect(await open(keychain).read()).toBe(first);
        await open(keychain).write(second);
        expect(await open(keychain).read()).toBe(second);
        expect(Math.max(...[...keychain.entries.values()].map((value) => value.length))).toBeLessThanOrEqual(limit);
        expect(await open(keychain).remove()).toBe(true);
        expect(keychain.entries.size).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it('keeps a value of exactly the limit whole and splits one more', async () => {
    const keychain = new MemoryKeychain(limit);
    await open(keychain).write(long('e', limit));
    expect(keychain.entries.size).toBe(1);
    await open(keychain).write(long('e', limit + 1));
    expect(keychain.entries.size).toBe(3);
  });

  it('is one entry where there is no limit', async () => {
    const keychain = new MemoryKeychain();
    await open(keychain).write(long('e', 70_000));
    expect([...keychain.entries.values()]).toEqual([long('e', 70_000)]);
  });
});

describe('a reader beside a writer', () => {
  it('starts again when the value changes under it', async () => {
    const keychain = new MemoryKeychain(limit);
    await open(keychain).write(long('1'));
    let reads = 0;
    const slow: Keychain = {
      ...dying(keychain, 1000),
      async getPassword(service, account) {
        if (++reads === 3) await open(keychain).write(long('2', 1200));
        return keychain.getPassword(service, account);
      },
    };
    expect(await open(slow).read()).toBe(long('2', 1200));
  });

  it('says damaged when a part is gone or changed, and when the head is no head', async () => {
    for (const spoil of ['delete', 'change'] as const) {
      const keychain = new MemoryKeychain(limit);
      await open(keychain).write(long('1'));
      if (spoil === 'delete') await keychain.deletePassword('mailauth', 'home:token#a1');
      else await keychain.setPassword('mailauth', 'home:token#a1', long('9', limit));
      await expect(open(keychain).read()).rejects.toThrow(DamagedValue);
    }
    const keychain = new MemoryKeychain(limit);
    await keychain.setPassword('mailauth', 'home:token', '{"mailauth-split":1,"parts":1e9}');
    await expect(open(keychain).read()).rejects.toThrow(DamagedValue);
    await open(keychain).write(long('2'));
    expect(await open(keychain).read()).toBe(long('2'));
  });

  it('two writers without a lock end with one whole value', async () => {
    const keychain = new MemoryKeychain(limit);
    const values = [long('1', 2000), long('2', 2000)];
    await Promise.allSettled(values.map((value) => open(keychain).write(value)));
    expect(values).toContain(await open(keychain).read());
  });
});
