import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startMailauth } from './rigs/chromium.ts';
import { type Terminal, terminals } from './rigs/tmux.ts';
import { answer, choose, endsClean, torn } from './rigs/typist.ts';

/** Another administrator changes Exchange Online while the wizard waits. */
const mailbox = 'shared@contoso.example';
const seat = terminals({ browser: true });

/** A shared mailbox on which the person who signs in has no rights yet, at the wait. */
async function waiting(columns: number): Promise<Terminal> {
  const words = ['setup', '--sandbox', '--mailbox', mailbox, '--sign-in-as', 'bob@contoso.example', '--for', 'this-computer'];
  const client = ['--register', 'existing', '--client-type', 'public', '--client-id', '11111111-5a4d-4b0c-9a11-c0ffee000001'];
  const t = await seat.open([...words, ...client], { columns });
  await choose(t, 'Go ahead?', 'Yes');
  await answer(t, 'Look into Exchange Online?', 'n');
  await choose(t, 'Who changes it?', 'Somebody else, now');
  await t.until('Waiting for an Exchange');
  return t;
}

it('waits until the mail servers let it in: the lines, the script, a clock, and Enter tries at once', async () => {
  const t = await waiting(80);
  const shown = await t.until('Esc stops waiting');
  expect(shown).toMatch(/0:0\d of \d+:00\n {2}Enter tries now · Esc stops waiting/);
  expect(shown).toContain(`Add-MailboxPermission -Identity ${mailbox} -User bob@contoso.example`);
  const script = join(seat.home().path, 'sandbox', 'handoff', `${mailbox}~this-computer`, '4-exchange-online.ps1');
  expect(await readFile(script, 'utf8')).toContain(`$signInAs = 'bob@contoso.example'`);
  const other = startMailauth(['exchange', 'apply', mailbox, '--sandbox', '--yes', '--through', 'api'], seat.home().env);
  expect(await other.ended, other.stderr()).toBe(0);
  await t.press('Enter');
  await t.until('✔ IMAP:');
  await endsClean(t, 0);
  // A line that is copied stays whole.
  expect((await torn(t)).filter((line) => !/^ {4}(?:Add|Set)-/.test(line))).toEqual([]);
});

it.each([44, 120])('Esc at %i columns leaves the command for later', async (columns) => {
  const t = await waiting(columns);
  await t.press('Escape');
  const shown = await t.until('When the administrator has changed it');
  expect(shown.replace(/\s+/g, ' ')).toContain(`mailauth test all ${mailbox} --sandbox`);
  await endsClean(t, 6);
});
