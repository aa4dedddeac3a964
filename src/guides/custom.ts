import type { Guide } from './guide.ts';

/** A program that mailauth does not know: everything is asked, and the sheet at the end has neutral names. */
export const custom: Guide = {
  name: 'custom',
  title: 'Another program',
  description: 'you say what it needs; the values for its form are printed at the end',
  audience: 'single',
  clientType: 'public',
  protocols: ['imap', 'pop', 'smtp'],
  signIn: 'browser',
  asks: ['signInAs', 'clientType', 'redirectUri', 'audience', 'protocols'],
  secretMonths: 12,
};
