import { type Protocol, type ProtocolWord, protocols } from '../../../core/cloud.ts';
import { addFullAccess, addSendAs, powerShellLine, switchOn } from '../../../core/cmdlet.ts';
import { Exit } from '../../../core/errors.ts';
import { type Command, type Line, line, mailauth, type NextStep, noted } from '../../../core/next.ts';
import { shellWord } from '../../../core/shell/quoting.ts';
import { type Entry, entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

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

/** A sign-in that was refused, and nothing in the token that explains it. */
export interface RefusedBlanks extends MailSpot {
  readonly tokenLooksRight: boolean;
  /** of a personal account: nobody can look into it */
  readonly opaque?: boolean;
  /** other names that were tried as well */
  readonly alsoRefused?: readonly string[];
}

/** A word of a line for Exchange Online PowerShell, quoted where it must be (`o'brien@contoso.com`). */
export const ps = (word: string): string => shellWord(word, 'powershell');

/** Lines for Exchange Online PowerShell, which an administrator copies. */
export const powerShell = (...lines: readonly string[]): Line => ({ kind: 'line', texts: [lines.join('; ')], values: [] });

export const testAgain = (v: Pick<MailSpot, 'mailbox'> & { readonly protocol: ProtocolWord }): Command =>
  mailauth('test', v.protocol, v.mailbox);
/** Switches on in Exchange Online what this set-up lacks there, after asking. The PowerShell lines stand beside it for an administrator. */
export const exchangeApply = (v: Pick<MailSpot, 'mailbox'>): Command => mailauth('exchange apply', v.mailbox);
export const signIn = (v: MailSpot): Command => mailauth('login', v.mailbox, { force: true });
export const show = (v: MailSpot): Command => mailauth('token show', v.mailbox);
export const doctor = mailauth('doctor');

export const fullAccess = (v: MailSpot, who: string): string => powerShellLine(addFullAccess(v.user, who, 'person'));
export const sendAs = (v: MailSpot, who: string): string => powerShellLine(addSendAs(v.user, who));

/** The line that sets the mailbox's own switch of a protocol to on. */
export function protocolSwitch(v: Partial<Pick<MailSpot, 'protocol'>>, mailbox: string): string {
  const protocol = protocols.find((one) => one === v.protocol);
  // `explain` has no protocol at hand: the administrator looks which one is off.
  if (protocol === undefined) return `Get-CASMailbox -Identity ${ps(mailbox)} | fl ImapEnabled,PopEnabled,SmtpClientAuthenticationDisabled`;
  return powerShellLine(switchOn(mailbox, protocol));
}

/** What signed in: mailauth with a token, or (in a pasted text) another program with a password. */
export interface Sent extends MailSpot {
  readonly sent: 'token' | 'password';
}

/** For a program that still sends a password: where it gets the token. */
export const giveItAToken = (v: MailSpot): readonly NextStep[] => [
  noted(line`mailauth export --help`, 'lists the programs that mailauth writes the configuration for'),
  noted(mailauth('token get', v.mailbox), 'prints the token that the program sends with XOAUTH2 in place of the password'),
  'A program that cannot do OAuth 2 needs a newer version, or a relay that can.',
];

/** Why a sign-in was refused, as far as it is known. */
export function whyRefused(v: RefusedBlanks): string {
  if (v.alsoRefused !== undefined && v.alsoRefused.length > 0) {
    return `${v.alsoRefused.join(' and ')} is refused as well, so it is not the name: a revoked token, a policy, or the protocol`;
  }
  if (v.tokenLooksRight) return 'the token looks right (audience, scope, tenant, user, lifetime), so look at the mailbox itself';
  return v.opaque === true
    ? "mailauth cannot read a personal account's token: check that the protocol is switched on in Outlook.com"
    : 'the server gives no reason: a wrong or revoked token, or one for another user';
}

export const seconds = (ms: number): string => `${Math.ceil(ms / 1000)} s`;

/** The same test, after the pause that the server asked for. */
export const afterPause = (v: MailSpot, waitMs: number | undefined): Command => ({
  ...testAgain(v),
  ...(waitMs === undefined ? {} : { waitSeconds: Math.ceil(waitMs / 1000) }),
});

/** The three things that can be wrong with any mail server before the sign-in. */
export function serverEntries(
  name: string,
  offer: string,
): { noXoauth2: Entry<MailServer>; greetingRefused: Entry<MailServer>; unreadable: Entry<MailServer & { what: string }> } {
  return {
    noXoauth2: entry<MailServer>({
      exit: Exit.failed,
      source: sources.mail,
      title: (v) => `${v.host}:${v.port} does not offer OAuth 2 (${offer})`,
      why: () => 'this is not a server of Microsoft 365, or something in between answers in its place',
      next: () => [doctor],
      retryHelps: false,
    }),
    greetingRefused: entry<MailServer>({
      exit: Exit.temporary,
      source: sources.mail,
      title: (v) => `${v.host}:${v.port} refuses the connection in its greeting`,
      why: () => 'an overloaded server, or too many connections from this address',
      next: () => [doctor, 'Try again in some minutes.'],
    }),
    unreadable: entry<MailServer & { what: string }>({
      exit: Exit.failed,
      source: sources.mail,
      title: (v) => `${v.host}:${v.port} does not speak ${name} as it should`,
      why: (v) => v.what,
      next: () => [doctor],
    }),
  };
}
