import { expect, it } from 'vitest';
import { isPlain } from '../../../src/core/plain-terminal.ts';

it.each([
  [{ TERM: 'dumb' }, true],
  [{ TERM: 'xterm', MAILAUTH_PLAIN: '1' }, true],
  [{ MAILAUTH_PLAIN: 'yes' }, true],
  [{ TERM: 'xterm' }, false],
  [{ TERM: 'xterm', MAILAUTH_PLAIN: '' }, false],
  [{ MAILAUTH_PLAIN: '0' }, false],
  [{}, false],
])('%o is plain: %s', (env, plain) => {
  expect(isPlain(env)).toBe(plain);
});
