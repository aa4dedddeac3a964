import { spawnSync } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../../src/core/context.ts';
import { createBrowser, isBrowserUsable, splitWords } from '../../../src/system/browser.ts';
import { systemClock } from '../../../src/system/clock-and-random.ts';
import { temporaryFolder } from '../../support/context.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const address = 'https://login.example/authorize?a=1&b=$(id)`id`;c=%20';

/** a launcher that writes down its arguments and its environment, then ends */
async function launcher(code: number, name = 'launcher'): Promise<string> {
  const path = join(folder.path, name);
  const script = `#!/bin/sh\nprintf '%s\\n' "$@" > "${folder.path}/args"\nenv > "${folder.path}/env"\nexit ${code}\n`;
  // Written by another process: what this one has open for writing, a child of another thread would have, too, and exec answers ETXTBSY.
  spawnSync('sh', ['-c', 'cat > "$1" && chmod 755 "$1"', 'sh', path], { input: script });
  return path;
}

const args = async () => (await readFile(join(folder.path, 'args'), 'utf8')).trimEnd().split('\n');
const browserWith = (env: Record<string, string>, clock: Clock = systemClock, signal = new AbortController().signal) =>
  createBrowser({ env: { PATH: process.env.PATH, ...env }, platform: 'linux', clock, signal });

describe('BROWSER', () => {
  it('is run with the address as its last argument, and no shell reads it', async () => {
    const path = await launcher(0);
    expect(await browserWith({ BROWSER: `"${path}" --new-window 'two words' plain\\ one` }).open(address)).toEqual({ kind: 'opened' });
    expect(await args()).toEqual(['--new-window', 'two words', 'plain one', new URL(address).href]);
  });

  it('is ended with mailauth when that is told to stop', async () => {
    const stop = new AbortController();
    const path = await launcher(0, 'lasting');
    await writeFile(path, `#!/bin/sh\necho $$ > "${folder.path}/pid"\nexec sleep 60\n`);
    const opening = browserWith({ BROWSER: path }, systemClock, stop.signal).open(address);
    await expect.poll(async () => (await readFile(join(folder.path, 'pid'), 'utf8').catch(() => '')).trim()).not.toBe('');
    const pid = Number(await readFile(join(folder.path, 'pid'), 'utf8'));
    stop.abort();
    expect(await opening).toMatchObject({ kind: 'failed', why: expect.stringContaining('SIGTERM') });
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('is taken whole when it is a file, blanks and all', async () => {
    const path = await launcher(0, 'my own browser');
    expect(await browserWith({ BROWSER: path }).open('http://localhost:1/')).toEqual({ kind: 'opened' });
    expect(await args()).toEqual(['http://localhost:1/']);
  });

  it('does not inherit what opens our stores', async () => {
    const path = await launcher(0);
    await browserWith({ BROWSER: path, MAILAUTH_PASSPHRASE: 'hush', MAILAUTH_GRAPH_TOKEN: 'hush', LANG_TEST: 'kept' }).open(address);
    const env = await readFile(join(folder.path, 'env'), 'utf8');
    expect(env).toContain('LANG_TEST=kept');
    expect(env).not.toContain('hush');
  });

  it('that ends badly has failed', async () => {
    const outcome = await browserWith({ BROWSER: await launcher(3) }).open(address);
    expect(outcome).toEqual({ kind: 'failed', why: 'the command in BROWSER ended with code 3' });
  });

  it('that does not exist has failed', async () => {
    const outcome = await browserWith({ BROWSER: '/nowhere/at-all' }).open(address);
    expect(outcome).toEqual({ kind: 'failed', why: 'the command in BROWSER could not be started (ENOENT)' });
  });

  it('that is a batch file of Windows is not started, and that is said', async () => {
    const clock = systemClock;
    const onWindows = createBrowser({
      env: { BROWSER: 'C:\\b\\open.cmd' },
      platform: 'win32',
      clock,
      signal: new AbortController().signal,
    });
    expect(await onWindows.open(address)).toEqual({
      kind: 'failed',
      why: 'the command in BROWSER could not be started (a .cmd or .bat file is for a shell: name an .exe)',
    });
  });

  it('that still runs when the watch is over has opened', async () => {
    const path = join(folder.path, 'stays');
    await writeFile(path, `#!/bin/sh\necho $$ > "${folder.path}/pid"\nexec sleep 30\n`);
    await chmod(path, 0o755);
    const pid = join(folder.path, 'pid');
    const clock: Clock = {
      ...systemClock,
      async sleep() {
        while ((await readFile(pid, 'utf8').catch(() => '')) === '') await systemClock.sleep(10);
      },
    };
    expect(await browserWith({ BROWSER: path }, clock).open(address)).toEqual({ kind: 'opened' });
    process.kill(Number(await readFile(pid, 'utf8')));
  });
});

describe.runIf(process.platform === 'linux')('the platform launcher', () => {
  afterEach(() => vi.unstubAllEnvs());

  /** xdg-open reads the real environment; its own BROWSER stands for "whatever this machine would show pages with" */
  const desktop = (browser: string) => {
    for (const name of ['DISPLAY', 'WAYLAND_DISPLAY', 'XDG_CURRENT_DESKTOP', 'WSL_DISTRO_NAME']) vi.stubEnv(name, undefined);
    vi.stubEnv('BROWSER', browser);
    return browserWith({});
  };

  it('that finds nothing to open with has failed, although `open` was content', async () => {
    const outcome = await desktop('false').open('https://login.example/');
    expect(outcome).toEqual({ kind: 'failed', why: expect.stringMatching(/^the browser launcher ended with code [1-9]/) });
  });

  it('hands the address over', async () => {
    expect(await desktop(await launcher(0)).open('https://login.example/?a=1')).toEqual({ kind: 'opened' });
    expect(await args()).toEqual(['https://login.example/?a=1']);
  });

  it('does not inherit what opens our stores, and takes it from nobody', async () => {
    for (const name of ['MAILAUTH_PASSPHRASE', 'MAILAUTH_GRAPH_TOKEN']) vi.stubEnv(name, 'hush');
    await desktop(await launcher(0)).open('https://login.example/');
    expect(await readFile(join(folder.path, 'env'), 'utf8')).not.toContain('hush');
    expect([process.env.MAILAUTH_PASSPHRASE, process.env.MAILAUTH_GRAPH_TOKEN]).toEqual(['hush', 'hush']);
  });
});

it.each(['javascript:alert(1)', 'file:///etc/passwd', 'not an address', '', 'mailto:a@b.example', '--help'])(
  '%s is never opened',
  async (url) => {
    const outcome = await browserWith({ BROWSER: await launcher(0) }).open(url);
    expect(outcome).toEqual({ kind: 'failed', why: 'only http and https addresses are opened' });
    await expect(args()).rejects.toMatchObject({ code: 'ENOENT' });
  },
);

describe('words of a command', () => {
  it.each<[NodeJS.Platform, string, string[]]>([
    ['linux', '', []],
    ['linux', '  firefox   -P  work ', ['firefox', '-P', 'work']],
    ['linux', `a'b c'd "e f" ''`, ['ab cd', 'e f', '']],
    ['linux', '"a \\"b\\" \\$c \\d"', ['a "b" $c \\d']],
    ['linux', '/opt/my\\ browser', ['/opt/my browser']],
    ['linux', `open 'to the end`, ['open', 'to the end']],
    ['win32', 'C:\\b\\chrome.exe --app', ['C:\\b\\chrome.exe', '--app']],
    ['win32', '"C:\\Program Files\\c.exe" -x', ['C:\\Program Files\\c.exe', '-x']],
  ])('%s: %s', (platform, line, words) => {
    expect(splitWords(line, platform)).toEqual(words);
  });
});

describe('usable', () => {
  const ssh = { SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' };
  it.each<[string, Record<string, string>, NodeJS.Platform, boolean]>([
    ['a desktop', { DISPLAY: ':0' }, 'linux', true],
    ['Wayland', { WAYLAND_DISPLAY: 'wayland-0' }, 'linux', true],
    ['a server', {}, 'linux', false],
    ['BROWSER on a server', { BROWSER: 'x' }, 'linux', true],
    ['BROWSER in CI', { BROWSER: 'x', CI: 'true' }, 'linux', true],
    ['a blank BROWSER', { BROWSER: ' ' }, 'linux', false],
    ['CI with a display', { CI: 'true', DISPLAY: ':0' }, 'linux', false],
    ['CI=false', { CI: 'false', DISPLAY: ':0' }, 'linux', true],
    ['SSH', ssh, 'linux', false],
    ['SSH with a forwarded display', { ...ssh, DISPLAY: 'localhost:10.0' }, 'linux', true],
    ['WSL', { WSL_DISTRO_NAME: 'Debian' }, 'linux', true],
    ['SSH into WSL', { ...ssh, WSL_DISTRO_NAME: 'Debian' }, 'linux', false],
    ['a Mac', {}, 'darwin', true],
    ['SSH into a Mac', ssh, 'darwin', false],
    ['Windows', {}, 'win32', true],
    ['SSH into Windows', ssh, 'win32', false],
  ])('%s', (_name, env, platform, expected) => {
    expect(isBrowserUsable(env, platform, () => true)).toBe(expected);
  });

  it('needs a launcher on the PATH', async () => {
    expect(browserWith({ DISPLAY: ':0', PATH: folder.path }).usable).toBe(false);
    await launcher(0, 'xdg-open');
    expect(browserWith({ DISPLAY: ':0', PATH: folder.path }).usable).toBe(true);
  });
});
