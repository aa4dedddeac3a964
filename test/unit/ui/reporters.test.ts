import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { textReporter } from '../../../src/ui/reporters.ts';
import { eraseLine, eraseRest, themeFor } from '../../../src/ui/theme.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** What was written to a stream of `columns`, as raw text and as its last line is seen. */
function reporter({ isTerminal = true, columns = 60, TERM = 'xterm' } = {}) {
  let raw = '';
  const write = (text: string) => {
    raw += text;
  };
  const err = { isTerminal, columns, write };
  const ctx = { err, env: { TERM } };
  const report = textReporter(ctx, { quiet: false, verbose: false }, themeFor(ctx, err, true));
  // The escape sequence that ends a redrawn line and the one that clears it.
  const seen = () => raw.split('\n').map((line) => line.split('\r').at(-1)?.replaceAll(eraseLine.trim(), '').replaceAll(eraseRest, ''));
  return { report, seen, raw: () => raw };
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
    expect(seen()[0]).toMatch(/^\S Testing IMAP: greeti?n?g?.*… {2}2 s$/);
    expect(seen()[0]?.length).toBeLessThan(30);
    report.settle();
    expect(seen()).toEqual(['']);
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
