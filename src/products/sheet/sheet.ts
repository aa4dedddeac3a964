import type { Protocol } from '../../core/cloud.ts';
import { appPage, isPersonal } from '../../core/links.ts';
import type { Secret } from '../../core/secret.ts';
import { printable } from '../../core/text.ts';
import { inSandbox } from '../../errors/here.ts';
import type { FormField, FormPart } from '../form.ts';
import { permissionsOf } from '../permissions.ts';
import { accountTypes, type Product, platformOf } from '../product.ts';
import { sharedMailboxCommands } from '../shared-mailbox.ts';
import { type Renewal, renewalOf } from './renewal.ts';
import type { SheetFacts } from './sheet-facts.ts';

/**
 * What an administrator types into the product and keeps with the change ticket. Everything but the secrets is plain text without
 * control characters; a renderer only has to escape for its own format.
 */
export interface Sheet {
  readonly title: string;
  readonly mailbox: string;
  /** guide name */
  readonly for: string;
  readonly product: string;
  /** RFC 3339 */
  readonly writtenAt?: string;
  /** the product's own screens, in order */
  readonly parts: readonly SheetPart[];
  readonly servers: readonly MailServer[];
  /** what stands in Entra, for whoever asks later */
  readonly registered: readonly SheetField[];
  readonly renewal: Renewal;
  readonly notes: readonly SheetNote[];
}

export interface SheetPart {
  readonly where: string;
  readonly fields: readonly SheetField[];
  /** what to press then, in order */
  readonly press: readonly string[];
  readonly trap?: string;
}

export interface SheetField {
  readonly label: string;
  /** a `Secret` is masked unless revealed */
  readonly value: string | Secret;
  /** the client secret: masked also where its value is not at hand */
  readonly secret?: true;
  readonly how: NonNullable<FormField['how']>;
  readonly note?: string;
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

export const mask = '********';

/** The finished sheet of one set-up. Pure. */
export function sheetOf(product: Product, f: SheetFacts): Sheet {
  const here = f.cloud.name === 'sandbox' ? inSandbox : (line: string) => line;
  const renewal = renewalOf(product, f);
  return {
    title: printable(`${product.title}: ${f.mailbox}`),
    mailbox: printable(f.mailbox),
    for: product.name,
    product: product.title,
    ...(f.writtenAt === undefined ? {} : { writtenAt: printable(f.writtenAt) }),
    parts: product.form.map((part) => partOf(part, f, here)),
    servers: f.protocols.map((protocol) => serverOf(protocol, f)),
    registered: registeredOf(product, f),
    renewal: { ...renewal, what: printable(renewal.what), steps: renewal.steps.map((step) => printable(here(step))) },
    notes: notesOf(product, f),
  };
}

function partOf(part: FormPart, f: SheetFacts, here: (line: string) => string): SheetPart {
  return {
    where: part.where,
    fields: part.fields.map((field) => fieldOf(field, f)),
    press: part.press(f).map((line) => printable(here(line))),
    ...(part.trap === undefined ? {} : { trap: part.trap }),
  };
}

function fieldOf(field: FormField, f: SheetFacts): SheetField {
  const { label, how = 'enter', note } = field;
  const secret = 'secret' in field && field.secret === 'client-secret' && f.clientType === 'confidential';
  return { label, value: filled(field, f), how, ...(secret ? { secret } : {}), ...(note === undefined ? {} : { note }) };
}

function filled(field: FormField, f: SheetFacts): string | Secret {
  if (!('secret' in field)) return printable(field.value(f));
  if (field.secret === 'password') return `the password of ${printable(f.mailbox)}; mailauth does not keep it`;
  if (f.clientType === 'public') return 'none: public client with PKCE';
  return f.clientSecret ?? 'in the secret store of the computer that ran mailauth';
}

function serverOf(protocol: Protocol, f: SheetFacts): MailServer {
  const { host, port, security } = f.servers[protocol];
  const names = { imap: 'IMAP', pop: 'POP', smtp: 'SMTP' } as const;
  return {
    protocol: names[protocol],
    host: printable(host),
    port,
    security: security === 'tls' ? 'SSL/TLS' : 'STARTTLS',
    user: printable(f.mailbox),
    method: 'OAuth 2.0 (XOAUTH2)',
  };
}

function registeredOf(product: Product, f: SheetFacts): readonly SheetField[] {
  const platform = platformOf(product, f.clientType);
  const rows: (readonly [string, string | undefined])[] = [
    ['Name', f.appName],
    ['Application (client) ID', f.clientId],
    ['Directory (tenant) ID', f.tenantId],
    ['Supported account types', f.audience === undefined ? undefined : accountTypes[f.audience]],
    ['Platform', { web: 'Web', 'mobile-desktop': 'Mobile and desktop applications', none: 'none, public client flows allowed' }[platform]],
    ['Redirect URI', platform === 'none' ? 'none' : f.redirectUri],
    ['Delegated permissions', permissionsOf(product, f.protocols).join(', ')],
    ['Secret ID', f.secretId],
    ['In the portal', appPage(f, 'Overview')],
  ];
  return rows.flatMap(([label, value]) => (value === undefined ? [] : [{ label, value: printable(value), how: 'enter' as const }]));
}

function notesOf(product: Product, f: SheetFacts): readonly SheetNote[] {
  const notes: SheetNote[] = [];
  if (f.signsIn !== f.mailbox) notes.push(sharedNote(product, f));
  if (isPersonal({ tenant: f.tenantId })) {
    notes.push({
      title: 'Personal account',
      lines: [
        'IMAP and POP are off until their owner switches them on: Outlook on the web > Settings > Mail > Forwarding and IMAP.',
        'Microsoft refuses SMTP AUTH for many personal mailboxes, also with a good token (535 5.7.139); there is no switch for it.',
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
      `${f.signsIn} signs in, with a licence of its own; the address of ${f.mailbox} stays the user name at the mail servers.`,
      ...(sends
        ? [`Where SMTP refuses the shared address as user name (535 5.7.3), use ${f.signsIn} there and keep the shared sender.`]
        : []),
      ...(product.shared?.(f) ?? []),
      `${f.signsIn} needs Full Access to the mailbox${sends ? ', and Send As to send' : ''}. In Exchange Online PowerShell:`,
    ].map(printable),
    commands: sharedMailboxCommands(f),
  };
}
