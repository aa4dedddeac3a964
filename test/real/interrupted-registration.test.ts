import { createHash } from 'node:crypto';
import { watch } from 'node:fs';
import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newHome, startMailauth } from './rigs/chromium.ts';

/** `kill -9` in the middle of a registration, then the same command again: as if it had never been stopped. */
const mailbox = 'helpdesk@contoso.example';
const slug = `${mailbox}~osticket`;
const command = ['setup', '--sandbox', '--yes', '--for', 'osticket', '--redirect-uri', 'https://help.contoso.example/cb'];

type Home = Awaited<ReturnType<typeof newHome>>;
const homes: Home[] = [];
let template: Home | undefined;

beforeAll(async () => {
  const first = await anotherHome();
  // The certificates of a sandbox are made once; copying them makes every other run quicker.
  expect(await start(first, ['setup', '--sandbox', '--yes', '--no-test', '--json', '--register', 'existing']).ended).toBe(0);
  await mkdir(join(first.path, 'sandbox', 'setups'), { recursive: true, mode: 0o700 });
  template = first;
});
afterAll(async () => {
  template = undefined;
  await Promise.all(homes.splice(0).map((home) => home.remove()));
});

async function anotherHome(): Promise<Home> {
  const home = await newHome();
  homes.push(home);
  if (template !== undefined && home !== template)
    await cp(join(template.path, 'sandbox'), join(home.path, 'sandbox'), { recursive: true });
  return home;
}

const start = (home: Home, argv: readonly string[]) => startMailauth(argv, home.env);

interface Interrupted {
  readonly killed: boolean;
  readonly changes: number;
  /** it had tried the client secret before it was killed */
  readonly proved: boolean;
}

/** Runs the command and kills it once `when` is due; answers how often its journal had changed, and whether it was killed in time. */
async function interrupted(home: Home, when: { afterChange: number; thenMs?: number }): Promise<Interrupted> {
  let changes = 0;
  let due = () => {};
  const dueNow = new Promise<void>((done) => {
    due = done;
  });
  const watcher = watch(join(home.path, 'sandbox', 'setups'), (_, name) => {
    if (name !== `${slug}.json`) return;
    changes += 1;
    if (changes === when.afterChange) due();
  });
  try {
    const run = start(home, command);
    const code = await Promise.race([run.ended, dueNow.then(() => (when.thenMs === undefined ? undefined : sleep(when.thenMs)))]);
    const proved = () => run.stderr().includes('client secret works');
    if (typeof code === 'number') return { killed: false, changes, proved: proved() };
    run.kill();
    // It may have come to its end first.
    return { killed: (await run.ended) === null, changes, proved: proved() };
  } finally {
    watcher.close();
  }
}

/** The command once more, to its end; then what stands in the tenant and in the store. */
async function finishes(home: Home, what: string, proved: boolean): Promise<void> {
  let again = start(home, command);
  if ((await again.ended) === 5 && again.stderr().includes('Another mailauth')) {
    // Killed between the two parts of giving its lock back, it looks alive for ten seconds (src/system/disk/lock.ts).
    await sleep(11_000);
    again = start(home, command);
  }
  expect(await again.ended, `${what}: ${again.stderr()}`).toBe(0);
  const already = again.stdout().includes('set up already');
  expect(proved || again.stderr().includes('client secret works') || already, `${what}: ${again.stderr()}`).toBe(true);

  const sandbox = join(home.path, 'sandbox');
  const state = JSON.parse(await readFile(join(sandbox, 'state.json'), 'utf8'));
  const tagged = state.apps.filter((app: Stored) => app.registration?.tags.some((tag: string) => tag.startsWith('mailauth:')));
  expect(tagged, what).toHaveLength(1);
  const [app] = tagged;
  expect(state.apps, what).toHaveLength(3);
  const principals = state.servicePrincipals.filter((one: Stored) => one.appId === app.clientId);
  expect(principals, what).toHaveLength(1);
  const resources = state.grants.filter((one: Stored) => one.clientId === principals[0].objectId).map((one: Stored) => one.resourceId);
  expect(resources, what).toHaveLength(2);
  expect(new Set(resources).size, what).toBe(2);
  expect(app.secrets, what).toHaveLength(1);

  const shown = start(home, ['secret', 'show', mailbox, '--for', 'osticket', '--reveal', '--json', '--sandbox']);
  expect(await shown.ended, what).toBe(0);
  const { data } = JSON.parse(shown.stdout());
  expect(data, what).toMatchObject({ clientId: app.clientId, secretId: app.secrets[0].id });
  // What the token endpoint compares.
  expect(createHash('sha256').update(data.clientSecret).digest('base64url'), what).toBe(app.secrets[0].sha256);

  expect(await readdir(join(sandbox, 'setups')), what).toEqual([]);
  const kept = Object.keys(JSON.parse(await readFile(join(sandbox, 'secrets.json'), 'utf8')).secrets);
  expect(
    kept.filter((name) => name.includes('osticket')),
    what,
  ).toHaveLength(1);
}

interface Stored {
  readonly appId: string;
  readonly clientId: string;
  readonly resourceId: string;
  readonly registration?: { readonly tags: readonly string[] };
}

/** Two at a time: this machine has two cores. */
async function twoAtATime<T>(cases: Iterable<T>, play: (one: T) => Promise<void>): Promise<void> {
  const rest = cases[Symbol.iterator]();
  const lane = async () => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) await play(next.value);
  };
  await Promise.all([lane(), lane()]);
}

it('after each change of the journal: one app, one service principal, one grant a resource, one live secret', async () => {
  const whole = await interrupted(await anotherHome(), { afterChange: Number.POSITIVE_INFINITY });
  expect(whole.killed).toBe(false);
  // Store, set-up id, creating, application, service principal, two grants, secret, registration, and its end.
  expect(whole.changes).toBeGreaterThanOrEqual(9);
  let killed = 0;
  await twoAtATime(
    Array.from({ length: whole.changes }, (_, i) => i + 1),
    async (afterChange) => {
      const home = await anotherHome();
      const first = await interrupted(home, { afterChange });
      if (first.killed) killed += 1;
      await finishes(home, `killed after change ${afterChange}`, first.proved);
    },
  );
  // On a busy computer the signal comes late, and the last changes are followed by the end.
  expect(killed).toBeGreaterThanOrEqual(whole.changes / 2);
}, 120_000);

it('at any moment, twice', async () => {
  const home = await anotherHome();
  const begun = Date.now();
  await interrupted(home, { afterChange: Number.POSITIVE_INFINITY });
  const wholeMs = Date.now() - begun;
  // From the first change on, where something can be half done: about the second half of a run.
  const moments = Array.from({ length: 8 }, (_, i) => Math.round(((Math.random() + i) * wholeMs) / 16));
  await twoAtATime(moments, async (thenMs) => {
    const own = await anotherHome();
    const once = await interrupted(own, { afterChange: 1, thenMs });
    const second = Math.round((thenMs * 7) % 200);
    const twice = await interrupted(own, { afterChange: 1, thenMs: second });
    const what = `killed ${thenMs} ms after the first change, then ${second} ms after the next one`;
    await finishes(own, what, once.proved || twice.proved);
  });
}, 120_000);
