import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tokenGet } from '../commands/token/token-get.ts';
import type { Clock, Context, Files, GuardedFile, Network } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import { errorCode } from '../core/errors.ts';
import { isOfRecordedAccount } from '../core/mailbox.ts';
import type { Prompts } from '../core/prompts-port.ts';
import type { Reporter } from '../core/run-parts.ts';
import { authorityOf, differenceOf } from '../core/sign-in-authority.ts';
import { chosenCloud, cloudFileOf } from '../session/chosen-cloud.ts';
import { type Globals, globalValueFlags, placesGiven, readGlobals } from '../session/globals.ts';
import { openStore } from '../session/open-store.ts';
import type { Session } from '../session/session.ts';
import type { Shared } from '../session/shared-with.ts';
import { resolveHome } from '../store/home.ts';
import { refuseSteered } from '../store/steering.ts';
import { readGuardedFile } from '../system/disk/guarded-file.ts';
import { heldBy } from '../system/disk/owners.ts';
import { createKeychain } from '../system/keychain/keychain.ts';
import { print, startApp } from './start-app.ts';

/** What the run shares with other machines, for the quick program that knows PostgreSQL. */
export type Share = (ctx: Context, globals: Globals, home: string) => Pick<Shared, 'ctx' | 'store'> | undefined;

/** What `bin/mailauth.js` calls for `token get`, which mail clients and cron jobs call thousands of times a day. */
export async function main(share?: Share): Promise<void> {
  const token = await fromStore(process.argv.slice(2), share);
  if (token === undefined || !print(token)) await startApp();
}

/**
 * Runs the command with a context that can only read. Answers what belongs on stdout, or undefined when there is more to do than to read:
 * a refresh, a question, an error. Then the whole program runs from the start, for nothing was written or asked yet.
 */
async function fromStore(argv: readonly string[], share?: Share): Promise<string | undefined> {
  try {
    const { values, positionals, tokens } = parseArgs({ args: [...argv], options: quickFlags, allowPositionals: true, tokens: true });
    if (isAheadOfCommand(tokens)) return undefined;
    const [group, verb, ...args] = positionals;
    if (group !== 'token' || verb !== 'get' || args.length > 1) return undefined;
    const flags = { ...values, minValidity: values['min-validity'], cloudFile: values['cloud-file'], keyFile: values['key-file'] };
    // As src/app.ts does it, and not into a copy: a copy would tell the capitals of Windows' variables apart.
    Object.assign(process.env, placesGiven(argv));
    const ctx = readingContext(process);
    const globals = readGlobals(flags, ctx.env);
    const home = homeOf(ctx, globals);
    const shared = share?.(ctx, globals, home);
    const { text } = await tokenGet.run({ args, flags }, readingSession(shared?.ctx ?? ctx, globals, home, shared?.store));
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}

type Tokens = readonly { readonly kind: string; readonly name?: string; readonly inlineValue?: boolean | undefined }[];

/** Ahead of the command only a global flag may have its value as a word of its own. The whole program refuses the others. */
function isAheadOfCommand(tokens: Tokens): boolean {
  const ahead = tokens.slice(
    0,
    tokens.findIndex(({ kind }) => kind === 'positional'),
  );
  return ahead.some(({ name = '', inlineValue }) => inlineValue === false && !globalValueFlags.has(`--${name}`));
}

const text = { type: 'string' } as const;
const yes = { type: 'boolean' } as const;
/**
 * The flags of `token get` that this program knows; with any other the whole program runs. Commander declares them all but takes more time
 * to load than a token to read. quick-flags.test.ts holds the two together.
 */
export const quickFlags = {
  format: text,
  'min-validity': text,
  for: text,
  cloud: text,
  'cloud-file': text,
  store: text,
  home: text,
  'key-file': text,
  timeout: text,
  json: yes,
  yes,
  quiet: yes,
  sandbox: yes,
} as const;

const homeOf = (ctx: Context, { sandbox }: Globals): string => (sandbox ? join(resolveHome(ctx), 'sandbox') : resolveHome(ctx));

function readingSession(ctx: Context, globals: Globals, home: string, postgres: Shared['store'] | undefined): Session {
  return {
    ctx,
    globals,
    home,
    report: silent,
    stepTimeoutMs: 0,
    browserTimeoutMs: 0,
    async store(record) {
      await refuseSteered(ctx, { home, isSandbox: globals.sandbox, cloudFile: cloudFileOf(globals) }, record);
      return openStore(ctx, globals, home, globals.store ?? record.store, defined({ postgres }));
    },
    storeToShow: refuse,
    refuseSteered: refuse,
    sandbox: refuse,
    network: refuse,
    cloud: refuse,
    inForce: refuse,
    async refuseForeign(record, set) {
      const cloud = (await chosenCloud(ctx, globals)) ?? record.cloud;
      const { tenantId, registration } = record;
      const { authority } = set;
      // A record that calls itself the sandbox outside of it agrees with no stored entry.
      const now = authorityOf(globals.sandbox ? { ...cloud, name: 'sandbox' } : { ...cloud, name: '' }, { tenantId, ...registration });
      // An entry of the first edition, or one that belongs elsewhere, is for the whole program to judge.
      if (authority === undefined || differenceOf(authority, now) !== undefined || !isOfRecordedAccount(record, set)) refuse();
    },
    refresh: refuse,
    refreshForGraph: refuse,
    storeNamed: refuse,
    probedStore: refuse,
    storeInit: refuse,
    close: async () => undefined,
  };
}

function readingContext(process: NodeJS.Process): Context {
  const { env, platform, pid } = process;
  const uid = process.geteuid?.();
  const output = { write: refuse, isTerminal: false, columns: 80 };
  return {
    env,
    platform,
    pid,
    uid,
    // It prints no next command: whatever is wrong, the whole program says it.
    surroundings: { shell: 'posix' },
    machine: { node: '', release: '', arch: '', user: '', homeFolder: '', program: ['', ''] },
    out: output,
    err: output,
    readStdin: refuse,
    longInput: { isTerminal: false, pieces: refuse, bytes: refuse },
    readLine: refuse,
    log: () => undefined,
    // A getter, because each stream of the process takes milliseconds to open.
    get interactive() {
      return process.stdin.isTTY === true && process.stderr.isTTY === true && env.TERM !== 'dumb';
    },
    clock,
    random: { bytes: refuse, uuid: refuse },
    files: readOnly,
    network: noNetwork,
    prompts: noPrompts,
    keys: { listen: refuse },
    browser: { usable: false, open: refuse },
    openFile: refuse,
    shellCommand: refuse,
    systemctl: refuse,
    windowsProgram: refuse,
    clipboard: { usable: false, copy: refuse },
    powershell: { program: undefined, start: refuse },
    // What is slow or needs a person is left to the whole program.
    keychain: createKeychain({ platform, env, clock, ...(platform === 'darwin' ? {} : { callLimitMs: 1_000 }) }),
    connectDatabase: refuse,
    // A getter, because the module of AbortController takes a tenth of the time of a bare Node, and nothing here waits long enough to be stopped.
    get signal() {
      return new AbortController().signal;
    },
  };
}

const refuse = (): never => {
  throw new Error('only reading here');
};

/** Synchronous, because node:fs/promises takes more time to load than these few small files take to read. */
const readOnly: Files = {
  // The question first, because the error about a missing file costs more.
  read: async (path) => (existsSync(path) ? textOf(readGuardedFile(path)) : undefined),
  readGuarded: async (path) => {
    // A pipe (`<(…)`) can be read once, and the whole program may need it.
    if (unlessMissing(() => statSync(path).isFile(), true)) return readGuardedFile(path);
    return refuse();
  },
  list: async (path) => unlessMissing(() => readdirSync(path).sort(), []),
  writeAtomic: refuse,
  append: refuse,
  create: refuse,
  remove: refuse,
  removeTree: refuse,
  held: async (path) => heldBy(path),
  lock: refuse,
};

const textOf = (file: GuardedFile | undefined): string | undefined => file && Buffer.from(file.bytes).toString();

function unlessMissing<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return otherwise;
    throw error;
  }
}
const clock: Clock = { now: () => Date.now(), monotonic: () => process.uptime() * 1000, sleep: refuse };
const noNetwork: Network = {
  request: refuse,
  lookup: refuse,
  connect: refuse,
  secure: refuse,
  secureContext: refuse,
  proxyFor: refuse,
  trusting: refuse,
};
const noPrompts: Prompts = { text: refuse, secret: refuse, select: refuse, checkbox: refuse, confirm: refuse };
const silent: Reporter = {
  progress: () => undefined,
  busy: () => undefined,
  meanwhile: (_text, doing) => doing,
  waiting: refuse,
  takesKeys: false,
  isForPeople: false,
  authorizationRequired: refuse,
  note: refuse,
  detail: () => undefined,
  show: refuse,
  settle: () => undefined,
};
