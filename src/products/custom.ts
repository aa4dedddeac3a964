import { signer } from './form-facts.ts';
import type { Product } from './product.ts';

/** A program that mailauth does not know: everything is asked, and the sheet at the end has neutral names. */
export const custom: Product = {
  name: 'custom',
  title: 'Another program',
  description: 'you say what it needs; the values for its form are printed at the end',
  audience: 'single',
  clientType: 'public',
  platform: 'mobile-desktop',
  publicClientFlows: false,
  protocols: ['imap', 'pop', 'smtp'],
  permissions: ['openid', 'profile', 'email', 'offline_access', 'IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send'],
  signIn: 'browser',
  signInWays: ['browser', 'paste', 'device', 'password', 'skip'],
  asks: ['access', 'clientType', 'redirectUri', 'audience', 'protocols'],
  secretMonths: 12,
  endpointsWanted: true,
  form: (f) => [
    {
      title: "Fill in the program's form",
      where: "The program's own account settings",
      fields: [
        { label: 'Client ID', value: f.clientId },
        { label: 'Client secret', ...f.clientSecret },
        { label: 'Tenant ID', value: f.tenantId },
        { label: 'Authorization endpoint', value: f.endpoints.authorization },
        { label: 'Token endpoint', value: f.endpoints.token },
        { label: 'Redirect URI', how: 'compare', value: f.redirectUri || 'none' },
        { label: 'Scopes', value: f.scopes.join(' ') },
        { label: 'User name', value: f.mailbox },
      ],
      press: [`Save, let the program sign in, and sign in there as ${signer(f)}`],
    },
  ],
};
