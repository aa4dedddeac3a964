import { type Cloud, type Protocol, scriptNames } from './cloud.ts';
import { shellWord } from './shell/quoting.ts';

/** One call of Exchange Online PowerShell as data: run through whatever way there is, or printed for a person to run. */
export interface Cmdlet {
  readonly name: string;
  /** null: `$null`, which takes a mailbox's own setting away */
  readonly parameters: Readonly<Record<string, string | boolean | null>>;
}

const switches: Readonly<Record<Protocol, { readonly parameter: string; readonly on: boolean }>> = {
  imap: { parameter: 'ImapEnabled', on: true },
  pop: { parameter: 'PopEnabled', on: true },
  // It says whether SMTP AUTH is disabled. `$null`, a mailbox without a setting of its own, follows the organisation.
  smtp: { parameter: 'SmtpClientAuthenticationDisabled', on: false },
};

/** The mailbox's own switch of a protocol, set to on (Microsoft, "Enable or disable POP3 or IMAP4 access", "Enable or disable SMTP AUTH"). */
export const switchOn = (mailbox: string, protocol: Protocol): Cmdlet => ({
  name: 'Set-CASMailbox',
  parameters: { Identity: mailbox, [switches[protocol].parameter]: switches[protocol].on },
});

/** Full Access to this mailbox. A person is given it without the mailbox appearing in her Outlook by itself. */
export const addFullAccess = (mailbox: string, who: string, kind: 'person' | 'app'): Cmdlet => ({
  name: 'Add-MailboxPermission',
  parameters: { Identity: mailbox, User: who, AccessRights: 'FullAccess', ...(kind === 'person' ? { AutoMapping: false } : {}) },
});

export const addSendAs = (mailbox: string, who: string): Cmdlet => ({
  name: 'Add-RecipientPermission',
  parameters: { Identity: mailbox, Trustee: who, AccessRights: 'SendAs', Confirm: false },
});

/**
 * Makes an app known to Exchange Online. `objectId` is that of the Enterprise application (the service principal). With the object id on the
 * app registration's page the call succeeds, and every sign-in fails.
 */
export const newServicePrincipal = (app: { readonly appId: string; readonly objectId: string }): Cmdlet => ({
  name: 'New-ServicePrincipal',
  parameters: { AppId: app.appId, ObjectId: app.objectId, DisplayName: 'mailauth' },
});

/** A scope that holds one mailbox, by its address (OPATH: a quote in a value is doubled). */
export const newManagementScope = (name: string, mailbox: string): Cmdlet => ({
  name: 'New-ManagementScope',
  parameters: { Name: name, RecipientRestrictionFilter: `PrimarySmtpAddress -eq '${mailbox.replaceAll("'", "''")}'` },
});

/** RBAC for Applications: the app may send as the mailboxes of this scope. */
export const newSendingRole = (name: string, appId: string): Cmdlet => ({
  name: 'New-ManagementRoleAssignment',
  parameters: { Name: name, Role: 'Application SMTP.SendAsApp', App: appId, CustomResourceScope: name },
});

/** The line that a person runs first in PowerShell; a national cloud has a name there. */
export const connectLine = (cloud: Pick<Cloud, 'name'>): string => {
  const environment = scriptNames(cloud)?.exchangePowerShell;
  return `Connect-ExchangeOnline${environment === undefined ? '' : ` -ExchangeEnvironmentName ${environment}`}`;
};

/** The line for Exchange Online PowerShell, each value quoted where it must be (`o'brien@contoso.com`). */
export function powerShellLine({ name, parameters }: Cmdlet): string {
  const words = Object.entries(parameters).map(([parameter, value]) => {
    // A switch parameter takes its value behind a colon.
    if (parameter === 'Confirm') return `-Confirm:$${value}`;
    if (typeof value !== 'string') return `-${parameter} $${value}`;
    // The filter has quotes of its own. Between double quotes, PowerShell fills in what begins with a dollar sign.
    if (parameter === 'RecipientRestrictionFilter') return `-${parameter} "${value.replace(/[`"$]/g, '`$&')}"`;
    return `-${parameter} ${shellWord(value, 'powershell')}`;
  });
  return [name, ...words].join(' ');
}
