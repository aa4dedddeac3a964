import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hold, until } from './rigs/lab-app.ts';
import { type Office, openOffice, type Running, type Seat } from './rigs/office.ts';
import { type Postgres, startPostgres } from './rigs/postgresql.ts';

/** Several machines (homes) with the same mailboxes in one PostgreSQL: each token is renewed once, whatever is killed. The lab counts the refreshes. */
const kills = Number(process.env.MAILAUTH_KILLS ?? 16);
let office: Office;
let postgres: Postgres;
let shared: Env;
beforeAll(async () => {
  [office, postgres] = await Promise.all([openOffice(), startPostgres()]);
  const key = join(office.folder, 'shared.key');
  await writeFile(key, 'k'.repeat(32), { mode: 0o600 });
  const noKeychain = { DBUS_SESSION_BUS_ADDRESS: undefined, XDG_RUNTIME_DIR: undefined };
  shared = { MAILAUTH_DATABASE_URL: postgres.url(), MAILAUTH_KEY_FILE: key, ...noKeychain };
  const made = await (await office.seat()).run(['store', 'init'], { env: shared });
  expect(made.code, made.stderr).toBe(0);
}, 60_000);
afterAll(async () => {
  await office?.close();
  await postgres?.stop();
});

type Env = Readonly<Record<string, string | undefined>>;
const printed = (token: string) => ({ code: 0, stdout: `${token}\n`, stderr: '' });
const machine = (name: string): Env => ({ ...shared, MAILAUTH_HOME: join(office.folder, `machine-${name}`) });

async function seatOf(lifetimeSeconds = 3600): Promise<Seat> {
  const seat = await office.seat({ lifetimeSeconds });
  const done = await seat.setup(['--no-test', '--store', 'postgres'], { env: shared });
  expect(done.code, done.stderr).toBe(0);
  seat.app.lifetimeSeconds = 3600;
  return seat;
}

const kill = ({ child }: Running): void => {
  // It may have ended by itself just now.
  if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
};
const connections = () => Number(postgres.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mailauth'"));

describe('one refresh over machines', () => {
  it('60 processes of three machines at expiry', async () => {
    const seat = await seatOf(0);
    const letGo = hold(seat.app);
    const all: Running[] = [];
    for (let i = 0; i < 60; i += 1) {
      all.push(seat.start(['token', 'get', seat.mailbox, '--timeout', '40'], { env: machine(String(i % 3)) }));
      if (i % 15 === 14) await until(`${i} are connected`, () => connections() > i);
    }
    letGo();
    for (const { ended } of all) expect(await ended).toEqual(printed(seat.lastToken));
    expect(seat.app.refreshes).toBe(1);
    expect(postgres.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")).toBe('0');
  }, 120_000);

  it('a machine that dies in the middle frees the mailbox at once, and one whose clock is wrong renews nothing twice', async () => {
    const seat = await seatOf(0);
    const letGo = hold(seat.app);
    const first = seat.start(['token', 'get', seat.mailbox], { env: machine('0') });
    await until('it asks Microsoft', () => seat.app.seen.filter((one) => one.startsWith('refresh')).length > 0 || connections() > 0);
    await until('it has the lock', () => postgres.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") === '1');
    const second = seat.start(['token', 'get', seat.mailbox, '--timeout', '40'], { env: machine('1') });
    await until('the second waits', () => connections() > 1);
    kill(first);
    await first.ended;
    await until('the second has the lock', () => connections() === 1);
    letGo();
    expect(await second.ended).toEqual(printed(seat.lastToken));
    const after = seat.app.refreshes;
    const skewed = join(seat.folder, 'skewed.cjs');
    for (const hours of [3, -3]) {
      await writeFile(skewed, `const now = Date.now; Date.now = () => now() + ${hours * 3_600_000};`);
      const env = { ...machine('2'), NODE_OPTIONS: `--require ${skewed}` };
      expect(await seat.run(['token', 'get', seat.mailbox], { env })).toEqual(printed(seat.lastToken));
      // What it writes itself is right for the others.
      expect((await seat.run(['token', 'get', seat.mailbox, '--force-refresh'], { env })).code).toBe(0);
      expect(await seat.run(['token', 'get', seat.mailbox], { env: machine('1') })).toEqual(printed(seat.lastToken));
    }
    expect(seat.app.refreshes).toBe(after + 2);
  }, 60_000);
});

describe('mailauth keepalive on several machines', () => {
  it('renews each due mailbox once', async () => {
    const seats: Seat[] = [];
    for (let i = 0; i < 6; i += 1) seats.push(await seatOf());
    const before = seats.map(({ app }) => app.refreshes);
    for (const { app } of seats) app.delayMs = 150;
    // All are due once more: renewals of less than a day ago count as none with 0 days, so their age is set.
    const run = (name: string) =>
      seats[0]?.start(['keepalive', '--renew-after', '0', '--jitter', '0', '--json'], { env: machine(name) }) ?? expect.fail();
    const all = ['0', '1', '2'].map(run);
    const outcomes = await Promise.all(all.map(({ ended }) => ended));
    const states = outcomes.map(({ stdout }) =>
      JSON.parse(stdout).data.mailboxes.filter((one: { mailbox: string }) => seats.some(({ mailbox }) => mailbox === one.mailbox)),
    );
    for (const [i, seat] of seats.entries()) {
      const said = states.map((mailboxes) => mailboxes.find((one: { mailbox: string }) => one.mailbox === seat.mailbox)?.state);
      expect(
        said.filter((state) => state === 'renewed'),
        `${said}`,
      ).toHaveLength(seat.app.refreshes - (before[i] ?? 0));
      expect(said.every((state) => ['renewed', 'fresh', 'elsewhere'].includes(state))).toBe(true);
      expect(seat.app.refreshes - (before[i] ?? 0), seat.mailbox).toBe(1);
    }
  }, 90_000);
});

describe('notices of several machines', () => {
  it('say once that a mailbox has turned red, and once that it is green', async () => {
    const seat = await seatOf();
    const book = join(seat.folder, 'notices');
    const own = (text: string) => text.split('\n').filter((line) => line.includes(seat.mailbox));
    const run = (name: string) =>
      seat.start(['keepalive', '--renew-after', '0', '--jitter', '0', '--for', 'this-computer', '--notify-command', `cat >> ${book}`], {
        env: machine(name),
      }).ended;
    const heard = async () => own(await readFile(book, 'utf8').catch(() => '')).map((line) => JSON.parse(line).event);
    seat.app.refusal = 'revoked';
    await Promise.all([run('0'), run('1')]);
    expect(await heard()).toEqual(['red']);
    await run('2');
    expect(await heard()).toEqual(['red']);
    seat.app.refusal = undefined;
    expect((await seat.run(['login', seat.mailbox, '--force', '--no-test'], { env: machine('0') })).code).toBe(0);
    await Promise.all([run('1'), run('2')]);
    expect(await heard()).toEqual(['red', 'green']);
  }, 60_000);
});

describe('kills at random moments', () => {
  it(`${kills} of the client, and ${kills / 2} restarts of the server: the mailbox works after each`, async () => {
    const seat = await seatOf();
    let state = 20261127;
    const random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    for (let i = 0; i < kills; i += 1) {
      const run = seat.start(['token', 'get', seat.mailbox, '--force-refresh'], { env: machine(String(i % 2)) });
      await new Promise((done) => setTimeout(done, 150 + random() * 500));
      kill(run);
      await run.ended;
      const there = await seat.run(['token', 'get', seat.mailbox], { env: machine(String((i + 1) % 2)) });
      expect([there.code, there.stderr], `kill ${i}`).toEqual([0, '']);
      expect(seat.app.accessTokens).toContain(there.stdout.trim());
    }
    for (let i = 0; i < kills / 2; i += 1) {
      const run = seat.start(['token', 'get', seat.mailbox, '--force-refresh'], { env: machine(String(i % 2)) });
      await new Promise((done) => setTimeout(done, 100 + random() * 500));
      postgres.down('immediate');
      postgres.up();
      const { code } = await run.ended;
      expect([0, 5]).toContain(code);
      const there = await seat.run(['token', 'get', seat.mailbox], { env: machine(String((i + 1) % 2)) });
      expect([there.code, there.stderr], `restart ${i}`).toEqual([0, '']);
      if (code === 0) expect(there.stdout.trim()).toBe((await run.ended).stdout.trim());
    }
  }, 180_000);
});

describe('mailauth agent, while the database is away', () => {
  it('gives out what it holds and is still valid, and nothing else', async () => {
    const [held, other] = [await seatOf(), await seatOf()];
    const socket = join(held.folder, 'run', 'agent.sock');
    const agent = held.start(['agent', '--socket', socket], { env: machine('agent') });
    const ask = (seat: Seat) =>
      seat.run(['--version']).then(async () => {
        const { execFile } = await import('node:child_process');
        return new Promise<string>((done) =>
          execFile(
            'curl',
            ['-sS', '-w', '\n%{http_code}', '--unix-socket', socket, `http://agent/token/${encodeURIComponent(seat.mailbox)}`],
            (_error, out) => done(out),
          ),
        );
      });
    await until('the agent answers', async () => (await ask(held)).endsWith('200'));
    postgres.down('immediate');
    try {
      await new Promise((done) => setTimeout(done, 4_500));
      expect(await ask(held)).toBe(`${held.lastToken}\n\n200`);
      const none = await ask(other);
      expect(none).toMatch(/503$/);
      expect(none).toContain('"code":"database-away"');
    } finally {
      postgres.up();
    }
    await until('it finds the database again', async () => (await ask(other)).endsWith('200'));
    kill(agent);
    await agent.ended;
  }, 60_000);
});
