import { mailOf, type Protocol, type ProtocolWord, protocols } from './cloud.ts';

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
export const delegatedPermissionsOf = (wanted: readonly ProtocolWord[]): readonly string[] => mailOf(wanted).map(delegatedPermission);

/** Application permissions for these protocols, in the order of the table. */
export const appRolesOf = (wanted: readonly ProtocolWord[]): readonly string[] => mailOf(wanted).map(appRole);

/** Who sends through Microsoft Graph: the mailbox itself, or a delegate for it. */
export interface GraphSender {
  readonly mailbox?: string;
  readonly signInAs?: string | undefined;
}

export const isDelegate = ({ mailbox, signInAs = mailbox }: GraphSender): boolean => signInAs?.toLowerCase() !== mailbox?.toLowerCase();

/** The delegated permission of Microsoft Graph for `POST sendMail`; for somebody else's mailbox it is another one (learn.microsoft.com, permissions-reference). */
export const graphSendPermission = (sender: GraphSender): string => (isDelegate(sender) ? 'Mail.Send.Shared' : 'Mail.Send');

/** That permission, where `graph-send` is among these words. */
export const graphPermissionsOf = (wanted: readonly ProtocolWord[], sender: GraphSender): readonly string[] =>
  wanted.includes('graph-send') ? [graphSendPermission(sender)] : [];

/** One of the delegated permissions on mail, whatever the protocol. */
export const isMailPermission = (name: string): boolean => protocols.some((protocol) => delegatedPermission(protocol) === name);
