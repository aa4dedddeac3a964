import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newHome, program } from './rigs/chromium.ts';

const run = promisify(execFile);
const rig = join(import.meta.dirname, 'rigs', 'on-a-pty.py');
const mailbox = 'helpdesk@contoso.example';

let home: Awaited<ReturnType<typeof newHome>>;
beforeAll(async () => {
  home = await newHome();
  await run(process.execPath, [program, 'setup', '--sandbox', '--yes', '--no-test'], { env: { ...process.env, ...home.env } });
});
afterAll(() => home?.remove());

type Act = 'close' | 'ctrl-c' | 'ctrl-d' | 'INT' | 'TERM' | 'HUP';

interface Ended {
  readonly code: number | null;
  readonly signal: number | null;
  readonly seconds: number;
  readonly after: string;
}

/** `mailauth WORDS` on a terminal; once `wanted` shows, the terminal is closed, a key is pressed or a signal is sent. */
async function ends(words: string, wanted: string, act: Act, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const vars = { PATH: process.env.PATH, TERM: 'xterm', BROWSER: 'true', ...home.env, ...env };
  const { stdout } = await run('python3', [rig, wanted, act, process.execPath, program, ...words.split(' ')], { env: vars });
  return JSON.parse(stdout);
}

const questions: readonly [kind: string, words: string, wanted: string][] = [
  ['a text', 'setup --sandbox', 'Which mailbox|Go on with it'],
  ['a choice', `setup --sandbox --mailbox ada@contoso.example`, 'What is this mailbox for'],
  ['a yes or no', 'setup --sandbox --mailbox ada@fabrikam.example --sign-in-as ada@fabrikam.example --for this-computer', 'Create it'],
  ['a passphrase', 'setup --sandbox --store file --mailbox ada@contoso.example --for this-computer', 'New passphrase'],
  ['the pasted address', `login ${mailbox} --sandbox --force --sign-in paste`, 'Paste the address'],
];
const live: readonly [kind: string, words: string, wanted: string][] = [
  ['the browser is waited for', `login ${mailbox} --sandbox --force`, 'Waiting for you in the browser'],
];
const waits: readonly [kind: string, words: string, wanted: string][] = [...live, ['the sandbox runs', 'sandbox', 'Ctrl-C stops it']];

describe('a terminal that is closed ends the command with 129 and no crash', () => {
  it.each([...questions, ...waits])('%s', async (_, words, wanted) => {
    expect(await ends(words, wanted, 'close')).toMatchObject({ code: 129, signal: null });
  });
});

describe('Ctrl-C where keys work while something is waited for', () => {
  it.each(live)('%s', async (_, words, wanted) => {
    const ended = await ends(words, wanted, 'ctrl-c');
    expect(ended).toMatchObject({ code: 130, after: expect.stringContaining('Stopped.') });
    expect(ended.seconds).toBeLessThan(1);
  });
});

describe('Ctrl-D at a question is Ctrl-C, and where keys work', () => {
  it.each([...questions, ...live])('%s', async (_, words, wanted) => {
    const ended = await ends(words, wanted, 'ctrl-d');
    expect(ended).toMatchObject({ code: 130, signal: null, after: expect.stringContaining('Stopped.') });
  });

  it.each(questions)('%s, numbered and plain', async (_, words, wanted) => {
    for (const act of ['ctrl-d', 'ctrl-c'] as const) {
      const ended = await ends(words, wanted, act, { MAILAUTH_PLAIN: '1' });
      expect(ended, act).toMatchObject({ code: 130, after: expect.stringContaining('Stopped.') });
    }
    expect(await ends(words, wanted, 'close', { TERM: 'dumb' })).toMatchObject({ code: 129, signal: null });
  });
});

describe('a signal ends the command within a second', () => {
  it.each([
    ['INT', 130],
    ['TERM', 143],
    ['HUP', 129],
  ] as const)('SIG%s: exit %i', async (act, code) => {
    for (const [, words, wanted] of [...questions.slice(0, 1), ...waits]) {
      const ended = await ends(words, wanted, act);
      expect(ended, words).toMatchObject({ code, signal: null, after: expect.stringContaining('Stopped.') });
      expect(ended.seconds, words).toBeLessThan(1);
    }
  });
});

describe('standard input that is a terminal and is read to its end', () => {
  // Nothing on the screen says that it reads.
  const settled = { SETTLE: '2' };
  const reads = [
    ['explain -', '^'],
    [
      `setup --sandbox --mailbox ada@contoso.example --for custom --client-id 22222222-5a4d-4b0c-9a11-c0ffee000002 --client-secret-file -`,
      'Tenant',
    ],
  ] as const;

  it.each(reads)('mailauth %s', async (words, wanted) => {
    expect(await ends(words, wanted, 'ctrl-c', settled)).toMatchObject({ code: 130, after: expect.stringContaining('Stopped.') });
    expect(await ends(words, wanted, 'TERM', settled)).toMatchObject({ code: 143, after: expect.stringContaining('Stopped.') });
  });
});
