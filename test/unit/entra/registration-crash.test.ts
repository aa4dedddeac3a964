import { describe, expect, it } from 'vitest';
import { registerApp } from '../../../src/entra/registration.ts';
import type { KnownRegistration, RegistrationProgress } from '../../../src/entra/registration-run.ts';
import { connected, FakeGraph } from './fake-graph.ts';
import { plans } from './plans.ts';

class Killed extends Error {}

/** What is on this computer's disk: the journal and the secret store. */
interface Disk {
  readonly journal: RegistrationProgress[];
  readonly store: Map<string, string>;
}

const knownFrom = ({ journal, store }: Disk): KnownRegistration => ({
  ...(Object.assign({}, ...journal.map(({ step: _, ...ids }) => ids)) as KnownRegistration),
  creating: journal.some((one) => one.step === 'creating'),
  keyIds: [...store.keys()],
});

/** Dies at the nth effect of a kind: before it happened, or right after it. */
interface Kill {
  readonly at: 'record' | 'keepSecret' | 'request';
  readonly nth: number;
  readonly when: 'before' | 'after';
}

async function run(fake: FakeGraph, disk: Disk, kill?: Kill) {
  const counts = { record: 0, keepSecret: 0, request: 0 };
  const mortal = async <T>(at: Kill['at'], effect: () => Promise<T>): Promise<T> => {
    counts[at] += 1;
    const hit = kill?.at === at && kill.nth === counts[at];
    if (hit && kill.when === 'before') throw new Killed();
    const done = await effect();
    if (hit) throw new Killed();
    return done;
  };
  const { deps } = connected({ request: (request) => mortal('request', () => fake.request(request)) });
  const keepSecret = (secret: { reveal(): string }, { keyId }: { keyId: string }) =>
    mortal('keepSecret', async () => {
      disk.store.set(keyId, secret.reveal());
    });
  await registerApp({ ...deps, keepSecret }, plans.osticket, knownFrom(disk), (progress) =>
    mortal('record', async () => {
      disk.journal.push(progress);
    }),
  );
  return counts;
}

const kills: Kill[] = (['before', 'after'] as const).flatMap((when) => [
  ...[1, 2, 3, 4, 5, 6].map((nth) => ({ at: 'record' as const, nth, when })),
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((nth) => ({ at: 'request' as const, nth, when })),
  { at: 'keepSecret' as const, nth: 1, when },
]);

function expectExactlyOne(fake: FakeGraph, disk: Disk): void {
  expect(fake.apps).toHaveLength(1);
  expect(fake.sps.filter((one) => one.appId === fake.apps[0]?.appId)).toHaveLength(1);
  expect(fake.grants.map((one) => one.resourceId)).toEqual(['sp-graph', 'sp-exchange']);
  const [secret, ...more] = fake.apps[0]?.passwordCredentials ?? [];
  expect(more).toEqual([]);
  expect(disk.store.get(secret?.keyId ?? '')).toBe(`value-of-${secret?.keyId}`);
}

describe('killed at any point, then run again', () => {
  it('is tried at every effect there is', async () => {
    expect(await run(new FakeGraph(), { journal: [], store: new Map() })).toEqual({ record: 6, request: 8, keepSecret: 1 });
  });

  it.each(kills)('$when $at $nth: one app, one service principal, one grant each, one secret that is in the store', async (kill) => {
    const fake = new FakeGraph();
    // Reads leave out a secret that was made a moment ago.
    fake.lag.secret = 3;
    const disk: Disk = { journal: [], store: new Map() };
    await expect(run(fake, disk, kill)).rejects.toBeInstanceOf(Killed);
    // The tenant has not yet seen what was made a moment ago.
    fake.lag = { ...fake.lag, application: 1, tag: 2 };
    await run(fake, disk);
    expectExactlyOne(fake, disk);
  });

  it('again and again, one effect later each time', async () => {
    const fake = new FakeGraph();
    const disk: Disk = { journal: [], store: new Map() };
    for (let nth = 1; nth <= 12; nth += 1) {
      await run(fake, disk, { at: 'request', nth, when: 'after' }).catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
      });
    }
    await run(fake, disk);
    expectExactlyOne(fake, disk);
  });
});
