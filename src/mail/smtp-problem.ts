import * as z from 'zod/mini';
import { Interrupted, MailauthError } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import { networkProblem } from '../errors/network-problem.ts';
import { problem } from '../errors/problem.ts';
import { recognised } from '../errors/recognise/recognise.ts';
import {
  appRefused,
  lostDuringAuth,
  type MailAttempt,
  type More,
  refusedToken,
  spotOf,
  suggestedPauseMs,
  whoSignedIn,
} from './mail-refusal.ts';

/** The circumstances of a failed SMTP conversation. */
interface SmtpAttempt extends MailAttempt {
  readonly sendTo?: string | undefined;
}

/** A nodemailer error, read by its fields: its messages ("Invalid login") say nothing to a person. */
interface SmtpFailure {
  /** nodemailer's: EAUTH, ECONNECTION, ESOCKET, ETLS, ETIMEDOUT, EPROTOCOL, EENVELOPE, EMESSAGE */
  readonly code?: string | undefined;
  /** Node's or OpenSSL's below it */
  readonly originalCode?: string | undefined;
  /** the command that was refused: `AUTH XOAUTH2`, `MAIL FROM`, `RCPT TO`, `DATA`, `STARTTLS`, `CONN` */
  readonly command: string;
  /** three digits */
  readonly status?: number | undefined;
  /** RFC 3463: `5.7.139` */
  readonly enhanced?: string | undefined;
  /** what the server said, one line, stripped */
  readonly reply?: string | undefined;
}

const text = z.catch(z.optional(z.string()), undefined);
const failureFields = z.object({ code: text, originalCode: text, command: text, response: text });

/** Reads what nodemailer threw. `clean` takes secrets out of the server's words before they are cut to length. */
function readSmtpFailure(cause: unknown, clean: (said: string) => string): SmtpFailure {
  const read = failureFields.safeParse(cause);
  if (!read.success) return { command: '' };
  const { code, originalCode, command = '', response = '' } = read.data;
  const [, status, enhanced] = /^(\d{3})[ -]?(?:([245]\.\d{1,3}\.\d{1,3})\b)?/.exec(response) ?? [];
  // Sentences go on over lines, each with the codes again.
  const said = plain(clean(response.replace(/\r?\n\d{3}[ -]?(?:[245]\.\d{1,3}\.\d{1,3} )?/g, ' ')));
  return {
    code,
    originalCode,
    command,
    status: status === undefined ? undefined : Number(status),
    enhanced,
    reply: said === '' ? undefined : said,
  };
}

/** What the failure of an SMTP conversation means: the reader of nodemailer's error, then the problem. */
export function explainSmtp(cause: unknown, at: SmtpAttempt, clean: (said: string) => string): Error {
  return lostDuringAuth(cause, at) ?? smtpProblem(readSmtpFailure(cause, clean), cause, at);
}

/**
 * What a failed SMTP conversation after the preflight means. The sentence decides before the codes, because Exchange
 * Online sends 5.7.139 with at least four different sentences. What the token shows by itself comes last.
 */
function smtpProblem(failure: SmtpFailure, cause: unknown, at: SmtpAttempt): Error {
  if (cause instanceof MailauthError || cause instanceof Interrupted) return cause;
  const more: More = failure.reply === undefined ? {} : { detail: { reply: failure.reply } };
  if (failure.code === 'STARTTLS_INJECTION') return problem('mail-starttls-injection', at, more);
  if (failure.command === 'STARTTLS' && failure.status !== undefined) return problem('mail-no-starttls', at, more);
  const { status } = failure;
  if (status === undefined || status < 400) return conversationProblem(failure, cause, at, more);
  const bySentence = sentenceProblem(failure, at, more);
  if (bySentence !== undefined) return bySentence;
  if (status < 500) return problem('mail-server-busy', spotOf(at), more);
  return refusal(failure, status, at, more);
}

function sentenceProblem(failure: SmtpFailure, at: SmtpAttempt, more: More): MailauthError | undefined {
  const spot = spotOf(at);
  const { reply: said = '', status } = failure;
  const spoken = recognised(said, sentences);
  const known = spoken?.code;
  const waitMs = suggestedPauseMs(said);
  switch (known) {
    case undefined:
      return status === 432 || crowded.test(said) ? problem('smtp-throttled', { ...spot, waitMs }, more) : undefined;
    case 'smtp-auth-disabled':
      return problem(known, { ...spot, where: spoken?.means.where === 'tenant' ? 'tenant' : 'mailbox' }, more);
    case 'smtp-send-as-denied':
      return at.token?.appOnly === true
        ? appRefused(at, more)
        : problem(known, { ...spot, tokenUser: whoSignedIn(at), sendsAs: at.sendsAs }, more);
    case 'smtp-throttled':
      return problem(known, { ...spot, waitMs }, more);
    case 'smtp-basic-auth':
      return problem(known, { ...spot, sent: 'token' }, more);
    case 'smtp-no-xoauth2':
      return at.phase === 'auth' ? problem(known, spot, more) : undefined;
    default:
      return problem(known, spot, more);
  }
}

/** Entries that a sentence or an extended code (RFC 3463) decides, whatever the token looks like. */
const sentences = [
  'smtp-auth-disabled',
  'smtp-basic-auth',
  'smtp-send-as-denied',
  'smtp-throttled',
  'smtp-sender-restricted',
  'smtp-address-refused',
  'smtp-tenant-threshold',
  'smtp-sign-in-blocked',
  'smtp-federation',
  'smtp-tenant-limit',
  'smtp-recipient-limit',
  'smtp-relay-refused',
  'smtp-too-large',
  'smtp-user-invalid',
  'smtp-token-ends',
  'mailbox-full',
  'mail-session-expired',
  'mail-server-busy',
  'smtp-no-xoauth2',
] as const;

const wrong = /credentials were incorrect/i;
const crowded = /\bthrottled\b|too many|rate limit/i;

function refusal(failure: SmtpFailure, status: number, at: SmtpAttempt, more: More): MailauthError {
  const { host, port } = at;
  const code = wrong.test(failure.reply ?? '') ? 'smtp-credentials-wrong' : 'smtp-authenticate-failed';
  const badToken = (): MailauthError => refusedToken(at, more, (blanks) => problem(code, blanks, more));
  if (failure.enhanced === '5.7.57')
    return refusedToken(at, more, (blanks) =>
      problem(at.phase === 'auth' ? 'smtp-authenticate-failed' : 'smtp-not-signed-in', blanks, more),
    );
  if (status === 530) return badToken();
  if (at.phase === 'auth') {
    if (failure.command.startsWith('AUTH')) {
      if (status === 504) return problem('smtp-no-xoauth2', { host, port }, more);
      if ([534, 535, 538, 550, 554].includes(status)) return badToken();
      return problem('smtp-protocol', { host, port, what: 'it cannot read the sign-in' }, more);
    }
    return failure.command === 'CONN' ? problem('smtp-greeting-refused', { host, port }, more) : unreadable(failure, at, more);
  }
  if (failure.command.startsWith('RCPT') && at.sendTo !== undefined) {
    return problem('smtp-recipient-refused', { ...spotOf(at), recipient: plain(at.sendTo, 80) }, more);
  }
  return at.phase === 'quit' ? unreadable(failure, at, more) : problem('smtp-not-accepted', spotOf(at), more);
}

function conversationProblem(failure: SmtpFailure, cause: unknown, at: SmtpAttempt, more: More): Error {
  const { host, port } = at;
  const where = { host, port, purpose: 'the mail server' };
  const network = networkProblem(nodesOwn(failure, cause), where);
  if (network instanceof Interrupted) return network;
  const lost =
    network.code === 'connection-closed' || ((failure.code === 'ECONNECTION' || failure.code === 'ETLS') && network.code === 'http-failed');
  if (lost) {
    return at.phase === 'auth'
      ? problem('mail-connection-closed-during-auth', { ...spotOf(at), tokenLength: at.tokenLength }, more)
      : problem('connection-closed', where, more);
  }
  return network.code === 'http-failed' ? unreadable(failure, at, more) : network;
}

/** nodemailer hides Node's code below its own. */
function nodesOwn({ code, originalCode }: SmtpFailure, cause: unknown): unknown {
  const message = cause instanceof Error ? cause.message : '';
  return Object.assign(new Error(message), { code: originalCode ?? code });
}

function unreadable(failure: SmtpFailure, { host, port }: SmtpAttempt, more: More): MailauthError {
  const code = failure.code === undefined ? '' : ` (${plain(failure.code, 40)})`;
  return problem('smtp-protocol', { host, port, what: `its answer cannot be read${code}` }, more);
}
