import type { Env } from './context.ts';

/**
 * The terminal cannot redraw (`TERM=dumb`), or the person wants it not to (`MAILAUTH_PLAIN=1`): a screen reader speaks every line that changes.
 * Then lines only follow each other: nothing moves, no key works without Enter, questions are numbered.
 */
export const isPlain = (env: Env): boolean => env.TERM === 'dumb' || !['', '0', undefined].includes(env.MAILAUTH_PLAIN);
