import type { catalogue as everything } from '../errors/catalogue/catalogue.ts';

/**
 * Stands in for the error catalogue in quick.cjs (package.json, `imports`, condition "quick"). The quick program never shows an error: it
 * gives up, and the whole program runs and shows it. So the texts of all errors need not be loaded with every `token get`.
 */
export const catalogue: typeof everything = new Proxy({} as typeof everything, {
  get: () => {
    throw new Error('left to the whole program');
  },
});
