import { readFileSync } from 'node:fs';
import { type Machine, machine } from '../support/command-line.ts';

export interface ExplainCase {
  readonly id: string;
  readonly source: string;
  readonly kind: string;
  readonly text: string;
  /** regular expressions, any case */
  readonly must: readonly string[];
  readonly mustNot: readonly string[];
  readonly exitClass?: readonly number[];
}

export interface Judged {
  readonly id: string;
  readonly kind: string;
  /** expressions of `must` that the answer does not match, and a wrong exit code */
  readonly missing: readonly string[];
  /** expressions of `mustNot` that the answer for people or the JSON matches */
  readonly wrong: readonly string[];
  readonly text: string;
  readonly answer: string;
}

const data = (name: string): string => readFileSync(new URL(`../data/${name}`, import.meta.url), 'utf8');

export const explainCases: readonly ExplainCase[] = data('explain-cases.jsonl')
  .split('\n')
  .filter((row) => row !== '')
  .map((row) => JSON.parse(row));

export interface ListedNumber {
  readonly number: number;
  /** whether somebody who signs in to a mailbox, or its administrator, can meet it */
  readonly met: string;
}

/** Microsoft's list. */
export const listedNumbers: readonly ListedNumber[] = data('aadsts.tsv')
  .split('\n')
  .slice(1)
  .filter((row) => row !== '')
  .map((row) => row.split('\t'))
  .map(([number = '', , met = '']) => ({ number: Number(number), met }));

async function judge({ id, kind, text, must, mustNot, exitClass }: ExplainCase, m: Machine): Promise<Judged> {
  const answer = (await m.run(['explain', '--', text])).out;
  const { input: _, ...said } = (await m.run(['explain', '--json', '--', text])).json().data;
  const [first] = said.entries;
  const fits = (one: string, where: string) => new RegExp(one, 'i').test(where);
  const exit = exitClass === undefined || first === undefined || exitClass.includes(first.exit);
  return {
    id,
    kind,
    text,
    answer,
    missing: [...must.filter((one) => !fits(one, answer)), ...(exit ? [] : [`exit ${first.exit}`])],
    wrong: mustNot.filter((one) => fits(one, answer) || fits(one, JSON.stringify(said))),
  };
}

let judged: Promise<readonly Judged[]> | undefined;

/** Runs every case through `mailauth explain`, for people and as JSON. The second caller gets the first one's results. */
export function judgeCases(cases: readonly ExplainCase[] = explainCases): Promise<readonly Judged[]> {
  if (cases !== explainCases) return judgeAll(cases);
  judged ??= judgeAll(cases);
  return judged;
}

async function judgeAll(cases: readonly ExplainCase[]): Promise<readonly Judged[]> {
  const m = await machine();
  try {
    const all: Judged[] = [];
    for (const one of cases) all.push(await judge(one, m));
    return all;
  } finally {
    await m.end();
  }
}

export const isRight = ({ missing, wrong }: Judged): boolean => missing.length === 0 && wrong.length === 0;

export interface Share {
  readonly kind: string;
  readonly right: number;
  readonly all: number;
}

export function sharesByKind(all: readonly Judged[]): readonly Share[] {
  return [...new Set(all.map(({ kind }) => kind))].sort().map((kind) => {
    const ones = all.filter((one) => one.kind === kind);
    return { kind, right: ones.filter(isRight).length, all: ones.length };
  });
}
