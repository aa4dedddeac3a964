import { type ChildProcess, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserOutcome, Clock, Context, Env } from '../core/context.ts';
import { errorCode } from '../core/errors.ts';
import { hidingSecrets, programInPath, withoutSecrets } from './programs.ts';

/** `xdg-open` without a browser exits with 3 only after `open` has said that all is well (about 35 ms, measured). */
const watchMs = 2000;
const opened: BrowserOutcome = { kind: 'opened' };
const failed = (why: string): BrowserOutcome => ({ kind: 'failed', why });

/** Shows a page to the person: by the command in `BROWSER`, else by the platform's launcher (package `open`). */
export function createBrowser(options: {
  env: Env;
  platform: NodeJS.Platform;
  clock: Clock;
  signal: AbortSignal;
}): Browser & Pick<Context, 'openFile'> {
  const { env, platform, clock, signal } = options;
  // A launcher that still runs when mailauth is stopped goes with it, as a job of a shell would.
  const withUs = (child: ChildProcess): ChildProcess => {
    signal.addEventListener('abort', () => child.kill(), { once: true });
    return child;
  };
  const start = async ({ href }: URL): Promise<BrowserOutcome> => {
    const command = env.BROWSER?.trim();
    try {
      if (command) return await watch(withUs(startCommand(command, href, env, platform)), 'the command in BROWSER', clock);
      return await watch(withUs(await startLauncher(href)), 'the browser launcher', clock);
    } catch (error) {
      return failed(`${command ? 'the command in BROWSER' : 'the browser launcher'} could not be started (${reasonOf(error)})`);
    }
  };
  return {
    get usable() {
      return isBrowserUsable(env, platform, hasLauncher);
    },
    async open(url) {
      const address = URL.canParse(url) ? new URL(url) : undefined;
      if (address === undefined || !/^https?:$/.test(address.protocol)) return failed('only http and https addresses are opened');
      return start(address);
    },
    openFile: (path) => start(pathToFileURL(path)),
  };
}

/** The package `open` gives the launcher the environment of this process, so the secrets are removed from it while the launcher starts. */
async function startLauncher(address: string): Promise<ChildProcess> {
  const { default: open } = await import('open');
  return hidingSecrets(() => open(address));
}

/**
 * Can a browser show this person a page? The rules are those of git-credential-manager: `BROWSER` always counts (editors that forward
 * ports over SSH set it); CI never; over SSH only with a forwarded display; WSL shows pages on Windows.
 */
export function isBrowserUsable(env: Env, platform: NodeJS.Platform, launcherFound: (env: Env) => boolean): boolean {
  if (env.BROWSER?.trim()) return true;
  if (env.CI && env.CI !== 'false' && env.CI !== '0') return false;
  const overSsh = Boolean(env.SSH_CONNECTION || env.SSH_CLIENT || env.SSH_TTY);
  if (platform === 'darwin' || platform === 'win32') return !overSsh;
  if (env.WSL_DISTRO_NAME && !overSsh) return true;
  return Boolean(env.DISPLAY || env.WAYLAND_DISPLAY) && launcherFound(env);
}

const launchers = [
  ...['xdg-open', 'gio', 'kde-open', 'kde-open5', 'exo-open', 'x-www-browser', 'sensible-browser', 'firefox', 'chromium'],
  ...['chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge', 'brave-browser', 'epiphany', 'konqueror'],
];

function hasLauncher(env: Env): boolean {
  return launchers.some((name) => programInPath(name, env) !== undefined);
}

/** Splits the command as a shell would, but no shell ever sees the command or the address. */
function startCommand(command: string, address: string, env: Env, platform: NodeJS.Platform): ChildProcess {
  const [program, ...rest] = isFile(command) ? [command] : splitWords(command, platform);
  if (program === undefined) throw new Error('BROWSER is empty');
  // Node.js starts none without a shell (CVE-2024-27980), and a shell would read the address.
  if (platform === 'win32' && /\.(?:cmd|bat)$/i.test(program)) throw new Error('a .cmd or .bat file is for a shell: name an .exe');
  return spawn(program, [...rest, address], { stdio: 'ignore', detached: platform !== 'win32', env: withoutSecrets(env) });
}

/** Words with '…', "…" and, except on Windows, backslash; an open quote reaches to the end. */
export function splitWords(line: string, platform: NodeJS.Platform): string[] {
  const pattern =
    platform === 'win32'
      ? /"([^"]*)(?:"|$)|([^\s"]+)|(\s+)/g
      : /'([^']*)(?:'|$)|"((?:\\[\s\S]|[^"\\])*)(?:"|$)|((?:\\[\s\S]|[^\s"'\\])+)|(\s+)/g;
  const words: string[] = [];
  let word: string | undefined;
  for (const match of line.matchAll(pattern)) {
    if (/^\s/.test(match[0])) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word = (word ?? '') + partOf(match, platform);
  }
  if (word !== undefined) words.push(word);
  return words;
}

function partOf(match: RegExpExecArray, platform: NodeJS.Platform): string {
  if (platform === 'win32') return match[1] ?? match[2] ?? '';
  const [, single, double, bare] = match;
  // POSIX shell, section 2.2.3: between double quotes a backslash escapes only $ ` " and \.
  return single ?? double?.replace(/\\([$`"\\])/g, '$1') ?? bare?.replace(/\\([\s\S])/g, '$1') ?? '';
}

/** Waits two seconds for the launcher to end; one that still runs then is a browser. It never keeps this process alive. */
async function watch(child: ChildProcess, name: string, clock: Clock): Promise<BrowserOutcome> {
  const judge = (code: number | null, signal: NodeJS.Signals | null) =>
    code === 0 ? opened : failed(signal === null ? `${name} ended with code ${code}` : `${name} was ended by ${signal}`);
  if (child.exitCode !== null || child.signalCode !== null) return judge(child.exitCode, child.signalCode);

  const ended = new Promise<BrowserOutcome>((resolve) => {
    child.on('error', (error) => resolve(failed(`${name} could not be started (${reasonOf(error)})`)));
    child.once('exit', (code, signal) => resolve(judge(code, signal)));
  });
  child.unref();
  const over = new AbortController();
  const survived = clock.sleep(watchMs, over.signal).then(
    () => opened,
    () => opened,
  );
  const outcome = await Promise.race([ended, survived]);
  over.abort();
  return outcome;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason';
  return errorCode(error) ?? error.message;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
