import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { textReporter } from '../../../src/ui/reporters.ts';
import { themeFor } from '../../../src/ui/theme.ts';
import { screenOf } from '../../support/screen.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** What was written to a stream of `columns`, as raw text and as it is seen. */
function reporter({ isTerminal = true, columns = 60, TERM = 'xterm' } = {}) {
  let raw = '';
  const write = (text: string) => {
    raw += text;
  };
  const err = { isTerminal, columns, write };
  const ctx = { err, env: { TERM }, interactive: isTerminal };
  const report = textReporter(ctx, { quiet: false, verbose: false, noInput: false }, themeFor(ctx, err, true));
  return { report, seen: () => screenOf(raw), raw: () => raw };
}

describe('a step that takes longer than a second', () => {
  it('turns a wheel and counts seconds on a terminal, and leaves nothing behind', () => {
    const { report, seen } = reporter();
    report.progress('tenant', 'started', 'Looking for the tenant');
    expect(seen()).toEqual(['… Looking for the tenant']);
    vi.advanceTimersByTime(900);
    expect(seen()).toEqual(['… Looking for the tenant']);
    vi.advanceTimersByTime(2300);
    expect(seen()[0]).toMatch(/^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] Looking for the tenant {2}3 s$/);
    report.progress('tenant', 'done', 'Tenant found');
    vi.advanceTimersByTime(5000);
    expect(seen()).toEqual(['✔ Tenant found', '']);
  });

  it('keeps its clock when its text changes, and is never wider than the terminal', () => {
    const { report, seen } = reporter({ columns: 30 });
    report.progress('test', 'started', 'Testing IMAP');
    vi.advanceTimersByTime(1500);
    report.progress('test', 'started', 'Testing IMAP: greeting, POP: connect');
    vi.advanceTimersByTime(800);
    expect(seen()[0]).toMatch(/^\S Testing IMAP:.*… {2}2 s$/);
    expect(seen()[0]?.length).toBeLessThan(30);
    report.settle();
    expect(seen()).toEqual(['']);
  });

  it('a note ends with its command, which a terminal keeps in one piece', () => {
    const text = 'This may be gone one day. For one that stays:';
    const command = 'npm install --global /home/ada/mailauth';
    const { report, seen } = reporter({ columns: 30 });
    report.note(text, command);
    expect(seen()).toEqual(['! This may be gone one day.', '  For one that stays:', `  ${command}`, '']);
    const piped = reporter({ isTerminal: false });
    piped.report.note(text, command);
    expect(piped.seen()).toEqual([`! ${text} ${command}`, '']);
  });

  it('goes on when something is said in the middle of it, and ends when another step is spoken of', () => {
    const { report, seen } = reporter();
    report.progress('registration', 'started', 'Registering the app');
    vi.advanceTimersByTime(2000);
    report.progress('registration', 'waiting', 'Microsoft asks to slow down');
    report.note('The name is taken');
    vi.advanceTimersByTime(1000);
    expect(seen()).toEqual([
      '… Microsoft asks to slow down',
      '! The name is taken',
      expect.stringMatching(/^\S Registering the app {2}3 s$/),
    ]);
    report.progress('admin-sign-in', 'waiting', 'Sign in:');
    expect(seen().at(-1)).toBe('');
  });

  it('is seen on a terminal although nobody speaks of it, where nothing else is shown', async () => {
    const { report, seen } = reporter();
    let answer: (text: string) => void = () => undefined;
    const done = report.meanwhile(
      'Waiting for login.example',
      new Promise<string>((resolve) => {
        answer = resolve;
      }),
    );
    vi.advanceTimersByTime(500);
    expect(seen()).toEqual(['']);
    vi.advanceTimersByTime(1600);
    expect(seen()[0]).toMatch(/^\S Waiting for login\.example {2}2 s$/);
    answer('200');
    expect(await done).toBe('200');
    expect(seen()).toEqual(['']);
    const pipe = reporter({ isTerminal: false });
    void pipe.report.meanwhile('Waiting for login.example', new Promise(() => undefined));
    vi.advanceTimersByTime(9000);
    expect(pipe.raw()).toBe('');
  });

  it.each([{ isTerminal: false }, { TERM: 'dumb' }])('is one line once in a pipe and on a plain terminal (%o)', (where) => {
    const { report, raw } = reporter(where);
    report.progress('test', 'started', 'Testing IMAP');
    vi.advanceTimersByTime(900);
    expect(raw()).toBe('');
    vi.advanceTimersByTime(9000);
    report.progress('test', 'started', 'Testing POP');
    vi.advanceTimersByTime(9000);
    report.progress('test', 'done', 'Both work');
    expect(raw()).toMatch(/^[….] Testing IMAP\n[✔+] Both work\n$/);
  });
});

const wait = {
  step: 'sign-in',
  text: 'Waiting for the sign-in in your browser (Ctrl-C stops)',
  live: 'Waiting for you in the browser',
  ...{ limitMs: 600_000, leftMs: 600_000 },
  keys: ['o opens it again', 'u shows the address', "p pastes another computer's answer"],
};

describe('somebody elsewhere who is waited for', () => {
  it('is shown with the time, the limit and the keys, and what is said meanwhile stands above', () => {
    const { report, seen } = reporter({ columns: 80 });
    report.waiting(wait);
    const keys = "  o opens it again · u shows the address · p pastes another computer's answer";
    expect(seen()).toEqual([expect.stringMatching(/^\S Waiting for you in the browser · 0:00 of 10:00$/), keys]);
    vi.advanceTimersByTime(14_200);
    report.note('That was the wrong account.');
    expect(seen()).toEqual(['! That was the wrong account.', expect.stringMatching(/^\S Waiting .* · 0:14 of 10:00$/), keys]);
    report.progress('sign-in', 'done', 'Signed in');
    expect(seen()).toEqual(['! That was the wrong account.', '✔ Signed in', '']);
  });

  it.each([40, 44, 60, 80, 120])('is narrower than a terminal of %i columns, and tears no word', (columns) => {
    const { report, seen } = reporter({ columns });
    report.waiting({ ...wait, leftMs: 0 });
    const [first, ...keys] = seen();
    expect(first).toMatch(/^\S Waiting for( you( in( the( browser)?)?)?)?…? · 10:00 of 10:00$/);
    expect(
      keys
        .join(' ')
        .replace(/ · | +/g, ' ')
        .trim(),
    ).toBe(wait.keys.join(' '));
    for (const line of seen()) expect(line.length).toBeLessThan(columns);
    report.settle();
    expect(seen()).toEqual(['']);
  });

  it('is one line in a pipe, and one more every half a minute on a plain terminal', () => {
    const pipe = reporter({ isTerminal: false });
    pipe.report.waiting(wait);
    const dumb = reporter({ TERM: 'dumb', columns: 80 });
    dumb.report.waiting(wait);
    vi.advanceTimersByTime(70_000);
    expect(pipe.raw()).toBe('… Waiting for the sign-in in your browser (Ctrl-C stops)\n');
    expect(dumb.seen()).toEqual([
      '. Waiting for the sign-in in your browser (Ctrl-C stops) (0:01 of 10:00)',
      '. Waiting for the sign-in in your browser (Ctrl-C stops) (0:30 of 10:00)',
      '. Waiting for the sign-in in your browser (Ctrl-C stops) (1:00 of 10:00)',
      '',
    ]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape is what is looked for
    expect(dumb.raw()).not.toMatch(/[\r\u001b]/);
  });
});
