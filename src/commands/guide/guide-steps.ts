import * as z from 'zod/mini';
import type { PortalFacts } from '../../by-hand/portal-steps.ts';
import { walkThrough } from '../../by-hand/walk-through.ts';
import { type Cloud, type ProtocolWord, protocolWords } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import { isPersonal } from '../../core/links.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { tenantForMailbox } from '../../entra/discovery.ts';
import { scopesFor } from '../../oauth/scopes.ts';
import { mailHosts, type ProductFacts } from '../../products/form-facts.ts';
import { type Product, redirectSource } from '../../products/product.ts';
import type { Step } from '../../products/step/step.ts';

/** Stands in the form where nobody has named the mailbox. */
export const mailboxBlank = 'MAILBOX';

/** What the operator gave as flags, as text. */
export interface GuideValues {
  readonly mailbox?: string | undefined;
  readonly signInAs?: string | undefined;
  readonly tenant?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientType?: string | undefined;
  readonly redirectUri?: string | undefined;
  readonly audience?: string | undefined;
  readonly protocols?: string | undefined;
  readonly name?: string | undefined;
  readonly secretMonths?: string | undefined;
  readonly variant?: string | undefined;
}

export interface SetUpAlready {
  readonly record: MailboxRecord | undefined;
  /** a set-up of the same mailbox for another product */
  readonly sibling: MailboxRecord | undefined;
}

const typed = z.object({
  clientType: z.optional(z.enum(['public', 'confidential'])),
  audience: z.optional(z.enum(['single', 'multi', 'multi-and-personal', 'personal'])),
  protocols: z.optional(z.array(z.enum(protocolWords))),
});

/** The whole guide. A value comes from the flags, else from what is set up, else from the product; else a placeholder stands there. */
export function guideSteps(product: Product, values: GuideValues, cloud: Cloud, { record, sibling }: SetUpAlready): readonly Step[] {
  const chosen = typed.parse({ clientType: values.clientType, audience: values.audience, protocols: listOf(values.protocols) });
  const app = record?.registration;
  const mailbox = values.mailbox ?? record?.mailbox;
  const tenant = values.tenant ?? record?.tenantId ?? sibling?.tenantId;
  const where = tenant ?? (mailbox === undefined ? 'TENANT-ID' : tenantForMailbox(mailbox));
  const protocols: readonly ProtocolWord[] = chosen.protocols ?? record?.protocols ?? product.protocols;
  const clientId = values.clientId ?? app?.clientId;
  const stored = values.tenant === undefined ? (record ?? sibling)?.endpoints : undefined;
  const facts: ProductFacts = {
    mailbox: mailbox ?? mailboxBlank,
    signsIn: values.signInAs?.trim().toLowerCase() ?? record?.signInAs ?? mailbox ?? mailboxBlank,
    tenantId: tenant ?? 'TENANT-ID',
    clientId: clientId ?? 'CLIENT-ID',
    redirectUri: values.redirectUri ?? app?.redirectUri ?? redirectOf(product),
    endpoints: stored ?? v2Endpoints(cloud, where),
    scopes: scopesFor(cloud, protocols, { mailbox: mailbox ?? '', signInAs: values.signInAs?.trim().toLowerCase() ?? record?.signInAs }),
    servers: mailHosts(cloud, where),
    protocols,
  };
  return walkThrough(product, facts, {
    ...portalFacts(product, values, facts),
    portal: cloud.portal,
    audience: chosen.audience ?? product.audience,
    clientType: chosen.clientType ?? app?.clientType ?? product.clientType,
    // Personal accounts have no administrator.
    consent: isPersonal({ tenant: where }) ? 'user' : 'admin',
    ...defined({ clientId }),
  });
}

function portalFacts(
  product: Product,
  values: GuideValues,
  { mailbox, redirectUri, protocols, endpoints }: ProductFacts,
): Omit<PortalFacts, 'for' | 'portal' | 'audience' | 'clientType' | 'consent'> {
  return {
    mailbox,
    redirectUri,
    protocols,
    name: values.name ?? `mailauth ${product.name} ${mailbox}`.slice(0, 90),
    secretMonths: values.secretMonths === undefined ? product.secretMonths : Number(values.secretMonths),
    ...defined({ variant: values.variant, endpoints: product.endpointsWanted ? endpoints : undefined }),
  };
}

/** learn.microsoft.com/entra/identity-platform/v2-protocols */
function v2Endpoints(cloud: Cloud, tenant: string): { authorization: string; token: string } {
  const base = `${cloud.login}/${tenant}/oauth2/v2.0`;
  return { authorization: `${base}/authorize`, token: `${base}/token` };
}

/** What stands where the redirect URI is not known yet. */
function redirectOf(product: Product): string {
  const source = redirectSource(product);
  if (source === 'none') return '';
  if (source === 'product') return (product.redirectShown?.field ?? 'REDIRECT-URI').toUpperCase().replaceAll(' ', '-');
  return product.redirectUri ?? 'REDIRECT-URI';
}

const listOf = (list: string | undefined): readonly string[] | undefined => list?.split(',').map((one) => one.trim());
