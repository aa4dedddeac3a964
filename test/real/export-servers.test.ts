import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { type Office, type Outcome, openOffice, type Seat } from './rigs/office.ts';
import { type Postfix, startPostfix } from './rigs/postfix.ts';

const exec = promisify(execFile);
/** A user of Debian who is not root: MAILAUTH_HOME is his, and the servers run mailauth as him. */
const owner = 'mail';
const password = 'a \'local\' "password" $HOME %u';

let office: Office;
let upstream: Postfix;
let seat: Seat;
/** for the files of this service; everybody may enter it */
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  office = await openOffice();
  upstream = await startPostfix(office.dovecot);
  seat = await office.seat();
  folder = await mkdtemp(join(tmpdir(), 'mailauth-servers-'));
  await chmod(folder, 0o755);
  const cloud = JSON.parse(await readFile(seat.cloudFile, 'utf8'));
  const cloudFile = join(folder, 'cloud.json');
  await writeFile(
    cloudFile,
    JSON.stringify({ ...cloud, smtp: { host: 'localhost', port: upstream.ports.submission, security: 'starttls' } }),
  );
  const authorities = join(folder, 'authorities.pem');
  await cp(seat.env.NODE_EXTRA_CA_CERTS ?? '', authorities);
  await chmod(authorities, 0o644);
  await office.dovecot.deliver(seat.mailbox, 3);
  env = {
    MAILAUTH_HOME: join(folder, 'mail home'),
    MAILAUTH_STORE: 'file',
    MAILAUTH_KEY_FILE: join(folder, "mailauth's key"),
    NODE_EXTRA_CA_CERTS: authorities,
  };
  const done = async (outcome: Promise<Outcome>) => expect(await outcome).toMatchObject({ code: 0 });
  await done(seat.run(['store', 'keygen', env.MAILAUTH_KEY_FILE ?? ''], { env }));
  await done(
    seat.run(['setup', '--mailbox', seat.mailbox, '--client-id', seat.app.clientId, '--cloud-file', cloudFile, '--yes', '--no-test'], {
      env,
    }),
  );
  execFileSync('chown', ['-R', owner, env.MAILAUTH_HOME ?? '', env.MAILAUTH_KEY_FILE ?? '']);
}, 60_000);

afterAll(async () => {
  await upstream?.stop();
  await rm(folder, { recursive: true, force: true });
  await office?.close();
});

async function exported(args: readonly string[], stdin = '', more: Readonly<Record<string, undefined>> = {}): Promise<string> {
  const { code, stdout, stderr } = await seat.run(['export', ...args, seat.mailbox], {
    env: { ...env, PATH: '/usr/bin:/bin', ...more },
    stdin,
  });
  expect(code, stderr).toBe(0);
  return stdout;
}

/** As an administrator pipes it: `… | sh`, with nothing of this shell but what is given. */
async function asScript(text: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const running = exec('/bin/sh', [], { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...more }, cwd: '/' });
  running.child.stdin?.end(text);
  const { stdout, stderr } = await running;
  return stdout + stderr;
}

/** Sign-ins that must fail wait for nothing here. */
const impatient = 'auth_failure_delay = 0\nservice anvil {\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}';

/** The Dovecot that the script sets up, in folders and at a port of this test. */
class PasswordServer {
  readonly #child: ChildProcess;
  readonly port: number;
  readonly logFile: string;

  private constructor(child: ChildProcess, port: number, logFile: string) {
    this.#child = child;
    this.port = port;
    this.logFile = logFile;
  }

  static async start(script: string, more: Readonly<Record<string, string>> = {}): Promise<PasswordServer> {
    const port = await freePort();
    const own = await mkdtemp(join(folder, 'dovecot-'));
    await chmod(own, 0o755);
    const logFile = join(own, 'dovecot.log');
    const here = script
      .replaceAll('/etc/dovecot/mailauth', own)
      .replaceAll('/run/mailauth-dovecot', join(own, 'run'))
      .replace('port = 143', `port = ${port}`)
      .replace('instance_name = mailauth', `instance_name = mailauth-test\nlog_path = ${logFile}\n${impatient}`);
    await asScript(here, more);
    const child = spawn('/usr/sbin/dovecot', ['-F', '-c', join(own, 'dovecot.conf')], { stdio: 'ignore' });
    const server = new PasswordServer(child, port, logFile);
    await expect
      .poll(() => answers(port), { timeout: 10_000 })
      .toBe(true)
      .catch(async (cause) => {
        await server.stop();
        throw new Error(`dovecot did not start: ${await server.log()}`, { cause });
      });
    return server;
  }

  readonly log = (): Promise<string> => readFile(this.logFile, 'utf8').catch(() => '');

  async status(user: string, word: string): Promise<string> {
    const words = ['--request', 'STATUS INBOX (MESSAGES)', `imap://127.0.0.1:${this.port}/`];
    const { stdout } = await exec('curl', ['--silent', '--show-error', '--user', `${user}:${word}`, ...words]);
    return stdout;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await gone;
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = createConnection(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    }).on('error', () => done(false));
  });

async function withServer(script: string, act: (server: PasswordServer) => Promise<void>, more = {}): Promise<void> {
  const server = await PasswordServer.start(script, more);
  try {
    await act(server);
  } catch (cause) {
    throw new Error(`${cause}\n${await server.log()}`, { cause });
  } finally {
    await server.stop();
  }
}

describe('mailauth export dovecot, piped to sh', () => {
  const script = (...more: readonly string[]) => exported(['dovecot', '--password-file', '-', ...more], `${password}\n`);

  it('a program that only knows a password reads the mailbox', async () => {
    const text = await script();
    expect(text).not.toContain(password);
    await withServer(text, async (server) => {
      expect(await server.status(seat.mailbox, password)).toContain('STATUS INBOX (MESSAGES 3)');
      await expect(server.status(seat.mailbox, 'wrong')).rejects.toThrow(/Login denied/);
      await expect(server.status(`x${seat.mailbox}`, password)).rejects.toThrow(/Login denied/);
      await expect(server.status(seat.mailbox, '')).rejects.toThrow(/Login denied/);
      expect(await server.log()).not.toContain(seat.lastToken.slice(0, 30));
    });
  });

  it('without a password the script says how to make one, with a scheme of Dovecot', async () => {
    const own = await exported(['dovecot']);
    expect(own).toContain('doveadm pw -s SHA512-CRYPT) >> $folder/users');
    const { stdout: hash } = await exec('doveadm', ['pw', '-s', 'SHA512-CRYPT', '-p', 'other']);
    await withServer(own, async (server) => {
      await expect(server.status(seat.mailbox, '')).rejects.toThrow(/Login denied/);
      await writeFile(join(server.logFile, '../users'), `${seat.mailbox}:${hash}`);
      // Dovecot looks at the file again when a second has passed.
      await expect.poll(() => server.status(seat.mailbox, 'other').catch(String), { timeout: 5_000 }).toContain('(MESSAGES 3)');
    });
  });

  it('a server whose certificate nobody here has signed gets no token', async () => {
    const others = (await script()).replace(/^cat "\$authorities" .*$/m, 'cp "$authorities" "$folder/authorities.pem"');
    await withServer(others, async (server) => {
      await expect(server.status(seat.mailbox, password)).rejects.toThrow();
      await expect.poll(server.log, { timeout: 15_000 }).toMatch(/SSL certificate: unable to get local issuer certificate/);
    });
  });

  it('a server whose certificate has another name gets no token', async () => {
    const relay = createServer((socket) => {
      const behind = createConnection(office.dovecot.ports.imaps, '127.0.0.1');
      pipeline(socket, behind, socket, () => undefined);
    });
    relay.listen(0, '127.0.0.2');
    await once(relay, 'listening');
    const address = relay.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const other = (await script()).replace(/^host=.*\nport=.*$/m, `host=127.0.0.2\nport=${port}`);
    try {
      await withServer(other, async (server) => {
        await expect(server.status(seat.mailbox, password)).rejects.toThrow();
        await expect.poll(server.log, { timeout: 15_000 }).toMatch(/SSL certificate doesn't match expected host name 127/);
      });
    } finally {
      relay.close();
    }
  });

  it('under the 256 MB that Dovecot allows Node does not start, and curl asks the agent', async () => {
    const limited = (text: string) => text.replace('vsz_limit = 2G', 'vsz_limit = 256M');
    await withServer(limited(await script()), async (server) => {
      await expect(server.status(seat.mailbox, password)).rejects.toThrow();
    });
    const agent = seat.start(['agent', '--json'], {
      env: { ...env, XDG_RUNTIME_DIR: undefined },
      under: ['setpriv', `--reuid=${owner}`, '--clear-groups'],
    });
    try {
      await agent.says(/./);
      const asked = await exported(['dovecot', '--agent', '--password-file', '-'], `${password}\n`, { XDG_RUNTIME_DIR: undefined });
      await withServer(limited(asked), async (server) => {
        expect(await server.status(seat.mailbox, password)).toContain('STATUS INBOX (MESSAGES 3)');
      });
    } finally {
      agent.child.kill('SIGTERM');
      await agent.ended;
    }
  });
});

/** A Postfix as Debian's own configuration has it, in a folder of this test; the script changes it. */
class Relay {
  readonly port: number;
  readonly #dir: string;

  private constructor(dir: string, port: number) {
    this.#dir = dir;
    this.port = port;
  }

  static async start(script: string, { sasl = false } = {}): Promise<Relay> {
    const dir = await mkdtemp(join(folder, 'relay-'));
    await chmod(dir, 0o755);
    for (const one of ['etc', 'queue', 'data']) await mkdir(join(dir, one));
    execFileSync('chown', ['postfix', join(dir, 'data')]);
    const relay = new Relay(dir, await freePort());
    await writeFile(join(dir, 'etc/main.cf'), relay.#settings(sasl));
    await writeFile(join(dir, 'etc/master.cf'), relay.#services());
    await asScript(script, relay.env);
    await relay.command('postfix', ['start']);
    return relay;
  }

  get env(): Record<string, string> {
    return { MAIL_CONFIG: join(this.#dir, 'etc'), PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
  }

  async command(name: string, args: readonly string[], input = ''): Promise<string> {
    const running = exec(name, [...args], { env: this.env });
    running.child.stdin?.end(input);
    const { stdout, stderr } = await running;
    return stdout + stderr;
  }

  readonly log = (): Promise<string> => readFile(join(this.#dir, 'mail.log'), 'utf8').catch(() => '');

  /** A device gives it a message by SMTP. */
  async submit(subject: string, { from, to, login }: { from: string; to: readonly string[]; login?: string }): Promise<void> {
    const text = `From: ${from}\r\nTo: ${to.join(', ')}\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@rig.example>\r\n\r\n.\r\nhello\r\n`;
    const path = join(this.#dir, `${subject}.eml`);
    await writeFile(path, text);
    const recipients = to.flatMap((one) => ['--mail-rcpt', one]);
    const user = login === undefined ? [] : ['--user', login];
    await exec('curl', [
      '--silent',
      '--show-error',
      ...user,
      '--url',
      `smtp://127.0.0.1:${this.port}`,
      '--mail-from',
      from,
      ...recipients,
      '--upload-file',
      path,
    ]);
  }

  async stop(): Promise<void> {
    await this.command('postfix', ['stop']);
  }

  #settings(sasl: boolean): string {
    const dir = this.#dir;
    return `compatibility_level = 3.6
queue_directory = ${dir}/queue
data_directory = ${dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = ${dir}/mail.log
maillog_file_prefixes = ${dir}
mail_owner = postfix
setgid_group = postdrop
myhostname = scanner.localdomain
myorigin = scanner.localdomain
mydestination = scanner.localdomain
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = ${sasl ? '127.0.0.9/32' : '127.0.0.0/8'}
alias_maps =
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject
smtpd_peername_lookup = no
${sasl ? `smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = private/mailauth-sasl\n` : ''}`;
  }

  #services(): string {
    return `127.0.0.1:${this.port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;
  }
}

describe('mailauth export postfix, piped to sh', () => {
  let relay: Relay;
  beforeAll(async () => {
    const script = await exported(['postfix']);
    relay = await Relay.start(script);
    const senders = () => readFile(join(relay.env.MAIL_CONFIG ?? '', 'mailauth-senders'), 'utf8');
    const before = await senders();
    // It may be run again.
    await asScript(script, relay.env);
    expect(await senders()).toBe(before);
  }, 60_000);
  afterAll(() => relay?.stop());

  const says = (text: string | RegExp) => expect.poll(() => relay.log(), { timeout: 15_000 }).toMatch(text);
  const arrived = (subject: string) =>
    expect.poll(() => upstream.log(), { timeout: 10_000 }).toContain(`message-id=<${subject}@rig.example>`);

  it('what a device sends goes out through mailauth send, each recipient by itself', async () => {
    await relay.submit('by-device', { from: seat.mailbox, to: ['ada@elsewhere.example', '"bob b"@elsewhere.example'] });
    await says(/to=<ada@elsewhere\.example>.*relay=mailauth.*status=sent \(delivered via mailauth service\)/);
    await says(/to=<"?bob b"?@elsewhere\.example>.*status=sent/);
    await arrived('by-device');
    expect(await upstream.log()).toContain(`from=<${seat.mailbox}>`);
    // Postfix writes the recipient's line when it has delivered, which is after the message itself was taken.
    await expect.poll(() => upstream.log(), { timeout: 10_000 }).toMatch(/to=<"?bob b"?@elsewhere\.example>/);
  });

  it('a sender that the mailbox may not send as is refused at once', async () => {
    await expect(relay.submit('by-other', { from: 'boss@contoso.example', to: ['ada@elsewhere.example'] })).rejects.toThrow();
    await says(/554 5\.7\.1 <boss@contoso\.example>: Sender address rejected/);
  });

  it('mail of cron goes out as the mailbox', async () => {
    const text = 'From: root (Cron Daemon)\nTo: ada@elsewhere.example\nSubject: cron\nMessage-ID: <by-cron@rig.example>\n\nhello\n';
    await relay.command('sendmail', ['-i', 'ada@elsewhere.example'], text);
    await arrived('by-cron');
  });

  it('the message waits while nobody is signed in, and goes out when somebody is', async () => {
    const key = env.MAILAUTH_KEY_FILE ?? '';
    await rename(key, `${key}.away`);
    try {
      await relay.submit('later', { from: seat.mailbox, to: ['ada@elsewhere.example'] });
      await says(/status=deferred \(temporary failure\. Command output: /);
    } finally {
      await rename(`${key}.away`, key);
    }
    await relay.command('postqueue', ['-f']);
    await arrived('later');
  });
});

it('a scanner that only knows a password sends by Postfix and Dovecot', async () => {
  const relay = await Relay.start(await exported(['postfix']), { sasl: true });
  try {
    const script = await exported(['dovecot', '--password-file', '-'], `${password}\n`);
    await withServer(
      script,
      async () => {
        const scanned = { from: seat.mailbox, to: ['ada@elsewhere.example'] };
        await expect(relay.submit('no-password', scanned)).rejects.toThrow();
        await expect(relay.submit('wrong-password', { ...scanned, login: `${seat.mailbox}:wrong` })).rejects.toThrow();
        await relay.submit('by-scanner', { ...scanned, login: `${seat.mailbox}:${password}` });
        await expect.poll(() => upstream.log(), { timeout: 10_000 }).toContain('message-id=<by-scanner@rig.example>');
      },
      relay.env,
    );
  } finally {
    await relay.stop();
  }
});
