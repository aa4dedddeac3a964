import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Context, Keys, Output } from '../../src/core/context.ts';
import type { Keychain } from '../../src/core/keychain-port.ts';
import type { Prompts } from '../../src/core/prompts-port.ts';
import type { Reporter } from '../../src/core/run-parts.ts';
import { systemClock, systemRandom } from '../../src/system/clock-and-random.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import { createNetwork } from '../../src/system/network/network.ts';

/** Remembers what was written to it. */
export class Capture implements Output {
  text = '';
  readonly isTerminal: boolean;
  readonly columns = 80;

  constructor(isTerminal = false) {
    this.isTerminal = isTerminal;
  }

  write(text: string): void {
    this.text += text;
  }
}

/** A keychain in memory; `limit` in UTF-16 units as the platform would have it. */
export class MemoryKeychain implements Keychain {
  readonly entries = new Map<string, string>();
  readonly label = 'memory';
  readonly limit: number;

  constructor(limit = Number.POSITIVE_INFINITY) {
    this.limit = limit;
  }

  async getPassword(service: string, account: string): Promise<string | null> {
    return this.entries.get(`${service}\0${account}`) ?? null;
  }

  async setPassword(service: string, account: string, password: string): Promise<void> {
    if (password.length > this.limit) throw new Error('longer than platform limit');
    this.entries.set(`${service}\0${account}`, password);
  }

  async deletePassword(service: string, account: string): Promise<boolean> {
    return this.entries.delete(`${service}\0${account}`);
  }

  close(): void {}
}

const refuse = (what: string) => () => {
  throw new Error(`this test must not ${what}`);
};

const noPrompts: Prompts = {
  text: refuse('ask'),
  secret: refuse('ask'),
  select: refuse('ask'),
  checkbox: refuse('ask'),
  confirm: refuse('ask'),
};

/** Nobody presses a key. */
const noKeys: Keys = { listen: () => ({ over: new Promise(() => undefined), stop: async () => undefined }) };

const noBrowser: Browser = { usable: false, open: async () => ({ kind: 'failed', why: 'no browser in this test' }) };

const noNetwork = {
  request: refuse('use the network'),
  lookup: refuse('use the network'),
  connect: refuse('use the network'),
  secure: refuse('use the network'),
  secureContext: refuse('use the network'),
  proxyFor: () => undefined,
  trusting: refuse('use the network'),
};

/** The network of all tests of a worker. Loading Node's roots beside an authority takes 50 ms, so it happens once for each authority. */
export const realNetwork = createNetwork({ env: {} });

/** A clock on which a wait of up to three seconds takes a tenth of it, for tests of what comes after a deadline. */
export const quickClock: Context['clock'] = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms <= 3_000 ? ms / 10 : ms, signal),
};

/** A context whose effects are real where harmless (clock, random, files) and refused elsewhere; override what the test needs. */
export function testContext({
  tty = false,
  ...overrides
}: Partial<Context> & { tty?: boolean } = {}): Context & { out: Capture; err: Capture } {
  const out = new Capture(tty);
  const err = new Capture(tty);
  return {
    env: {},
    platform: 'linux',
    pid: process.pid,
    uid: process.geteuid?.(),
    surroundings: { shell: 'posix' },
    machine: {
      node: '20.20.2',
      release: '6.1.0',
      arch: 'x64',
      user: 'ada',
      homeFolder: '/home/ada',
      program: ['/usr/bin/node', '/usr/local/bin/mailauth'],
    },
    readStdin: async () => '',
    longInput: { isTerminal: false, pieces: async function* () {}, bytes: async function* () {} },
    readLine: async () => undefined,
    log: () => undefined,
    interactive: false,
    clock: systemClock,
    random: systemRandom,
    files: systemFiles,
    network: noNetwork,
    prompts: noPrompts,
    keys: noKeys,
    browser: noBrowser,
    openFile: async () => ({ kind: 'failed', why: 'no browser in this test' }),
    shellCommand: refuse('run a command'),
    connectDatabase: refuse('connect to a database'),
    systemctl: async () => undefined,
    windowsProgram: async () => ({ code: undefined, text: '' }),
    clipboard: { usable: false, copy: async () => false },
    powershell: { program: undefined, start: refuse('start PowerShell') },
    keychain: new MemoryKeychain(),
    signal: new AbortController().signal,
    ...overrides,
    out,
    err,
  };
}

/** A folder of this test's own. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'mailauth-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A report that nobody reads but for its notes. */
export const reportNoting = (notes: string[] = []): Reporter => ({
  ...{ takesKeys: false, isForPeople: true, progress: () => undefined, busy: () => undefined, waiting: () => undefined },
  meanwhile: (_text, doing) => doing,
  ...{ authorizationRequired: () => undefined, detail: () => undefined, show: () => undefined, settle: () => undefined },
  note: (text) => notes.push(text),
});
