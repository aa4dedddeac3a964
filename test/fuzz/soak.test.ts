import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createNetwork } from '../../src/system/network/network.ts';
import { type Machine, machine } from '../support/command-line.ts';

/** `npm run soak` refreshes 10,000 times, or as often as named; `npm test` a few times. */
const rounds = Number(process.env.MAILAUTH_SOAK_ROUNDS ?? 12);
const long = rounds > 100;

/** What a bad day does to a refresh: nothing of it may lose the sign-in. */
const faults = ['throttled', 'token-unavailable', 'token-page', 'login-refused', 'login-closed', undefined, undefined, undefined];

let pc: Machine;
beforeAll(async () => {
  pc = await machine();
  await pc.ready('setup --sandbox --yes --no-test');
});
afterAll(() => pc.end());

const descriptors = (): number => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);
const heap = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

it(
  `${rounds} refreshes with faults between: no token is lost, and nothing grows`,
  async () => {
    let [fds, bytes] = [0, 0];
    for (let round = 0; round < rounds; round += 1) {
      const fault = faults[round % faults.length];
      const words = `token get --sandbox --force-refresh${fault === undefined ? '' : ` --fault ${fault}`}`;
      // Each sandbox has ports of its own, and a network remembers the hosts that it talked to.
      const ran = await pc.mailauth(words, { network: createNetwork({ env: {} }) });
      expect([fault, ran.exit]).toEqual([fault, fault === undefined ? 0 : 5]);
      const kept = await pc.mailauth('token get --sandbox');
      expect([round, kept.exit, kept.out.length > 100]).toEqual([round, 0, true]);
      if (round === Math.floor(rounds / 10)) [fds, bytes] = [descriptors(), heap()];
    }
    // In the short run other threads of the same process open and close theirs.
    if (!long) return;
    expect(descriptors()).toBeLessThanOrEqual(fds + 3);
    const grown = (heap() - bytes) / 1024;
    console.log(`${rounds} rounds: ${descriptors()} descriptors (${fds} at a tenth), heap ${Math.round(grown)} KiB larger than at a tenth`);
    // What is compiled and kept once, and a quarter of a KiB a round: the smallest thing that leaks is more.
    expect(grown).toBeLessThan(4096 + rounds / 4);
  },
  long ? 4 * 3_600_000 : 30_000,
);
