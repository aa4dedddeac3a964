import type { Guide } from './guide.ts';

/** mailauth keeps the tokens itself and hands them to programs on this computer. Public client with PKCE: no secret to lose or renew. */
export const thisComputer: Guide = {
  name: 'this-computer',
  title: 'This computer',
  description: 'scripts, relays and mail clients here ask mailauth for the token',
  audience: 'single',
  clientType: 'public',
  redirectUri: 'http://localhost',
  protocols: ['imap', 'pop', 'smtp'],
  signIn: 'browser',
  asks: [],
  secretMonths: 12,
};
