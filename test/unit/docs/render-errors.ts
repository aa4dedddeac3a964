import { readdirSync } from 'node:fs';
import { code, fence, table } from '../../../src/core/markdown.ts';
import { shown, stepsShown } from '../../../src/core/shown.ts';
import type { Entry } from '../../../src/errors/entry/entry.ts';
import { wordsOfSign } from '../../../src/errors/problem.ts';
import { blanksOf } from '../../support/blanks.ts';
import { posix } from '../../support/next.ts';
import { prose, sentence } from './markdown.ts';

export interface ErrorPaper {
  readonly code: string;
  readonly entry: Entry<unknown>;
  /** the folder of the catalogue that it stands in */
  readonly area: string;
}

const areas: Readonly<Record<string, string>> = {
  registration: 'Setting up: the registration, Microsoft Graph and the answers',
  entra: 'Signing in: Microsoft Entra',
  mail: 'The mail servers',
  store: 'Where secrets are kept',
  machine: 'This computer and its network',
};

/** Every entry of the catalogue, by the file that it stands in. */
export async function errorPapers(): Promise<readonly ErrorPaper[]> {
  const folder = new URL('../../../src/errors/catalogue/', import.meta.url);
  const papers = new Map<string, ErrorPaper>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const [area = '', file] = name.replaceAll('\\', '/').split('/');
    if (file === undefined || !file.endsWith('.ts')) continue;
    const module: Readonly<Record<string, unknown>> = await import(new URL(name, folder).href);
    for (const [group, members] of Object.entries(module)) {
      if (!group.endsWith('Entries') || typeof members !== 'object' || members === null) continue;
      // The test of the catalogue holds that these objects are its entries.
      for (const [key, entry] of Object.entries(members as Readonly<Record<string, Entry<unknown>>>)) {
        papers.set(key, { code: key, entry, area });
      }
    }
  }
  return [...papers.values()].sort((a, b) => a.code.localeCompare(b.code, 'en'));
}

/** docs/errors/CODE.md */
export function errorPage({ code: key, entry }: ErrorPaper): string {
  const v = blanksOf(key);
  const why = entry.why?.(v);
  const admin = entry.admin?.(v);
  return `${[
    `# ${prose(sentence(entry.title(v)))}`,
    '',
    `Code ${code(key)}, [exit ${entry.exit}](../contract.md#exit-codes). ${menders[menderOf(entry)]}`,
    ...(why === undefined ? [] : ['', prose(sentence(why))]),
    '',
    '## What to do',
    '',
    ...stepsShown(entry.next(v), posix).map(({ text, copied }) => `- ${copied ? code(text) : prose(text)}`),
    ...(admin === undefined ? [] : ['', 'For an administrator:', '', ...block(shown(admin, posix))]),
    ...(entry.retryHelps === false ? ['', 'Trying again without a change cannot help.'] : []),
    '',
    '## How it is recognised',
    '',
    ...signsOf(entry),
    '',
    '## Where this is known from',
    '',
    prose(sentence(entry.source)),
    '',
    '---',
    '',
    'Addresses, names and ids on this page are examples. mailauth prints your own values. [All errors](README.md)',
  ].join('\n')}\n`;
}

const menders = {
  you: 'You can fix this.',
  administrator: 'An administrator must act.',
  Microsoft: "The cause is on Microsoft's side.",
} as const;

const menderOf = ({ mender, exit }: Entry<unknown>): keyof typeof menders => mender ?? (exit === 6 ? 'administrator' : 'you');

const block = (text: string): readonly string[] => (/^https:\/\/\S+$/.test(text) ? [text] : [fence(text)]);

function signsOf({ aadsts = [], codes = [], says = [], hints = [], follows = [] }: Entry<unknown>): readonly string[] {
  const signs = [
    ...aadsts.map((n) => `- [AADSTS${n}](https://login.microsoftonline.com/error?code=${n})`),
    ...codes.map((one) => `- the code ${code(wordsOfSign(one))}`),
    ...says.map((one) => `- the words ${code(wordsOfSign(one))}`),
    ...hints.map((one) => `- ${code(wordsOfSign(one))}, where nothing more exact stands near`),
    ...follows.map((one) => `- ${code(wordsOfSign(one))}, where nothing was recognised before it`),
  ];
  return signs.length === 0 ? ['By what mailauth itself found; no text from outside stands for it.'] : signs;
}

/** docs/errors/README.md */
export interface Measured {
  readonly shares: readonly { readonly kind: string; readonly right: number; readonly all: number }[];
  /** Microsoft's list of AADSTS numbers: those in it, those that the catalogue has, and the same of those that a sign-in for mail can meet */
  readonly listed: number;
  readonly known: number;
  readonly met: number;
  readonly metKnown: number;
}

export function errorIndex(papers: readonly ErrorPaper[], measured: Measured): string {
  const rows = (area: string) =>
    papers
      .filter((paper) => paper.area === area)
      .map(({ code: key, entry }) => [`[${key}](${key}.md)`, prose(sentence(entry.title(blanksOf(key)))), String(entry.exit)]);
  const numbers = papers
    .flatMap(({ code: key, entry }) => (entry.aadsts ?? []).map((n) => ({ n, key })))
    .sort((a, b) => a.n - b.n)
    .map(({ n, key }) => [`AADSTS${n}`, `[${key}](${key}.md)`]);
  return `${[
    '# Errors',
    '',
    `Every error of mailauth has a code, which stands in ${code('error.code')} of ${code('--json')} and never changes. This is all of them, made from the`,
    `catalogue in ${code('src/errors/catalogue')}. ${code('mailauth explain TEXT')} finds the right one in any number, server reply or log, offline.`,
    ...Object.entries(areas).flatMap(([area, title]) => ['', `## ${title}`, '', table(['Code', 'What happened', 'Exit'], rows(area))]),
    '',
    '## AADSTS numbers',
    '',
    "The numbers of Microsoft's sign-in that mailauth explains.",
    '',
    table(['Number', 'Error'], numbers),
    '',
    ...measuredPart(measured, numbers.length),
  ].join('\n')}\n`;
}

function measuredPart({ shares, listed, known, met, metKnown }: Measured, numbers: number): readonly string[] {
  const all = shares.reduce((sum, one) => sum + one.all, 0);
  const right = shares.reduce((sum, one) => sum + one.right, 0);
  return [
    '## Measured',
    '',
    `How much of what people really see ${code('mailauth explain')} explains rightly: texts of public reports (${code('test/data')}), each with what a right`,
    'answer must and must not say. A test keeps at least 95 in 100 right, and none wrong.',
    '',
    table(
      ['Kind', 'Texts', 'Right'],
      [
        ...shares.map((one) => [one.kind, String(one.all), String(one.right)]),
        ['all', String(all), `${right} (${Math.floor((100 * right) / all)} %)`],
      ],
    ),
    '',
    table(
      ['AADSTS numbers', 'Known'],
      [
        ["on Microsoft's list (2024-04-24)", `${known} of ${listed}`],
        ['of these, those that a sign-in for mail can meet', `${metKnown} of ${met}`],
        ['in the catalogue', String(numbers)],
      ],
    ),
  ];
}
