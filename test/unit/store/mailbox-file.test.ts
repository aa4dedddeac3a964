import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Files } from '../../../src/core/context.ts';
import type { MailboxRecord } from '../../../src/core/mailbox.ts';
import { mailboxFiles, mailboxSlug } from '../../../src/store/mailbox-file.ts';
import { systemFiles } from '../../../src/system/disk/files.ts';
import { temporaryFolder } from '../../support/context.ts';

const host = { host: 'localhost', port: 10993, security: 'tls' } as const;
const record: MailboxRecord = {
  mailbox: 'ops@contoso.com',
  for: 'this-computer',
  tenantId: '11111111-2222-3333-4444-555555555555',
  cloud: {
    name: 'lab',
    login: 'https://localhost:8443',
    graph: 'https://localhost:8443/graph',
    portal: 'https://entra.microsoft.com',
    outlookScopeBase: 'https://outlook.office.com',
    imap: host,
    pop: host,
    smtp: host,
    verified: false,
  },
  endpoints: { issuer: 'https://localhost:8443/x/v2.0', authorization: 'https://localhost:8443/a', token: 'https://localhost:8443/t' },
  registration: { clientId: 'abc', clientType: 'public', redirectUri: 'http://localhost', madeByMailauth: false },
  protocols: ['imap'],
  scopes: ['offline_access'],
  account: { username: 'ops@contoso.com' },
  store: 'keychain',
  createdAt: '2026-11-22T01:00:00.000Z',
  lastTests: [{ at: '2026-11-22T01:00:00.000Z', protocol: 'imap', ok: true }],
};
const key = { mailbox: record.mailbox, for: record.for };

let home = '';
let clean: () => Promise<void>;
beforeEach(async () => {
  const folder = await temporaryFolder();
  home = folder.path;
  clean = folder.remove;
});
afterEach(() => clean());

const open = (files: Files = systemFiles) => mailboxFiles({ files, home });
const place = () => join(home, 'mailboxes', 'ops@contoso.com~this-computer.json');

async function plant(text: string, path = place()): Promise<void> {
  await mkdir(join(home, 'mailboxes'), { recursive: true });
  await writeFile(path, text);
}

describe('mailbox files', () => {
  it('gives back what was written, as readable JSON of version 1, mode 0600', async () => {
    await open().writeMailbox(record);
    expect(await open().readMailbox(key)).toEqual(record);
    const text = await readFile(place(), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ version: 1, mailbox: 'ops@contoso.com' });
    expect(text.split('\n').length).toBeGreaterThan(20);
    expect((await stat(place())).mode & 0o777).toBe(0o600);
  });

  it('knows nothing where there is no home, and makes none by reading', async () => {
    const files = mailboxFiles({ files: systemFiles, home: join(home, 'none') });
    expect(await files.readMailbox(key)).toBeUndefined();
    expect(await files.listMailboxes()).toEqual({ records: [], broken: [] });
    expect(await files.removeMailbox(key)).toBe(false);
    expect(await readdir(home)).toEqual([]);
  });

  it('tolerates unknown fields, leaves them out, and never writes what is no field', async () => {
    await open().writeMailbox({ ...record, accessToken: 'oops' } as MailboxRecord);
    const text = await readFile(place(), 'utf8');
    expect(text).not.toContain('oops');
    await plant(text.replace('"version": 1,', '"version": 1, "later": {"a": 1},'));
    expect(await open().readMailbox(key)).toEqual(record);
  });

  const good = JSON.stringify({ version: 1, ...record });
  it.each([
    ['empty', '', 'empty'],
    ['cut off', good.slice(0, 200), 'not JSON'],
    ['a list', '[]', 'not an object'],
    ['a missing field', good.replace('"tenantId"', '"tenant"'), 'tenantId'],
    ['a wrong port', good.replace('10993', '109930'), 'port'],
    ['the future', good.replace('"version":1', '"version":2'), 'format 2'],
    ['another mailbox', good.replaceAll('ops@contoso.com', 'eve@contoso.com'), 'eve@contoso.com'],
  ])('a file with %s is an error with exit 1 and stays as it is', async (_, text, why) => {
    await plant(text);
    const expected = { code: 'mailbox-file-broken', exit: 1, why: expect.stringContaining(why) };
    await expect(open().readMailbox(key)).rejects.toMatchObject(expected);
    await expect(open().writeMailbox(record)).rejects.toMatchObject(expected);
    await expect(open().removeMailbox(key)).rejects.toMatchObject(expected);
    expect(await readFile(place(), 'utf8')).toBe(text);
    expect((await open().listMailboxes()).broken).toMatchObject([{ file: place(), why: expect.stringContaining(why) }]);
  });

  it('lists the good beside the broken and ignores other files', async () => {
    await open().writeMailbox(record);
    await open().writeMailbox({ ...record, for: 'custom' });
    await plant('{', join(home, 'mailboxes', 'zz.json'));
    await plant('x', join(home, 'mailboxes', 'notes.txt'));
    const { records, broken } = await open().listMailboxes();
    expect(records.map((r) => r.for)).toEqual(['custom', 'this-computer']);
    expect(broken.map((b) => b.why)).toEqual(['it is not JSON']);
  });

  it('a folder in place of the file is broken, not a crash', async () => {
    await mkdir(place(), { recursive: true });
    await expect(open().readMailbox(key)).rejects.toMatchObject({ code: 'mailbox-file-broken' });
  });

  it('a home that is a file is not one where nothing is set up', async () => {
    await writeFile(join(home, 'plain'), '');
    const inFile = mailboxFiles({ files: systemFiles, home: join(home, 'plain') });
    await expect(inFile.listMailboxes()).rejects.toMatchObject({ code: 'home-not-writable' });
  });

  it.each(['EACCES', 'EROFS', 'ENOSPC', 'ENOTDIR'])('%s on writing is home-not-writable, exit 1', async (code) => {
    const writeAtomic = async () => {
      throw Object.assign(new Error(code), { code });
    };
    await expect(open({ ...systemFiles, writeAtomic }).writeMailbox(record)).rejects.toMatchObject({
      code: 'home-not-writable',
      exit: 1,
      next: [expect.objectContaining({ texts: ['ls -ld ', ''] }), expect.objectContaining({ name: 'setup', home: 'mailauth' })],
    });
  });

  it('a file where the home should be is home-not-writable', async () => {
    await writeFile(join(home, 'file'), '');
    const files = mailboxFiles({ files: systemFiles, home: join(home, 'file') });
    await expect(files.writeMailbox(record)).rejects.toMatchObject({ code: 'home-not-writable' });
  });

  it('reads in a home that may only be read', async () => {
    await open().writeMailbox(record);
    await chmod(join(home, 'mailboxes'), 0o500);
    expect(await open().readMailbox(key)).toEqual(record);
    await chmod(join(home, 'mailboxes'), 0o700);
  });
});

describe('file names', () => {
  const slug = (mailbox: string, guide = 'custom') => mailboxSlug({ mailbox, for: guide });

  it('are readable for ordinary addresses', () => {
    expect(slug('help.desk+eu@contoso.com', 'this-computer')).toBe('help.desk+eu@contoso.com~this-computer');
    expect(slug('Ops@Contoso.com')).toBe(slug('ops@contoso.com'));
  });

  it('keep different mailboxes apart, also where characters are replaced', () => {
    const names = [
      slug('a/b@x'), slug('a\\b@x'), slug('a:b@x'), slug('a_b@x'), slug('ä@x'), slug('a\u0308@x'),
      slug('a@x~custom', 'b'), slug('a@x', 'custom~b'), slug('a@x', 'b'), slug(`${'l'.repeat(200)}@x`), slug(`${'l'.repeat(201)}@x`),
    ]; // biome-ignore format: one row
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(['con', 'aux.dept@x', 'nul.txt', 'com1.a@x', '.', '..', '../../etc/passwd', '', '.hidden@x'])(
    'are harmless for %s',
    (mailbox) => {
      expect(slug(mailbox)).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)|^\./);
    },
  );

  // https://learn.microsoft.com/windows/win32/fileio/naming-a-file: names of devices, names that end with a dot or a blank, and streams.
  it.each([
    ['con', 'con~custom'],
    ['NUL.txt', '_nul.txt~custom~'],
    ['com1.a@contoso.com', '_com1.a@contoso.com~custom~'],
    ['lpt9.x', '_lpt9.x~custom~'],
    ['con@contoso.com', 'con@contoso.com~custom'],
    ['com\u00b9', 'com_~custom~'],
    ['ops@contoso.com.', 'ops@contoso.com.~custom'],
    ['ops@contoso.com ', 'ops@contoso.com_~custom~'],
    ['ops@contoso.com:hidden', 'ops@contoso.com_hidden~custom~'],
    ['ops@contoso.com::$DATA', 'ops@contoso.com___data~custom~'],
    ['a*b?c"d<e>f|g@contoso.com', 'a_b_c_d_e_f_g@contoso.com~custom~'],
  ])('are files on Windows too: %j', (mailbox, begins) => {
    const name = slug(mailbox);
    expect(name.startsWith(begins), name).toBe(true);
    // A product's name ends the file's name, or the hash does: never a dot, a blank, or a device.
    expect(`${name}.json`).not.toMatch(/[<>:"/\\|?*\s]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
  });

  it('are always safe', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 20 }), (mailbox, guide) => {
        expect(slug(mailbox, guide)).toMatch(/^(?!\.)[a-z0-9@._+~-]{1,140}$/);
      }),
      { numRuns: 50 },
    );
  });
});
