import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { FaultName } from '../../src/sandbox/faults/faults.ts';
import { startMailauth } from './rigs/chromium.ts';
import { type Gate, type GatedSandbox, openGatedSandbox, type Seat } from './rigs/gated-sandbox.ts';

/** `kill -9` while a call to Microsoft Graph hangs, before or after the directory did it; then the same command once more, to its end. */
const mailbox = 'helpdesk@contoso.example';
const forProduct = ['--for', 'osticket'];
const osticket = ['setup', '--sandbox', '--yes', '--mailbox', mailbox, ...forProduct, '--redirect-uri', 'https://help.contoso.example/cb'];
const here = ['setup', '--sandbox', '--yes', '--no-test', '--mailbox', mailbox, '--client-type', 'confidential', '--sign-in', 'skip'];
const rotate = ['secret', 'rotate', mailbox, '--sandbox', '--yes'];
const foreign = { id: 'f0000000-0000-4000-8000-000000000000', sha256: 'x', expiresAt: 4e12, name: 'the other team' };

async function runs(seat: Seat, argv: readonly string[], what = argv.join(' ')): Promise<void> {
  const run = startMailauth(argv, seat.env);
  expect(await run.ended, `${what}: ${run.stderr()}`).toBe(0);
}

/** Runs the command to where the call stands at the gate, and kills it there. */
async function killedAt(box: GatedSandbox, seat: Seat, argv: readonly string[], at: Gate): Promise<string> {
  const { stopped } = box.gate(at);
  const run = startMailauth(argv, seat.env);
  const call = await Promise.race([stopped, run.ended.then((code) => `ended with ${code}: ${run.stderr()}`)]);
  run.kill();
  expect(await run.ended, call).toBe(null);
  box.gate();
  return call;
}

/** Some at a time: most of the time they wait for Microsoft. */
async function several<T>(lanes: number, cases: readonly T[], play: (one: T) => Promise<void>): Promise<void> {
  const rest = [...cases];
  const lane = async () => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await play(next);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Every boundary of a command: before each call, and after each one that changes something. `prepare` comes first. */
async function boundaries(argv: readonly string[], prepare: readonly (readonly string[])[], fault?: FaultName): Promise<readonly Gate[]> {
  const box = await openGatedSandbox(fault);
  try {
    const seat = await box.seat();
    for (const first of prepare) await runs(seat, first);
    box.gate();
    await runs(seat, argv);
    return box.calls.flatMap((call, i): readonly Gate[] => {
      const nth = i + 1;
      return call.startsWith('GET')
        ? [{ nth, where: 'before' }]
        : [
            { nth, where: 'before' },
            { nth, where: 'after' },
          ];
    });
  } finally {
    await box.close();
  }
}

/** The secrets of the store: which of the app's is the one for this product, by the hash that the token endpoint compares. */
async function storedSecret(seat: Seat, product: string): Promise<{ id: string; sha256: string; rotationOpen: boolean }> {
  const run = startMailauth(['secret', 'show', mailbox, '--for', product, '--reveal', '--json', '--sandbox'], seat.env);
  expect(await run.ended, run.stderr()).toBe(0);
  const { data } = JSON.parse(run.stdout());
  return {
    id: data.secretId,
    sha256: createHash('sha256').update(data.clientSecret).digest('base64url'),
    rotationOpen: data.rotationOpen,
  };
}

/** Nothing half done on this computer: no notes, and of the product's secrets in the store only the one. */
async function nothingLeft(seat: Seat, product: string, what: string): Promise<void> {
  const own = join(seat.path, 'sandbox');
  for (const folder of ['setups', 'rotations']) expect(await readdir(join(own, folder)).catch(() => []), what).toEqual([]);
  const names = Object.keys(JSON.parse(await readFile(join(own, 'secrets.json'), 'utf8')).secrets);
  expect(
    names.filter((name) => name.includes(`client-secret/${product}`)),
    what,
  ).toHaveLength(1);
}

async function oneOfEach(box: GatedSandbox, seat: Seat, what: string): Promise<void> {
  const { apps, servicePrincipals, grants } = await box.tenant();
  expect([apps.length, servicePrincipals.length], what).toEqual([1, 1]);
  expect([grants.length, new Set(grants.map((one) => one.resourceId)).size], what).toEqual([2, 2]);
  expect(apps[0]?.secrets, what).toHaveLength(1);
  const { id, sha256 } = await storedSecret(seat, 'osticket');
  expect(apps[0]?.secrets[0], what).toMatchObject({ id, sha256 });
  await nothingLeft(seat, 'osticket', what);
}

async function setUpKilledAt(at: Gate, fault?: FaultName): Promise<void> {
  const box = await openGatedSandbox(fault);
  try {
    const seat = await box.seat();
    const what = `killed ${at.where} ${await killedAt(box, seat, osticket, at)} (${at.nth}${fault === undefined ? '' : `, ${fault}`})`;
    await runs(seat, osticket, what);
    await oneOfEach(box, seat, what);
  } finally {
    await box.close();
  }
}

it('setup --register auto, killed at every call: one app, one service principal, one grant a resource, one live secret', async () => {
  const gates = await boundaries(osticket, []);
  expect(gates.length).toBeGreaterThanOrEqual(12);
  await several(3, gates, (at) => setUpKilledAt(at));
}, 240_000);

it.each(['graph-lag', 'graph-throttled'] as const)(
  'the same under %s, at every call that changes something',
  async (fault) => {
    const gates = (await boundaries(osticket, [], fault)).filter((at) => at.where === 'after');
    expect(gates.length).toBeGreaterThanOrEqual(5);
    await several(6, gates, (at) => setUpKilledAt(at, fault));
  },
  240_000,
);

const products = [
  { product: 'this-computer', first: here, after: 1 },
  { product: 'osticket', first: osticket, after: 2 },
];

it.each(products)(
  'secret rotate for $product, killed at every call: only secrets that work, the new one in the store',
  async (one) => {
    const { product, first, after } = one;
    const argv = [...rotate, '--for', product];
    const gates = await boundaries(argv, [first]);
    expect(gates.length).toBeGreaterThanOrEqual(4);
    await several(3, gates, async (at) => {
      const box = await openGatedSandbox();
      try {
        const seat = await box.seat();
        await runs(seat, first);
        await box.change((state) => void state.apps.at(-1)?.secrets.push(foreign));
        const old = await storedSecret(seat, product);
        const what = `killed ${at.where} ${await killedAt(box, seat, argv, at)} (${at.nth})`;
        await runs(seat, argv, what);
        const now = await storedSecret(seat, product);
        const secrets = (await box.tenant()).apps[0]?.secrets ?? [];
        expect(now.id, what).not.toBe(old.id);
        expect(
          secrets.find((secret) => secret.id === now.id),
          what,
        ).toMatchObject({ sha256: now.sha256 });
        // Somebody else's stays whatever happens; the old one only where a product may still use it.
        const others = secrets.map((secret) => secret.id).filter((id) => id !== now.id);
        expect(new Set(others), what).toEqual(new Set(after === 2 ? [foreign.id, old.id] : [foreign.id]));
        expect(now.rotationOpen, what).toBe(after === 2);
        await nothingLeft(seat, product, what);
      } finally {
        await box.close();
      }
    });
  },
  240_000,
);

it('secret rotate --finish, killed at every call: the old one is gone, the new one works', async () => {
  const first = [osticket, [...rotate, ...forProduct]];
  const argv = [...rotate, ...forProduct, '--finish'];
  const gates = await boundaries(argv, first);
  await several(3, gates, async (at) => {
    const box = await openGatedSandbox();
    try {
      const seat = await box.seat();
      for (const words of first) await runs(seat, words);
      const what = `killed ${at.where} ${await killedAt(box, seat, argv, at)} (${at.nth})`;
      await runs(seat, argv, what);
      await oneOfEach(box, seat, what);
    } finally {
      await box.close();
    }
  });
}, 240_000);

it('logout --delete-app, killed at every call: in the end nothing is left, here and there', async () => {
  const argv = ['logout', mailbox, ...forProduct, '--delete-app', '--sandbox', '--yes'];
  const gates = await boundaries(argv, [osticket]);
  expect(gates.length).toBeGreaterThanOrEqual(8);
  await several(3, gates, async (at) => {
    const box = await openGatedSandbox();
    try {
      const seat = await box.seat();
      await runs(seat, osticket);
      const what = `killed ${at.where} ${await killedAt(box, seat, argv, at)} (${at.nth})`;
      await runs(seat, argv, what);
      expect(await box.tenant(), what).toEqual({ apps: [], servicePrincipals: [], grants: [] });
      expect(await readdir(join(seat.path, 'sandbox', 'mailboxes')), what).toEqual([]);
      expect(JSON.parse(await readFile(join(seat.path, 'sandbox', 'secrets.json'), 'utf8')).secrets, what).toEqual({});
    } finally {
      await box.close();
    }
  });
}, 240_000);
