import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Office, openOffice, type Seat } from './rigs/office.ts';
import { type Postfix, startPostfix } from './rigs/postfix.ts';
import { runPowerShell } from './rigs/powershell.ts';
import { openTerminal } from './rigs/tmux.ts';

const exec = promisify(execFile);
const program = resolve(import.meta.dirname, '../../bin/mailauth.js');

let office: Office;
let postfix: Postfix;
let seat: Seat;
let home: string;
let env: Record<string, string>;
/** What cron gives a command, and what the other programs themselves need: where their authorities are, and a terminal. */
let cron: Record<string, string>;

/** What `mailauth export` writes is given to the program itself, which signs in at a real Dovecot or Postfix with it. */
beforeAll(async () => {
  office = await openOffice();
  postfix = await startPostfix(office.dovecot);
  seat = await office.seat();
  const cloud = JSON.parse(await readFile(seat.cloudFile, 'utf8'));
  const cloudFile = join(seat.folder, 'with-smtp.json');
  const place = (port: number, security: string) => ({ host: 'localhost', port, security });
  const { pop3s } = office.dovecot.ports;
  await writeFile(cloudFile, JSON.stringify({ ...cloud, pop: place(pop3s, 'tls'), smtp: place(postfix.ports.submission, 'starttls') }));
  await office.dovecot.deliver(seat.mailbox, 3);
  const flags = ['--mailbox', seat.mailbox, '--client-id', seat.app.clientId, '--cloud-file', cloudFile, '--yes'];
  const setup = await seat.run(['setup', ...flags]);
  expect(setup.code, setup.stderr).toBe(0);
  home = join(seat.folder, 'user');
  const bin = join(seat.folder, 'bin');
  for (const folder of [home, bin]) await mkdir(folder);
  await symlink(program, join(bin, 'mailauth'));
  const needed = { SSL_CERT_FILE: seat.env.NODE_EXTRA_CA_CERTS ?? '', TERM: 'xterm' };
  env = { ...seat.env, ...needed, HOME: home, PATH: `${bin}:${process.env.PATH}` };
  cron = { ...needed, HOME: home, PATH: '/usr/bin:/bin' };
});

afterAll(async () => {
  await postfix?.stop();
  await office?.close();
});

async function exported(client: string, ...flags: readonly string[]): Promise<string> {
  return exportedWith({}, client, ...flags);
}

async function exportedWith(more: Readonly<Record<string, string>>, client: string, ...flags: readonly string[]): Promise<string> {
  const { stdout, stderr } = await exec('mailauth', ['export', client, ...flags], { env: { ...env, ...more } });
  expect(stderr).toBe('');
  expect(stdout).not.toContain(seat.lastToken.slice(0, 30));
  return stdout;
}

/** `mailauth agent` of this seat, beside what is done in `act`. */
async function withAgent(act: () => Promise<void>): Promise<void> {
  const agent = spawn(process.execPath, [program, 'agent', '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(agent.stdout, 'data');
    await act();
  } finally {
    agent.kill();
    await once(agent, 'exit');
  }
}

async function file(name: string, text: string): Promise<string> {
  const path = join(home, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

/** A program as cron starts it, with nothing on its standard input, in the operator's home. */
async function run(command: string, args: readonly string[], input = '', more: Readonly<Record<string, string>> = {}): Promise<string> {
  const running = exec(command, [...args], { env: { ...cron, ...more }, cwd: home, timeout: 100_000 });
  running.child.stdin?.end(input);
  const { stdout, stderr } = await running;
  return stdout + stderr;
}

/** With the packages of NuGet that are there already, and without a compiler that stays when the program has ended. */
const dotnetEnv = () => ({
  HOME: process.env.HOME ?? '/root',
  ...{ DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1', UseSharedCompilation: 'false', MSBUILDDISABLENODEREUSE: '1' },
});

const authority = () => seat.env.NODE_EXTRA_CA_CERTS ?? '';
const mail = (subject: string) =>
  `From: ${seat.mailbox}\nTo: ada@elsewhere.example\nSubject: ${subject}\nMessage-ID: <${subject}@rig.example>\n\nhello\n`;
/** Postfix logs the message's id when it has it. */
const arrived = (subject: string) => expect.poll(() => postfix.log(), { timeout: 10_000 }).toContain(`message-id=<${subject}@rig.example>`);

async function messagesIn(folder: string): Promise<number> {
  const found = await Promise.all(['new', 'cur'].map((part) => readdir(join(home, folder, part)).catch(() => [])));
  return found.flat().length;
}

describe('mailauth export, tried with the program it is for', () => {
  it('curl lists the folders, counts by POP and sends; the token is in no argument list', async () => {
    const script = (await exported('curl')).replaceAll('curl --silent', `curl --cacert ${authority()} --silent`);
    await file('message.eml', mail('by-curl').replaceAll('\n', '\r\n'));
    const path = await file(
      'mail.sh',
      `${script.replace('someone@example.com', 'ada@elsewhere.example')}\ntr '\\0' ' ' < /proc/$$/cmdline\n`,
    );
    const output = await run('bash', ['-e', path]);
    expect(output).toMatch(/^\* LIST .* INBOX\r?$/m);
    expect(output).toMatch(/^3 \d+\r?$/m);
    await arrived('by-curl');
  });

  it.each(['powershell', 'curl'])('%s in PowerShell signs in by IMAP, by POP and by SMTP', { timeout: 60_000 }, async (name) => {
    const script = await exportedWith({ MAILAUTH_SHELL: 'powershell' }, name);
    await file('message.eml', mail('by-powershell').replaceAll('\n', '\r\n'));
    const trusting = script
      .replaceAll('| curl --silent', `| curl --cacert ${authority()} --silent`)
      .replace('someone@example.com', 'ada@elsewhere.example');
    const { code, stdout, stderr } = await runPowerShell(trusting, {
      folder: home,
      env: { ...cron, PATH: env.PATH ?? '' },
      modules: false,
    });
    expect([code, stderr]).toEqual([0, '']);
    if (name === 'curl') {
      expect(stdout).toMatch(/^\* LIST .* INBOX\r?$/m);
      expect(stdout).toMatch(/^3 \d+\r?$/m);
      await arrived('by-powershell');
    } else expect(stdout).toMatch(/^IMAP 3\nPOP 3\nSMTP 235 /m);
  });

  it('a token that is refused ends the script for PowerShell with what the server said', { timeout: 60_000 }, async () => {
    const script = await exportedWith({ MAILAUTH_SHELL: 'powershell' }, 'powershell');
    const wrong = script.replace('auth=Bearer $(Get-MailauthToken)', 'auth=Bearer wrong');
    const { code, stderr } = await runPowerShell(wrong, { folder: home, env: { ...cron, PATH: env.PATH ?? '' }, modules: false });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/The server said: \+/);
  });

  it('the token command also refreshes where cron starts it: paths, authorities and the keychain are in it', async () => {
    const [, command = ''] = /passwordeval "(.*)"\n/.exec(await exported('msmtp')) ?? [];
    const { stdout } = await exec('/bin/sh', ['-c', `${command.replaceAll('\\"', '"')} --force-refresh`], { env: {}, cwd: '/' });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });

  it('msmtp sends', async () => {
    const config = (await exported('msmtp')).replace('tls on\n', `tls on\ntls_trust_file ${authority()}\n`);
    const path = await file('msmtprc', config);
    await run('msmtp', ['--file', path, 'ada@elsewhere.example'], mail('by-msmtp'));
    await arrived('by-msmtp');
  });

  it.each(['mutt', 'neomutt'])('%s reads the mailbox', async (name) => {
    const config = `${await exported(name)}set ssl_ca_certificates_file = "${authority()}"\nset header_cache = ""\nset wait_key = no\n`;
    const path = await file(`${name}rc`, config);
    // They need a terminal; it opens the INBOX there, and leaves.
    const command = `${name} -n -F ${path} -e "push '<exit>'"`;
    const screen = await run('script', ['--quiet', '--return', '--command', command, '/dev/null']);
    expect(screen).toMatch(/\[Msgs:3\b/);
  });

  it('msmtp, mbsync and Python ask the agent, where there is one; without it they say so', async () => {
    const authorityLine = `tls on\ntls_trust_file ${authority()}\n`;
    const path = await file('msmtprc-agent', (await exported('msmtp', '--agent')).replace('tls on\n', authorityLine));
    const send = () => run('msmtp', ['--file', path, 'ada@elsewhere.example'], mail('by-the-agent'));
    await expect(send()).rejects.toThrow(/curl: \(7\)/);
    await withAgent(async () => {
      await send();
      const config = (await exported('mbsync', '--agent')).replaceAll('~/Mail', '~/ByAgent');
      await mkdir(join(home, 'ByAgent', seat.mailbox), { recursive: true });
      await run('mbsync', ['--config', await file('mbsyncrc-agent', config), '--all']);
      expect(await messagesIn(`ByAgent/${seat.mailbox}/INBOX`)).toBe(3);
      expect(await run('python3', [await file('agent.py', await exported('python', '--agent'))])).toContain("IMAP ('OK', [b'3'])");
    });
    await arrived('by-the-agent');
  });

  it('mbsync fetches the mailbox', async () => {
    const path = await file('mbsyncrc', await exported('mbsync'));
    await mkdir(join(home, 'Mail', seat.mailbox), { recursive: true });
    await run('mbsync', ['--config', path, '--all']);
    expect(await messagesIn(`Mail/${seat.mailbox}/INBOX`)).toBe(3);
  });

  it('getmail fetches the mailbox', async () => {
    const config = await exported('getmail');
    // It refuses to write a Maildir as root: the test has it counted by a program instead.
    const asRoot = config.replace(
      /type = Maildir\npath = .*\n/,
      `type = MDA_external\npath = ${home}/count.sh\nallow_root_commands = True\n`,
    );
    await chmod(await file('count.sh', `#!/bin/sh\ncat >/dev/null; echo one >> ${home}/counted\n`), 0o700);
    const path = await file('getmailrc', asRoot);
    await run('getmail', ['--rcfile', path, '--getmaildir', home]);
    expect((await readFile(join(home, 'counted'), 'utf8')).trim().split('\n')).toHaveLength(3);
  });

  it('OfflineIMAP fetches the mailbox', async () => {
    const path = await file(
      'offlineimaprc',
      (await exported('offlineimap')).replace('OS-DEFAULT', authority()).replace('~/Mail/', '~/Offline/'),
    );
    await mkdir(join(home, 'Offline'));
    await run('offlineimap', ['-o', '-u', 'basic', '-c', path]);
    expect(await messagesIn(`Offline/${seat.mailbox}/INBOX`)).toBe(3);
  });

  it('aerc shows the mailbox', async () => {
    const config = join(home, '.config/aerc');
    await mkdir(config, { recursive: true });
    await writeFile(join(config, 'accounts.conf'), await exported('aerc'), { mode: 0o600 });
    const terminal = await openTerminal([], {
      folder: home,
      env: { ...env, TERM: 'tmux-256color', LANG: 'C.UTF-8' },
      columns: 120,
      program: 'aerc',
    });
    try {
      await terminal.until(/a@b\.example/);
    } finally {
      await terminal.close();
    }
  });

  it('Python signs in three times', async () => {
    const output = await run('python3', [await file('mail.py', await exported('python'))]);
    expect(output).toMatch(/^IMAP \('OK', \[b'3'\]\)$/m);
    expect(output).toMatch(/^POP \(3, \d+\)$/m);
    expect(output).toMatch(/^SMTP \(235, /m);
  });

  it('mpop fetches by POP', async () => {
    const config = (await exported('mpop'))
      .replace('tls on\n', `tls on\ntls_trust_file ${authority()}\n`)
      .replaceAll('~/Mail/inbox', '~/Popped');
    for (const part of ['new', 'cur', 'tmp']) await mkdir(join(home, 'Popped', part), { recursive: true });
    await run('mpop', ['--file', await file('mpoprc', config)]);
    expect(await messagesIn('Popped')).toBe(3);
  });

  it('git send-email sends a patch', async () => {
    await file('.gitconfig', `${await exported('git')}[user]\n\tname = Ada\n\temail = ${seat.mailbox}\n`);
    await file('one.patch', `Message-Id: <by-git@rig.example>\n${mail('by-git').replace(/^Message-ID.*\n/m, '')}`);
    await run('git', ['send-email', '--quiet', '--confirm=never', '--to', 'ada@elsewhere.example', 'one.patch']);
    await arrived('by-git');
  });

  it('nodemailer sends and imapflow reads, by the library', async () => {
    await symlink(resolve(import.meta.dirname, '../../node_modules'), join(home, 'node_modules'));
    const path = await file('mail.mjs', await exported('node'));
    const output = await run('node', [path, 'ada@elsewhere.example'], '', { NODE_EXTRA_CA_CERTS: authority() });
    expect(output).toMatch(/^IMAP 3$/m);
    const [, id = ''] = /^SMTP <(.*)>$/m.exec(output) ?? [];
    expect(id, output).not.toBe('');
    await expect.poll(() => postfix.log(), { timeout: 10_000 }).toContain(`message-id=<${id}>`);
  });

  it('PHPMailer sends', async () => {
    const loaded = (await exported('php')).replace('<?php\n', "<?php\nrequire '/usr/share/php/libphp-phpmailer/autoload.php';\n");
    const path = await file('mail.php', loaded);
    const output = await run('php', ['-d', `openssl.cafile=${authority()}`, path, 'ada@elsewhere.example']);
    const [, id = ''] = /^sent <(.*)>$/m.exec(output) ?? [];
    expect(id, output).not.toBe('');
    await expect.poll(() => postfix.log(), { timeout: 10_000 }).toContain(`message-id=<${id}>`);
  });

  it('MailKit signs in three times', { timeout: 120_000 }, async () => {
    // The authority of this test publishes no list of revoked certificates.
    const withoutList = (await exported('dotnet')).replaceAll(
      /using var (imap|pop|smtp) = new .*\n/g,
      '$&$1.CheckCertificateRevocation = false;\n',
    );
    const path = await file('Mail.cs', withoutList);
    const output = await run('dotnet', ['run', path], '', dotnetEnv());
    expect(output).toMatch(/^IMAP 3$/m);
    expect(output).toMatch(/^POP 3$/m);
    expect(output).toMatch(/^SMTP True$/m);
  });

  it('Jakarta Mail signs in three times', { timeout: 60_000 }, async () => {
    const trusted = join(home, 'trusted.p12');
    for (const [at, one] of (await readFile(authority(), 'utf8')).split(/(?<=-----END CERTIFICATE-----\n)/).entries()) {
      const certificate = await file(`authority${at}.pem`, one);
      await run('keytool', [
        '-importcert',
        '-noprompt',
        '-alias',
        `a${at}`,
        '-file',
        certificate,
        '-keystore',
        trusted,
        '-storepass',
        'changeit',
      ]);
    }
    const path = await file('Mail.java', await exported('java'));
    const jars = ['jakarta-mail', 'jakarta-activation'].map((name) => `/usr/share/java/${name}.jar`).join(':');
    const output = await run('java', [
      `-Djavax.net.ssl.trustStore=${trusted}`,
      '-Djavax.net.ssl.trustStorePassword=changeit',
      '-cp',
      jars,
      path,
    ]);
    expect(output).toMatch(/^IMAP 3$/m);
    expect(output).toMatch(/^POP 3$/m);
    expect(output).toMatch(/^SMTP true$/m);
  });
});
