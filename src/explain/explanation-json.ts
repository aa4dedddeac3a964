import { defined } from '../core/defined.ts';
import { allShown, type Surroundings, shown } from '../core/shown.ts';
import type { Explanation } from './explain-text.ts';
import type { Explained } from './fill.ts';

/** `data` of `explain --json` (docs/contract.md, "JSON"), and what the library answers. */
export const explanationJson = ({ input, entries, unknown }: Explanation, here: Surroundings) => ({
  input,
  entries: entries.map((one) => entryJson(one, here)),
  unknown: unknown.map(({ text, lookUp }) => ({ text, ...defined({ lookUp }) })),
});

function entryJson({ error, source, mender }: Explained, here: Surroundings) {
  const { code, title, why = '', next, admin, retryHelps, exit, detail } = error;
  return {
    code,
    title,
    why,
    next: allShown(next, here),
    ...(admin === undefined ? {} : { admin: shown(admin, here) }),
    source,
    mender,
    exit,
    retryHelps: retryHelps ?? null,
    aadsts: detail.aadsts ?? null,
  };
}
