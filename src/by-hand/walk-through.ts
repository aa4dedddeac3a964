import type { FormFacts, FormField, FormPart } from '../products/form.ts';
import type { Product } from '../products/product.ts';
import { sharedMailboxCommands } from '../products/shared-mailbox.ts';
import { type PortalFacts, portalSteps } from './portal-steps.ts';

/** One step of a guide done by hand, in the portal or in the product. */
export interface ManualStep {
  readonly title: string;
  /** the menu words of the portal, or the place in the product */
  readonly where: string;
  readonly link?: string;
  readonly actions: readonly string[];
  readonly values: readonly { readonly field: string; readonly value: string; readonly note?: string }[];
  /** to be pressed after the values are in */
  readonly press: readonly string[];
  readonly trap?: string;
}

/** Stands for a secret that mailauth never prints here. */
const placeholders = { 'client-secret': 'CLIENT-SECRET (the column "Value")', password: 'PASSWORD (of the mailbox)' } as const;

/** The whole guide, done by hand: the product's redirect URI, the portal, the product's form. Pure. */
export function walkThrough(product: Product, facts: FormFacts, portal: Omit<PortalFacts, 'for'>): readonly ManualStep[] {
  const before: ManualStep[] =
    product.redirectShown === undefined
      ? []
      : [
          {
            title: `Fetch the ${product.redirectShown.field}`,
            where: product.redirectShown.where,
            actions: product.redirectShown.actions,
            values: [],
            press: [],
            ...(product.redirectShown.trap === undefined ? {} : { trap: product.redirectShown.trap }),
          },
        ];
  const screens = portalSteps({ ...portal, for: product.name }).map(({ menu, yields: _, ...step }) => ({
    ...step,
    where: menu,
    press: [],
  }));
  const form = product.form.map((part) => formStep(product, part, facts, portal.clientType === 'public'));
  return [
    ...before,
    ...screens,
    ...(facts.signsIn === facts.mailbox ? [] : [letIn(facts)]),
    ...form,
    ...(product.name === 'this-computer' ? [] : [mailServers(facts)]),
  ];
}

function formStep(product: Product, part: FormPart, facts: FormFacts, isPublic: boolean): ManualStep {
  const notes = facts.signsIn === facts.mailbox || part !== product.form[0] ? [] : (product.shared?.(facts) ?? []);
  return {
    title: part.fields.length === 0 ? 'Use it' : `Fill in ${product.name === 'custom' ? "the program's form" : product.title}`,
    where: part.where,
    actions: [],
    values: part.fields
      .filter((field) => !(isPublic && 'secret' in field && field.secret === 'client-secret'))
      .map((field) => ({
        field: field.label,
        value: filled(field, facts),
        ...(field.note === undefined ? {} : { note: field.note }),
      })),
    press: [...notes, ...part.press(facts)],
    ...(part.trap === undefined ? {} : { trap: part.trap }),
  };
}

/** A shared mailbox, a resource or an alias: somebody else signs in for it. */
function letIn(facts: FormFacts): ManualStep {
  const sends = facts.protocols.includes('smtp');
  return {
    title: `Let ${facts.signsIn} use ${facts.mailbox}`,
    where: 'Exchange Online PowerShell, after Connect-ExchangeOnline',
    actions: [],
    values: sharedMailboxCommands(facts).map((value, i) => ({ field: i === 0 ? 'Full Access' : 'Send As', value })),
    press: [],
    trap:
      `${facts.signsIn} needs a licence of its own. ` +
      `At the mail servers the user name stays ${facts.mailbox}${sends ? `; where SMTP refuses it (535 5.7.3), use ${facts.signsIn} there` : ''}.`,
  };
}

function mailServers({ servers, protocols, mailbox }: FormFacts): ManualStep {
  return {
    title: 'Mail servers, wherever the product asks for them',
    where: `User name ${mailbox}, sign-in method OAuth 2.0 (XOAUTH2)`,
    actions: [],
    values: protocols.map((protocol) => {
      const { host, port, security } = servers[protocol];
      return { field: protocol.toUpperCase(), value: `${host}:${port} ${security === 'tls' ? 'SSL/TLS' : 'STARTTLS'}` };
    }),
    press: [],
  };
}

const filled = (field: FormField, facts: FormFacts): string => ('secret' in field ? placeholders[field.secret] : field.value(facts));
