import type { Protocol } from '../../core/cloud.ts';
import { Exit } from '../../core/exit.ts';
import { type Entry, entry } from '../entry.ts';

/** The mailbox under test and the server it was tried on. `user` is the name for SASL `user=`. */
export interface MailSpot {
  readonly mailbox: string;
  readonly user: string;
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
}

export interface MailServer {
  readonly host: string;
  readonly port: number;
}

/** A word for a shell or PowerShell, quoted where it must be (`o'brien@contoso.com`). */
export const sh = (word: string): string => (/^[\w.@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
export const ps = (word: string): string => (/^[\w.@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "''")}'`);

export const again = (v: MailSpot): string => `mailauth test ${v.protocol} ${sh(v.mailbox)}`;
export const signIn = (v: MailSpot): string => `mailauth login ${sh(v.mailbox)} --force`;
export const show = (v: MailSpot): string => `mailauth token show ${sh(v.mailbox)}`;
export const environmentHelp = 'mailauth help environment';

export const fullAccess = (v: MailSpot, who: string): string =>
  `Add-MailboxPermission -Identity ${ps(v.user)} -User ${ps(who)} -AccessRights FullAccess -AutoMapping $false`;
export const sendAs = (v: MailSpot, who: string): string =>
  `Add-RecipientPermission -Identity ${ps(v.user)} -Trustee ${ps(who)} -AccessRights SendAs -Confirm:$false`;

export const seconds = (ms: number): string => `${Math.ceil(ms / 1000)} s`;

/** What a pause of the server's own wish makes of the next try. */
export const afterPause = (v: MailSpot, waitMs: number | undefined): string =>
  waitMs === undefined ? again(v) : `sleep ${Math.ceil(waitMs / 1000)}; ${again(v)}`;

/** The three things that can be wrong with any mail server before the sign-in. */
export function serverEntries(
  name: string,
  offer: string,
): { noXoauth2: Entry<MailServer>; greetingRefused: Entry<MailServer>; unreadable: Entry<MailServer & { what: string }> } {
  return {
    noXoauth2: entry<MailServer>({
      exit: Exit.failed,
      title: (v) => `${v.host}:${v.port} does not offer OAuth 2 (${offer})`,
      why: () => 'this is not the server of Microsoft 365, or something in between answers in its place',
      next: () => [environmentHelp],
      retryHelps: false,
    }),
    greetingRefused: entry<MailServer>({
      exit: Exit.temporary,
      title: (v) => `${v.host}:${v.port} turns us away with its first words`,
      why: () => 'an overloaded server, or too many connections from this address',
      next: () => [environmentHelp, 'try again in some minutes'],
    }),
    unreadable: entry<MailServer & { what: string }>({
      exit: Exit.failed,
      title: (v) => `${v.host}:${v.port} does not speak ${name} as it should`,
      why: (v) => v.what,
      next: () => [environmentHelp],
    }),
  };
}
