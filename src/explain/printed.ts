import type { ProblemCode } from '../errors/problem.ts';
import { entries } from '../errors/recognise/needles.ts';
import { explained, type Known } from './fill.ts';

/** Reads the title of an error that mailauth itself printed (`✖ Nobody is signed in for a@b`) back into its entry. */
export function createTitleReader(known: Known): (line: string) => ProblemCode | undefined {
  const titles = entries.flatMap(([code]) => patternsOf(code, known).map((one) => ({ code, ...one })));
  // The title with the most words of its own comes first: "… refuses the sign-in of … for POP" before the one without POP.
  titles.sort((a, b) => b.own - a.own);
  return (line) => titles.find(({ pattern }) => pattern.test(line))?.code;
}

/** A character that never stands in a title, so that the blanks can be told from the words around them. */
const blank = '\uE000';
const worlds: readonly Readonly<Record<string, unknown>>[] = [
  {},
  { where: 'tenant' },
  { where: 'mailbox', tenant: 'consumers', signInAs: undefined, tokenUser: undefined },
  { label: 'macOS Keychain', stage: 'token' },
];
const names = ['mailbox', 'user', 'account', 'signInAs', 'tokenUser', 'host', 'port', 'proxy', 'tenant', 'tenantId', 'clientId', 'domain'];
const more = [
  'audience',
  'scope',
  'label',
  'file',
  'folder',
  'home',
  'what',
  'why',
  'message',
  'stage',
  'seconds',
  'product',
  'name',
  'uri',
];

function patternsOf(code: ProblemCode, known: Known): readonly { readonly pattern: RegExp; readonly own: number }[] {
  const marks = Object.fromEntries([...names, ...more].map((name) => [name, blank]));
  const titles = worlds.map((world) => explained(code, { ...marks, ...world }, known)?.error.message ?? '');
  return [...new Set(titles)].flatMap((title) => {
    const parts = title.split(/\uE000|\b[A-Z]{2,}(?:-[A-Z]+)+\b|\b20 s\b/);
    const own = parts.join('').replace(/[^a-z]/gi, '').length;
    // A title of nothing but blanks would fit any line.
    if (own < 8) return [];
    return [{ pattern: new RegExp(`^${parts.map(literally).join('.{1,200}?')}`, 'i'), own }];
  });
}

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Lines that begin as an error of mailauth's does, with the next one: a terminal may have folded the title. */
export function* printedTitles(text: string): Generator<{ readonly line: string; readonly at: number }> {
  for (const { index, 1: first = '', 2: second = '' } of text.matchAll(/(?:✖|^ {0,3}x) +(\S[^\n]{5,400})(?:\n {2}(\S[^\n]{0,300}))?/gm)) {
    yield { line: `${first.trimEnd()} ${second.trimEnd()}`, at: index };
  }
}
