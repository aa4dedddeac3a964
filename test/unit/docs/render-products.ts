import { namedCloud } from '../../../src/core/cloud.ts';
import { code, table, words } from '../../../src/core/markdown.ts';
import type { FormFacts } from '../../../src/products/form-facts.ts';
import { accountTypes, type Product, redirectSource } from '../../../src/products/product.ts';
import { printedStep, type Step } from '../../../src/products/step/step.ts';
import { stepMarkdown } from '../../../src/products/step/step-markdown.ts';
import { posix } from '../../support/next.ts';

/** What stands for values that differ at every set-up. */
const facts = (product: Product): FormFacts => ({
  mailbox: 'helpdesk@contoso.com',
  signsIn: 'helpdesk@contoso.com',
  tenantId: 'TENANT-ID',
  clientId: 'CLIENT-ID',
  redirectUri: product.redirectUri ?? 'REDIRECT-URI',
  endpoints: {
    authorization: 'https://login.microsoftonline.com/TENANT-ID/oauth2/v2.0/authorize',
    token: 'https://login.microsoftonline.com/TENANT-ID/oauth2/v2.0/token',
  },
  scopes: ['SCOPES'],
  servers: namedCloud('public'),
  protocols: product.protocols,
  clientSecret: { value: 'CLIENT-SECRET' },
  password: { value: 'PASSWORD' },
});

/** A shared mailbox, which somebody else opens. */
const ofDelegate = (product: Product): FormFacts => ({ ...facts(product), mailbox: 'shared@contoso.com', signsIn: 'ada@contoso.com' });

/** The facts of a product's page: what is registered, and the product's own screens. */
export function productFacts(product: Product): string {
  const steps = [...(product.redirectShown === undefined ? [] : [product.redirectShown]), ...product.form(facts(product))];
  return [
    '### What is registered in Entra',
    table(['What', 'Value'], registered(product)),
    ...steps.map(section),
    ...(product.shared === undefined
      ? []
      : ['### A shared mailbox, a resource or an alias', ...product.shared(ofDelegate(product)).map(words)]),
  ].join('\n\n');
}

/** One heading deeper than on a page of its own. */
const section = (step: Step): string => `#${stepMarkdown(printedStep(step, posix), step.title, { reveal: false })}`;

function registered(product: Product): readonly (readonly string[])[] {
  const platform = { web: 'Web', 'mobile-desktop': 'Mobile and desktop', none: 'none' }[product.platform];
  const redirect = {
    none: 'none',
    fixed: code(product.redirectUri ?? ''),
    product: `shown by the product as "${product.redirectShown?.field ?? ''}"`,
    operator: 'asked for',
  }[redirectSource(product)];
  return [
    ['Supported account types', words(accountTypes[product.audience])],
    ['Client', product.clientType],
    ['Platform', platform],
    ['Redirect URI', redirect],
    ['Allow public client flows', product.publicClientFlows ? 'Yes' : 'No'],
    ['Delegated permissions', product.permissions.map(code).join(', ')],
    ['Protocols', product.protocols.map((protocol) => protocol.toUpperCase()).join(', ')],
    ['Client secret', product.clientType === 'confidential' ? `yes, ${product.secretMonths} months` : 'none'],
    ['Ways to sign in', product.signInWays.map(code).join(', ')],
    ...(product.variants ?? []).map(({ name, title }) => [`Kind ${code(name)}`, words(title)]),
  ];
}
