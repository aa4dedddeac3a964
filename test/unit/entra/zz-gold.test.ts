import { writeFileSync } from 'node:fs';
import { it } from 'vitest';
import { bodies } from './manifest.test.ts';
import { plans } from './plans.ts';
it('gold', () => {
  for (const [n, p] of Object.entries(plans)) writeFileSync(`test/golden/graph/${n}.json`, JSON.stringify(bodies(p), null, 2));
});
