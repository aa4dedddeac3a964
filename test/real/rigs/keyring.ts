import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = resolve(fileURLToPath(new URL('../../..', import.meta.url)));
const withKeyring = fileURLToPath(new URL('with-keyring.sh', import.meta.url));

const hungMs = 45_000;

interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface KeyringRig {
  readonly folder: string;
  /** runs `command` in a private session bus with gnome-keyring; the keyring stays for the next call */
  run(command: readonly string[], env?: Record<string, string>): Promise<Outcome>;
  /** the same without any session: `command` as it is */
  bare(command: readonly string[], env?: Record<string, string>): Promise<Outcome>;
  /** one session that stays open; what is started with its `env` finds the bus and the keyring */
  session(): Promise<{ readonly env: Readonly<Record<string, string>>; close(): Promise<void> }>;
  remove(): Promise<void>;
}

/** Private D-Bus sessions on a keyring of this test's own (apt: gnome-keyring, dbus). Password of the keyring: `test`. */
export async function keyringRig(): Promise<KeyringRig> {
  const folder = await mkdtemp(join(tmpdir(), 'mailauth-kr-'));
  const base = { PATH: process.env.PATH ?? '', HOME: folder, KR_HOME: folder };
  for (const name of ['data', 'run', 'cache', 'config']) await mkdir(join(folder, name), { mode: 0o700 });
  return {
    folder,
    run: (command, env = {}) => run('bash', [withKeyring, ...command], { ...base, ...env }),
    bare: (command, env = {}) => run(command[0] ?? '', command.slice(1), { ...base, ...env }),
    session: () => openSession(base),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function openSession(base: Record<string, string>): ReturnType<KeyringRig['session']> {
  const script = 'echo "$DBUS_SESSION_BUS_ADDRESS"; exec cat';
  const child = spawn('bash', [withKeyring, 'bash', '-c', script], { env: base, stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  const [chunk]: unknown[] = await Promise.race([once(child.stdout, 'data'), ended]);
  const address = Buffer.isBuffer(chunk) ? chunk.toString().trim() : '';
  if (!address.startsWith('unix:'))
    throw new Error(`no D-Bus session with gnome-keyring: ended with ${String(chunk)} (apt: gnome-keyring, dbus)`);
  return {
    env: { ...base, DBUS_SESSION_BUS_ADDRESS: address },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

function run(command: string, args: readonly string[], env: Record<string, string>): Promise<Outcome> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    // A hang is what these tests look for: then the whole group goes, so that nothing stays behind.
    const overrun = setTimeout(() => child.pid && process.kill(-child.pid, 'SIGKILL'), hungMs);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('error', fail);
    child.on('close', (code, signal) => {
      clearTimeout(overrun);
      done({ code, signal, stdout, stderr });
    });
  });
}

/**
 * Bundles a script that imports from `src/` into `folder`, with keychain-child beside it, as the package has it.
 * The script is TypeScript text; `SRC` in its imports stands for the source folder. Answers the path of the script.
 */
export async function bundleScript(folder: string, name: string, source: string): Promise<string> {
  const entry = join(folder, `${name}.ts`);
  await writeFile(entry, source.replaceAll('SRC', join(root, 'src')));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await build({
    entryPoints: { [name]: entry, 'keychain-child': join(root, 'src/system/keychain/keychain-child.ts') },
    outdir: join(folder, 'built'),
    outExtension: { '.js': '.cjs' },
    bundle: true,
    format: 'cjs',
    define: { 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' },
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    logLevel: 'silent',
  });
  return join(folder, 'built', `${name}.cjs`);
}
