import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Interrupted } from '../../src/core/errors.ts';
import { type Machine, machine } from '../support/command-line.ts';
import { testContext } from '../support/context.ts';
import { type WrittenMailbox, writeMailboxes } from '../support/mailboxes.ts';

let pc: Machine;
beforeEach(async () => {
  pc = await machine();
});
afterEach(() => pc.end());

const write = (wanted: readonly WrittenMailbox[]) => writeMailboxes(testContext({}), join(pc.home, 'sandbox'), wanted);
const boxes = (count: number): WrittenMailbox[] => Array.from({ length: count }, (_, i) => ({ mailbox: `box${i}@contoso.example` }));
const all = 'test all --all-mailboxes --sandbox';

describe('test --all-mailboxes', () => {
  it('has one table with a line for each mailbox, and ends with 0 when all are green', async () => {
    await write(boxes(5));
    const ran = await pc.mailauth(`${all} --concurrency 2`);
    // A run of more than a second says that it lives.
    expect(ran).toMatchObject({ exit: 0, err: expect.stringMatching(/^(?:… Tested \d of 5 mailboxes\n)?$/) });
    const [head = '', ...lines] = ran.out.trimEnd().split('\n');
    expect(head.trim()).toMatch(/^Mailbox +IMAP {2}POP {2}SMTP {2}What is wrong$/);
    expect(lines).toHaveLength(5);
    for (const [i, line] of lines.entries()) expect(line).toMatch(new RegExp(`^ {2}box${i}@contoso\\.example {2}✔ {5}✔ {4}✔$`));
  });

  it('goes on over a damaged file, a missing token and a set-up that its product keeps, and says each', async () => {
    await write([
      ...boxes(2),
      { mailbox: 'lost@contoso.example', signedIn: false },
      { mailbox: 'sheet@contoso.example', for: 'osticket', signedIn: 'never' },
      { mailbox: 'send@contoso.example', protocols: ['smtp'] },
    ]);
    await writeFile(join(pc.home, 'sandbox', 'mailboxes', 'bad@contoso.example~this-computer.json'), '{"version":1,');
    const ran = await pc.mailauth(all);
    expect(ran.exit).toBe(1);
    expect(ran.out).toMatch(/lost@contoso\.example +✖ {5}✖ {4}✖ {5}Nobody is signed in for lost@contoso\.example \(not-signed-in\)/);
    expect(ran.out).toMatch(/sheet@contoso\.example +– {5}– {4}– {5}handed over/);
    expect(ran.out).toMatch(/send@contoso\.example +– {5}– {4}✔\n/);
    expect(ran.out).toMatch(/bad@contoso\.example~this-computer\.json +– {5}– {4}– {5}damaged mailbox file/);
    expect(ran.err).toContain('2 of 5 mailboxes are red');
    const json = (await pc.mailauth(`${all} --json`)).json();
    expect(json).toMatchObject({ ok: false, command: 'test', error: { code: 'mailboxes-red', exit: 1 } });
    expect(json.data.results).toHaveLength(2 * 3 + 3 + 1);
    expect(json.data.results[0]).toMatchObject({ mailbox: 'box0@contoso.example', protocol: 'imap', ok: true });
    expect(json.data.skipped).toEqual([expect.objectContaining({ mailbox: 'sheet@contoso.example', for: 'osticket' })]);
    expect(json.data.broken).toHaveLength(1);
    expect(JSON.stringify(json)).not.toMatch(/eyJ/);
  });

  it('ends with the exit code that all red mailboxes share', async () => {
    await write([...boxes(1), { mailbox: 'lost@contoso.example', signedIn: false }, { mailbox: 'gone@contoso.example', signedIn: false }]);
    expect((await pc.mailauth(all)).exit).toBe(4);
    expect((await pc.mailauth(`${all} --fault smtp-auth-disabled-tenant`)).exit).toBe(1);
    expect((await pc.mailauth('test imap --all-mailboxes --sandbox --for this-computer')).exit).toBe(4);
  });

  it('notes the results in the mailbox files, and works without', async () => {
    await write(boxes(1));
    await pc.mailauth(all);
    const file = join(pc.home, 'sandbox', 'mailboxes', 'box0@contoso.example~this-computer.json');
    expect(JSON.parse(await readFile(file, 'utf8')).lastTests).toHaveLength(3);
    const { files } = testContext({});
    const readOnly = { ...files, writeAtomic: () => Promise.reject(Object.assign(new Error('read-only'), { code: 'EROFS' })) };
    expect((await pc.mailauth(`${all} --json`, { files: readOnly })).exit).toBe(0);
  });

  it('shows progress on a terminal, and wipes it before the table; a pipe gets one line at most', async () => {
    await write(boxes(2));
    const shown = await pc.mailauth(all, { tty: true });
    expect(shown.err).toContain('Tested 2 of 2 mailboxes');
    expect(shown.err.endsWith('\r\u001b[K')).toBe(true);
    // What takes more than a second says that it lives.
    expect((await pc.mailauth(all)).err).toMatch(/^(?:… Tested \d of 2 mailboxes\n)?$/);
    expect((await pc.mailauth(`${all} --json`, { tty: true })).err).toBe('');
  });

  it('after Ctrl-C shows what was finished and ends with 130', async () => {
    await write(boxes(3));
    const stop = new AbortController();
    const { clock } = testContext({});
    const { files } = testContext({});
    // The second mailbox's result is about to be noted: one is finished.
    let noted = 0;
    const stopping = {
      ...files,
      writeAtomic: async (path: string, text: string) => {
        if (path.includes('box')) noted += 1;
        if (noted === 2) stop.abort(new Interrupted());
        await files.writeAtomic(path, text);
      },
    };
    const ran = await pc.mailauth(`${all} --concurrency 1`, { files: stopping, signal: stop.signal, clock });
    expect(ran.exit).toBe(130);
    expect(ran.out).toContain('box0@contoso.example');
    expect(ran.out).toContain('Stopped: ');
    expect(ran.out).not.toContain('box2@contoso.example');
  });

  it('lists one mailbox of two products as two', async () => {
    await write([{ mailbox: 'a@contoso.example' }, { mailbox: 'a@contoso.example', for: 'custom' }]);
    const ran = await pc.mailauth(all);
    expect(ran.out).toContain('a@contoso.example (this-computer)');
    expect(ran.out).toContain('a@contoso.example (custom)');
  });

  it('says what is wrong with the command line', async () => {
    await write(boxes(1));
    for (const words of [
      `${all} --concurrency 0`,
      `${all} --concurrency 65`,
      `${all} --concurrency 4.5`,
      `${all} --concurrency -1`,
      `${all} --send-to a@contoso.example`,
      'test all box0@contoso.example --all-mailboxes --sandbox',
      'test all --concurrency 4 --sandbox',
      'test all --all-mailboxes --for nonsense --sandbox',
      'test ftp --all-mailboxes --sandbox',
    ]) {
      const ran = await pc.mailauth(words);
      expect([words, ran.exit]).toEqual([words, 2]);
      expect(ran.err).toContain('try:');
    }
  });

  it('has clear words where there is nothing to test', async () => {
    expect(await pc.mailauth(all)).toMatchObject({ exit: 4, out: '', err: expect.stringContaining('No mailbox is set up') });
    await mkdir(join(pc.home, 'sandbox'), { recursive: true });
    await write([{ mailbox: 'sheet@contoso.example', for: 'osticket', signedIn: 'never' }]);
    expect((await pc.mailauth(`${all} --json`)).json().error).toMatchObject({ code: 'nothing-to-test', exit: 4 });
    expect((await pc.mailauth(`${all} --for kaseya`)).exit).toBeGreaterThan(0);
  });
});

describe('test of one mailbox whose name SMTP does not take', () => {
  it('is green under the name that works, says so, and asks by that name first next time', async () => {
    await write([{ mailbox: 'sales@contoso.example', signInAs: 'ada@contoso.example' }]);
    const ran = await pc.mailauth('test all --sandbox');
    expect(ran.exit).toBe(0);
    expect(ran.out).toContain('SMTP needs ada@contoso.example, who signed in, as the user name, not sales@contoso.example');
    const file = join(pc.home, 'sandbox', 'mailboxes', 'sales@contoso.example~this-computer.json');
    expect(JSON.parse(await readFile(file, 'utf8')).smtpUser).toBe('ada@contoso.example');
    const again = (await pc.mailauth('test smtp --sandbox --json')).json();
    expect(again.data.results[0]).toMatchObject({ ok: true, user: 'ada@contoso.example', note: { code: 'smtp-user-name' } });
  });
});
