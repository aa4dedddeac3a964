import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Office, openOffice, type Seat } from './rigs/office.ts';

/**
 * `kill -9` at a random moment of a refresh and of what it writes, again and again on one mailbox: after each, `token get` works without a
 * sign-in. `MAILAUTH_KILLS=200` for the long run, `MAILAUTH_SEED` for the same moments once more.
 */
const kills = Number(process.env.MAILAUTH_KILLS ?? 20);
const seed = Number(process.env.MAILAUTH_SEED ?? 20261122);
let office: Office;
beforeAll(async () => {
  office = await openOffice();
});
afterAll(() => office?.close());

/** mulberry32 */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

interface Tally {
  before: number;
  during: number;
  finished: number;
}

/** Killed `afterMs` after it asked Microsoft, or before that; answers when that was. */
async function killedRefresh(seat: Seat, env: Record<string, string | undefined>, share: number, answerMs: number): Promise<keyof Tally> {
  const { refreshes } = seat.app;
  const run = seat.start(['token', 'get', '--force-refresh'], { env });
  let done = false;
  void run.ended.then(() => {
    done = true;
  });
  // A fifth of them on their way there; the others from the answer on, where tokens are written.
  const early = share < 0.2;
  if (early) await pause(share * 5 * answerMs);
  else {
    while (seat.app.refreshes === refreshes && !done) await pause(1);
    await pause(((share - 0.2) / 0.8) * 120);
  }
  const finished = done;
  if (run.child.pid !== undefined && !finished) process.kill(-run.child.pid, 'SIGKILL');
  const { code } = await run.ended;
  if (code === 0) return 'finished';
  return seat.app.refreshes === refreshes ? 'before' : 'during';
}

it.concurrent.each(['file', 'keychain'] as const)(
  `${kills / 2} random kills, store %s: the mailbox works after each`,
  async (store) => {
    const seat = await office.seat();
    const key = join(seat.folder, 'key');
    const env: Record<string, string | undefined> =
      store === 'file' ? { MAILAUTH_KEY_FILE: key, DBUS_SESSION_BUS_ADDRESS: undefined, XDG_RUNTIME_DIR: undefined } : {};
    if (store === 'file') expect((await seat.run(['store', 'keygen', key])).code).toBe(0);
    const setup = await seat.setup(['--no-test', '--store', store], { env });
    expect(setup.code, setup.stderr).toBe(0);
    const began = performance.now();
    expect((await seat.run(['token', 'get', '--force-refresh'], { env })).code).toBe(0);
    const wholeMs = performance.now() - began;
    const random = randomFrom(seed);
    const tally: Tally = { before: 0, during: 0, finished: 0 };
    for (let i = 0; i < kills / 2; i += 1) {
      const share = random();
      tally[await killedRefresh(seat, env, share, wholeMs)] += 1;
      const signIns = seat.app.seen.filter((one) => one.startsWith('authorize')).length;
      const what = `kill ${i} of seed ${seed}, at ${share}`;
      const { code, stdout, stderr } = await seat.run(['token', 'get'], { env });
      expect([code, stderr], what).toEqual([0, '']);
      expect(seat.app.accessTokens, what).toContain(stdout.trim());
      expect(
        seat.app.seen.filter((one) => one.startsWith('authorize')),
        what,
      ).toHaveLength(signIns);
    }
    // What is stored is a whole sign-in, and nothing of the killed ones is in the way or left.
    expect((await seat.run(['token', 'get', '--force-refresh'], { env })).code).toBe(0);
    expect((await readdir(seat.home, { recursive: true })).filter((name) => /\.tmp$|-held$/.test(name))).toEqual([]);
    expect(tally.during).toBeGreaterThan(0);
    if (process.env.MAILAUTH_KILLS !== undefined) process.stderr.write(`${store}: ${JSON.stringify(tally)}\n`);
  },
  Math.max(60_000, kills * 4_000),
);
