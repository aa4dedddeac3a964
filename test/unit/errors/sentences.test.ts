import { expect, it } from 'vitest';
import { catalogue } from '../../../src/errors/catalogue/catalogue.ts';
import { wordsOf } from '../../../src/errors/problem.ts';
import { blanksOf } from '../../support/blanks.ts';

it('each title and reason begins with a capital or a name, and each reason ends', () => {
  for (const [code, entry] of Object.entries(catalogue)) {
    const { title, why = 'It is so.' } = wordsOf<never>(entry, blanksOf(code) as never);
    expect(title, code).not.toMatch(/^(?:the|a|an|this|whoever|sending|signed|it|no|each|unknown) /);
    expect(why, code).not.toMatch(/^(?!mailauth )[a-z]+[ ,'’]/);
    expect(title, code).not.toMatch(/[.,;:]$/);
    // An address, a host or a path at the end may be copied.
    expect(why, code).toMatch(/[.?!)"…]$|[/@:\\][^\s]*$/);
  }
});
