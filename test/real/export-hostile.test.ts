import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExportValues } from '../../src/export/client.ts';
import { exportClients, exportText } from '../../src/export/clients.ts';

const exec = promisify(execFile);

/** All of them pass `checkAddress`: a local part may have these characters (RFC 5322 section 3.2.3), and guests have #EXT#. */
const addresses = [
  "o'brien@contoso.com",
  'guest_gmail.com#ext#@contoso.onmicrosoft.com',
  "a`id`b$HOME{x}'c@contoso.com",
  'a*?~/b=c|d&e!f@contoso.com',
  '50%off%(user)s@contoso.com',
];
const host = { host: 'localhost', port: 1, security: 'tls' } as const;

let folder: string;
/** Stands for mailauth: prints its words, one a line. Its own path has what a shell or a parser would take for its own. */
let printer: string;

beforeAll(async () => {
  // mutt -Q shows no more than 256 characters of a value.
  folder = await mkdtemp(join(tmpdir(), 'odd-'));
  await chmod(folder, 0o755);
  const odd = join(folder, `it's "my" $HOME \`id\` %d {x} #z;w \\n`);
  await mkdir(odd);
  printer = join(odd, 'p w');
  await writeFile(printer, '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const words = (mailbox: string) => ['token', mailbox, `--home=${printer}`];

function exported(name: string, mailbox: string): string {
  const client = exportClients.find((one) => one.name === name);
  if (client === undefined) throw new Error(name);
  const values: ExportValues = {
    mailbox,
    users: { read: mailbox, send: mailbox },
    hosts: { imap: host, pop: host, smtp: host },
    command: [printer, ...words(mailbox)],
    sending: [printer, ...words(mailbox)],
    shell: 'posix',
    onWindows: false,
    home: folder,
    library: { url: 'file:///x/library.mjs', variables: [['MAILAUTH_HOME', printer]], sandbox: false },
    passwordHash: '{PLAIN}x',
  };
  return exportText(client, values);
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

async function output(command: string, args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}): Promise<string> {
  const running = exec(command, [...args], { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: folder, ...env }, cwd: folder });
  // Most of them do not read what they are given.
  running.child.stdin?.on('error', () => undefined).end(input);
  return (await running).stdout;
}

const byShell = (line: string) => output('/bin/sh', ['-c', line]);
const printed = (mailbox: string) => `${words(mailbox).join('\n')}\n`;
const python = (code: string, ...args: readonly string[]) => output('python3', ['-c', code, ...args]);

describe.each(addresses)('%s, and a path with quotes, blanks and signs', (mailbox) => {
  it.each(['msmtp', 'mpop'])('%s', async (name) => {
    const shown = await output(name, [
      '--file',
      await file(`${name}rc`, exported(name, mailbox)),
      '--pretend',
      ...(name === 'msmtp' ? ['a@b.example'] : []),
    ]);
    const setting = (key: string) => new RegExp(`^${key} += (.*)$`, 'm').exec(shown)?.[1] ?? '';
    expect(setting('user')).toBe(mailbox);
    expect(await byShell(setting('passwordeval'))).toBe(printed(mailbox));
  });

  it.each(['mutt', 'neomutt'])('%s', async (name) => {
    const path = await file(`${name}rc`, exported(name, mailbox));
    const value = async (variable: string) => {
      const shown = await output(name, ['-n', '-F', path, '-Q', variable]);
      return (/^(?:set )?\w+ ?= ?"(.*)"$/m.exec(shown)?.[1] ?? '').replace(/\\(.)/g, '$1');
    };
    expect(await value('imap_user')).toBe(mailbox);
    expect(await byShell(await value('imap_oauth_refresh_command'))).toBe(printed(mailbox));
    expect(await value('smtp_url')).toContain(encodeURIComponent(mailbox));
  });

  it('getmail and OfflineIMAP, as Python reads them', async () => {
    const read = 'import sys, json, configparser as c; p = getattr(c, sys.argv[1])(); p.read(sys.argv[2]);';
    const getmail = `${read} s = p["retriever"]; print(json.dumps([s["username"], eval(s["password_command"])]))`;
    expect(JSON.parse(await python(getmail, 'RawConfigParser', await file('getmailrc', exported('getmail', mailbox))))).toEqual([
      mailbox,
      [printer, ...words(mailbox)],
    ]);
    const offline = `${read} s = p["Repository remote"]; print(json.dumps([s["remoteuser"], eval(s["oauth2_access_token_eval"])]))`;
    expect(JSON.parse(await python(offline, 'ConfigParser', await file('offlineimaprc', exported('offlineimap', mailbox))))).toEqual([
      mailbox,
      printed(mailbox).trim(),
    ]);
  });

  it('himalaya’s TOML', async () => {
    const code = 'import sys, json, tomllib; print(json.dumps(tomllib.load(open(sys.argv[1], "rb"))))';
    const { accounts } = JSON.parse(await python(code, await file('himalaya.toml', exported('himalaya', mailbox))));
    expect(accounts[mailbox].imap.sasl.xoauth2).toEqual({ username: mailbox, token: { command: [printer, ...words(mailbox)] } });
  });

  it('git', async () => {
    const path = await file('gitconfig', exported('git', mailbox));
    const setting = async (key: string) => (await output('git', ['config', '--file', path, key])).replace(/\n$/, '');
    expect(await setting('sendemail.from')).toBe(mailbox);
    expect(await byShell(`${await setting('sendemail.sendmailcmd')} "$@"`)).toBe(printed(mailbox));
  });

  it('curl, imapsync and Python', async () => {
    const [, bearer = ''] = /^(bearer\(\) .*)$/m.exec(exported('curl', mailbox)) ?? [];
    expect(await output('bash', ['-c', `${bearer}; bearer`])).toBe(`oauth2-bearer = "${printed(mailbox).trim()}"\n`);
    await file('imapsync', '#!/bin/sh\nwhile [ "$1" != --user1 ]; do shift; done\nprintf "%s\\n" "$2"; cat "$4"\n');
    await chmod(join(folder, 'imapsync'), 0o755);
    const synced = await output('/bin/sh', [await file('sync.sh', exported('imapsync', mailbox).replace('sleep 300', 'false'))], '', {
      PATH: `${folder}:/usr/bin:/bin`,
    });
    expect(synced).toBe(`${mailbox}\n${printed(mailbox)}`);
    const script = exported('python', mailbox).split('\n\n\nimap =')[0]?.split('imap = ')[0] ?? '';
    expect(await python(`${script}\nprint(xoauth2("u"))`)).toContain(printed(mailbox).trim());
  });

  it('PHP, Java and Node.js', async () => {
    const stubs = '<?php namespace PHPMailer\\PHPMailer { interface OAuthTokenProvider {} class PHPMailer {} }\nnamespace {\n';
    const body = exported('php', mailbox).replace('<?php\n', '');
    const php = await output('php', [
      await file('mail.php', `${stubs}${body}\necho base64_decode((new MailauthToken())->getOauth64());\n}`),
    ]);
    expect(php).toBe(`user=${mailbox}\x01auth=Bearer ${printed(mailbox).trim()}\x01\x01`);
    const java = exported('java', mailbox)
      .replace(/^import jakarta.*\n/gm, '')
      .replace(
        / {4}public static void main(?:.|\n)*/,
        '    public static void main(String[] a) throws Exception { System.out.println(token()); }\n}\n',
      );
    expect(await output('java', [await file('Mail.java', java)])).toBe(printed(mailbox));
    const [, home = ''] = /^(process\.env\.MAILAUTH_HOME = .*);$/m.exec(exported('node', mailbox)) ?? [];
    expect(await output('node', ['-e', `${home}; process.stdout.write(process.env.MAILAUTH_HOME)`])).toBe(printer);
  });

  it('Postfix', async () => {
    const configuration = await mkdtemp(join(folder, 'postfix-'));
    await writeFile(join(configuration, 'main.cf'), 'compatibility_level = 3.6\nmyorigin = here.example\n');
    await writeFile(join(configuration, 'master.cf'), '');
    // What it starts is looked at, and nothing is started; the owner of this test's folder may be root.
    const script = exported('postfix', mailbox)
      .replace(/^owner=.*$/m, 'owner=nobody')
      .replace(/^postfix check\n.*\n/m, '');
    const env = { MAIL_CONFIG: configuration };
    await output('/bin/sh', [], script, env);
    expect(await output(join(configuration, 'mailauth-send'), ['', 'ada@example.com'])).toBe(
      `${printed(mailbox)}-i\n-f\n\n--\nada@example.com\n`,
    );
    expect(await output('postconf', ['-M', 'mailauth/unix'], '', env)).toContain('argv=');
    const asked = (key: string, map: string) => output('postmap', ['-q', key, `texthash:${join(configuration, map)}`], '', env);
    expect(await asked(mailbox, 'mailauth-senders')).toBe('OK\n');
    expect(await asked('@here.example', 'mailauth-origin')).toBe(`${mailbox}\n`);
    expect((await readFile(join(configuration, 'mailauth-senders'), 'utf8')).trim().split('\n')).toHaveLength(3);
  });

  it('Dovecot', async () => {
    const own = await mkdtemp(join(folder, 'dovecot-'));
    const script = exported('dovecot', mailbox).replaceAll('/etc/dovecot/mailauth', own);
    await output('/bin/sh', [], script);
    await output('/bin/sh', [], script);
    const users = await readFile(join(own, 'users'), 'utf8');
    const [, name = ''] = /^([a-z0-9._@-]+):\{PLAIN\}x\n$/.exec(users) ?? [];
    expect(name, users).not.toBe('');
    expect(await byShell(`. ${own}/mailboxes/${name}; token; printf '%s' "$destuser"`)).toBe(`${printed(mailbox)}${mailbox}`);
  });
});
