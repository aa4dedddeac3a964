import type { Protocol } from './cloud.ts';

/** Application permissions on Office 365 Exchange Online, for app-only access (learn.microsoft.com, "Authenticate an IMAP, POP or SMTP connection using OAuth"). */
export const appRoleNames: Readonly<Record<Protocol, string>> = {
  imap: 'IMAP.AccessAsApp',
  pop: 'POP.AccessAsApp',
  smtp: 'SMTP.SendAsApp',
};
