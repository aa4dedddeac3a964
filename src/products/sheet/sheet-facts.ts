import type { Cloud } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import type { MailboxRecord, Registration } from '../../core/mailbox.ts';
import type { Audience } from '../../core/registration-plan.ts';
import type { Secret } from '../../core/secret.ts';
import { type FormFacts, mailHosts, noClientSecret, type ProductFacts } from '../form-facts.ts';

/** Everything a hand-over sheet can say about one finished set-up. */
export interface SheetFacts extends ProductFacts {
  readonly cloud: Cloud;
  readonly clientType: Registration['clientType'];
  /** the value, for `--reveal`; the sheet masks it otherwise */
  readonly clientSecret?: Secret;
  readonly secretId?: string;
  /** the user name that a test found to send with, where it is not the mailbox */
  readonly smtpUser?: string;
  /** RFC 3339 */
  readonly secretExpiresAt?: string;
  readonly audience?: Audience;
  readonly appName?: string;
  /** RFC 3339: when the sheet was written */
  readonly writtenAt?: string;
}

type MoreFacts = Pick<SheetFacts, 'clientSecret' | 'secretId' | 'audience' | 'appName' | 'writtenAt'>;

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
    servers: mailHosts(cloud, record.tenantId),
    protocols: record.protocols,
    cloud,
    ...defined({ secretExpiresAt: app.secretExpiresAt, smtpUser: record.smtpUser }),
    ...more,
  };
}

/** The same for the product's form. A secret that was not read from the store stays a masked field. */
export const formFactsOf = (f: SheetFacts): FormFacts => ({
  ...f,
  clientSecret:
    f.clientType === 'public'
      ? noClientSecret
      : {
          value: f.clientSecret ?? 'in the secret store of the computer that ran mailauth: mailauth secret show --reveal',
          secret: 'client-secret',
        },
  password: { value: `the password of ${f.mailbox}; mailauth does not keep it`, secret: 'password' },
});
