import { expect, it } from 'vitest';
import { byNumber } from '../../../src/errors/recognise/needles.ts';
import { isRight, judgeCases, listedNumbers } from '../../measure/explain-cases.ts';

it('explains at least 95 in 100 of the texts from public reports, and none wrongly', async () => {
  const all = await judgeCases();
  expect(all.filter(({ wrong }) => wrong.length > 0).map(({ id, wrong }) => [id, wrong])).toEqual([]);
  const missed = all.filter((one) => !isRight(one)).map(({ id, missing }) => [id, missing]);
  expect(missed.length / all.length, JSON.stringify(missed)).toBeLessThanOrEqual(0.05);
});

it("knows every number of Microsoft's list that a sign-in for mail can meet", () => {
  expect(listedNumbers.filter(({ number, met }) => met !== 'no' && !byNumber.has(number)).map(({ number }) => number)).toEqual([]);
});
