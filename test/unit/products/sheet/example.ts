import { type Cloud, namedCloud } from '../../../../src/core/cloud.ts';
import { Secret } from '../../../../src/core/secret.ts';
import { scopesFor } from '../../../../src/oauth/scopes.ts';
import { mailHosts } from '../../../../src/products/form-facts.ts';
import type { Product } from '../../../../src/products/product.ts';
import type { SheetFacts } from '../../../../src/products/sheet/sheet-facts.ts';

export const theSecret = 'PtX8Q~very-secret-value.of-forty-characters';
const tenantId = '5f0c3e1a-7d42-4b8e-9a63-1c2d3e4f5a6b';
const redirects: Readonly<Record<string, string>> = {
  osticket: 'https://helpdesk.contoso.com/api/auth/oauth2',
  supportpal: 'https://support.contoso.com/en/admin/oauth/microsoft',
};

/** What a finished set-up of this product knows. */
export function exampleFacts(product: Product, more: Partial<SheetFacts> = {}): SheetFacts {
  const cloud: Cloud = namedCloud('public');
  const confidential = product.clientType === 'confidential';
  return {
    mailbox: 'helpdesk@contoso.com',
    signsIn: more.mailbox ?? 'helpdesk@contoso.com',
    tenantId,
    clientId: '11111111-2222-3333-4444-555555555555',
    clientType: product.clientType,
    redirectUri: product.platform === 'none' ? '' : (product.redirectUri ?? redirects[product.name] ?? 'http://localhost'),
    endpoints: {
      authorization: `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/authorize`,
      token: `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`,
    },
    scopes: scopesFor(cloud, product.protocols),
    servers: mailHosts(cloud, tenantId),
    protocols: product.protocols,
    cloud,
    audience: product.audience,
    appName: `mailauth ${product.name} helpdesk@contoso.com`,
    writtenAt: '2026-11-22T02:51:00Z',
    ...(confidential
      ? {
          clientSecret: new Secret(theSecret),
          secretId: '99999999-8888-7777-6666-555555555555',
          secretExpiresAt: '2027-11-22T02:51:00Z',
        }
      : {}),
    ...more,
  };
}
