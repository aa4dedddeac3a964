import * as z from 'zod/mini';
import { Interrupted, MailauthError } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import type { MailSpot } from '../errors/catalogue/mail/mail-words.ts';
import { networkProblem } from '../errors/network-problem.ts';
import { problem } from '../errors/problem.ts';
import { recognised } from '../errors/recognise/recognise.ts';
import { appRefused, type MailAttempt, type More, refusedToken, spotOf, throttledProblem, whoSignedIn } from './mail-refusal.ts';

/** An imapflow error, read by its fields: its messages ("Command failed") say nothing to a person. */
interface ImapFailure {
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
 * What failed, in the server's best words. `cause` is what imapflow threw and `evidence` what the server said before. A
 * lost connection says little, and the BYE before it not much more, so the last refusal before them counts.
 */
export function imapFailure(cause: unknown, evidence: unknown, clean: (said: string) => string): ImapFailure {
  const thrown = readImapFailure(cause, clean);
  const isLost = thrown.reply === undefined || thrown.code !== undefined;
  if (!isLost || evidence === undefined) return thrown;
  const before = readImapFailure(evidence, clean);
  if (before.reply === undefined && thrown.reply !== undefined) return thrown;
  const { code = thrown.code, responseCode, reply, throttleMs } = before;
  return { ...thrown, code, responseCode, reply, throttleMs };
}

/**
 * What a failed IMAP conversation after the preflight means. The server's sentence decides before its codes do
 * (Exchange shares one code among several causes), then what the token shows by itself.
 */
export function imapProblem(failure: ImapFailure, cause: unknown, at: MailAttempt): Error {
  if (cause instanceof MailauthError || cause instanceof Interrupted) return cause;
  const spot = spotOf(at);
  const more = failure.reply === undefined ? {} : { detail: { reply: failure.reply } };
  const bySentence = sentenceProblem(failure, spot, at, more);
  if (bySentence !== undefined) return bySentence;
  if (!isRefusal(failure)) return conversationProblem(failure, cause, at, more);
  if (at.phase === 'mailbox') return problem('mailbox-unavailable', spot, more);
  return refusedToken(at, more, (blanks) => problem('imap-authenticate-failed', blanks, more));
}

/** Decides by Exchange's sentences, as the catalogue's entries quote them, then by the response codes of RFC 5530 section 3. */
function sentenceProblem(failure: ImapFailure, spot: MailSpot, at: MailAttempt, more: More): MailauthError | undefined {
  const said = failure.reply ?? '';
  const known = recognised(said, ['imap-not-connected', 'imap-basic-auth-disabled', 'mail-session-expired', 'mail-server-busy'])?.code;
  if (known === 'imap-not-connected' && at.token?.appOnly === true) return appRefused(at, more);
  if (known === 'imap-not-connected') return problem(known, { ...spot, tokenUser: whoSignedIn(at) }, more);
  if (known === 'imap-basic-auth-disabled') return problem(known, { ...spot, sent: 'token' }, more);
  if (known === 'mail-session-expired') return problem(known, spot, more);
  if (failure.throttleMs !== undefined) return problem('throttled', { ...spot, waitMs: failure.throttleMs }, more);
  const throttled = throttledProblem(said, spot, more);
  if (throttled !== undefined) return throttled;
  if (known === 'mail-server-busy') return problem(known, spot, more);
  if (failure.responseCode === 'LIMIT') return problem('throttled', spot, more);
  if (failure.responseCode === 'UNAVAILABLE' || failure.responseCode === 'INUSE') return problem('mail-server-busy', spot, more);
  return undefined;
}

function isRefusal(failure: ImapFailure): boolean {
  // imapflow marks a connection that was lost during AUTHENTICATE as a failed sign-in too; its code tells them apart
  return failure.code === undefined && (failure.authenticationFailed || failure.reply !== undefined);
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

function conversationProblem(failure: ImapFailure, cause: unknown, at: MailAttempt, more: More): Error {
  const spot = spotOf(at);
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
