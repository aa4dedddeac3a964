import { execFile, spawn } from 'node:child_process';
import { chmod, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/context.ts';
import { checkRun } from '../support/json-schema.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = join(root, 'bin/mailauth.js');

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Spawns the built program as a user would, without a browser, a display or a keychain. */
function mailauth(
  args: readonly string[],
  options: { env?: Record<string, string>; node?: string[]; onErr?: (text: string, kill: (s: NodeJS.Signals) => void) => void } = {},
) {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [...(options.node ?? [bin]), ...args], {
    env: { PATH, MAILAUTH_HOME: home, HOME: home, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise<Ended>((resolve, reject) => {
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text;
      options.onErr?.(err, (signal) => child.kill(signal));
    });
    child.once('close', (code) => {
      try {
        checkRun(child.spawnargs, out);
        resolve({ code, out, err });
      } catch (error) {
        reject(error);
      }
    });
  });
}

let home = '';
let remove = async () => {};
const mailbox = 'helpdesk@contoso.example';

beforeAll(async () => {
  ({ path: home, remove } = await temporaryFolder());
  const setup = await mailauth(['setup', '--sandbox', '--yes', '--no-test']);
  expect(setup, setup.err).toMatchObject({ code: 0 });
});

afterAll(() => remove());

describe('the spawned program', () => {
  test('answers --version with the version of package.json and nothing else', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect(await mailauth(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  test.each([[[]], [['--help']], [['-h']], [['help']]])('prints the help for %j, examples before commands', async (args) => {
    const { code, out, err } = await mailauth(args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.indexOf('Examples:')).toBeGreaterThan(0);
    expect(out.indexOf('Examples:')).toBeLessThan(out.indexOf('Set up:'));
  });

  test('tells a Node that is too old in one kind line', async () => {
    const pretend = "Object.defineProperty(process, 'versions', { value: { node: '18.20.8' } }); require(process.argv[1]);";
    const { code, out, err } = await mailauth([], { node: ['-e', pretend, bin] });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^mailauth needs Node\.js 20\.19 or newer; this is 18\.20\.8\..*\n$/);
  });

  test('has one JSON object on stdout for an error with --json', async () => {
    const { code, out } = await mailauth(['token', 'get', 'nobody@contoso.example', '--sandbox', '--json']);
    expect(code).toBe(4);
    expect(JSON.parse(out)).toMatchObject({
      schema: 'mailauth/1',
      ok: false,
      command: 'token get',
      error: { code: 'mailbox-unknown', exit: 4 },
    });
  });

  test('writes no escape sequence to a pipe', async () => {
    for (const args of [
      ['status', '--sandbox'],
      ['test', 'imap', '--sandbox'],
      ['login', 'x@y.z'],
    ]) {
      const { out, err } = await mailauth(args);
      expect(out + err).not.toContain('\u001b');
    }
  });

  test('FORCE_COLOR colours a pipe, NO_COLOR and --no-color win over it', async () => {
    const args = ['status', '--sandbox'];
    expect((await mailauth(args, { env: { FORCE_COLOR: '1' } })).out).toContain('\u001b[');
    expect((await mailauth(args, { env: { FORCE_COLOR: '1', NO_COLOR: '1' } })).out).not.toContain('\u001b');
    expect((await mailauth([...args, '--no-color'], { env: { FORCE_COLOR: '1' } })).out).not.toContain('\u001b');
  });
});

describe('token get', () => {
  test('gives the same by the quick way and by the whole program', async () => {
    for (const format of ['xoauth2', 'json', 'env']) {
      const quick = await mailauth(['token', 'get', mailbox, '--sandbox', '--format', format]);
      // The quick way leaves --verbose to the whole program.
      const whole = await mailauth(['token', 'get', mailbox, '--sandbox', '--format', format, '--verbose']);
      expect(quick).toEqual({ code: 0, out: whole.out, err: '' });
      expect(quick.out).toMatch(/\S\n$/);
    }
  });

  test('refreshes when less than --min-validity is left, and only then', async () => {
    const before = (await mailauth(['token', 'get', mailbox, '--sandbox'])).out;
    expect((await mailauth(['token', 'get', mailbox, '--sandbox', '--min-validity', '0'])).out).toBe(before);
    const fresh = await mailauth(['token', 'get', mailbox, '--sandbox', '--min-validity', '86400']);
    expect(fresh).toMatchObject({ code: 0, err: '' });
    expect(fresh.out).not.toBe(before);
    expect((await mailauth(['token', 'get', mailbox, '--sandbox'])).out).toBe(fresh.out);
  });

  test('a flag of its own with its value ahead of the words is refused at once, not at the first refresh', async () => {
    for (const more of [[], ['--min-validity', '9000000']]) {
      const { code, err } = await mailauth(['--format', 'xoauth2', 'token', 'get', '--sandbox', ...more]);
      expect([code, err]).toEqual([2, expect.stringContaining('xoauth2')]);
    }
    expect((await mailauth(['--timeout', '9', '--format=raw', 'token', 'get', '--sandbox'])).code).toBe(0);
  });

  test('writes nothing when the token is stored', async () => {
    const all = () => readdir(home, { recursive: true });
    const before = await all();
    await mailauth(['token', 'get', mailbox, '--sandbox']);
    expect(await all()).toEqual(before);
  });

  test('leaves secret files that only their owner can read', async () => {
    const { stat } = await import('node:fs/promises');
    for (const file of ['secrets.json', 'keys.json', 'state.json']) {
      expect((await stat(join(home, 'sandbox', file))).mode & 0o777, file).toBe(0o600);
    }
    expect((await stat(join(home, 'sandbox'))).mode & 0o777).toBe(0o700);
  });
});

describe('stopping', () => {
  test('SIGINT while the browser is waited for ends with 130 and stores nothing', async () => {
    const { path, remove: done } = await temporaryFolder();
    const ended = await mailauth(['setup', '--sandbox', '--no-input', '--register', 'existing', '--mailbox', 'ada@contoso.example'], {
      env: { MAILAUTH_HOME: path, HOME: path },
      onErr: (text, kill) => {
        if (text.includes('oauth2/v2.0/authorize')) kill('SIGINT');
      },
    });
    expect(ended.code).toBe(130);
    expect(await readdir(join(path, 'sandbox')).then((names) => names.filter((n) => n === 'mailboxes' || n === 'secrets.json'))).toEqual(
      [],
    );
    await done();
  });

  const secretFromInput = `setup --sandbox --yes --mailbox ada@contoso.example --for custom --client-id ${'2'.repeat(8)}-5a4d-4b0c-9a11-c0ffee000002 --client-secret-file -`;
  test.each([
    ['SIGINT', 130, 'explain'],
    ['SIGTERM', 143, 'explain -'],
    ['SIGHUP', 129, 'explain'],
    ['SIGINT', 130, secretFromInput],
    ['SIGTERM', 143, secretFromInput],
  ] as const)('%s ends with %i within a second while standard input is read: %s', async (signal, exit, words) => {
    const log = join(home, 'debug.log');
    await rm(log, { force: true });
    const child = spawn(process.execPath, [bin, ...words.split(' ')], {
      env: { PATH: process.env.PATH ?? '', MAILAUTH_HOME: home, HOME: home, MAILAUTH_DEBUG: '1' },
      stdio: 'pipe',
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    // It reads once it has begun, and nothing is written to it.
    await expect.poll(() => readFile(log, 'utf8').catch(() => ''), { timeout: 15_000 }).toContain(': begins');
    await new Promise((resolve) => setTimeout(resolve, words === secretFromInput ? 1_000 : 100));
    const at = performance.now();
    child.kill(signal);
    expect(await ended).toBe(exit);
    expect(performance.now() - at).toBeLessThan(1_000);
  });

  test('a signal ends a command whose file is a pipe that nobody writes to', async () => {
    const pipe = join(home, 'pipe');
    await promisify(execFile)('mkfifo', [pipe]);
    const child = spawn(process.execPath, [bin, 'explain', '--file', pipe], {
      env: { PATH: process.env.PATH ?? '', MAILAUTH_HOME: home, HOME: home },
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    child.kill('SIGTERM');
    // Node does not exit while one of its threads opens the pipe, so the command dies of the signal; a shell calls that 143, too.
    expect(await ended).toBe('SIGTERM');
  });

  test('a reader that goes away early is no error', async () => {
    const child = spawn('/bin/sh', ['-c', `"${process.execPath}" "${bin}" status --sandbox | head -c 1; exit 0`], {
      env: { PATH: process.env.PATH ?? '', MAILAUTH_HOME: home, HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    await new Promise((resolve) => child.once('close', resolve));
    expect(err).toBe('');
  });

  // /dev/full takes nothing, as a full disk does.
  test
    .skipIf(process.platform !== 'linux')
    .each(['status --sandbox', 'token get --sandbox', '--help', 'token get nobody@contoso.example --json'])(
    '%s: what cannot be written is no success',
    async (words) => {
      const argv = ['-c', `"${process.execPath}" "${bin}" ${words} >/dev/full`];
      const child = spawn('/bin/sh', argv, {
        env: { PATH: process.env.PATH ?? '', MAILAUTH_HOME: home, HOME: home },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let err = '';
      child.stderr.setEncoding('utf8').on('data', (text) => {
        err += text;
      });
      const code = await new Promise((resolve) => child.once('close', resolve));
      expect(code).toBe(words.includes('nobody') ? 4 : 1);
      expect(err).toMatch(/^mailauth: standard output cannot be written \(ENOSPC\).*\n$/);
    },
  );

  test.skipIf(process.platform !== 'linux')(
    'send, which a server has taken, is 0 all the same: whoever repeats it sends it twice',
    async () => {
      const line = `printf 'Subject: x\\n\\nHi\\n' | "${process.execPath}" "${bin}" send --sandbox --json ada@contoso.example >/dev/full`;
      const child = spawn('/bin/sh', ['-c', line], {
        env: { PATH: process.env.PATH ?? '', MAILAUTH_HOME: home, HOME: home },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let err = '';
      child.stderr.setEncoding('utf8').on('data', (text) => {
        err += text;
      });
      expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
      expect(err).toMatch(/^mailauth: standard output cannot be written \(ENOSPC\).* A server has the message\.\n$/);
    },
  );

  // Node puts /dev/null in place of a stream that is closed, so that it cannot be told from one that nobody wants.
  test.each([
    ['status --sandbox', 0],
    ['token get --sandbox', 0],
    ['token get --sandbox --verbose', 0],
    ['--help', 0],
    ['token get nobody@contoso.example', 4],
    ['explain --nonsense', 2],
  ])('%s ends with %i where standard output is closed, and where all three streams are', async (words, exit) => {
    for (const streams of ['>&-', '<&- >&- 2>&-']) {
      const line = `{ "${process.execPath}" "${bin}" ${words} ${streams}; echo "exit $?" >&9; } 9>&1`;
      const { stdout, stderr } = await promisify(execFile)('/bin/sh', ['-c', line], {
        env: { PATH: process.env.PATH ?? '', MAILAUTH_HOME: home, HOME: home },
      });
      expect([stdout, stderr]).toEqual([`exit ${exit}\n`, expect.not.stringContaining('    at ')]);
    }
  });

  test.skipIf(process.platform !== 'linux')(
    'the address space that doctor asks for is enough to refresh and to test, and it shows the limit',
    async () => {
      const neededMb = Number.parseInt(process.versions.node, 10) < 24 ? 1200 : 1700;
      const limited = async (words: string) => {
        const line = `ulimit -v ${neededMb}000; exec "${process.execPath}" "${bin}" ${words} --sandbox`;
        const { stdout } = await promisify(execFile)('/bin/sh', ['-c', line], {
          env: { PATH: process.env.PATH ?? '', MAILAUTH_HOME: home, HOME: home },
        });
        return stdout;
      };
      const before = await limited('token get');
      const refreshed = await limited('token get --force-refresh');
      expect([refreshed.length > 100, refreshed === before]).toEqual([true, false]);
      expect(await limited('test imap')).toContain('INBOX');
      expect(await limited('doctor')).toContain(`address space limited to ${Math.floor(neededMb * 1.024)} MB (${neededMb} MB are needed)`);
    },
  );

  test('a folder that cannot be used is an error with a way out, not a stack trace', async () => {
    const file = join(home, 'a-file');
    await import('node:fs/promises').then((fs) => fs.writeFile(file, ''));
    await chmod(file, 0o600);
    const { code, err } = await mailauth(['setup', '--sandbox', '--yes'], { env: { MAILAUTH_HOME: join(file, 'below') } });
    expect(code).toBe(1);
    expect(err).toContain('✖');
    expect(err).toContain('try:');
    expect(err).not.toContain('    at ');
  });
});

describe('the sealed file', () => {
  test('token get reads it with a key file, by the quick way and the long one', async () => {
    const key = join(home, 'key');
    const env = { MAILAUTH_STORE: 'file', MAILAUTH_KEY_FILE: key };
    const sealed = 'sealed@contoso.example';
    expect(await mailauth(['store', 'keygen', key], { env })).toMatchObject({ code: 0 });
    const setup = await mailauth(['setup', '--sandbox', '--yes', '--no-test', '--mailbox', sealed], { env });
    expect(setup, setup.err).toMatchObject({ code: 0 });
    const get = ['token', 'get', sealed, '--sandbox'];
    const quick = await mailauth(get, { env });
    expect(quick).toMatchObject({ code: 0, err: '' });
    expect(quick.out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    // The quick way leaves --verbose to the whole program.
    expect((await mailauth([...get, '--verbose'], { env })).out).toBe(quick.out);
    await chmod(key, 0o644);
    expect(await mailauth(get, { env })).toMatchObject({ code: 7, out: '' });
  });
});
