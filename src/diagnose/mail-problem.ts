import * as z from 'zod/mini';
import { Interrupted, MailauthError } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import type { MailSpot } from './catalogue/mail.ts';
import { networkProblem } from './network-problem.ts';
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

/** The circumstances of a failed IMAP sign-in. */
export interface ImapAttempt extends MailSpot {
  readonly phase: 'auth' | 'mailbox' | 'quit';
  readonly tokenLength: number;
  readonly token?: TokenEvidence | undefined;
  /** the cloud's own mail audience, `https://outlook.office.com` */
  readonly outlookScopeBase?: string | undefined;
  /** the delegate of a shared mailbox */
  readonly signInAs?: string | undefined;
  /** milliseconds since the epoch */
  readonly now: number;
}

/** An imapflow 2.1 error by its fields; its messages are not for people ("Command failed"). */
export interface ImapFailure {
  readonly code?: string | undefined;
  readonly authenticationFailed: boolean;
  /** RFC 5530 code in capitals: AUTHENTICATIONFAILED, UNAVAILABLE, … */
  readonly responseCode?: string | undefined;
  /** what the server said, stripped: the tagged answer, else its BYE */
  readonly reply?: string | undefined;
  readonly throttleMs?: number | undefined;
  readonly tls: boolean;
}

const text = z.catch(z.optional(z.string()), undefined);
const number = z.catch(z.optional(z.number()), undefined);
const flag = z.catch(z.optional(z.boolean()), undefined);
const failureFields = z.object({
  code: text,
  authenticationFailed: flag,
  serverResponseCode: text,
  responseText: text,
  response: text,
  reason: text,
  throttleReset: number,
  tlsFailed: flag,
  oauthError: z.catch(z.optional(z.object({ status: text, error: text })), undefined),
});

/** Reads what imapflow threw. `clean` takes secrets out of the server's words before they are cut to length. */
export function readImapFailure(cause: unknown, clean: (said: string) => string): ImapFailure {
  const read = failureFields.safeParse(cause);
  if (!read.success) return { authenticationFailed: false, tls: false };
  const f = read.data;
  const said = [f.responseText ?? f.response ?? f.reason, f.oauthError?.status ?? f.oauthError?.error].filter(
    (s) => s !== undefined && s !== '',
  );
  return {
    code: f.code,
    authenticationFailed: f.authenticationFailed === true,
    responseCode: f.serverResponseCode?.toUpperCase(),
    reply: said.length === 0 ? undefined : plain(clean(said.join(' · '))),
    throttleMs: f.throttleReset,
    tls: f.tlsFailed === true,
  };
}

/**
 * What a failed IMAP conversation after the preflight means. The server's sentence decides before its codes do
 * (Exchange shares one code among several causes), then what the token shows by itself.
 */
export function imapProblem(failure: ImapFailure, cause: unknown, at: ImapAttempt): Error {
  if (cause instanceof MailauthError || cause instanceof Interrupted) return cause;
  const { mailbox, user, host, port } = at;
  const spot: MailSpot = { mailbox, user, host, port };
  const more = failure.reply === undefined ? {} : { detail: { reply: failure.reply } };
  const bySentence = sentenceProblem(failure, spot, at, more);
  if (bySentence !== undefined) return bySentence;
  if (isRefusal(failure)) return at.phase === 'mailbox' ? problem('mailbox-unavailable', spot, more) : refusedToken(spot, at, more);
  return conversationProblem(failure, cause, spot, at, more);
}

type More = { readonly detail?: { readonly reply: string } };

/** microsoft.md's sentences: "Authenticate an IMAP…" and field reports; response codes of RFC 5530 section 3. */
function sentenceProblem(failure: ImapFailure, spot: MailSpot, at: ImapAttempt, more: More): MailauthError | undefined {
  const said = failure.reply ?? '';
  if (/authenticated but not connected/i.test(said)) return problem('imap-not-connected', { ...spot, tokenUser: whoSignedIn(at) }, more);
  if (/basic authentication is disabled/i.test(said)) return problem('imap-basic-auth-disabled', spot, more);
  const backoff = /backoff time[:=\s]+(\d{1,9})/i.exec(said)?.[1];
  const waitMs = failure.throttleMs ?? (backoff === undefined ? undefined : Number(backoff));
  if (
    waitMs !== undefined ||
    /\bthrottled\b|too many|concurrent connections|connection is closed\. 13/i.test(said) ||
    failure.responseCode === 'LIMIT'
  ) {
    return problem('throttled', { ...spot, waitMs }, more);
  }
  if (failure.responseCode === 'UNAVAILABLE' || failure.responseCode === 'INUSE') return problem('mail-server-busy', spot, more);
  return undefined;
}

function isRefusal(failure: ImapFailure): boolean {
  // imapflow marks a connection that was lost during AUTHENTICATE as a failed sign-in too; its code tells them apart
  return failure.code === undefined && (failure.authenticationFailed || failure.reply !== undefined);
}

/** The first thing in the token that explains a refusal; else nobody knows more than the server said. */
function refusedToken(spot: MailSpot, at: ImapAttempt, more: More): MailauthError {
  const { token } = at;
  if (token?.audience !== undefined && !isMailAudience(token.audience, at.outlookScopeBase)) {
    return problem('mail-token-audience', { ...spot, audience: plain(token.audience, 80) }, more);
  }
  if (token?.scopes !== undefined && !token.opaque && !token.scopes.some((s) => /(?:^|\/)IMAP\.AccessAs(?:User\.All|App)$/i.test(s))) {
    return problem('mail-token-scope', { ...spot, scope: 'IMAP.AccessAsUser.All' }, more);
  }
  if (token?.expiresAt !== undefined && token.expiresAt <= at.now) {
    return problem('mail-token-expired', { ...spot, expiredAt: new Date(token.expiresAt).toISOString().replace(/\.\d+Z$/, 'Z') }, more);
  }
  const tokenUser = token?.username === undefined ? undefined : plain(token.username, 80);
  if (tokenUser !== undefined && !same(tokenUser, at.user)) {
    if (at.signInAs !== undefined && same(at.signInAs, tokenUser)) return problem('mail-no-full-access', { ...spot, tokenUser }, more);
    return problem('mail-token-user', { ...spot, tokenUser }, more);
  }
  const tokenLooksRight =
    token !== undefined && !token.opaque && token.audience !== undefined && token.scopes !== undefined && tokenUser !== undefined;
  return problem('imap-authenticate-failed', { ...spot, tokenLooksRight }, more);
}

/** The mail audiences of every cloud (`outlook.office365.us` is GCC High, `partner.outlook.cn` China) and Exchange's own application id. */
function isMailAudience(audience: string, scopeBase: string | undefined): boolean {
  return (
    (scopeBase !== undefined && same(audience.replace(/\/$/, ''), scopeBase.replace(/\/$/, ''))) ||
    /^https:\/\/(?:[a-z0-9-]+\.)*(?:outlook(?:-dod)?\.office(?:365)?\.(?:com|us)|outlook\.cn)\/?$/i.test(audience) ||
    audience.toLowerCase() === '00000002-0000-0ff1-ce00-000000000000'
  );
}

const lost = new Set([
  'NoConnection',
  'EConnectionClosed',
  'StateLogout',
  'ClosedAfterConnectTLS',
  'ClosedAfterConnectText',
  'ECONNRESET',
  'EPIPE',
]);
const late = new Set(['CONNECT_TIMEOUT', 'GREETING_TIMEOUT', 'UPGRADE_TIMEOUT', 'ETIMEOUT']);

function conversationProblem(failure: ImapFailure, cause: unknown, spot: MailSpot, at: ImapAttempt, more: More): Error {
  const { host, port } = spot;
  const where = { host, port, purpose: 'the mail server' };
  const code = failure.code ?? '';
  if (code === 'STARTTLS_INJECTION') return problem('mail-starttls-injection', { host, port }, more);
  if (lost.has(code)) {
    return at.phase === 'auth'
      ? problem('mail-connection-closed-during-auth', { ...spot, tokenLength: at.tokenLength }, more)
      : problem('connection-closed', where, more);
  }
  if (late.has(code)) return problem('connect-timeout', where, more);
  // Node's and OpenSSL's own codes; imapflow's are in mixed case.
  const network = failure.tls || /^[A-Z][A-Z0-9_]+$/.test(code) ? networkProblem(cause, where) : undefined;
  if (network instanceof Interrupted || (network !== undefined && network.code !== 'http-failed')) return network;
  if (/STARTTLS/i.test(cause instanceof Error ? cause.message : '')) return problem('mail-no-starttls', { host, port }, more);
  return problem('imap-protocol', { host, port, what: `its answer cannot be read${code === '' ? '' : ` (${plain(code, 40)})`}` }, more);
}

function whoSignedIn(at: ImapAttempt): string | undefined {
  const who = at.token?.username ?? at.signInAs;
  return who === undefined ? undefined : plain(who, 80);
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
