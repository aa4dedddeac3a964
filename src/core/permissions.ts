import { type Protocol, protocols } from './cloud.ts';

/** What an app may be allowed on mail, by protocol (learn.microsoft.com, "Authenticate an IMAP, POP or SMTP connection using OAuth"). */
interface MailPermission {
  /** delegated: a person signs in. It has the same name on Microsoft Graph and on Office 365 Exchange Online */
  readonly delegated: string;
  /** application permission (role) for app-only access, on Office 365 Exchange Online alone */
  readonly role: string;
}

const mailPermissions: Readonly<Record<Protocol, MailPermission>> = {
  imap: { delegated: 'IMAP.AccessAsUser.All', role: 'IMAP.AccessAsApp' },
  pop: { delegated: 'POP.AccessAsUser.All', role: 'POP.AccessAsApp' },
  smtp: { delegated: 'SMTP.Send', role: 'SMTP.SendAsApp' },
};

export const delegatedPermission = (protocol: Protocol): string => mailPermissions[protocol].delegated;

export const appRole = (protocol: Protocol): string => mailPermissions[protocol].role;

/** Delegated permissions for these protocols, in the order of the table. */
export const delegatedPermissionsOf = (wanted: readonly Protocol[]): readonly string[] => inOrder(wanted).map(delegatedPermission);

/** Application permissions for these protocols, in the order of the table. */
export const appRolesOf = (wanted: readonly Protocol[]): readonly string[] => inOrder(wanted).map(appRole);

const inOrder = (wanted: readonly Protocol[]): readonly Protocol[] => protocols.filter((protocol) => wanted.includes(protocol));

/** One of the delegated permissions on mail, whatever the protocol. */
export const isMailPermission = (name: string): boolean => protocols.some((protocol) => delegatedPermission(protocol) === name);
