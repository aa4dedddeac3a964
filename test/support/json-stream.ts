import { expect } from 'vitest';
import type { JsonLine } from './command-line.ts';

/** The lines of a stream, checked for their form: progress and authorization_required, then exactly one result. */
export function stream(lines: readonly JsonLine[]): JsonLine {
  const last = lines.at(-1);
  for (const line of lines.slice(0, -1)) {
    if (line.type === 'authorization_required') {
      expect(line).toEqual({ type: line.type, url: expect.stringMatching(/^http/), expires_at: expect.stringMatching(/^\d{4}-.*Z$/) });
    } else {
      expect(line).toMatchObject({
        type: 'progress',
        step: expect.any(String),
        state: expect.stringMatching(/^(started|waiting|done|skipped|failed)$/),
      });
    }
  }
  expect(last).toMatchObject({ type: 'result', schema: 'mailauth/1' });
  if (last === undefined) throw new Error('no lines');
  return last;
}
