import { words } from '../../../src/core/markdown.ts';

/** Prose in Markdown. Addresses stay whole, so that a page shows them as links. */
export const prose = (text: string): string =>
  text
    .split(/(https?:\/\/\S+)/)
    .map((part, i) => (i % 2 === 1 ? part : words(part)))
    .join('');

/** As a sentence begins: texts that follow a colon on a terminal begin with a small letter. */
export const sentence = (text: string): string =>
  /^(?:https?:|mailauth\b|[a-z]*[A-Z]|[\w.-]+[@.]\w)/.test(text) ? text : `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** The file's text with the block between `<!-- generated: NAME -->` and the next `<!-- end -->` replaced. */
export function withBlock(text: string, name: string, block: string): string {
  const begin = `<!-- generated: ${name} -->\n`;
  const from = text.indexOf(begin);
  const to = text.indexOf('<!-- end -->', from);
  if (from === -1 || to === -1) throw new Error(`no block "${name}" to fill in`);
  return `${text.slice(0, from + begin.length)}\n${block.trim()}\n\n${text.slice(to)}`;
}

/** What stands between fences. */
export const codeBlocks = (text: string): readonly string[] =>
  [...text.matchAll(/^```[a-z]*\n(.*?)^```$/gms)].map(([, block = '']) => block);
