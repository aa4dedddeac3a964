import { mailauth } from '../core/next.ts';
import type { Product } from './product.ts';

/** mailauth keeps the tokens itself and gives them to programs on this computer. Public client with PKCE: no secret to lose or renew. */
export const thisComputer: Product = {
  name: 'this-computer',
  title: 'This computer',
  description: 'scripts, relays and mail clients here ask mailauth for the token',
  audience: 'single',
  clientType: 'public',
  platform: 'mobile-desktop',
  redirectUri: 'http://localhost',
  publicClientFlows: false,
  protocols: ['imap', 'pop', 'smtp'],
  permissions: ['openid', 'profile', 'email', 'offline_access', 'IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send'],
  signIn: 'browser',
  signInWays: ['browser', 'paste', 'device', 'skip'],
  asks: [],
  secretMonths: 12,
  endpointsWanted: false,
  form: (f) => [
    {
      title: 'Use it',
      where: 'This computer, in a terminal',
      fields: [],
      press: [mailauth('test', 'all', f.mailbox), mailauth('token get', f.mailbox)],
    },
  ],
};
