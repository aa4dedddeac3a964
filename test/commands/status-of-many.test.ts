import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailboxFiles } from '../../src/store/mailbox-file.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import { renderStatusTable, type StatusLine } from '../../src/ui/status-table.ts';
import { themeFor } from '../../src/ui/theme.ts';
import { type Machine, machine, person } from '../support/command-line.ts';
import { testContext } from '../support/context.ts';
import { writeMailboxes } from '../support/mailboxes.ts';

const dayMs = 86_400_000;
const redirect = '--redirect-uri https://help.contoso.example/api/auth/oauth2';
let m: Machine;

/** Six set-ups: an ended secret, one that ends in 11 days, a healthy hand-over, a sign-in that is gone, a healthy one, and one that waits. */
beforeAll(async () => {
  m = await machine();
  await m.ready(
    `setup --sandbox --yes --for osticket --mailbox over@contoso.example ${redirect}`,
    `setup --sandbox --yes --for osticket --mailbox soon@contoso.example ${redirect}`,
    `setup --sandbox --yes --for osticket --mailbox fine@contoso.example ${redirect}`,
    'setup --sandbox --yes --no-test --mailbox lost@contoso.example',
    'setup --sandbox --yes --no-test --mailbox ada@contoso.example',
    'setup --sandbox --yes --register handoff --mailbox bob@contoso.example',
  );
  const folder = join(m.home, 'sandbox', 'mailboxes');
  const secretEnds = { over: -5.3, soon: 11.5 };
  for (const name of await readdir(folder)) {
    const record = JSON.parse(await readFile(join(folder, name), 'utf8'));
    for (const [who, days] of Object.entries(secretEnds))
      if (name.startsWith(`${who}@`)) record.registration.secretExpiresAt = new Date(Date.now() + days * dayMs).toISOString();
    await writeFile(join(folder, name), JSON.stringify(record));
  }
  for (const entry of m.keychain.entries.keys()) if (entry.includes('token') && entry.includes('lost@')) m.keychain.entries.delete(entry);
});
afterAll(() => m.end());

const states = async (words: string) => {
  const { exit, json } = await m.mailauth(`status ${words} --sandbox --json`.replace('  ', ' '));
  const { mailboxes, pending, summary } = json().data;
  const of = mailboxes.map((one: { mailbox: string; state: string }) => `${one.mailbox.split('@')[0]} ${one.state}`);
  return { exit, of, pending: pending.length, summary };
};

describe('status of many', () => {
  it('JSON: each has its state, the most urgent first, and the summary counts them', async () => {
    const { exit, json } = await m.mailauth('status --sandbox --json');
    expect([exit, json().error?.code]).toEqual([4, 'sign-in-lost']);
    expect(await states('')).toEqual({
      exit: 4,
      of: ['lost over', 'over over', 'soon ending', 'ada ok', 'fine handed-over'],
      pending: 1,
      summary: { total: 5, ok: 2, ending: 1, over: 2, pending: 1 },
    });
    expect(json().data.pending).toEqual([
      {
        mailbox: 'bob@contoso.example',
        for: 'this-computer',
        waitsFor: 'administrator',
        since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        next: ['mailauth setup --resume --mailbox bob@contoso.example --for this-computer --sandbox'],
      },
    ]);
  });

  it.each([
    ['--ending 12', ['lost over', 'over over', 'soon ending'], 0],
    ['--ending 11', ['lost over', 'over over'], 0],
    ['--warn-days 5', ['lost over', 'over over', 'soon handed-over', 'ada ok', 'fine handed-over'], 1],
    ['--for osticket', ['over over', 'soon ending', 'fine handed-over'], 0],
    ['--for this-computer', ['lost over', 'ada ok'], 1],
    ['--tenant contoso.example', ['lost over', 'over over', 'soon ending', 'ada ok', 'fine handed-over'], 1],
    ['--tenant 5A4DB0C5-C0DE-4A11-B0B5-C0FFEE000365 --for osticket --ending 1', ['over over'], 0],
    ['--tenant fabrikam.example', [], 0],
    ['bob@contoso.example', [], 1],
  ])('%s', async (words, of, pending) => {
    const seen = await states(words);
    expect([seen.of, seen.pending, seen.summary.total, seen.summary.pending]).toEqual([of, pending, of.length, pending]);
  });

  it('a healthy hand-over is no warning', async () => {
    expect((await m.mailauth('status fine@contoso.example --sandbox')).exit).toBe(0);
  });

  it.each([
    'token get fine@contoso.example',
    'token show fine@contoso.example',
    'test fine@contoso.example',
    'test imap --for osticket fine@contoso.example',
  ])('%s: what was handed over has no token here, and the command that is named proves it', async (words) => {
    const { exit, json } = await m.mailauth(`${words} --sandbox --json`);
    const next = ['mailauth setup --mailbox fine@contoso.example --for osticket --sign-in browser --sandbox'];
    expect([exit, json().error]).toMatchObject([4, { code: 'handed-over', next }]);
  });

  it('export of a hand-over is refused the same way, and a set-up that can is taken before one that cannot', async () => {
    const handed = await m.mailauth('export msmtp fine@contoso.example --sandbox --json');
    expect([handed.exit, handed.json().error?.code]).toEqual([4, 'handed-over']);
    const both = await machine();
    try {
      await both.ready('setup --sandbox --yes --no-test', `setup --sandbox --yes --for osticket ${redirect}`);
      const asked = { terminal: true, prompts: person([]).prompts };
      for (const words of ['token get', 'test imap', 'export msmtp', 'secret show'])
        expect((await both.mailauth(`${words} --sandbox`, asked)).exit, words).toBe(0);
      expect((await both.mailauth('secret show --sandbox --json')).json().data).toMatchObject({ for: 'osticket' });
    } finally {
      await both.end();
    }
  });

  it('the command that proves a hand-over works as it stands', async () => {
    const { exit, err } = await m.mailauth('setup --mailbox fine@contoso.example --for osticket --sign-in browser --sandbox --yes');
    expect(exit, err).toBe(0);
    expect(err).toContain('for the proof; no token is kept');
  });

  it.each([
    ['list', 'names it too'],
    ['status', 'one summary line, then what needs somebody, then how many are fine'],
  ])('%s: %s', async (command) => {
    const { out, err } = await m.mailauth(`${command} --sandbox`);
    expect(out.replaceAll(/ {2,}/g, '  ').split('\n')).toEqual([
      '5 set-ups · 2 over · 1 ends within 14 days · 1 waits',
      '  ENDS  MAILBOX  FOR  WHAT ENDS  LAST TEST',
      '✖ over  lost@contoso.example  this-computer  sign-in  –',
      '✖ 5 days ago  over@contoso.example  osticket  client secret  –',
      '▲ in 11 days  soon@contoso.example  osticket  client secret  –',
      expect.stringMatching(/^\? waiting {2}bob@contoso.example {2}this-computer {2}administrator, .* {2}–$/),
      '✔ 2 fine  (--all lists them)',
      '  next: mailauth setup --resume --mailbox bob@contoso.example --for this-computer --sandbox',
      '',
    ]);
    expect(err).toContain('lost@contoso.example for this-computer: its sign-in is no longer on this computer');
  });

  it('--all lists the fine ones', async () => {
    const { out } = await m.mailauth('status --all --sandbox');
    expect(out).toMatch(/^✔ in 89 days +ada@/m);
    expect(out).not.toContain('fine  (');
  });

  it.each([40, 44, 60, 80, 120])('nothing is wider than a terminal of %i columns, and no address is torn', (columns) => {
    const theme = themeFor({ env: {} }, { isTerminal: true, columns, write: () => undefined }, true);
    const lines: readonly StatusLine[] = [
      {
        sign: 'over',
        ends: '5 days ago',
        mailbox: 'helpdesk@fabrikam0.example',
        product: 'osticket',
        what: 'client secret',
        lastTest: 'imap, pop failed',
      },
      { sign: 'ending', ends: 'in 11 days', mailbox: 'a@b.example', product: 'this-computer', what: 'sign-in', lastTest: '–' },
    ];
    const text = renderStatusTable(lines, theme, columns);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(columns);
    for (const { mailbox, product, ends } of lines) for (const word of [mailbox, product, ends]) expect(text).toContain(word);
  });

  it('csv has a line for each, also for the one that waits', async () => {
    const { exit, out } = await m.mailauth('status --format csv --sandbox');
    const [head = '', ...rows] = out
      .trimEnd()
      .split('\r\n')
      .map((line) => line.split(','));
    const column = (name: string) => rows.map((row) => row[head.indexOf(name)]);
    expect([exit, column('state')]).toEqual([4, ['over', 'over', 'ending', 'ok', 'handed-over', 'pending']]);
    expect(column('waitsFor').at(-1)).toBe('administrator');
    expect(column('daysLeft').slice(1, 3)).toEqual(['-6', '11']);
  });

  it('mailauth alone says how things stand, and where the help is', async () => {
    const fresh = await machine();
    try {
      await fresh.mailauth('setup --sandbox --yes --no-test');
      expect((await fresh.run([])).out).toContain('Examples:');
      await fresh.mailauth('setup --register handoff --yes --sandbox --mailbox bob@contoso.example');
      // What is set up outside the sandbox counts: the sandbox is a home of its own.
      const inSandbox = { env: { MAILAUTH_HOME: join(fresh.home, 'sandbox') } };
      const { out } = await fresh.run([], inSandbox);
      expect(out).toMatch(/^1 set-up · .*1 waits$/m);
      expect(out).toContain('mailauth --help lists every command.');
    } finally {
      await fresh.end();
    }
  });
});

describe('status of more than a thousand', () => {
  it('--ending finds what ends after the days of --warn-days', async () => {
    const many = await machine();
    try {
      const home = join(many.home, 'sandbox');
      const wanted = Array.from({ length: 1_001 }, (_, i) => ({
        mailbox: `box${i}@contoso.example`,
        for: 'osticket',
        signedIn: 'never' as const,
      }));
      const [first] = await writeMailboxes(testContext({}), home, wanted);
      const secretExpiresAt = new Date(Date.now() + 20.5 * dayMs).toISOString();
      const files = mailboxFiles({ files: systemFiles, home });
      if (first !== undefined) await files.writeMailbox({ ...first, registration: { ...first.registration, secretExpiresAt } });
      const { out } = await many.mailauth('status --ending 30 --sandbox');
      expect(out).toMatch(/^1 set-up\n/);
      expect((await many.mailauth('status --sandbox')).out).toBe('1001 set-ups\n✔ 1001 fine  (--all lists them)\n');
      const one = await many.mailauth('status --warn-days 30 --sandbox');
      expect(one.out).toMatch(/^1001 set-ups · 1 ends within 30 days\n[\s\S]*✔ 1000 fine/);
    } finally {
      await many.end();
    }
  });
});
