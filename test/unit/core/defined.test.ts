import { expect, test } from 'vitest';
import { defined } from '../../../src/core/defined.ts';

test('undefined members are left out, every other value stays', () => {
  expect(Object.entries(defined({ a: undefined, b: 0, c: '', d: null, e: false }))).toEqual([
    ['b', 0],
    ['c', ''],
    ['d', null],
    ['e', false],
  ]);
});

test('what may be undefined is optional in the type, what cannot be is not', () => {
  const given: string | undefined = ['a', undefined][1];
  const exact: { readonly always: number; readonly kind: 'x'; readonly sometimes?: string } = defined({
    always: 1,
    kind: 'x',
    sometimes: given,
  });
  expect(exact).toEqual({ always: 1, kind: 'x' });
});
