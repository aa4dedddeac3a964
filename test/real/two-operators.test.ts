import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { App } from '../../src/sandbox/tenant/state-schema.ts';
import { startMailauth } from './rigs/chromium.ts';
import { type GatedSandbox, openGatedSandbox, type Seat } from './rigs/gated-sandbox.ts';

/** Two operators at once on one tenant, each with a computer (MAILAUTH_HOME) of their own. */
const mailbox = 'helpdesk@contoso.example';
const words = (who = mailbox) => ['setup', '--sandbox', '--yes', '--json', '--mailbox', who, '--for', 'osticket', '--redirect-uri', uri];
const uri = 'https://help.contoso.example/cb';

let box: GatedSandbox;
let [first, second]: Seat[] = [];
beforeEach(async () => {
  box = await openGatedSandbox();
  [first, second] = [await box.seat(), await box.seat()];
});
afterEach(() => box.close());

const seats = (): readonly [Seat, Seat] => {
  if (first === undefined || second === undefined) throw new Error('no seats');
  return [first, second];
};

interface Ended {
  readonly exit: number | null;
  readonly code?: string;
  readonly next: readonly string[];
  readonly stderr: string;
}

async function ended(run: ReturnType<typeof startMailauth>): Promise<Ended> {
  const exit = await run.ended;
  const { error } = JSON.parse(run.stdout().trimEnd().split('\n').at(-1) ?? '{}');
  return { exit, code: error?.code, next: error?.next ?? [], stderr: run.stderr() };
}

const play = (seat: Seat, argv: readonly string[]): Promise<Ended> => ended(startMailauth(argv, seat.env));

/** The app this operator ended with, whose secret they hold. */
async function appOf(seat: Seat, who = mailbox): Promise<App> {
  const shown = startMailauth(['secret', 'show', who, '--for', 'osticket', '--reveal', '--json', '--sandbox'], seat.env);
  expect(await shown.ended, shown.stderr()).toBe(0);
  const { data } = JSON.parse(shown.stdout());
  const app = (await box.tenant()).apps.find((one) => one.clientId === data.clientId);
  const sha256 = createHash('sha256').update(data.clientSecret).digest('base64url');
  expect(app?.secrets.find((secret) => secret.id === data.secretId)?.sha256).toBe(sha256);
  if (app === undefined) throw new Error('no app');
  return app;
}

/** Whatever happened, each app is whole: one service principal, one grant a resource, its redirect. */
async function wholeApps(): Promise<readonly App[]> {
  const { apps, servicePrincipals, grants } = await box.tenant();
  for (const app of apps) {
    const own = servicePrincipals.filter((one) => one.appId === app.clientId);
    expect(own).toHaveLength(1);
    const resources = grants.filter((one) => one.clientId === own[0]?.objectId).map((one) => one.resourceId);
    expect([resources.length, new Set(resources).size]).toEqual([2, 2]);
    expect(app.webRedirects).toEqual([uri]);
  }
  return apps;
}

const noNotes = async (seat: Seat) => expect(await readdir(join(seat.path, 'sandbox', 'setups'))).toEqual([]);

it('the same mailbox and product, let run: each ends with a whole app whose secret they hold', async () => {
  const ends = await Promise.all(seats().map((seat) => play(seat, words())));
  expect(ends.map(({ exit, stderr }) => [exit, stderr])).toEqual([
    [0, expect.any(String)],
    [0, expect.any(String)],
  ]);
  const used = await Promise.all(seats().map((seat) => appOf(seat)));
  const apps = await wholeApps();
  expect(new Set(used.map((app) => app.clientId)).size).toBe(apps.length);
  await Promise.all(seats().map(noNotes));
}, 60_000);

it('both saw no app and make one: two apps, each found by its own tag, none adopted', async () => {
  const [a, b] = seats();
  const { stopped, letGo } = box.gate({ call: 'POST /applications', where: 'before' });
  const slow = startMailauth(words(), a.env);
  await stopped;
  expect((await play(b, words())).exit).toBe(0);
  letGo();
  expect((await ended(slow)).exit).toBe(0);
  const [ofA, ofB] = [await appOf(a), await appOf(b)];
  expect(ofA.clientId).not.toBe(ofB.clientId);
  for (const app of await wholeApps()) {
    expect(app.registration?.tags.filter((tag) => tag.startsWith('mailauth:'))).toHaveLength(1);
    expect(app.secrets).toHaveLength(1);
  }
  // What one takes back is not the other's.
  expect(await play(b, ['logout', mailbox, '--delete-app', '--sandbox', '--yes', '--json'])).toMatchObject({ exit: 0 });
  expect((await wholeApps()).map((app) => app.clientId)).toEqual([ofA.clientId]);
}, 60_000);

it('the second finds the half-made app of the same administrator: both complete the one, each with a secret of their own', async () => {
  const [a, b] = seats();
  const { stopped, letGo } = box.gate({ call: 'POST /applications', where: 'after' });
  const slow = startMailauth(words(), a.env);
  await stopped;
  expect((await play(b, words())).exit).toBe(0);
  letGo();
  expect((await ended(slow)).exit).toBe(0);
  const [app, ...more] = await wholeApps();
  expect([more.length, app?.secrets.length]).toEqual([0, 2]);
  expect([(await appOf(a)).clientId, (await appOf(b)).clientId]).toEqual([app?.clientId, app?.clientId]);
  // The second did not make it, so it does not delete it.
  const refused = await play(b, ['logout', mailbox, '--delete-app', '--sandbox', '--yes', '--json']);
  expect(refused).toMatchObject({ exit: 1, code: 'delete-app-refused' });
  expect(await wholeApps()).toHaveLength(1);
}, 60_000);

it('the second finds an app of that name that somebody else owns: exit 3, both ways out named, nothing changed', async () => {
  const [a, b] = seats();
  expect((await play(a, words())).exit).toBe(0);
  await box.change((state) => {
    const made = state.apps.at(-1)?.registration;
    if (made !== undefined) made.owner = 'ops@contoso.example';
  });
  const before = await box.tenant();
  const refused = await play(b, words());
  expect(refused).toMatchObject({ exit: 3, code: 'app-exists' });
  expect(refused.next.join('\n')).toMatch(/--client-id .*\n.*--name/);
  expect(await box.tenant()).toEqual(before);
}, 60_000);

it('different mailboxes: two apps that know nothing of each other', async () => {
  const [a, b] = seats();
  const ends = await Promise.all([play(a, words()), play(b, words('orders@contoso.example'))]);
  expect(ends.map(({ exit }) => exit)).toEqual([0, 0]);
  expect(new Set((await wholeApps()).map((app) => app.name))).toEqual(
    new Set([`mailauth osticket ${mailbox}`, 'mailauth osticket orders@contoso.example']),
  );
  expect((await appOf(b, 'orders@contoso.example')).secrets).toHaveLength(1);
}, 60_000);

it('both rotate the secret of one app at once: each ends with a secret that works, and loses none of the other', async () => {
  const [a, b] = seats();
  expect((await play(a, words())).exit).toBe(0);
  expect((await play(b, words())).exit).toBe(0);
  const rotate = ['secret', 'rotate', mailbox, '--for', 'osticket', '--sandbox', '--yes', '--json'];
  const ends = await Promise.all([play(a, rotate), play(b, rotate)]);
  expect(ends.map(({ exit }) => exit)).toEqual([0, 0]);
  const finished = await Promise.all([play(a, [...rotate, '--finish']), play(b, [...rotate, '--finish'])]);
  expect(finished.map(({ exit }) => exit)).toEqual([0, 0]);
  const apps = [await appOf(a), await appOf(b)];
  expect(apps.map((app) => [app.clientId, app.secrets.length])).toEqual([
    [apps[0]?.clientId, 2],
    [apps[0]?.clientId, 2],
  ]);
}, 60_000);
