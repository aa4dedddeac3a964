import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportClients } from '../../src/export/clients.ts';
import { type Machine, machine } from '../support/command-line.ts';
import { testContext } from '../support/context.ts';

let pc: Machine;
const mailbox = 'helpdesk@contoso.example';

beforeAll(async () => {
  pc = await machine();
  await pc.ready('setup --sandbox --yes --no-test');
});
afterAll(() => pc.end());

const exported = (words: string, env: Record<string, string> = {}) => pc.mailauth(`export ${words} --sandbox`, { env });

describe('mailauth export', () => {
  it.each(exportClients.filter(({ name }) => name !== 'node'))(
    '$name: calls the token command, names the servers, and holds no secret',
    async ({ name, sends }) => {
      const { exit, out } = await exported(name);
      expect(exit).toBe(0);
      expect(out).toMatch(/^(?:<\?php\n)?(?:#|\/\/) .* No secret is in here\.\n/);
      const program = `env MAILAUTH_HOME=${pc.home} /usr/bin/node /usr/local/bin/mailauth`;
      const words = sends === true ? `${program} send --mailbox ${mailbox} --sandbox` : `${program} token get ${mailbox} --sandbox`;
      expect(
        [
          out,
          out
            .replaceAll(/["'](?:, |\])/g, ' ')
            .replaceAll(/["']/g, '')
            // A program is named beside the list of its words in C#.
            .replaceAll(/ProcessStartInfo\((\w+)\).*\n.*\{ (?=MAILAUTH)/g, '$1 ')
            .replaceAll(/\), |[[(]|,/g, ''),
        ].some((t) => t.includes(words)),
      ).toBe(true);
      expect(out).toContain(sends === true ? 'send --mailbox' : 'localhost');
      expect(out).not.toMatch(/undefined|eyJ/);
      expect(out.endsWith('\n')).toBe(true);
    },
  );

  it.each(exportClients.filter(({ name }) => name !== 'node'))(
    '$name on Windows: the program itself is called, and what variables would say are flags',
    async ({ name, sends, unixOnly }) => {
      const env = { MAILAUTH_KEY_FILE: 'k.bin', NODE_EXTRA_CA_CERTS: '/office ca.pem', MAILAUTH_CLOUD: 'usgov', MAILAUTH_PLAIN: '1' };
      const machine = { ...testContext().machine, program: ['C:\\Program Files\\nodejs\\node.exe', 'C:\\m\\mailauth.js'] as const };
      const surroundings = { shell: 'powershell', onWindows: true } as const;
      const { exit, out } = await pc.mailauth(`export ${name} --sandbox`, { env, platform: 'win32', surroundings, machine });
      expect(exit).toBe(0);
      const words = out
        .replaceAll('\\\\', '\\')
        .replaceAll(/["'`(),[\]{}]|\bstring\b/g, ' ')
        .replaceAll(/\s+/g, ' ');
      expect(words).toContain(sends === true ? 'mailauth.js send --mailbox' : 'mailauth.js token get');
      expect(words).toContain(`--sandbox --home ${pc.home} --key-file ${join(process.cwd(), 'k.bin')}`);
      expect(words).toContain('C:\\Program Files\\nodejs\\node.exe');
      expect(words).toContain('setx NODE_EXTRA_CA_CERTS /office ca.pem');
      expect(out).not.toMatch(/\benv MAILAUTH|usgov|MAILAUTH_PLAIN|undefined|eyJ/);
      expect(out.includes("Git's own shell")).toBe(unixOnly === true);
    },
  );

  it('what setx is told is quoted for the shell in use', async () => {
    const env = { NODE_EXTRA_CA_CERTS: '/o %1 %2.pem' };
    for (const [shell, value] of [
      ['powershell', "'/o %1 %2.pem'"],
      ['cmd', '"/o "^%"1 "^%"2.pem"'],
    ] as const) {
      const { out } = await pc.mailauth('export curl --sandbox', { env, platform: 'win32', surroundings: { shell, onWindows: true } });
      expect(out).toContain(`setx NODE_EXTRA_CA_CERTS ${value}\n`);
    }
  });

  it('curl in PowerShell and in cmd is curl.exe', async () => {
    for (const shell of ['powershell', 'cmd'] as const) {
      const { out } = await pc.mailauth('export curl --sandbox', { platform: 'win32', surroundings: { shell, onWindows: true } });
      expect(out).toContain('Get-Bearer | curl.exe --silent');
      expect(out).toContain('powershell -ExecutionPolicy Bypass -File mail.ps1');
    }
  });

  it('node: imports the library by its whole address, and sets the variables in the program', async () => {
    const { exit, out } = await exported('node', {
      NODE_EXTRA_CA_CERTS: '/etc/ssl/office.pem',
      NODE_USE_SYSTEM_CA: '1',
      MAILAUTH_PASSPHRASE: 'geheim',
    });
    expect(exit).toBe(0);
    expect(out).toMatch(/^\/\/ .* No secret is in here\.\n/);
    expect(out).toMatch(/^import \{ openMailauth \} from "file:\/\/\/.*\/dist\/library\.mjs";$/m);
    expect(out).toContain(`process.env.MAILAUTH_HOME = ${JSON.stringify(pc.home)};\n`);
    expect(out).toContain('// Start it so: NODE_USE_SYSTEM_CA=1 NODE_EXTRA_CA_CERTS=/etc/ssl/office.pem node mail.mjs\nimport ');
    expect(out).not.toMatch(/geheim|process\.env\.NODE_|undefined|eyJ/);
    expect(out).toContain('openMailauth({ sandbox: true })');
  });

  it('--json carries the same text', async () => {
    const text = await exported('msmtp');
    const json = (await exported('msmtp --json')).json();
    expect(json).toMatchObject({ ok: true, command: 'export', data: { client: 'msmtp', mailbox } });
    expect(json.data.text.replace(/port \d+/, '')).toBe(text.out.replace(/port \d+/, ''));
  });

  it('carries what a refresh needs from cron, and no password of a proxy', async () => {
    const env = {
      HTTPS_PROXY: 'http://ada:geheim@proxy.contoso.example:3128',
      NO_PROXY: '.contoso.example,localhost',
      NODE_EXTRA_CA_CERTS: '/etc/ssl/office.pem',
      XDG_RUNTIME_DIR: '/run/user/1000',
    };
    const { out, err } = await exported('msmtp', env);
    expect(out).toContain('XDG_RUNTIME_DIR=/run/user/1000');
    expect(out).toContain('NODE_EXTRA_CA_CERTS=/etc/ssl/office.pem');
    expect(out).toContain('NO_PROXY=.contoso.example,localhost');
    expect(out + err).not.toContain('geheim');
    expect(err).toContain('HTTPS_PROXY has a user name or password in it and is not written here');
    expect((await exported('msmtp', { HTTPS_PROXY: 'http://proxy.contoso.example:3128' })).out).toContain('HTTPS_PROXY=http://proxy');
  });

  it('carries every variable of mailauth that holds no secret, and says what to do about the others', async () => {
    const env = {
      MAILAUTH_CLOUD: 'global',
      MAILAUTH_TENANT: 'contoso.example',
      MAILAUTH_CLOUD_FILE: 'clouds/mine.json',
      MAILAUTH_PLAIN: '1',
      MAILAUTH_ACCESS_TOKEN: 'geheim-1',
      MAILAUTH_PASSPHRASE: 'geheim-2',
      MAILAUTH_GRAPH_TOKEN: 'geheim-3',
      MAILAUTH_EXCHANGE_TOKEN: 'geheim-4',
    };
    const { out } = await exported('mutt', env);
    for (const word of ['MAILAUTH_TENANT=contoso.example', 'MAILAUTH_PLAIN=1', `MAILAUTH_CLOUD_FILE=${process.cwd()}/clouds/mine.json`])
      expect(out).toContain(word);
    expect(out).not.toContain('geheim');
    expect(out).toContain(
      '# MAILAUTH_PASSPHRASE is set and is a secret, so it is not written here: name a file with MAILAUTH_PASSPHRASE_FILE',
    );
    expect(out).toContain('# MAILAUTH_GRAPH_TOKEN is set');
    expect(out).toContain('# MAILAUTH_EXCHANGE_TOKEN is set');
  });

  it('a line that the program would not read is refused, and the agent offered', async () => {
    const failed = await exported('msmtp --json', { NO_PROXY: `${'a'.repeat(400)}.example` });
    expect(failed.exit).toBe(2);
    expect(failed.json().error).toMatchObject({ code: 'export-line-too-long', next: ['mailauth export msmtp --agent --sandbox'] });
  });

  it('dovecot: the hash of a local password is written, and the password is not', async () => {
    const { exit, out } = await pc.mailauth('export dovecot --sandbox --password-file -', { readStdin: async () => 'geheim\n' });
    expect(exit).toBe(0);
    expect(out).toMatch(/^# .* The only secret in here is the hash of a local password\.\n/);
    expect(out).toMatch(/^echo 'helpdesk@contoso\.example:\{PBKDF2\}\$1\$[0-9a-f]{24}\$100000\$[0-9a-f]{40}' >> /m);
    expect(out).not.toContain('geheim');
  });

  it.each([
    ['postfix --password-file -', 'usage'],
    ['dovecot --password-file /nonexistent', 'password-unusable'],
  ])('%s is wrong usage', async (words, code) => {
    const failed = await pc.mailauth(`export ${words} --sandbox --json`, { readStdin: async () => 'x\n' });
    expect(failed.exit).toBe(2);
    expect(failed.json().error?.code).toBe(code);
  });

  it('what sends by mailauth send has no use for the agent', async () => {
    const failed = await exported('git --agent --json');
    expect(failed.exit).toBe(2);
    expect(failed.json().error?.code).toBe('export-without-agent');
  });

  const clone = resolve(import.meta.dirname, '../..');

  it.each([
    '/home/ada/.npm/_npx/1ff0/node_modules/.bin/mailauth',
    'C:\\Users\\ada\\AppData\\Local\\npm-cache\\_npx\\1ff0\\node_modules\\entra-mailauth\\bin\\mailauth.js',
    '/home/ada/.cache/pnpm/dlx/9f/node_modules/entra-mailauth/bin/mailauth.js',
  ])('says that it names a mailauth in a cache: %s', async (script) => {
    const machine = { ...testContext().machine, program: ['/usr/bin/node', script] };
    const ran = await pc.mailauth('export msmtp --sandbox', { machine });
    expect([ran.exit, ran.err]).toEqual([
      0,
      expect.stringContaining('which may be emptied one day. For one that stays: npm install --global'),
    ]);
    expect(ran.err).not.toContain('PATH');
  });

  it('says on stderr where mailauth is not in the PATH, and only there', async () => {
    // A clone is installed from its folder: the name may belong to somebody else until mailauth is published.
    expect((await exported('msmtp', { PATH: '/nonexistent' })).err).toContain(`PATH yet: npm install --global ${clone}\n`);
    const bin = await mkdtemp(join(tmpdir(), 'mailauth-path-'));
    try {
      await writeFile(join(bin, 'mailauth'), '');
      expect((await exported('msmtp', { PATH: `/nonexistent:${bin}` })).err).toBe('');
    } finally {
      await rm(bin, { recursive: true });
    }
  });

  it.each([
    ['foo', 'export-client-unknown', 2],
    ['constructor', 'export-client-unknown', 2],
    ['__proto__', 'export-client-unknown', 2],
    ['fetchmail', 'export-cannot', 2],
    ['thunderbird', 'export-cannot', 2],
    ['msmtp nobody@contoso.example', 'mailbox-unknown', 4],
  ])('%s: %s', async (words, code, exit) => {
    const failed = await exported(`${words} --json`);
    expect(failed.exit).toBe(exit);
    expect(failed.json().error?.code).toBe(code);
  });

  it('a set-up without the protocol is told how to get it', async () => {
    const other = await machine();
    try {
      await other.ready('setup --sandbox --yes --no-test --protocols imap');
      const failed = await other.mailauth('export msmtp --sandbox');
      expect(failed.exit).toBe(2);
      expect(failed.err).toContain('msmtp speaks SMTP');
      expect(failed.err).toContain('--protocols imap,pop,smtp');
    } finally {
      await other.end();
    }
  });
});

describe('mailauth completion', () => {
  const offered = async (...words: string[]) => {
    const { exit, out } = await pc.run(['completion', 'complete', '--sandbox', '--', ...words]);
    expect(exit).toBe(0);
    return out.split('\n').map((line) => line.split('\t')[0]);
  };

  it.each(['bash', 'zsh', 'fish', 'powershell'])('prints a script for %s', async (shell) => {
    const { exit, out } = await pc.mailauth(`completion ${shell}`);
    expect(exit).toBe(0);
    expect(out).toMatch(/completion complete '?--/);
  });

  it('offers what fits, from the commands themselves', async () => {
    expect(await offered('se')).toEqual(['setup', 'secret', 'send', '']);
    expect(await offered('setup', '--for', 'os')).toEqual(['osticket', '']);
    expect(await offered('setup', '--register=p')).toEqual(['--register=portal', '']);
    expect(await offered('token', 'get', 'help')).toEqual([mailbox, '']);
    expect(await offered('setup', '--client-secret-file', '')).toEqual([':files', '']);
    expect(await offered('guide', 'kas')).toEqual(['kaseya', '']);
    expect(await offered('help', 'env')).toEqual(['environment', '']);
  });

  it('an unknown shell is wrong usage', async () => {
    expect((await pc.mailauth('completion tcsh')).exit).toBe(2);
  });
});
