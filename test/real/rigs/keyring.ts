import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { checkRun } from '../../support/json-schema.ts';

const root = resolve(fileURLToPath(new URL('../../..', import.meta.url)));
const withKeyring = fileURLToPath(new URL('with-keyring.sh', import.meta.url));

const hungMs = 45_000;

export interface Outcome {
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
    run: (command, env = {}) => runToEnd('bash', [withKeyring, ...command], { ...base, ...env }),
    bare: (command, env = {}) => runToEnd(command[0] ?? '', command.slice(1), { ...base, ...env }),
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

export function runToEnd(command: string, args: readonly string[], env: Record<string, string>): Promise<Outcome> {
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
      try {
        checkRun(args, stdout);
        done({ code, signal, stdout, stderr });
      } catch (error) {
        fail(error);
      }
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

/**
 * `store.js OP ENTRY [SIZE] [LIMIT]`: one store call in a process of its own, prints one JSON line. `many` writes and reads SIZE times.
 * Values are made of size and entry, so that a reader can check what another process wrote.
 */
const storeScript = `
import { execFileSync } from 'node:child_process';
import { createKeychain } from 'SRC/system/keychain/keychain.ts';
import { keychainStore } from 'SRC/store/keychain-store.ts';
import { Secret } from 'SRC/core/secret.ts';
import { systemClock, systemRandom } from 'SRC/system/clock-and-random.ts';
import { MailauthError } from 'SRC/core/errors.ts';

async function main() {
const [op = '', entry = '', size = '20', limit = ''] = process.argv.slice(2);
const real = createKeychain({ platform: process.platform, env: process.env, clock: systemClock });
const keychain = limit === '' ? real : Object.assign(Object.create(real), { limit: Number(limit) });
const store = keychainStore({ keychain, service: 'mailauth', homeId: '0123456789abcdef', random: systemRandom });
const value = (entry + ' ä😀').repeat(Number(size)).slice(0, Number(size));
const started = performance.now();
let result;
try {
  if (op === 'write') result = { done: await store.write(entry, new Secret(value)) ?? null };
  if (op === 'read') { const back = await store.read(entry); result = { found: back !== undefined, same: back?.reveal() === value, length: back?.length }; }
  if (op === 'remove') result = { removed: await store.remove(entry) };
  if (op === 'probe') result = { done: await store.probe() ?? null };
  if (op.startsWith('late-')) {
    await store.write(entry, new Secret(value));
    execFileSync('bash', ['-c', process.env.LOCK]);
    if (op === 'late-write') await store.write(entry, new Secret(value));
    if (op === 'late-read') await store.read(entry);
  }
  if (op === 'many') {
    // Each in a session of its own, as processes would do it.
    for (let i = 0; i < Number(size); i += 1) {
      const own = createKeychain({ platform: process.platform, env: process.env, clock: systemClock });
      const one = keychainStore({ keychain: own, service: 'mailauth', homeId: '0123456789abcdef', random: systemRandom });
      await one.write(entry, new Secret('value ' + i));
      const back = await one.read(entry);
      if (back?.reveal() !== 'value ' + i) throw new Error('read back ' + back?.reveal());
      own.close();
    }
    result = { written: Number(size) };
  }
  if (op === 'raw') result = { raw: await real.getPassword('mailauth', '0123456789abcdef:' + entry) };
} catch (error) {
  if (!(error instanceof MailauthError)) throw error;
  result = { code: error.code, exit: error.exit };
}
process.stdout.write(JSON.stringify({ ...result, slow: performance.now() - started > 8000 }) + '\\n');
// As main.ts ends; the others show that nothing of ours keeps the process alive.
if (op.startsWith('late-')) process.exit(7);
}
main();
`;

export const bundleStoreScript = (folder: string): Promise<string> => bundleScript(folder, 'store', storeScript);
