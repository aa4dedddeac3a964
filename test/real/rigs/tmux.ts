import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach } from 'vitest';
import { clickThrough } from '../../support/click-through.ts';
import { newHome, program } from './chromium.ts';

const patienceMs = 30_000;
const pollMs = 40;

export interface Terminal {
  /** everything on the screen and above it; lines that the terminal wrapped are joined again */
  text(): Promise<string>;
  /** the same with the lines as they are seen */
  seen(): Promise<string>;
  /** the same with its colours, as the escape sequences of a terminal */
  coloured(): Promise<string>;
  type(text: string): Promise<void>;
  /** in one burst, as a terminal pastes */
  paste(text: string): Promise<void>;
  /** tmux's names: Enter, Up, Down, C-c, C-u … */
  press(...keys: string[]): Promise<void>;
  resize(columns: number): Promise<void>;
  /** waits until the text shows; answers it */
  until(wanted: string | RegExp): Promise<string>;
  /** waits for the end of the command: its exit code, and what it left of the terminal */
  ended(): Promise<{ code: number; cursor: boolean; sttyBefore: string; sttyAfter: string }>;
  /** every byte that was written to the terminal */
  raw(): Promise<string>;
  close(): Promise<void>;
}

let count = 0;

/**
 * `mailauth ARGS` (or another `program`) in a real terminal of its own (apt: tmux), under plain sh so that no shell mends what it breaks.
 * The socket lies in `folder`; `close` ends the whole server.
 */
export async function openTerminal(
  argv: readonly string[],
  where: { folder: string; env: Record<string, string>; columns?: number; program?: string },
): Promise<Terminal> {
  const { folder, columns = 80 } = where;
  count += 1;
  const file = (name: string) => join(folder, `terminal-${count}.${name}`);
  const socket = file('sock');
  const tmux = (...args: string[]) =>
    new Promise<string>((done, fail) => {
      execFile(
        'tmux',
        ['-S', socket, '-f', '/dev/null', ...args],
        { env: { PATH: process.env.PATH, LANG: 'C.UTF-8' } },
        (error, stdout) => {
          if (error === null) done(stdout);
          else if ('code' in error && error.code === 'ENOENT') fail(new Error('tmux is missing: apt-get install tmux'));
          else fail(error);
        },
      );
    });
  const script = [
    // Ctrl-C reaches this shell as well; the program gets its signal untouched.
    'trap : INT',
    // Nothing is written before the pipe that records every byte stands.
    `while [ ! -e ${file('go')} ]; do sleep 0.02; done`,
    `stty -a >${file('before')}`,
    `${where.program ?? `'${process.execPath}' '${program}'`} ${argv.map((word) => `'${word}'`).join(' ')}`,
    'code=$?',
    `stty -a >${file('after')}`,
    `echo $code >${file('code')}.part; mv ${file('code')}.part ${file('code')}`,
    'exec cat >/dev/null',
  ];
  await writeFile(file('sh'), `${script.join('\n')}\n`);
  const vars = Object.entries({ TERM: 'tmux-256color', ...where.env }).map(([name, value]) => `${name}=${value}`);
  await tmux('new-session', '-d', '-x', String(columns), '-y', '60', 'env', '-i', ...vars, 'sh', file('sh'));
  await tmux('pipe-pane', `cat >${file('raw')}`);
  await writeFile(file('go'), '');

  const capture = (...flags: string[]) => tmux('capture-pane', '-p', '-S', '-', ...flags);
  const text = async () => (await capture('-J')).replace(/[ \n]+$/, '');
  const poll = async <T>(look: () => Promise<T | undefined>, what: string): Promise<T> => {
    const deadline = Date.now() + patienceMs;
    while (Date.now() < deadline) {
      const found = await look();
      if (found !== undefined) return found;
      await sleep(pollMs);
    }
    throw new Error(`${what} did not come; the screen shows:\n${await text()}`);
  };
  return {
    text,
    seen: async () => (await capture()).replace(/[ \n]+$/, ''),
    coloured: async () => (await capture('-e')).replace(/[ \n]+$/, ''),
    type: async (typed) => {
      await tmux('send-keys', '-l', typed);
    },
    paste: async (text) => {
      await tmux('set-buffer', text);
      await tmux('paste-buffer');
    },
    press: async (...keys) => {
      await tmux('send-keys', ...keys);
    },
    resize: async (to) => {
      await tmux('resize-window', '-x', String(to));
    },
    until: (wanted) =>
      poll(async () => {
        const now = await text();
        return (typeof wanted === 'string' ? now.includes(wanted) : wanted.test(now)) ? now : undefined;
      }, String(wanted)),
    ended: async () => {
      const code = await poll(() => readFile(file('code'), 'utf8').catch(() => undefined), 'the end of the command');
      const flag = await tmux('display-message', '-p', '#{cursor_flag}');
      return {
        code: Number(code),
        cursor: flag.trim() === '1',
        sttyBefore: await readFile(file('before'), 'utf8'),
        sttyAfter: await readFile(file('after'), 'utf8'),
      };
    },
    raw: () => readFile(file('raw'), 'utf8'),
    close: async () => {
      // A server that has ended already is as good.
      await tmux('kill-server').catch(() => undefined);
    },
  };
}

export { clickThrough };

/** `clickThrough` as a command for `BROWSER`, with the way back. */
export async function fetchingBrowser(folder: string): Promise<string> {
  const path = join(folder, 'fetching-browser.mjs');
  await writeFile(path, `${clickThrough.toString()}\nawait (await fetch(await clickThrough(process.argv.at(-1)))).text();\n`);
  return `${process.execPath} ${path}`;
}

type Home = Awaited<ReturnType<typeof newHome>>;

/**
 * Terminals for the tests of one file: each test has a home of its own, and what it opened is closed after it. `browser`: somebody accepts at
 * each page that is opened, unless the test brings a browser of its own.
 */
export function terminals({ browser = false }: { readonly browser?: boolean } = {}) {
  let now: Home | undefined;
  const opened: Terminal[] = [];
  beforeEach(async () => {
    now = await newHome();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((terminal) => terminal.close()));
    await now?.remove();
  });
  const home = (): Home => {
    if (now === undefined) throw new Error('a home is there while a test runs');
    return now;
  };
  return {
    home,
    async open(argv: readonly string[], more: { env?: Record<string, string>; columns?: number } = {}): Promise<Terminal> {
      const { path, env } = home();
      const accepting = browser ? { BROWSER: await fetchingBrowser(path) } : {};
      const terminal = await openTerminal(argv, { folder: path, ...more, env: { ...env, ...accepting, ...more.env } });
      opened.push(terminal);
      return terminal;
    },
  };
}
