import { mailOf } from '../core/cloud.ts';
import { type FormFacts, noClientSecret, type ProductFacts, sharedMailboxCommands } from '../products/form-facts.ts';
import type { Product } from '../products/product.ts';
import type { Step } from '../products/step/step.ts';
import { type PortalFacts, portalSteps } from './portal-steps.ts';

/** All that a person does for a product: copy its redirect URI, go through the portal, fill in the product's form. Pure. */
export function walkThrough(product: Product, facts: ProductFacts, portal: Omit<PortalFacts, 'for'>): readonly Step[] {
  const isShared = facts.signsIn !== facts.mailbox;
  const form = product.form(withPlaceholders(facts, portal.clientType === 'public'));
  return [
    ...(product.redirectShown === undefined ? [] : [product.redirectShown]),
    ...portalSteps({ ...portal, for: product.name }),
    ...(isShared ? [accessStep(facts)] : []),
    // What a shared mailbox needs in the product comes before the sign-in there.
    ...form.map((step, i) => (isShared && i === 0 ? { ...step, press: [...(product.shared?.(facts) ?? []), ...step.press] } : step)),
    ...(product.name === 'this-computer' ? [] : [mailServerStep(facts)]),
  ];
}

/** A guide never prints a secret: words stand in its place. */
const withPlaceholders = (facts: ProductFacts, isPublic: boolean): FormFacts => ({
  ...facts,
  clientSecret: isPublic ? noClientSecret : { value: 'CLIENT-SECRET (the column "Value")' },
  password: { value: 'PASSWORD (of the mailbox)', secret: 'password' },
});

/** For a shared mailbox, a resource or an alias, where somebody else signs in. */
function accessStep(facts: ProductFacts): Step {
  const sends = facts.protocols.includes('smtp');
  return {
    title: `Let ${facts.signsIn} use ${facts.mailbox}`,
    where: 'Exchange Online PowerShell, after Connect-ExchangeOnline',
    fields: sharedMailboxCommands(facts).map((value, i) => ({ label: i === 0 ? 'Full Access' : 'Send As', value, command: true })),
    trap:
      `${facts.signsIn} needs a licence of its own. ` +
      `At the mail servers, the user name stays ${facts.mailbox}${sends ? `. If SMTP refuses it (535 5.7.3), use ${facts.signsIn} there` : ''}.`,
    press: [],
  };
}

function mailServerStep({ servers, protocols, mailbox }: ProductFacts): Step {
  return {
    title: 'Mail servers, wherever the product asks for them',
    where: `User name ${mailbox}, sign-in method OAuth 2.0 (XOAUTH2)`,
    fields: mailOf(protocols).map((protocol) => {
      const { host, port, security } = servers[protocol];
      return { label: protocol.toUpperCase(), value: `${host}:${port} ${security === 'tls' ? 'SSL/TLS' : 'STARTTLS'}` };
    }),
    press: [],
  };
}
