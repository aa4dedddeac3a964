import type { Theme } from './theme.ts';

/** Labels and values in two columns; further lines of a value are indented below it. Ends with a newline. */
export function renderFacts(facts: readonly (readonly [label: string, value: string])[], theme: Theme): string {
  const width = Math.max(...facts.map(([label]) => label.length)) + 2;
  return facts
    .map(([label, value]) => {
      const [first = '', ...more] = value.split('\n');
      return [`  ${theme.dim(label.padEnd(width))}${first}`, ...more.map((line) => `  ${' '.repeat(width)}${line}`)].join('\n');
    })
    .join('\n')
    .concat('\n');
}
