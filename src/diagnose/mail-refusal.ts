import type { Protocol } from '../core/cloud.ts';
import type { MailauthError } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import type { MailSpot } from './catalogue/mail-words.ts';
import { problem } from './problem.ts';

/** What is known about the token without asking anybody; never the token. Of an opaque token only `expiresAt`. */
export interface TokenEvidence {
  readonly opaque: boolean;
  readonly audience?: string | undefined;
  /** as in the token: last segments or full scope strings */
  readonly scopes?: readonly string[] | undefined;
  /** milliseconds since the epoch */
  readonly expiresAt?: number | undefined;
  /** `upn`, who signed in */
  readonly username?: string | undefined;
}

/** The circumstances of a failed conversation with a mail server. */
export interface MailAttempt extends MailSpot {
  readonly phase: 'auth' | 'mailbox' | 'send' | 'quit';
  readonly tokenLength: number;
  readonly token?: TokenEvidence | undefined;
  /** the cloud's own mail audience, `https://outlook.office.com` */
  readonly outlookScopeBase?: string | undefined;
  /** the delegate of a shared mailbox */
  readonly signInAs?: string | undefined;
  /** milliseconds since the epoch */
  readonly now: number;
}

export type More = { readonly detail?: { readonly reply: string } };

/** The delegated permission of each protocol, and what an app-only token has in its place (microsoft.md 1.2 and 1.3). */
const permissions: Readonly<Record<Protocol, { readonly scope: string; readonly accepted: RegExp }>> = {
  imap: { scope: 'IMAP.AccessAsUser.All', accepted: /(?:^|\/)IMAP\.AccessAs(?:User\.All|App)$/i },
  pop: { scope: 'POP.AccessAsUser.All', accepted: /(?:^|\/)POP\.AccessAs(?:User\.All|App)$/i },
  smtp: { scope: 'SMTP.Send', accepted: /(?:^|\/)SMTP\.Send(?:AsApp)?$/i },
};

/** The first thing in the token that explains a refusal; else nobody knows more than the server said. */
export function refusedToken(
  at: MailAttempt,
  more: More,
  unexplained: (blanks: MailSpot & { readonly tokenLooksRight: boolean }) => MailauthError,
): MailauthError {
  const { token } = at;
  const spot = spotOf(at);
  const { scope, accepted } = permissions[at.protocol];
  if (token?.audience !== undefined && !isMailAudience(token.audience, at.outlookScopeBase)) {
    return problem('mail-token-audience', { ...spot, audience: plain(token.audience, 80) }, more);
  }
  if (token?.scopes !== undefined && !token.opaque && !token.scopes.some((s) => accepted.test(s))) {
    return problem('mail-token-scope', { ...spot, scope }, more);
  }
  if (token?.expiresAt !== undefined && token.expiresAt <= at.now) {
    return problem('mail-token-expired', { ...spot, expiredAt: new Date(token.expiresAt).toISOString().replace(/\.\d+Z$/, 'Z') }, more);
  }
  const tokenUser = token?.username === undefined ? undefined : plain(token.username, 80);
  if (tokenUser !== undefined && !same(tokenUser, at.user)) {
    if (at.signInAs === undefined || !same(at.signInAs, tokenUser)) return problem('mail-token-user', { ...spot, tokenUser }, more);
    return problem(at.protocol === 'smtp' ? 'smtp-send-as-denied' : 'mail-no-full-access', { ...spot, tokenUser }, more);
  }
  const tokenLooksRight =
    token !== undefined && !token.opaque && token.audience !== undefined && token.scopes !== undefined && tokenUser !== undefined;
  return unexplained({ ...spot, tokenLooksRight });
}

/** Exchange's sentences about load, the same in IMAP and POP, with the pause it asks for. */
export function throttledProblem(said: string, spot: MailSpot, more: More): MailauthError | undefined {
  const waitMs = suggestedPauseMs(said);
  if (waitMs !== undefined || /\bthrottled\b|too many|concurrent connections|connection is closed\. 13/i.test(said)) {
    return problem('throttled', { ...spot, waitMs }, more);
  }
  return undefined;
}

/** `Suggested Backoff Time: 92415 milliseconds` */
export function suggestedPauseMs(said: string): number | undefined {
  const backoff = /backoff time[:=\s]+(\d{1,9})/i.exec(said)?.[1];
  return backoff === undefined ? undefined : Number(backoff);
}

export function whoSignedIn(at: MailAttempt): string | undefined {
  const who = at.token?.username ?? at.signInAs;
  return who === undefined ? undefined : plain(who, 80);
}

export function spotOf({ mailbox, user, protocol, host, port }: MailAttempt): MailSpot {
  return { mailbox, user, protocol, host, port };
}

/** The mail audiences of every cloud (`outlook.office365.us` is GCC High, `partner.outlook.cn` China) and Exchange's own application id. */
function isMailAudience(audience: string, scopeBase: string | undefined): boolean {
  return (
    (scopeBase !== undefined && same(audience.replace(/\/$/, ''), scopeBase.replace(/\/$/, ''))) ||
    /^https:\/\/(?:[a-z0-9-]+\.)*(?:outlook(?:-dod)?\.office(?:365)?\.(?:com|us)|outlook\.cn)\/?$/i.test(audience) ||
    audience.toLowerCase() === '00000002-0000-0ff1-ce00-000000000000'
  );
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
