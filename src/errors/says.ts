import { catalogue } from '#catalogue';
import type { Said, Signs } from './entry/entry.ts';

/** Letters and digits only, in lower case: what is left of a sentence however it was wrapped, quoted or escaped. */
export const squeezed = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, '');

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
    return signs.codes?.some((own) => (own.endsWith('*') ? word.startsWith(own.slice(0, -1)) : own === word)) === true;
  });
