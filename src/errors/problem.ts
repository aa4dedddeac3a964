import { catalogue } from '#catalogue';
import { type ErrorDetail, type ErrorParts, MailauthError } from '../core/errors.ts';
import { capitalized, sentence } from '../core/text.ts';
import type { Entry, Said, Signs } from './entry/entry.ts';

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
    ...(why === undefined || why === '' ? {} : { why: sentence(capitalized(why)) }),
    ...(admin === undefined ? {} : { admin }),
    ...(e.retryHelps === undefined ? {} : { retryHelps: e.retryHelps }),
  };
}

/** Letters and digits only, in lower case: what is left of a sentence however it was wrapped, quoted or escaped. */
export const squeezed = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, '');

/** A sign as text. */
export const wordsOfSign = (one: string | Said): string => (typeof one === 'string' ? one : one.words);

/** The first of these entries one of whose sentences stands in the text, with the blanks that the sentence fills. */
export function entryThatSays<C extends keyof typeof catalogue>(
  text: string,
  candidates: readonly C[],
): { readonly code: C; readonly means: NonNullable<Said['means']> } | undefined {
  const letters = squeezed(text);
  for (const code of candidates) {
    const signs: Signs = catalogue[code];
    for (const one of signs.says ?? []) {
      const { words, means = {} }: Said = typeof one === 'string' ? { words: one } : one;
      if (letters.includes(squeezed(words))) return { code, means };
    }
  }
  return undefined;
}

/** The first of these entries that has this code, whole or by its beginning. */
export const entryWithCode = <C extends keyof typeof catalogue>(word: string, candidates: readonly C[]): C | undefined =>
  candidates.find((code) => {
    const signs: Signs = catalogue[code];
    const words = signs.codes?.map(wordsOfSign) ?? [];
    return words.some((own) => (own.endsWith('*') ? word.startsWith(own.slice(0, -1)) : own === word));
  });
