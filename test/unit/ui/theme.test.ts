import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { textReporter } from '../../../src/ui/reporters.ts';
import { themeFor, wantsColor } from '../../../src/ui/theme.ts';
import { Capture } from '../../support/context.ts';

describe('wantsColor', () => {
  it.each([
    [{}, true, false, true],
    [{}, false, false, false],
    [{ TERM: 'dumb' }, true, false, false],
    [{ FORCE_COLOR: '1' }, false, false, true],
    [{ FORCE_COLOR: '0' }, true, false, false],
    [{ FORCE_COLOR: '' }, true, false, true],
    [{ NO_COLOR: '' }, true, false, true],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, false, false],
    [{ FORCE_COLOR: '1' }, true, true, false],
  ])('%j, terminal %s, --no-color %s → %s', (env, terminal, flag, wanted) => {
    expect(wantsColor(env, new Capture(terminal), flag)).toBe(wanted);
  });
});

describe('escape sequences', () => {
  const src = join(import.meta.dirname, '../../../src');
  const holding = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && /\\(?:u001b|u\{1b\}|x1b|e\[)/i.test(readFileSync(join(src, name), 'utf8')))
    .map((name) => name.replaceAll('\\', '/'));

  it('stand in the theme alone; two other files take them out of what comes from outside', () => {
    expect(holding.sort()).toEqual(['core/text.ts', 'oauth/paste.ts', 'ui/theme.ts']);
  });

  it('of a whole run of the reporter are colours, carriage return and what redraws lines', () => {
    const err = new Capture(true);
    const reporter = textReporter(
      { err, env: {}, interactive: true },
      { quiet: false, verbose: true, noInput: false },
      themeFor({ env: {} }, err, false),
    );
    for (const state of ['started', 'waiting', 'done', 'skipped', 'failed'] as const) reporter.progress('step', state, 'text');
    reporter.progress('step', 'started', 'text');
    reporter.authorizationRequired('https://login.example', 0, 'ABC');
    reporter.note('text');
    reporter.detail('text');
    reporter.show('text');
    reporter.settle();
    reporter.waiting({ step: 'step', text: 'text', live: 'text', limitMs: 1000, leftMs: 1000, keys: ['p pastes'] });
    reporter.settle();
    expect(err.text).toContain('\r\u001b[K');
    const [before, ...sequences] = ['\u001b[A', '\r', '\u001b[J', '\u001b[K']
      .reduce((rest, one) => rest.replaceAll(one, ''), err.text)
      .split('\u001b');
    expect(sequences.length).toBeGreaterThan(10);
    for (const sequence of sequences) expect(sequence).toMatch(/^\[\d+m/);
    expect([before, ...sequences].join('').replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});
