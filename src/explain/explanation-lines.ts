import { allShown, type Surroundings } from '../core/shown.ts';
import { renderError } from '../ui/error.ts';
import type { Theme } from '../ui/theme.ts';
import type { Unknown } from './answered.ts';
import type { Explanation } from './explain-text.ts';

/** What a text means, for a person: the entries, each with who can mend it, then what is not known. */
export function renderExplanation(
  { entries, unknown }: Explanation,
  theme: Theme,
  here: Surroundings,
  columns: number | undefined,
): string {
  const known = entries.map(
    (one) => `${renderError(one.error, theme, here, columns)}  ${theme.dim(`${one.error.code} · ${mends[one.mender]} · ${one.source}`)}\n`,
  );
  const others = unknown.map((one) => renderUnknown(one, theme, here));
  return [...known, ...others].join('\n');
}

const mends = { you: 'you can fix this', administrator: 'an administrator must act', Microsoft: "it is on Microsoft's side" } as const;

function renderUnknown({ title, why, next }: Unknown, theme: Theme, here: Surroundings): string {
  const lines = [`${theme.yellow(theme.signs.warning)} ${theme.bold(title)}`];
  if (why !== undefined) lines.push(`  ${why}`);
  allShown(next, here).forEach((line, i) => {
    lines.push(`  ${i === 0 ? 'try:' : ' or:'} ${theme.cyan(line)}`);
  });
  return `${lines.join('\n')}\n`;
}
