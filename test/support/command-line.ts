import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/run.ts';
import type { Context } from '../../src/core/context.ts';
import { Back } from '../../src/core/errors.ts';
import type { Keychain, KeychainTrouble } from '../../src/core/keychain-port.ts';
import { KeychainFailure } from '../../src/core/keychain-port.ts';
import type { Asked, Prompts, TextQuestion } from '../../src/core/prompts-port.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import { MemoryKeychain, quickClock, realNetwork, temporaryFolder, testContext } from './context.ts';
import { checkOutput } from './json-schema.ts';
import { type Home, isNew, readHome, writeHome } from './ready-home.ts';
import { putSharedKeys, takeSharedKeys } from './sandbox.ts';

export interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  /** stdout as the one JSON object it must be */
  json(): Envelope;
  /** stdout as JSON lines */
  lines(): readonly JsonLine[];
}

export interface Envelope {
  readonly schema: string;
  readonly ok: boolean;
  readonly command: string;
  // Tests read any member of it. A missing one fails their expectation.
  // biome-ignore lint/suspicious/noExplicitAny: test data
  readonly data?: any;
  readonly error?: {
    readonly code: string;
    readonly exit: number;
    readonly title: string;
    readonly why: string;
    readonly next: readonly string[];
    readonly detail: Readonly<Record<string, unknown>>;
  };
}

export type JsonLine = Envelope & { readonly type: string; readonly step?: string; readonly state?: string; readonly url?: string };

export interface How extends Partial<Context> {
  /** a person is there to answer questions */
  readonly terminal?: boolean;
  /** stdout and stderr are terminals */
  readonly tty?: boolean;
}

/** One computer: a home of its own, a keychain that stays between commands, real sockets. */
export interface Machine {
  readonly home: string;
  readonly keychain: MemoryKeychain;
  /** `mailauth …argv` */
  run(argv: readonly string[], more?: How): Promise<Ran>;
  /** `mailauth …words`, split at blanks */
  mailauth(words: string, more?: How): Promise<Ran>;
  /**
   * Takes this new machine to where these commands lead, one after the other, each with exit 0. The first machine of a worker runs them.
   * Those after it get a copy of what that one had in its home and its keychain.
   */
  ready(...commands: readonly string[]): Promise<void>;
  end(): Promise<void>;
}

/**
 * The sandbox's confidential app has one registered port, which one test at a time can listen on. An app that mailauth registers gets a
 * port of its own.
 */
const usesThePort = (argv: readonly string[]): boolean =>
  argv.includes('22222222-5a4d-4b0c-9a11-c0ffee000002') ||
  (argv.includes('confidential') && argv.includes('--register') && !argv.includes('auto'));

const readyHomes = new Map<string, Home>();

export async function machine(): Promise<Machine> {
  const folder = await temporaryFolder();
  const keychain = new MemoryKeychain();
  const sandboxHome = join(folder.path, 'sandbox');
  await putSharedKeys(sandboxHome);
  const runIt: Machine['run'] = async (argv, { terminal = false, tty = terminal, ...more } = {}) => {
    const ctx = testContext({
      network: realNetwork,
      keychain,
      interactive: terminal,
      // A person's time: the pauses between two pages of a browser, and those before a question.
      ...(terminal ? { clock: quickClock } : {}),
      ...more,
      env: { MAILAUTH_HOME: folder.path, ...more.env },
      tty,
    });
    const release = usesThePort(argv) ? await systemFiles.lock(join(tmpdir(), 'mailauth-test-port'), 60_000) : undefined;
    const exit = await run(argv, ctx, '0.0.0-test').finally(() => release?.());
    if (argv.includes('--sandbox')) await takeSharedKeys(sandboxHome);
    const out = ctx.out.text;
    checkOutput(argv, out);
    return {
      exit,
      out,
      err: ctx.err.text,
      json: () => JSON.parse(out),
      lines: () =>
        out
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line)),
    };
  };
  const mailauth: Machine['mailauth'] = (words, more) => runIt(words.split(' '), more);
  const ready: Machine['ready'] = async (...commands) => {
    if (!isNew(await readHome(folder.path, keychain))) throw new Error('a machine that was used already cannot be made ready');
    const name = commands.join('\n');
    const made = readyHomes.get(name);
    if (made !== undefined) return writeHome(folder.path, keychain, made);
    for (const words of commands) {
      const { exit, err } = await mailauth(words);
      if (exit !== 0) throw new Error(`mailauth ${words}: exit ${exit}\n${err}`);
    }
    readyHomes.set(name, await readHome(folder.path, keychain));
  };
  return { home: folder.path, keychain, run: runIt, mailauth, ready, end: folder.remove };
}

/** A keychain that cannot be used, as this trouble shows. */
export function brokenKeychain(trouble: KeychainTrouble): Keychain {
  const fail = async () => {
    throw new KeychainFailure(trouble, `it is ${trouble} in this test`);
  };
  return {
    getPassword: fail,
    setPassword: fail,
    deletePassword: fail,
    limit: Number.POSITIVE_INFINITY,
    label: 'Secret Service',
    close: () => undefined,
  };
}

/** One answer of a scripted person, to the question that contains this text. It is checked as the real prompt checks what is typed. */
export type Scripted = readonly [question: string, answer: string | boolean | readonly string[] | typeof enter | typeof back];
export const enter = Symbol('the default');
export const whoOpens = 'Who opens this mailbox?';
/** the menu at the end of a hand-over */
export const whatNext = 'What next?';
/** Esc */
export const back = Symbol('the question before');

/**
 * A person who answers from a list, in its order. Any other question fails the test, but for two that come with every set-up: a script that
 * says nothing about them means a mailbox with a password of its own, and a product that works once its form is filled in.
 */
export function person(script: readonly Scripted[]): { prompts: Prompts; asked: string[]; unasked: () => readonly Scripted[] } {
  const asked: string[] = [];
  let at = 0;
  const next = ({ message, back: mayGoBack }: Asked): Exclude<Scripted[1], typeof back> => {
    if (message === whatNext && script[at]?.[0] !== whatNext) return 'works';
    asked.push(message);
    const [question, given] = script[at] ?? ['(nothing more)', ''];
    if (message === whoOpens && question !== whoOpens) return enter;
    at += 1;
    if (!message.includes(question)) throw new Error(`asked "${message}", but the script says "${question}"`);
    if (given !== back) return given;
    if (mayGoBack !== true) throw new Error(`Esc does nothing at "${message}"`);
    throw new Back();
  };
  const typed = async (q: TextQuestion): Promise<string> => {
    const given = next(q);
    const value = given === enter ? (q.filledIn ?? q.default ?? '') : String(given);
    const verdict = q.check?.(value) ?? true;
    // The prompt complains, so the person types the next answer of the script.
    if (verdict === true) return value;
    asked.push(`complaint: ${verdict}`);
    return typed(q);
  };
  return {
    asked,
    unasked: () => script.slice(at),
    prompts: {
      text: typed,
      secret: typed,
      async select(q) {
        const given = next(q);
        const value = given === enter ? (q.default ?? q.choices[0]?.value) : given;
        const chosen = q.choices.find((c) => c.value === value);
        if (chosen === undefined) throw new Error(`"${q.message}" has no choice ${String(value)}`);
        return chosen.value;
      },
      async checkbox(q) {
        const given = next(q);
        if (given === enter || !Array.isArray(given)) return q.default;
        return q.choices.filter((c) => given.includes(c.value)).map((c) => c.value);
      },
      async confirm(q) {
        const given = next(q);
        return given === enter ? q.default : given === true;
      },
    },
  };
}
