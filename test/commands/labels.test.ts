import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderStatusTable, type StatusLine } from '../../src/ui/status-table.ts';
import { themeFor } from '../../src/ui/theme.ts';
import { type Machine, machine } from '../support/command-line.ts';
import { testContext } from '../support/context.ts';
import { writeMailboxes } from '../support/mailboxes.ts';

let m: Machine;
beforeAll(async () => {
  m = await machine();
  await m.run(['setup', '--sandbox', '--yes', '--no-test', '--mailbox', 'ada@contoso.example', '--label', 'Contoso GmbH, Köln']);
  await m.run(['setup', '--sandbox', '--yes', '--no-test', '--mailbox', 'bob@fabrikam.example', '--label', 'Fabrikam']);
  await m.run(['setup', '--sandbox', '--yes', '--no-test', '--mailbox', 'eve@contoso.example']);
  await m.mailauth('setup --sandbox --yes --register handoff --mailbox new@fabrikam.example --label Fabrikam');
});
afterAll(() => m.end());

const shown = async (...words: string[]) => {
  const { json } = await m.run(['status', '--sandbox', '--json', ...words]);
  const { mailboxes, pending, summary } = json().data;
  const who = (one: { mailbox: string; label?: string }) => [one.mailbox.split('@')[0], one.label];
  return { mailboxes: mailboxes.map(who), pending: pending.map(who), total: summary.total };
};
const recordOf = async (mailbox: string) => {
  const folder = join(m.home, 'sandbox', 'mailboxes');
  const name = (await readdir(folder)).find((one) => one.startsWith(`${mailbox}~`)) ?? '';
  return JSON.parse(await readFile(join(folder, name), 'utf8'));
};

describe('--label', () => {
  it('is kept in the mailbox file and shown with the mailbox, also while a set-up waits', async () => {
    expect((await recordOf('ada@contoso.example')).label).toBe('Contoso GmbH, Köln');
    expect(await shown()).toEqual({
      mailboxes: expect.arrayContaining([
        ['ada', 'Contoso GmbH, Köln'],
        ['bob', 'Fabrikam'],
        ['eve', undefined],
      ]),
      pending: [['new', 'Fabrikam']],
      total: 3,
    });
    expect((await m.mailauth('status ada@contoso.example --sandbox')).out).toMatch(/Label +Contoso GmbH, Köln/);
  });

  it('filters, in capital or small letters, the set-ups that wait too', async () => {
    expect(await shown('--label', 'fabrikam')).toEqual({ mailboxes: [['bob', 'Fabrikam']], pending: [['new', 'Fabrikam']], total: 1 });
    expect(await shown('--label', 'Fabri')).toEqual({ mailboxes: [], pending: [], total: 0 });
    expect(await shown('--label', 'Fabrikam', '--tenant', 'contoso.example')).toEqual({ mailboxes: [], pending: [], total: 0 });
  });

  it('csv has it in a column, and prometheus in a series of its own', async () => {
    const csv = (await m.mailauth('status --format csv --sandbox')).out.split('\r\n');
    expect(csv[0]?.split(',').at(-1)).toBe('label');
    expect(csv.find((line) => line.startsWith('ada@'))).toMatch(/,"Contoso GmbH, Köln"$/);
    const { out } = await m.mailauth('status --format prometheus --sandbox');
    expect(out).toContain('mailauth_mailbox_info{mailbox="bob@fabrikam.example",for="this-computer",label="Fabrikam"} 1');
    expect(out).toContain('mailauth_signed_in{mailbox="bob@fabrikam.example",for="this-computer"} 1');
  });

  it('a set-up that is finished takes another label without anything else being done, and keeps it', async () => {
    const set = ['setup', '--sandbox', '--no-test', '--mailbox', 'eve@contoso.example'];
    const before = await recordOf('eve@contoso.example');
    const { exit, out, json } = await m.run([...set, '--label', 'Contoso two', '--json']);
    expect([exit, out === '' ? undefined : json().data]).toMatchObject([0, { alreadySetUp: true, label: 'Contoso two' }]);
    expect(await recordOf('eve@contoso.example')).toEqual({ ...before, label: 'Contoso two' });
    expect((await m.run([...set, '--label', 'Contoso three'])).out).toContain('only its label was changed');
    expect((await m.run(set)).out).toContain('nothing was changed');
    expect((await recordOf('eve@contoso.example')).label).toBe('Contoso three');
    // What makes the set-up anew keeps it, too.
    expect((await m.run([...set, '--yes', '--protocols', 'imap'])).exit).toBe(0);
    expect((await recordOf('eve@contoso.example')).label).toBe('Contoso three');
  });

  it.each([
    ['a'.repeat(61), 'at most 60 characters'],
    ['two\nlines', 'one line'],
    ['red\u001b[31m', 'control characters'],
    ['left\u202eright', 'invisible'],
  ])('%j is refused before anything is done', async (label, why) => {
    const { exit, json } = await m.run(['setup', '--sandbox', '--yes', '--json', '--mailbox', 'x@contoso.example', '--label', label]);
    expect([exit, json().error?.code]).toEqual([2, 'value-invalid']);
    expect(json().error?.why).toContain(why);
  });
});

describe('many customers', () => {
  it('test --all-mailboxes: a heading and a summary a tenant, and the filters', async () => {
    const pc = await machine();
    try {
      await writeMailboxes(testContext({}), join(pc.home, 'sandbox'), [
        { mailbox: 'a@contoso.example', label: 'Contoso' },
        { mailbox: 'b@contoso.example', label: 'Contoso', signedIn: false },
        { mailbox: 'c@fabrikam.example', tenantId: '00000000-0000-4000-8000-000000000001', signedIn: false },
      ]);
      const { out, exit } = await pc.mailauth('test imap --all-mailboxes --sandbox');
      expect(exit).toBe(4);
      expect(out.split('\n').filter((line) => line.includes(' · '))).toEqual([
        'Contoso · 2 mailboxes, 1 red',
        'fabrikam.example · 1 mailbox, 1 red',
      ]);
      const json = (await pc.mailauth('test imap --all-mailboxes --sandbox --json --label contoso')).json();
      expect(json.data.tenants).toEqual([{ tenantId: expect.any(String), label: 'Contoso', mailboxes: 2, green: 1, red: 1, skipped: 0 }]);
      expect(json.data.results).toHaveLength(2);
      const none = await pc.mailauth('test --all-mailboxes --sandbox --json --tenant nobody.example');
      expect([none.exit, none.json().error?.code]).toEqual([4, 'none-chosen']);
      const alone = await pc.mailauth('test imap a@contoso.example --sandbox --json --label Contoso');
      expect([alone.exit, alone.json().error?.code]).toEqual([2, 'usage']);
      expect((await pc.mailauth('keepalive --sandbox --json --label contoso')).json().data.mailboxes).toHaveLength(2);
    } finally {
      await pc.end();
    }
  });

  const lines: readonly StatusLine[] = Array.from({ length: 400 }, (_, i) => ({
    sign: i % 40 === 0 ? 'over' : 'fine',
    ends: i % 40 === 0 ? '5 days ago' : 'in 89 days',
    mailbox: `mailbox${i}@customer${i % 60}.example`,
    ...(i % 2 === 0 ? { label: `Customer number ${i % 60}` } : {}),
    product: 'osticket',
    what: 'client secret',
    lastTest: 'ok',
  }));

  it.each([44, 80, 120])('400 set-ups of 60 customers: a line each under a heading, within %i columns', (columns) => {
    const theme = themeFor({ env: {} }, { isTerminal: true, columns, write: () => undefined }, true);
    const text = renderStatusTable(lines, theme, columns, true).trimEnd().split('\n');
    expect(Math.max(...text.map((line) => line.length))).toBeLessThanOrEqual(columns);
    const headings = text.filter((line) => line.includes('set-ups'));
    expect(headings).toHaveLength(60);
    expect(headings[0]).toBe('Customer number 0 · 7 set-ups · 4 over');
    if (columns >= 80) expect(text).toHaveLength(1 + 60 + 400);
  });

  it('what needs somebody is one table with the label where it fits, else under headings', () => {
    const theme = themeFor({ env: {} }, { isTerminal: true, columns: 120, write: () => undefined }, true);
    const some = lines.filter(({ sign }) => sign === 'over');
    expect(renderStatusTable(some, theme, 120)).toMatch(/ENDS +MAILBOX +LABEL +FOR/);
    const narrow = renderStatusTable(some, theme, 80);
    expect(narrow).not.toContain('LABEL');
    expect(narrow).toContain('Customer number 40');
  });
});
