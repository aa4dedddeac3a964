import { readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemFiles } from '../../src/system/disk/files.ts';
import { brokenKeychain, type Machine, machine, person } from '../support/command-line.ts';

/** One mailbox, set up and signed in once; the tests of this file read it. */
let m: Machine;
const mailbox = 'helpdesk@contoso.example';
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
let token = '';
beforeAll(async () => {
  m = await machine();
  await m.ready('setup --sandbox --yes --no-test --register existing');
  token = (await m.mailauth('token get --sandbox')).out.trimEnd();
});
afterAll(() => m.end());

/** Every file of the home with its content and time of change. */
async function snapshot(folder: string): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const { mtimeMs } = await stat(path);
    all[path] = entry.isFile() ? [mtimeMs, await readFile(path, 'utf8')] : mtimeMs;
  }
  return all;
}

describe('what to do next carries what was given', () => {
  it.each([
    ['--cloud usgov', '--cloud usgov'],
    ['--store file', '--store file'],
    ['--for osticket', '--for osticket'],
    ['--cloud china --store file', '--cloud china --store file'],
  ])('token get nobody@contoso.com %s', async (given, carried) => {
    const line = `mailauth setup --mailbox nobody@contoso.com ${carried}`;
    const words = `token get nobody@contoso.com ${given}`;
    expect((await m.mailauth(words)).err).toContain(`\n  try: ${line}\n`);
    expect((await m.mailauth(`${words} --json`)).json().error?.next).toEqual([line]);
  });

  it('a cloud file by its path, quoted for the shell', async () => {
    const file = join(m.home, "o'brien cloud.json");
    const cloud = { name: 'lab', login: 'https://login.example', graph: 'https://graph.example', portal: 'https://portal.example' };
    await writeFile(file, JSON.stringify({ ...cloud, outlookScopeBase: 'https://mail.example' }));
    const { err } = await m.run(['token', 'get', 'nobody@contoso.com', '--cloud-file', file]);
    expect(err).toContain(`try: mailauth setup --mailbox nobody@contoso.com --cloud-file '${m.home}/o'\\''brien cloud.json'\n`);
    const windows = await m.run(['token', 'get', 'nobody@contoso.com', '--cloud-file', file], { surroundings: { shell: 'powershell' } });
    expect(windows.err).toContain(`--cloud-file '${m.home}/o''brien cloud.json'\n`);
  });
});

describe('token get', () => {
  it('prints the token and one newline, and nothing on stderr', async () => {
    const { exit, out, err } = await m.mailauth(`token get ${mailbox} --sandbox`);
    expect([exit, err]).toEqual([0, '']);
    expect(out).toBe(`${token}\n`);
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it('prints each format to the byte', async () => {
    const get = async (format: string) => (await m.mailauth(`token get --sandbox --format ${format}`)).out;
    expect(await get('raw')).toBe(`${token}\n`);
    expect(await get('env')).toBe(`MAILAUTH_ACCESS_TOKEN=${token}\n`);
    expect(await get('xoauth2')).toBe(`${Buffer.from(`user=${mailbox}\u0001auth=Bearer ${token}\u0001\u0001`).toString('base64')}\n`);
    const text = await get('json');
    const json = JSON.parse(text);
    expect(Object.keys(json)).toEqual(['accessToken', 'tokenType', 'expiresAt', 'username']);
    expect(json).toMatchObject({ accessToken: token, tokenType: 'Bearer', username: mailbox });
    expect(json.expiresAt).toMatch(rfc3339);
    expect(text).toBe(`${JSON.stringify(json)}\n`);
    expect((await m.mailauth('token get --sandbox --json')).out).toBe(text);
  });

  it('takes the mailbox in any case and from MAILAUTH_MAILBOX; the argument wins', async () => {
    expect((await m.mailauth('token get HelpDesk@Contoso.Example --sandbox')).out).toBe(`${token}\n`);
    const env = { MAILAUTH_MAILBOX: 'other@contoso.example' };
    expect((await m.mailauth('token get --sandbox', { env })).exit).toBe(4);
    expect((await m.mailauth(`token get ${mailbox} --sandbox`, { env })).out).toBe(`${token}\n`);
  });

  it('is exit 4 for a mailbox that is not known, with the command that helps', async () => {
    const { exit, out, err } = await m.mailauth('token get nobody@contoso.example --sandbox');
    expect([exit, out]).toEqual([4, '']);
    expect(err).toContain('try: mailauth setup --mailbox nobody@contoso.example --sandbox\n');
    expect((await m.mailauth('token get nobody@contoso.example --sandbox --json')).json()).toMatchObject({
      ok: false,
      command: 'token get',
      error: { code: 'mailbox-unknown', exit: 4, next: ['mailauth setup --mailbox nobody@contoso.example --sandbox'] },
    });
  });

  it('is exit 4 for a known mailbox and a product it is not set up for', async () => {
    const { exit, err } = await m.mailauth('token get --for custom --sandbox');
    expect(exit).toBe(4);
    expect(err).toContain(`try: mailauth setup --mailbox ${mailbox} --for custom --sandbox\n`);
  });
});

describe('token show', () => {
  it('has exactly the fields of docs/contract.md, and not the token', async () => {
    const { exit, out, err, json } = await m.mailauth('token show --sandbox --json');
    expect([exit, err]).toEqual([0, '']);
    const { data, ...envelope } = json();
    expect(envelope).toEqual({ schema: 'mailauth/1', ok: true, command: 'token show' });
    expect(data).toEqual({
      mailbox,
      username: mailbox,
      account: mailbox,
      tenantId: '5a4db0c5-c0de-4a11-b0b5-c0ffee000365',
      clientId: '11111111-5a4d-4b0c-9a11-c0ffee000001',
      audience: 'https://outlook.office.com',
      scopes: ['IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send'].map((s) => `https://outlook.office.com/${s}`),
      issuedAt: expect.stringMatching(rfc3339),
      expiresAt: expect.stringMatching(rfc3339),
      expiresInSeconds: expect.any(Number),
      refreshable: true,
      refreshTokenIdleDeadline: expect.stringMatching(rfc3339),
      store: 'keychain',
      opaque: false,
    });
    expect(data.expiresInSeconds).toBeGreaterThan(3000);
    expect(out).not.toContain(token);
  });

  it('prints the token only with --reveal', async () => {
    const hidden = await m.mailauth('token show --sandbox --verbose');
    expect(hidden.out + hidden.err).not.toContain(token.slice(0, 20));
    expect((await m.mailauth('token show --sandbox --reveal')).out).toContain(token);
    expect((await m.mailauth('token show --sandbox --reveal --json')).json().data.accessToken).toBe(token);
  });
});

describe('status', () => {
  it('has exactly the fields of docs/contract.md, and not the token', async () => {
    const { exit, out, err, json } = await m.mailauth('status --sandbox --json');
    expect([exit, err]).toEqual([0, '']);
    expect(json()).toEqual({
      schema: 'mailauth/1',
      ok: true,
      command: 'status',
      data: {
        mailboxes: [
          {
            mailbox,
            for: 'this-computer',
            state: 'ok',
            tenantId: '5a4db0c5-c0de-4a11-b0b5-c0ffee000365',
            clientId: '11111111-5a4d-4b0c-9a11-c0ffee000001',
            signedIn: true,
            account: mailbox,
            accessTokenExpiresAt: expect.stringMatching(rfc3339),
            lastRefreshedAt: expect.stringMatching(rfc3339),
            refreshTokenIdleDeadline: expect.stringMatching(rfc3339),
            secretExpiresAt: null,
            daysLeft: 89,
            scopes: expect.arrayContaining(['https://outlook.office.com/IMAP.AccessAsUser.All']),
            store: 'keychain',
            lastTest: null,
            lastRefusal: null,
          },
        ],
        pending: [],
        summary: { total: 1, ok: 1, ending: 0, over: 0, pending: 0 },
      },
    });
    expect(out).not.toContain(token);
  });

  it('warns by exit 1 and keeps its data', async () => {
    const { exit, json, err } = await m.mailauth('status --sandbox --warn-days 1000 --json');
    expect([exit, err]).toEqual([1, '']);
    expect(json()).toMatchObject({
      ok: false,
      data: { mailboxes: [{ mailbox, daysLeft: 89 }] },
      error: { code: 'expires-soon', exit: 1, next: [`mailauth login ${mailbox} --force --sandbox`] },
    });
    const text = await m.mailauth('status --sandbox --warn-days 1000');
    expect(text.exit).toBe(1);
    expect(text.out).toContain(`Signed in       as ${mailbox}`);
    expect(text.err).toContain('sign-in: 89 days left');
  });

  it('warns below, not at, the number of days', async () => {
    expect((await m.mailauth('status --sandbox --warn-days 89')).exit).toBe(0);
    expect((await m.mailauth('status --sandbox --warn-days 90')).exit).toBe(1);
    expect((await m.mailauth('status --sandbox')).exit).toBe(0);
  });

  it('without any mailbox is exit 0', async () => {
    const { exit, out, err } = await m.mailauth('status');
    expect([exit, err]).toEqual([0, '']);
    expect(out).toContain('mailauth setup');
  });

  it('of a mailbox that is not known is exit 4', async () => {
    expect((await m.mailauth('status nobody@contoso.example --sandbox')).exit).toBe(4);
  });

  it('a keychain that does not answer costs the token lines, not the report', async () => {
    const { exit, json } = await m.mailauth('status --sandbox --json', { keychain: brokenKeychain('locked') });
    expect(exit).toBe(7);
    expect(json()).toMatchObject({
      ok: false,
      data: { mailboxes: [{ mailbox, signedIn: false }] },
      error: { code: 'keychain-locked', exit: 7 },
    });
  });
});

describe('reading never writes', () => {
  const reads = [
    'token get',
    'token get --format json',
    'token show',
    'token show --reveal',
    'status',
    'status --json',
    'status --warn-days 1000',
  ];

  it('leaves every file and the keychain as they were', async () => {
    const before = [await snapshot(m.home), new Map(m.keychain.entries)];
    for (const words of reads) await m.mailauth(`${words} --sandbox`);
    expect([await snapshot(m.home), m.keychain.entries]).toEqual(before);
  });

  it('needs nothing that writes: no file is written, no lock is taken', async () => {
    const refuse = async () => {
      throw new Error('this test must not write');
    };
    const { systemFiles } = await import('../../src/system/disk/files.ts');
    const files = { ...systemFiles, writeAtomic: refuse, append: refuse, remove: refuse, removeTree: refuse, lock: refuse };
    for (const words of reads) expect((await m.mailauth(`${words} --sandbox`, { files })).err).not.toContain('must not write');
    expect((await m.mailauth('token get --sandbox', { files })).out).toBe(`${token}\n`);
  });

  it('does not make a home for a question', async () => {
    const fresh = await machine();
    try {
      for (const words of ['status', 'token get', 'token show', 'logout', 'logout --all', 'test imap', 'login', 'help stores']) {
        await fresh.mailauth(words);
      }
      // The test itself put the sandbox's keys there.
      expect((await readdir(fresh.home)).filter((name) => name !== 'sandbox')).toEqual([]);
      expect(fresh.keychain.entries.size).toBe(0);
    } finally {
      await fresh.end();
    }
  });
});

describe('refreshing', () => {
  it('with --force-refresh gives and stores another token', async () => {
    const own = await machine();
    try {
      await own.ready('setup --sandbox --yes --no-test');
      const old = (await own.mailauth('token get --sandbox')).out;
      const forced = await own.mailauth('token get --sandbox --force-refresh');
      expect(forced).toMatchObject({ exit: 0, err: '' });
      expect(forced.out).not.toBe(old);
      expect((await own.mailauth('token get --sandbox')).out).toBe(forced.out);
      // A validity longer than any token's life: one refresh, then what there is.
      const long = await own.mailauth('token get --sandbox --min-validity 999999');
      expect(long).toMatchObject({ exit: 0, err: '' });
      expect(long.out).not.toBe(forced.out);
    } finally {
      await own.end();
    }
  });

  it.each([
    ['refresh-revoked', 4, 'sign-in-expired'],
    ['refresh-expired', 4, 'sign-in-expired'],
    ['token-unavailable', 5, 'entra-busy'],
    ['throttled', 5, 'entra-busy'],
  ])('--force-refresh under %s: exit %i, and never the old token', async (fault, exit, code) => {
    const forced = await m.mailauth(`token get --sandbox --force-refresh --fault ${fault} --json`);
    expect(forced.exit).toBe(exit);
    expect(forced.out).not.toContain(token);
    expect(forced.json()).toMatchObject({ ok: false, command: 'token get', error: { code, exit, detail: { aadsts: expect.any(Number) } } });
    expect((await m.mailauth('token get --sandbox')).out).toBe(`${token}\n`);
  });

  it('nobody is sent to sign in where Microsoft is only busy', async () => {
    const { json } = await m.mailauth('token get --sandbox --force-refresh --fault throttled --json');
    const next = json().error?.next ?? [];
    expect(next[0]).toMatch(/^mailauth token get \S+ --sandbox$/);
    expect(next.join()).not.toContain('login');
  });

  it('by itself answers with the old token while Microsoft is busy, and says so only with --verbose', async () => {
    const busy = await m.mailauth('token get --sandbox --min-validity 999999 --fault token-unavailable');
    expect(busy).toMatchObject({ exit: 0, out: `${token}\n`, err: '' });
    const loud = await m.mailauth('token get --sandbox --min-validity 999999 --fault token-unavailable --verbose');
    expect(loud.err).toContain('still valid');
  });

  it('by itself does not hide a revoked sign-in', async () => {
    expect((await m.mailauth('token get --sandbox --min-validity 999999 --fault refresh-revoked')).exit).toBe(4);
  });
});

describe('a keychain that cannot be used is exit 7 with the fix, never another store', () => {
  it.each([
    ['no-bus', 'keychain-no-bus'],
    ['no-provider', 'keychain-no-provider'],
    ['no-collection', 'keychain-no-collection'],
    ['locked', 'keychain-locked'],
    ['unconfirmed', 'keychain-unconfirmed'],
    ['hung', 'keychain-hung'],
    ['no-binding', 'keychain-no-binding'],
    ['denied', 'keychain-denied'],
    ['other', 'keychain-failed'],
  ] as const)('%s', async (trouble, code) => {
    const keychain = brokenKeychain(trouble);
    for (const words of ['token get --sandbox --json', 'token show --sandbox --json', `login ${mailbox} --sandbox --json`]) {
      const { exit, lines } = await m.mailauth(words, { keychain });
      expect(exit).toBe(7);
      expect(lines().at(-1)).toMatchObject({ ok: false, error: { code, exit: 7 } });
      expect(lines().at(-1)?.error?.next.length).toBeGreaterThan(0);
    }
    const real = await m.mailauth('setup --mailbox a@contoso.com --client-id 11111111-2222-3333-4444-555555555555 --json', { keychain });
    expect(real.exit).toBe(7);
    expect(real.lines().at(-1)).toMatchObject({ error: { code } });
  });

  it('the file store is used where it is asked for, and nothing else', async () => {
    for (const more of [{ env: { MAILAUTH_STORE: 'file' } }, {}]) {
      const words = more.env === undefined ? 'token get --sandbox --store file --json' : 'token get --sandbox --json';
      const { exit, json } = await m.mailauth(words, more);
      expect([exit, json().error?.code]).toEqual([4, 'not-signed-in']);
    }
    // A flag wins over its variable.
    expect((await m.mailauth('token get --sandbox --store keychain', { env: { MAILAUTH_STORE: 'file' } })).out).toBe(`${token}\n`);
  });
});

describe('several mailboxes', () => {
  let several: Machine;
  beforeAll(async () => {
    several = await machine();
    await several.ready(...['ada', 'bob'].map((who) => `setup --sandbox --yes --no-test --mailbox ${who}@contoso.example`));
  });
  afterAll(() => several.end());

  it.each(['token get', 'token show', 'test imap', 'login', 'logout'])('%s: a script gets exit 3 naming the candidates', async (words) => {
    const { exit, err, out } = await several.mailauth(`${words} --sandbox`);
    expect([exit, out]).toEqual([3, '']);
    expect(err).toContain('ada@contoso.example, bob@contoso.example');
    expect(err).toContain(`try: mailauth ${words} ada@contoso.example --sandbox\n`);
  });

  it('a terminal asks', async () => {
    const { prompts, asked } = person([['Which mailbox?', '1']]);
    const { exit, out } = await several.mailauth('token get --sandbox --format json', { terminal: true, prompts });
    expect([exit, asked]).toEqual([0, ['Which mailbox?']]);
    expect(JSON.parse(out).username).toBe('bob@contoso.example');
  });

  it('a terminal with --no-input does not ask', async () => {
    expect((await several.mailauth('token get --sandbox --no-input', { terminal: true })).exit).toBe(3);
  });

  it('status shows all, or the one that is named', async () => {
    const names = async (words: string) =>
      (await several.mailauth(`status ${words} --sandbox --json`.replace('  ', ' ')))
        .json()
        .data.mailboxes.map((x: { mailbox: string }) => x.mailbox);
    expect(await names('')).toEqual(['ada@contoso.example', 'bob@contoso.example']);
    expect(await names('bob@contoso.example')).toEqual(['bob@contoso.example']);
    expect(await names('--for custom')).toEqual([]);
  });

  it('one mailbox for two products: the signed-in one is used, --for chooses', async () => {
    const { exit } = await several.mailauth('setup --sandbox --yes --for custom --sign-in skip --mailbox ada@contoso.example');
    expect(exit).toBe(0);
    expect((await several.mailauth('token get ada@contoso.example --sandbox')).exit).toBe(0);
    const custom = await several.mailauth('token get ada@contoso.example --sandbox --for custom --json');
    expect([custom.exit, custom.json().error?.code]).toEqual([4, 'not-signed-in']);
    // As the operator named it: without --for the answer would be "signed in already".
    expect(custom.json().error?.next).toEqual(['mailauth login ada@contoso.example --for custom --sandbox']);
    const tested = (await several.mailauth('test imap ada@contoso.example --sandbox --for custom --json')).json();
    expect([tested.error?.next[0], tested.data.results[0].diagnosis.next[0]]).toEqual(Array(2).fill(custom.json().error?.next[0]));
  });

  it.each(['token get', 'token show'])('one mailbox for two products, nobody signed in: %s is exit 4 and names --for', async (words) => {
    for (const product of ['this-computer', 'custom'])
      await several.mailauth(`setup --sandbox --yes --no-test --sign-in skip --for ${product} --mailbox cid@contoso.example`);
    const { exit, json } = await several.mailauth(`${words} cid@contoso.example --sandbox --json`);
    expect([exit, json().error]).toMatchObject([
      4,
      {
        code: 'not-signed-in',
        next: ['this-computer', 'custom'].map((product) => expect.stringContaining(`mailauth login cid@contoso.example --for ${product}`)),
      },
    ]);
  });
});

describe('a folder that cannot be written', () => {
  const refusing = (folder: string) => {
    const deny = (path: string) => {
      if (path.startsWith(`${folder}/`))
        throw Object.assign(new Error(`EACCES: permission denied, open '${path}'`), { code: 'EACCES', path });
    };
    return {
      ...systemFiles,
      writeAtomic: async (path: string, content: string | Uint8Array) => {
        deny(path);
        await systemFiles.writeAtomic(path, content);
      },
      lock: async (path: string, waitMs: number) => {
        deny(path);
        return systemFiles.lock(path, waitMs);
      },
    };
  };

  it('is named itself, and not the home above it', async () => {
    const folder = join(m.home, 'sandbox', 'locks');
    const { exit, json } = await m.mailauth('token get --sandbox --force-refresh --json', { files: refusing(folder) });
    expect([exit, json().error]).toMatchObject([1, { code: 'home-not-writable', title: expect.stringMatching(`${folder}$`) }]);
    expect(json().error?.next[0]).toContain(`ls -ld ${folder}`);
  });

  it.each(['token get --force-refresh', 'login --force --yes', 'setup --yes --mailbox ada@contoso.example'])(
    '%s: that of the sandbox is named with its reason, and not an error page',
    async (words) => {
      const folder = join(m.home, 'sandbox');
      const files = { ...refusing(folder), lock: systemFiles.lock };
      const { exit, out } = await m.mailauth(`${words} --sandbox --json`, {
        files: {
          ...files,
          // The sandbox alone is refused: its state, and nothing of the wizard's.
          writeAtomic: (path, content) =>
            /state\.json$/.test(path) ? files.writeAtomic(path, content) : systemFiles.writeAtomic(path, content),
        },
      });
      const last = JSON.parse(out.trimEnd().split('\n').at(-1) ?? '');
      expect([exit, last.error]).toMatchObject([
        1,
        {
          code: 'sandbox-folder',
          title: `The sandbox cannot write its folder ${folder}`,
          why: expect.stringMatching(/^Permission denied\./),
        },
      ]);
    },
  );
});

describe('a mailbox file that is broken', () => {
  it.each([
    ['empty', ''],
    ['half', '{"version": 1, "mailbox": "hel'],
    ['of a later version', '{"version": 2}'],
    ['a link to itself', undefined],
  ])('%s: a clear error with the command that mends it, the file untouched', async (_, text) => {
    const own = await machine();
    try {
      await own.ready('setup --sandbox --yes --no-test');
      const folder = join(own.home, 'sandbox', 'mailboxes');
      const file = join(folder, (await readdir(folder))[0] ?? '');
      if (text === undefined) {
        await rm(file);
        await symlink(file, file);
      } else await writeFile(file, text);
      const isNewer = text?.includes('"version": 2') === true;
      const mends = `mailauth setup --mailbox ${mailbox} --for this-computer`;
      for (const words of [
        'token get',
        `token get ${mailbox}`,
        'token show',
        'status',
        'keepalive',
        'test imap',
        `logout ${mailbox}`,
        'setup --yes',
      ]) {
        const { exit, out, err } = await own.mailauth(`${words} --sandbox`);
        expect([words, exit]).toEqual([words, 1]);
        expect(err).toContain(file);
        expect(err).not.toContain('bug');
        const moved = `try: mv '?${file}'? '?${file}.broken'?\n.* or: ${mends} .*--sandbox`;
        expect(err).toMatch(new RegExp(isNewer ? 'try: npm install --global entra-mailauth@latest ' : moved));
        expect(out + err).not.toMatch(/No such mailbox|not set up|No mailbox is set up/i);
      }
      if (text !== undefined) expect(await readFile(file, 'utf8')).toBe(text);
      expect((await own.mailauth('status --sandbox --format nagios')).out).toMatch(
        isNewer ? /^MAILAUTH (?:CRITICAL|UNKNOWN) - A newer mailauth wrote / : /^MAILAUTH (?:CRITICAL|UNKNOWN) - .*cannot be/,
      );
    } finally {
      await own.end();
    }
  });
});
