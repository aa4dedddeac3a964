import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hold, until } from './rigs/lab-app.ts';
import { type Office, type Outcome, openOffice, type Running, type Seat } from './rigs/office.ts';

/** Many processes want one token at the same moment. The lab keeps its answer back until all of them wait, and counts the refreshes. */
let office: Office;
beforeAll(async () => {
  office = await openOffice();
});
afterAll(() => office?.close());

const printed = (token: string) => ({ code: 0, stdout: `${token}\n`, stderr: '' });
const patient = ['--timeout', '40'];
type Env = Readonly<Record<string, string | undefined>>;

/** Set up, and its token has expired already. */
async function expired(store: 'keychain' | 'file'): Promise<{ seat: Seat; env: Env }> {
  const seat = await office.seat({ lifetimeSeconds: 0 });
  const key = join(seat.folder, 'key');
  const env = store === 'keychain' ? {} : { MAILAUTH_KEY_FILE: key, DBUS_SESSION_BUS_ADDRESS: undefined, XDG_RUNTIME_DIR: undefined };
  if (store === 'file') expect((await seat.run(['store', 'keygen', key])).code).toBe(0);
  const done = await seat.setup(['--no-test', '--store', store], { env });
  expect(done.code, done.stderr).toBe(0);
  seat.app.lifetimeSeconds = 3600;
  return { seat, env };
}

/** Processes that hold or want the lock of a home's token. */
const waiting = async (seat: Seat): Promise<readonly string[]> =>
  (await readdir(join(seat.home, 'locks')).catch(() => [])).filter((name) => name.startsWith('token-') && name.includes('.by-'));

/** Started some at a time, so that starting them is not what they wait for; none ends before the answer is let go. */
async function crowd(seat: Seat, env: Env, size: number, before = 0): Promise<readonly Running[]> {
  const all: Running[] = [];
  while (all.length < size) {
    const wave = Math.min(20, size - all.length);
    for (let i = 0; i < wave; i += 1) all.push(seat.start(['token', 'get', seat.mailbox, ...patient], { env }));
    const early = Promise.race(all.map(({ ended }) => ended)).then((outcome) => Promise.reject(ended(outcome)));
    await Promise.race([until(`${all.length} wait`, async () => (await waiting(seat)).length >= before + all.length), early]);
  }
  return all;
}

const ended = ({ code, stderr }: Outcome): Error => new Error(`ended with ${code} before the answer: ${stderr}`);

const kill = ({ child }: Running): void => {
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
};

describe.each(['file', 'keychain'] as const)('100 processes at expiry, store %s', (store) => {
  it('one refresh, and all print the new token', async () => {
    const { seat, env } = await expired(store);
    const letGo = hold(seat.app);
    const all = await crowd(seat, env, 100);
    letGo();
    const outcomes = await Promise.all(all.map(({ ended }) => ended));
    expect(seat.app.refreshes).toBe(1);
    for (const outcome of outcomes) expect(outcome).toEqual(printed(seat.lastToken));
    expect(await readdir(join(seat.home, 'locks'))).toEqual([]);
  }, 120_000);
});

describe.concurrent('whoever waits for a refresh', () => {
  it('waits for its own mailbox only', async () => {
    const { seat, env } = await expired('file');
    const other = await office.seat();
    const home = { env: { ...env, MAILAUTH_HOME: seat.home } };
    const done = await other.setup(['--no-test', '--store', 'file'], home);
    expect(done.code, done.stderr).toBe(0);
    const letGo = hold(seat.app);
    const [hung] = await crowd(seat, env, 1);
    const forced = await other.run(['token', 'get', other.mailbox, '--force-refresh'], home);
    expect(forced).toEqual(printed(other.lastToken));
    expect(await waiting(seat)).toHaveLength(1);
    letGo();
    expect(await hung?.ended).toEqual(printed(seat.lastToken));
  });

  it('ends with exit 5 when its own time is over', async () => {
    const { seat, env } = await expired('file');
    const letGo = hold(seat.app);
    const [holder] = await crowd(seat, env, 1);
    const failure = await seat.failure(['token', 'get', '--timeout', '1'], { env });
    expect(failure).toMatchObject({ code: 5, error: { code: 'refresh-busy' } });
    letGo();
    expect(await holder?.ended).toEqual(printed(seat.lastToken));
    expect(seat.app.refreshes).toBe(1);
  });

  it('takes over from a process that was killed while it refreshed, and one does it for all', async () => {
    const { seat, env } = await expired('file');
    const letGo = hold(seat.app);
    const [holder] = await crowd(seat, env, 1);
    const others = await crowd(seat, env, 10, 1);
    if (holder !== undefined) kill(holder);
    const isNext = (name: string) => name.endsWith('-held') && !name.includes(`.by-${holder?.child.pid}-`);
    await until('one of them goes on', async () => (await waiting(seat)).some(isNext));
    letGo();
    const outcomes = await Promise.all(others.map(({ ended }) => ended));
    for (const outcome of outcomes) expect(outcome).toEqual(printed(seat.lastToken));
    expect(seat.app.refreshes).toBe(1);
    expect(await readdir(join(seat.home, 'locks'))).toEqual([]);
  });
});
