import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkedJson } from '../support/json-schema.ts';
import { startMailauth } from './rigs/chromium.ts';
import { type Gate, openGatedSandbox, type Seat } from './rigs/gated-sandbox.ts';

/** `kill -9` in the middle of `setup --from`, while a call to Microsoft Graph hangs; then the same command once more, to its end. */
const rows = ['a@alpha.example,,,skip,true', 'b@beta.example,osticket,https://help.beta.example/cb,,', 'c@alpha.example,,,skip,true'];
const list = ['mailbox,for,redirect-uri,sign-in,no-test', ...rows, ''].join('\n');

async function commandIn(seat: Seat): Promise<readonly string[]> {
  const file = join(seat.path, 'list.csv');
  await writeFile(file, list);
  return ['setup', '--sandbox', '--yes', '--from', file, '--report', join(seat.path, 'report.jsonl')];
}

/** The report, of which every line must be whole. */
const reportOf = async (seat: Seat): Promise<readonly { readonly row: number; readonly ok: boolean }[]> => {
  const text = await readFile(join(seat.path, 'report.jsonl'), 'utf8');
  expect(text).toMatch(/\n$|^$/);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => checkedJson(line, 'report-line'));
};

async function callsOfAll(): Promise<number> {
  const box = await openGatedSandbox();
  try {
    const seat = await box.seat();
    box.gate();
    const run = startMailauth(await commandIn(seat), seat.env);
    expect(await run.ended, run.stderr()).toBe(0);
    return box.calls.length;
  } finally {
    await box.close();
  }
}

async function killedAt(at: Gate): Promise<void> {
  const box = await openGatedSandbox();
  try {
    const seat = await box.seat();
    const command = await commandIn(seat);
    const { stopped } = box.gate(at);
    const first = startMailauth(command, seat.env);
    const call = await Promise.race([stopped, first.ended.then((code) => `ended with ${code}: ${first.stderr()}`)]);
    first.kill();
    expect(await first.ended, call).toBe(null);
    const what = `killed ${at.where} ${call} (${at.nth})`;
    expect(
      (await reportOf(seat)).every(({ ok }) => ok),
      what,
    ).toBe(true);
    box.gate();
    const second = startMailauth(command, seat.env);
    expect(await second.ended, `${what}: ${second.stderr()}`).toBe(0);
    expect(
      (await reportOf(seat)).map(({ row, ok }) => [row, ok]),
      what,
    ).toEqual([
      [2, true],
      [4, true],
      [3, true],
    ]);
    const { apps, servicePrincipals } = await box.tenant();
    expect([apps.length, servicePrincipals.length], what).toEqual([3, 3]);
    expect(await readdir(join(seat.path, 'sandbox', 'setups')), what).toEqual([]);
  } finally {
    await box.close();
  }
}

it('setup --from, killed at calls of every row: whole lines in the report, and no app is doubled', async () => {
  const calls = await callsOfAll();
  expect(calls).toBeGreaterThan(15);
  for (let nth = 1; nth <= calls; nth += 7) await killedAt({ nth, where: nth % 2 === 1 ? 'after' : 'before' });
}, 240_000);
