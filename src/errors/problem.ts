import { catalogue } from '#catalogue';
import { type ErrorDetail, type ErrorParts, MailauthError } from '../core/errors.ts';
import { capitalized } from '../core/text.ts';
import type { Entry } from './entry/entry.ts';

type Catalogue = typeof catalogue;
export type ProblemCode = keyof Catalogue;
type Blanks<C extends ProblemCode> = Catalogue[C] extends Entry<infer V> ? V : never;

/** Builds the error of a catalogue entry, its blanks filled with this mailbox's values. */
export function problem<C extends ProblemCode>(
  code: C,
  blanks: Blanks<C>,
  more: { detail?: ErrorDetail; cause?: unknown } = {},
): MailauthError {
  // The lookup by a generic key loses the link between code and blanks that the signature keeps.
  const e = catalogue[code] as unknown as Entry<Blanks<C>>;
  return new MailauthError({ code, exit: e.exit, ...wordsOf(e, blanks), ...more });
}

/** The words of an entry, its blanks filled. */
export function wordsOf<V>(e: Entry<V>, blanks: V): Pick<ErrorParts, 'title' | 'why' | 'next' | 'admin' | 'retryHelps'> {
  const why = e.why?.(blanks);
  const admin = e.admin?.(blanks);
  return {
    title: e.title(blanks),
    next: e.next(blanks),
    ...(why === undefined ? {} : { why: ended(capitalized(why)) }),
    ...(admin === undefined ? {} : { admin }),
    ...(e.retryHelps === undefined ? {} : { retryHelps: e.retryHelps }),
  };
}

/** With a full stop, but not where an address or a path ends it that may be copied. */
const ended = (text: string): string => (/(?:^|\s)[^\s/@:\\]*[\p{L}\p{N})'"]$/u.test(text) ? `${text}.` : text);
