import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Outcome, runToEnd } from './keyring.ts';

const root = resolve(fileURLToPath(new URL('../../..', import.meta.url)));
const withDesktop = fileURLToPath(new URL('with-desktop.sh', import.meta.url));
export const program = join(root, 'bin/mailauth.js');

/** One log-in to a desktop whose Secret Service is KWallet or KeePassXC (apt: libkf5wallet-bin, libqca-qt5-2-plugins, keepassxc, xvfb, xdotool). */
export interface Desktop {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** where the keychain shows its windows */
  readonly display: string;
  run(command: readonly string[], env?: Readonly<Record<string, string>>): Promise<Outcome>;
  /** `mailauth ARGS --sandbox` without a terminal */
  mailauth(...args: readonly string[]): Promise<Outcome>;
  /** the error of `mailauth ARGS --sandbox --json`, which must have one */
  failure(
    ...args: readonly string[]
  ): Promise<{ readonly code: string; readonly exit: number; readonly title: string; readonly next: readonly string[] }>;
  /** how many entries of mailauth there are */
  entries(): Promise<number>;
  /** names of the windows that a person sees, without those that the program had at its start */
  windows(): Promise<readonly string[]>;
  /** waits for a window of this name, and presses keys (names of X11, or text) in it */
  answer(name: string, keys: readonly string[]): Promise<void>;
  /** KeePassXC or KWallet still runs: KeePassXC 2.7.4 can crash (SIGSEGV) when several programs write to it at once */
  isUp(): Promise<boolean>;
  logOut(): Promise<void>;
}

export type Provider = 'kwallet' | 'keepassxc';

export async function desktopFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'mailauth-desk-'));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }) };
}

export async function logIn(provider: Provider, folder: string, settings: Readonly<Record<string, string>> = {}): Promise<Desktop> {
  const base = { PATH: process.env.PATH ?? '', HOME: folder, DESKTOP_HOME: folder, LANG: 'C.UTF-8' };
  const session = spawn('bash', [withDesktop, provider], { env: { ...base, ...settings }, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = once(session, 'exit');
  let stderr = '';
  session.stderr.on('data', (chunk) => (stderr += chunk));
  const [chunk]: unknown[] = await Promise.race([once(session.stdout, 'data'), ended]);
  const [address = '', display = ''] = Buffer.isBuffer(chunk) ? chunk.toString().trim().split(' ') : [];
  if (!address.startsWith('unix:')) throw new Error(`no session with ${provider}: ended with ${String(chunk)} ${stderr}`);
  // mailauth has no display, or it would try to open a browser there; the keychain has one.
  const env = { ...base, DBUS_SESSION_BUS_ADDRESS: address, MAILAUTH_HOME: join(folder, 'mailauth') };
  const xdotool = (...args: readonly string[]) => runToEnd('xdotool', args, { ...env, DISPLAY: display });
  const run: Desktop['run'] = (command, more = {}) => runToEnd(command[0] ?? '', command.slice(1), { ...env, ...more });
  const mailauth: Desktop['mailauth'] = (...args) => run([process.execPath, program, ...args, '--sandbox']);
  const shown = async (): Promise<readonly string[]> => {
    const { stdout } = await xdotool('search', '--onlyvisible', '--name', '.');
    return stdout.split('\n').filter((id) => id !== '');
  };
  const atStart = new Set(await shown());
  const windows = async () => {
    const ids = (await shown()).filter((id) => !atStart.has(id));
    return Promise.all(ids.map(async (id) => (await xdotool('getwindowname', id)).stdout.trim()));
  };
  return {
    folder,
    env,
    display,
    run,
    mailauth,
    async failure(...args) {
      const { stdout, stderr: words } = await mailauth(...args, '--json');
      const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
      if (last.ok !== false) throw new Error(`no failure: ${stdout}${words}`);
      return last.error;
    },
    async entries() {
      const call = ['--dest', 'org.freedesktop.secrets', '--object-path', '/org/freedesktop/secrets'];
      const search = ['--method', 'org.freedesktop.Secret.Service.SearchItems'];
      const of = async (service: string) => {
        const { code, stdout } = await run(['gdbus', 'call', '--session', ...call, ...search, `{"service":"${service}"}`]);
        if (code !== 0) throw new Error('the entries cannot be counted');
        return stdout.match(/collection\/\w+\/\w+/g)?.length ?? 0;
      };
      return (await of('mailauth')) + (await of('mailauth-sandbox'));
    },
    windows,
    async answer(name, keys) {
      for (let tries = 0; tries < 200; tries += 1) {
        if ((await windows()).some((one) => one.includes(name))) {
          // The window takes keys a moment after it is there; without a window manager the pointer decides who gets them.
          await sleep(300);
          const { stdout } = await xdotool('search', '--onlyvisible', '--name', name);
          const id = stdout.trim().split('\n').at(-1) ?? '';
          await xdotool('windowfocus', id);
          for (const key of keys) await xdotool(/^[a-z]{2,}/.test(key) ? 'type' : 'key', key);
          return;
        }
        await sleep(50);
      }
      throw new Error(`no window ${name}: ${(await windows()).join(', ')}`);
    },
    async isUp() {
      const bus = ['--dest', 'org.freedesktop.DBus', '--object-path', '/org/freedesktop/DBus'];
      const ask = ['--method', 'org.freedesktop.DBus.GetConnectionUnixProcessID', 'org.freedesktop.secrets'];
      const { stdout } = await run(['gdbus', 'call', '--session', ...bus, ...ask]);
      const [, pid] = /uint32 (\d+)/.exec(stdout) ?? [];
      // After a crash the bus may have started gnome-keyring in its place.
      return pid !== undefined && (await readFile(`/proc/${pid}/comm`, 'utf8')).startsWith(provider);
    },
    async logOut() {
      session.stdin.end();
      await ended;
    },
  };
}
