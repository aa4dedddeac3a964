import type { Protocol } from './cloud.ts';

/** Application permissions on Office 365 Exchange Online, for app-only access (shared facts on Microsoft, section 1.3). */
export const appRoleNames: Readonly<Record<Protocol, string>> = {
  imap: 'IMAP.AccessAsApp',
  pop: 'POP.AccessAsApp',
  smtp: 'SMTP.SendAsApp',
};
