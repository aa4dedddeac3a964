import { mailOf, type Protocol } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import { appPage, isPersonal } from '../../core/links.ts';
import { mailauth } from '../../core/next.ts';
import { type ShownStep, type Surroundings, stepsShown } from '../../core/shown.ts';
import { printable } from '../../core/text.ts';
import { sharedMailboxCommands } from '../form-facts.ts';
import { permissionsOf } from '../plan.ts';
import { accountTypes, type Product, platformOf } from '../product.ts';
import { type PrintedStep, printedStep, type StepField } from '../step/step.ts';
import { type Renewal, renewalOf } from './renewal.ts';
import { formFactsOf, type SheetFacts } from './sheet-facts.ts';

/**
 * What an administrator types into the product and keeps with the change ticket. Everything but the secrets is plain text without
 * control characters; a renderer only has to escape for its own format.
 */
export interface Sheet {
  readonly title: string;
  readonly mailbox: string;
  /** name of the product */
  readonly for: string;
  /** title of the product */
  readonly product: string;
  /** RFC 3339 */
  readonly writtenAt?: string;
  /** the product's own screens, in order */
  readonly parts: readonly PrintedStep[];
  readonly servers: readonly MailServer[];
  /** what stands in Entra, for whoever asks later */
  readonly registered: readonly StepField[];
  readonly renewal: Omit<Renewal, 'steps'> & { readonly steps: readonly ShownStep[] };
  readonly notes: readonly SheetNote[];
  /** the command that shows the client secret, where there is one */
  readonly secretShown?: ShownStep;
  /** what the product needs before the sign-in where another person opens the mailbox */
  readonly shared: readonly string[];
}

export interface MailServer {
  readonly protocol: 'IMAP' | 'POP' | 'SMTP';
  readonly host: string;
  readonly port: number;
  readonly security: 'SSL/TLS' | 'STARTTLS';
  readonly user: string;
  readonly method: string;
}

export interface SheetNote {
  readonly title: string;
  readonly lines: readonly string[];
  /** to be pasted into a shell */
  readonly commands: readonly string[];
}

/** The finished sheet of one set-up. Pure. */
export function sheetOf(product: Product, f: SheetFacts, here: Surroundings): Sheet {
  const form = product.form(formFactsOf(f));
  const renewal = renewalOf(product, f, form);
  return {
    title: printable(`${product.title}: ${f.mailbox}`),
    mailbox: printable(f.mailbox),
    for: product.name,
    product: product.title,
    ...defined({ writtenAt: f.writtenAt === undefined ? undefined : printable(f.writtenAt) }),
    parts: form.map((step) => printedStep(step, here)),
    servers: mailOf(f.protocols).map((protocol) => serverOf(protocol, f)),
    registered: registeredOf(product, f),
    renewal: { ...renewal, what: printable(renewal.what), steps: stepsShown(renewal.steps, here) },
    notes: notesOf(product, f),
    ...defined({ secretShown: f.clientType === 'confidential' ? secretShown(product, f, here) : undefined }),
    shared: f.signsIn === f.mailbox ? [] : (product.shared?.(f) ?? []).map(printable),
  };
}

const secretShown = ({ name }: Product, { mailbox }: SheetFacts, here: Surroundings): ShownStep | undefined =>
  stepsShown([mailauth('secret show', mailbox, { for: name, reveal: true })], here)[0];

function serverOf(protocol: Protocol, f: SheetFacts): MailServer {
  const { host, port, security } = f.servers[protocol];
  const names = { imap: 'IMAP', pop: 'POP', smtp: 'SMTP' } as const;
  return {
    protocol: names[protocol],
    host: printable(host),
    port,
    security: security === 'tls' ? 'SSL/TLS' : 'STARTTLS',
    user: printable(protocol === 'smtp' ? (f.smtpUser ?? f.mailbox) : f.mailbox),
    method: 'OAuth 2.0 (XOAUTH2)',
  };
}

function registeredOf(product: Product, f: SheetFacts): readonly StepField[] {
  const platform = platformOf(product, f.clientType);
  const rows: (readonly [string, string | undefined])[] = [
    ['Name', f.appName],
    ['Application (client) ID', f.clientId],
    ['Directory (tenant) ID', f.tenantId],
    ['Supported account types', f.audience === undefined ? undefined : accountTypes[f.audience]],
    ['Platform', { web: 'Web', 'mobile-desktop': 'Mobile and desktop applications', none: 'none, public client flows allowed' }[platform]],
    ['Redirect URI', platform === 'none' ? 'none' : f.redirectUri],
    ['Delegated permissions', permissionsOf(product, f.protocols, { mailbox: f.mailbox, signInAs: f.signsIn }).join(', ')],
    ['Secret ID', f.secretId],
    ['In the portal', appPage(f, 'Overview')],
  ];
  return rows.flatMap(([label, value]) => (value === undefined ? [] : [{ label, value: printable(value) }]));
}

function notesOf(product: Product, f: SheetFacts): readonly SheetNote[] {
  const notes: SheetNote[] = [];
  if (f.signsIn !== f.mailbox) notes.push(sharedNote(product, f));
  if (isPersonal({ tenant: f.tenantId })) {
    notes.push({
      title: 'Personal account',
      lines: [
        'IMAP and POP are off until the owner of the account switches them on: Outlook on the web > Settings > Mail > Forwarding and IMAP.',
        'Microsoft refuses SMTP AUTH for many personal mailboxes, even with a good token (535 5.7.139). No setting changes that.',
      ],
      commands: [],
    });
  }
  return notes;
}

/** Sources: Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth"; Exchange Online PowerShell. */
function sharedNote(product: Product, f: SheetFacts): SheetNote {
  const sends = f.protocols.includes('smtp');
  return {
    title: 'Shared mailbox, resource or alias',
    lines: [
      `${f.signsIn} signs in and needs a licence of its own. The user name at the mail servers stays ${f.mailbox}.`,
      ...(sends
        ? [`If SMTP refuses the shared address as user name (535 5.7.3), use ${f.signsIn} there and keep the shared address as sender.`]
        : []),
      ...(product.shared?.(f) ?? []),
      `${f.signsIn} needs Full Access to the mailbox${sends ? ', and Send As to send' : ''}. In Exchange Online PowerShell:`,
    ].map(printable),
    commands: sharedMailboxCommands(f),
  };
}
