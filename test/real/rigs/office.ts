import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkRun } from '../../support/json-schema.ts';
import { type Dovecot, startDovecot } from './dovecot.ts';
import { type KeyringRig, keyringRig } from './keyring.ts';
import type { LabApp } from './lab-app.ts';
import { type LabEntra, startLabEntra } from './lab-entra.ts';

const root = resolve(fileURLToPath(new URL('../../..', import.meta.url)));
const program = join(root, 'bin/mailauth.js');
/** of libsecret-tools */
const keyringSearch = 'secret-tool';
const browserScript = fileURLToPath(new URL('browser.mjs', import.meta.url));
const hungMs = 45_000;

/** The lab's Entra, a Dovecot that accepts its tokens, a gnome-keyring session, and `bin/mailauth.js` on them in processes of its own. */
export interface Office {
  readonly lab: LabEntra;
  readonly dovecot: Dovecot;
  readonly keyring: KeyringRig;
  readonly folder: string;
  seat(app?: Partial<LabApp>): Promise<Seat>;
  /** ends everything; throws when a process of ours is left */
  close(): Promise<void>;
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Outcome>;
  /** resolves with what stdout says once it matches; rejects when the process ends before */
  says(pattern: RegExp): Promise<RegExpMatchArray>;
}

export interface RunOptions {
  readonly stdin?: string;
  /** over the seat's own; undefined takes a variable away */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** put before node: `setpriv …` */
  readonly under?: readonly string[];
}

export async function openOffice(): Promise<Office> {
  if (!existsSync(join(root, 'dist'))) throw new Error('dist is missing: npm run build');
  const [dovecot, keyring] = await Promise.all([startDovecot(), keyringRig()]);
  const [lab, session] = await Promise.all([startLabEntra(dovecot.key, dovecot.issuer), keyring.session()]);
  const { folder } = keyring;
  const caFile = join(folder, 'authorities.pem');
  await writeFile(caFile, lab.ca + dovecot.ca);
  const place = (port: number, security: string) => ({ host: 'localhost', port, security });
  const cloud = {
    name: 'lab',
    login: lab.origin,
    graph: `${lab.origin}/graph`,
    portal: 'https://entra.microsoft.com',
    outlookScopeBase: 'https://outlook.office.com',
    imap: place(dovecot.ports.imaps, 'tls'),
    pop: place(1, 'tls'),
    smtp: place(1, 'starttls'),
  };
  const cloudFile = join(folder, 'cloud.json');
  await writeFile(cloudFile, JSON.stringify(cloud));
  let count = 0;
  return {
    lab,
    dovecot,
    keyring,
    folder,
    async seat(app = {}) {
      count += 1;
      const own = join(folder, `seat${count}`);
      await mkdir(own);
      const registered = lab.register(app);
      return new Seat({ folder: own, mailbox: `desk${count}@${lab.domain}`, app: registered, cloudFile, caFile, session: session.env });
    },
    async close() {
      await session.close();
      await Promise.all([lab.stop(), dovecot.stop()]);
      const left = await leftovers(folder);
      await keyring.remove();
      if (left.length > 0) throw new Error(`processes are left: ${left.join(', ')}`);
    },
  };
}

interface SeatParts {
  readonly folder: string;
  readonly mailbox: string;
  readonly app: LabApp;
  readonly cloudFile: string;
  readonly caFile: string;
  readonly session: Readonly<Record<string, string>>;
}

interface Page {
  readonly page: string;
  readonly status: number;
  readonly body: string;
}

/** One operator with a MAILAUTH_HOME, a mailbox and a registration of their own. */
export class Seat {
  readonly mailbox: string;
  readonly app: LabApp;
  readonly home: string;
  readonly folder: string;
  readonly cloudFile: string;
  readonly #parts: SeatParts;

  constructor(parts: SeatParts) {
    this.#parts = parts;
    this.mailbox = parts.mailbox;
    this.app = parts.app;
    this.folder = parts.folder;
    this.cloudFile = parts.cloudFile;
    this.home = join(parts.folder, 'home');
  }

  get setupFlags(): string[] {
    const { mailbox, app, cloudFile } = this;
    const secret = app.secret === undefined ? [] : ['--client-type', 'confidential', '--client-secret-file', '-'];
    const redirect = app.redirectUri === 'http://localhost' ? [] : ['--redirect-uri', app.redirectUri];
    const flags = ['--mailbox', mailbox, '--client-id', app.clientId, '--protocols', 'imap', '--cloud-file', cloudFile, '--yes'];
    return ['setup', ...flags, ...secret, ...redirect];
  }

  /** what this operator's shell has: the session's keyring, the lab's authorities, a browser */
  get env(): Readonly<Record<string, string>> {
    const { session, caFile, folder } = this.#parts;
    const browser = `'${process.execPath}' '${browserScript}' '${caFile}' '${join(folder, 'browser.log')}' '${folder}'`;
    return { ...session, MAILAUTH_HOME: this.home, NODE_EXTRA_CA_CERTS: caFile, BROWSER: browser };
  }

  start(args: readonly string[], { env = {}, under = [] }: RunOptions = {}): Running {
    const { folder } = this;
    const wanted = { ...this.env, ...env };
    const [file = '', ...rest] = [...under, process.execPath, program, ...args];
    const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
    return watch(spawn(file, rest, { env: given, cwd: folder, detached: true }));
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const running = this.start(args, options);
    running.child.stdin.end(options.stdin ?? '');
    return running.ended;
  }

  setup(more: readonly string[] = [], options: RunOptions = {}): Promise<Outcome> {
    const { secret } = this.app;
    return this.run([...this.setupFlags, ...more], { ...(secret === undefined ? {} : { stdin: `${secret}\n` }), ...options });
  }

  /** A set-up that must work, and the token it stored. */
  async ready(more: readonly string[] = ['--no-test']): Promise<string> {
    const outcome = await this.setup(more);
    if (outcome.code !== 0) throw new Error(`setup ended with ${outcome.code}: ${outcome.stderr}`);
    return this.lastToken;
  }

  get lastToken(): string {
    return this.app.accessTokens.at(-1) ?? '';
  }

  /** The error of a command that must fail, with `--json`. */
  async failure(args: readonly string[], options: RunOptions = {}): Promise<Failure> {
    return failureOf(await this.run([...args, '--json'], options));
  }

  async setupFailure(more: readonly string[] = [], options: RunOptions = {}): Promise<Failure> {
    return failureOf(await this.setup([...more, '--json'], options));
  }

  /** Every page the browser showed, and what it saw of our processes while it did. */
  async browserLog(): Promise<{ pages: readonly Page[]; processes: readonly { argv: string; environ: string }[] }> {
    const text = await readFile(join(this.folder, 'browser.log'), 'utf8').catch(() => '');
    const entries = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
    const broken = entries.find((entry) => entry.failed !== undefined);
    if (broken !== undefined) throw new Error(`the browser failed: ${broken.failed}`);
    return { pages: entries.filter((e) => e.page !== undefined), processes: entries.filter((e) => e.argv !== undefined) };
  }

  /** Names of this home's entries in the real keyring, from another program. */
  async keyringEntries(): Promise<readonly string[]> {
    const id: string = await readFile(join(this.home, 'home.json'), 'utf8').then(
      (text) => JSON.parse(text).id,
      () => 'none',
    );
    const found = await this.#searchKeyring();
    const names = [...found.stdout.matchAll(/^label = (.*)$|username = (.*)$/gm), ...found.stderr.matchAll(/username = (.*)$/gm)];
    return [...new Set(names.map((match) => match[2] ?? match[1] ?? ''))]
      .filter((name) => name.startsWith(`${id}:`))
      .map((name) => name.slice(id.length + 1));
  }

  /** The search of all fails where somebody else removes an entry meanwhile: then it is asked again. */
  async #searchKeyring(): Promise<Outcome> {
    for (let tries = 1; ; tries++) {
      const found = await collect(spawn(keyringSearch, ['search', '--all', 'service', 'mailauth'], { env: { ...this.#parts.session } }));
      if (tries === 5 || (found.code === 0 && found.stdout !== '')) return found;
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  /** Every file of the home with its text. */
  async files(): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const entry of await readdir(this.home, { recursive: true, withFileTypes: true }).catch(() => [])) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) found.set(path, await readFile(path, 'utf8'));
    }
    return found;
  }
}

export interface Failure {
  readonly code: number | null;
  readonly error: {
    readonly code: string;
    readonly exit: number;
    readonly title: string;
    readonly why: string;
    readonly next: readonly string[];
  };
  readonly data?: unknown;
  readonly stdout: string;
}

/** The last line of `--json` output must be one envelope with an error whose exit code is the process's. */
function failureOf({ code, stdout, stderr }: Outcome): Failure {
  const lines = stdout.trimEnd().split('\n');
  const envelope = JSON.parse(lines.at(-1) || 'null');
  if (envelope?.ok !== false || envelope.error.exit !== code) throw new Error(`no failure: exit ${code}\n${stdout}\n${stderr}`);
  return { code, error: envelope.error, data: envelope.data, stdout };
}

async function collect(child: ChildProcessWithoutNullStreams): Promise<Outcome> {
  return watch(child).ended;
}

function watch(child: ChildProcessWithoutNullStreams): Running {
  let stdout = '';
  let stderr = '';
  const overrun = setTimeout(() => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'), hungMs);
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  // A command that fails at once does not read what it is given.
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').then(([code]: (number | null)[]) => {
    clearTimeout(overrun);
    checkRun(child.spawnargs, stdout);
    return { code: code ?? null, stdout, stderr };
  });
  const says = async (pattern: RegExp): Promise<RegExpMatchArray> => {
    for (;;) {
      const match = stdout.match(pattern);
      if (match !== null) return match;
      const outcome = await Promise.race([once(child.stdout, 'data').then(() => undefined), ended]);
      if (outcome !== undefined)
        throw new Error(`ended with ${outcome.code} before it said ${pattern}: ${outcome.stdout}\n${outcome.stderr}`);
    }
  };
  return { child, ended, says };
}

/** Processes whose environment names the office's folder. Those that are about to end get a moment. */
async function leftovers(folder: string): Promise<readonly string[]> {
  for (let tries = 0; ; tries++) {
    const found: string[] = [];
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      if (environ.includes(folder)) found.push((await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' '));
    }
    if (found.length === 0 || tries === 60) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
}
