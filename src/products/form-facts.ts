import type { Cloud, Endpoints, MailHost, Protocol, ProtocolWord } from '../core/cloud.ts';
import { isPersonal } from '../core/links.ts';
import { signerOf } from '../core/mailbox.ts';
import { quotePowerShell } from '../core/shell/quoting.ts';
import { printable } from '../core/text.ts';
import type { FieldValue } from './step/step.ts';

/** What one set-up says about itself. Where a value is not known yet it is a placeholder in capitals, never empty. */
export interface ProductFacts {
  readonly mailbox: string;
  /** who signs in: the mailbox itself, or the licensed user of a shared one */
  readonly signsIn: string;
  readonly tenantId: string;
  readonly clientId: string;
  /** empty where the product registers none */
  readonly redirectUri: string;
  readonly endpoints: Pick<Endpoints, 'authorization' | 'token'>;
  /** full scope strings, as a token request names them */
  readonly scopes: readonly string[];
  readonly servers: Readonly<Record<Protocol, MailHost>>;
  readonly protocols: readonly ProtocolWord[];
}

/** What the fields of a product's form are filled from. Sheet and guide put other words in the place of the secrets. */
export interface FormFacts extends ProductFacts {
  readonly clientSecret: FieldValue;
  /** the mailbox's own password */
  readonly password: FieldValue;
}

/** Who signs in to the product, in a sentence about that. */
export const signer = ({ mailbox, signsIn }: ProductFacts): string => signerOf({ mailbox, signInAs: signsIn });

/** What stands in the field of a client secret where the client is public. */
export const noClientSecret: FieldValue = { value: 'none: public client with PKCE' };

/** Personal accounts send through a host of their own (support.microsoft.com, "POP, IMAP, and SMTP settings for Outlook.com"). */
export function mailHosts(cloud: Cloud, tenant: string): Readonly<Record<Protocol, MailHost>> {
  const { imap, pop, smtp } = cloud;
  const personal = cloud.name === 'public' && isPersonal({ tenant });
  return { imap, pop, smtp: personal ? { ...smtp, host: 'smtp-mail.outlook.com' } : smtp };
}

/**
 * What lets `signsIn` into a mailbox that is not its own, for Exchange Online PowerShell. Sources: Microsoft, "Authenticate an IMAP, POP
 * or SMTP connection using OAuth"; Add-MailboxPermission, Add-RecipientPermission.
 */
export function sharedMailboxCommands({ mailbox, signsIn, protocols }: ProductFacts): readonly string[] {
  const [shared, user] = [mailbox, signsIn].map((address) => quotePowerShell(printable(address)));
  return [
    `Add-MailboxPermission -Identity ${shared} -User ${user} -AccessRights FullAccess -AutoMapping $false`,
    ...(protocols.includes('smtp') || protocols.includes('graph-send')
      ? [`Add-RecipientPermission -Identity ${shared} -Trustee ${user} -AccessRights SendAs -Confirm:$false`]
      : []),
  ];
}
