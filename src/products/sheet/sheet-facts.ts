import type { Cloud, MailHost, Protocol } from '../../core/cloud.ts';
import { isPersonal } from '../../core/links.ts';
import type { MailboxRecord, Registration } from '../../core/mailbox.ts';
import type { Audience } from '../../core/registration-plan.ts';
import type { Secret } from '../../core/secret.ts';
import type { FormFacts } from '../form.ts';

/** Everything a hand-over sheet can say about one finished set-up. */
export interface SheetFacts extends FormFacts {
  readonly cloud: Cloud;
  readonly clientType: Registration['clientType'];
  /** the value, for `--reveal`; the sheet masks it otherwise */
  readonly clientSecret?: Secret;
  readonly secretId?: string;
  /** RFC 3339 */
  readonly secretExpiresAt?: string;
  readonly audience?: Audience;
  readonly appName?: string;
  /** RFC 3339: when the sheet was written */
  readonly writtenAt?: string;
}

export type MoreFacts = Pick<SheetFacts, 'clientSecret' | 'secretId' | 'audience' | 'appName' | 'writtenAt'>;

/** What the mailbox file knows; `more` is what only the set-up or the store knows. */
export function factsOf(record: MailboxRecord, more: MoreFacts = {}): SheetFacts {
  const { registration: app, cloud } = record;
  return {
    mailbox: record.mailbox,
    signsIn: record.signInAs ?? record.mailbox,
    tenantId: record.tenantId,
    clientId: app.clientId,
    clientType: app.clientType,
    redirectUri: app.redirectUri,
    endpoints: record.endpoints,
    scopes: record.scopes,
    servers: mailServers(cloud, record.tenantId),
    protocols: record.protocols,
    cloud,
    ...(app.secretExpiresAt === undefined ? {} : { secretExpiresAt: app.secretExpiresAt }),
    ...more,
  };
}

/** Personal accounts send through a host of their own (support.microsoft.com, "POP, IMAP, and SMTP settings for Outlook.com"). */
export function mailServers(cloud: Cloud, tenant: string): Readonly<Record<Protocol, MailHost>> {
  const { imap, pop, smtp } = cloud;
  const personal = cloud.name === 'public' && isPersonal({ tenant });
  return { imap, pop, smtp: personal ? { ...smtp, host: 'smtp-mail.outlook.com' } : smtp };
}
