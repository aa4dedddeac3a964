import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { byNumber } from '../../../src/errors/recognise/needles.ts';
import { isRight, judgeCases, listedNumbers } from '../../measure/explain-cases.ts';
import { codesOf } from './texts.ts';

it('explains at least 95 in 100 of the texts from public reports, and none wrongly', async () => {
  const all = await judgeCases();
  expect(all.filter(({ wrong }) => wrong.length > 0).map(({ id, wrong }) => [id, wrong])).toEqual([]);
  const missed = all.filter((one) => !isRight(one)).map(({ id, missing }) => [id, missing]);
  expect(missed.length / all.length, JSON.stringify(missed)).toBeLessThanOrEqual(0.05);
});

it("knows every number of Microsoft's list that a sign-in for mail can meet", () => {
  expect(listedNumbers.filter(({ number, met }) => met !== 'no' && !byNumber.has(number)).map(({ number }) => number)).toEqual([]);
});

it('knows other wordings of the same programs and services, and what is none of them', async () => {
  const rows = readFileSync(new URL('../../data/explain-wordings.tsv', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1);
  const wrong: (readonly string[])[] = [];
  for (const [wanted = '', text = ''] of rows.map((row) => row.split('\t'))) {
    const codes = await codesOf(text.replaceAll('\\n', '\n'));
    const isRight = wanted === '-' ? codes.length === 0 : codes.length === 1 && wanted.split(',').includes(codes.join());
    if (!isRight) wrong.push([wanted, text, ...codes]);
  }
  expect(wrong).toEqual([]);
});
