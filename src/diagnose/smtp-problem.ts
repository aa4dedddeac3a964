import * as z from 'zod/mini';
import { Interrupted, MailauthError } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import { type MailAttempt, type More, refusedToken, spotOf, suggestedPauseMs, whoSignedIn } from './mail-refusal.ts';
import { networkProblem } from './network-problem.ts';
import { problem } from './problem.ts';

/** The circumstances of a failed SMTP conversation. */
export interface SmtpAttempt extends MailAttempt {
  readonly sendTo?: string | undefined;
}

/** A nodemailer 10 error by its fields; its messages are not for people ("Invalid login"). */
export interface SmtpFailure {
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
export function readSmtpFailure(cause: unknown, clean: (said: string) => string): SmtpFailure {
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

/**
 * What a failed SMTP conversation after the preflight means. The sentence decides before the codes: four different
 * ones share 5.7.139 (microsoft.md 9.2). Then what the token shows by itself.
 */
export function smtpProblem(failure: SmtpFailure, cause: unknown, at: SmtpAttempt): Error {
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
  const { reply: said = '', enhanced = '', status } = failure;
  const [, where] = /SmtpClientAuthentication is disabled for the (Tenant|Mailbox)/i.exec(said) ?? [];
  if (where !== undefined)
    return problem('smtp-auth-disabled', { ...spot, where: where.toLowerCase() === 'tenant' ? 'tenant' : 'mailbox' }, more);
  if (/basic authentication is (?:disabled|not supported)|security defaults policy/i.test(said))
    return problem('smtp-basic-auth', spot, more);
  if (
    /not have permissions? to send as|SendAsDenied|not allowed to send as/i.test(said) ||
    enhanced === '5.7.60' ||
    enhanced === '5.2.252'
  ) {
    return problem('smtp-send-as-denied', { ...spot, tokenUser: whoSignedIn(at) }, more);
  }
  if (status === 432 || /^4\.7\.[56]\d\d$/.test(enhanced) || crowded.test(said)) {
    return problem('smtp-throttled', { ...spot, waitMs: suggestedPauseMs(said) }, more);
  }
  const reason = reasons.find(({ sentence, code }) => sentence.test(said) || code === enhanced)?.why;
  return reason === undefined ? undefined : problem('smtp-not-accepted', { ...spot, reason }, more);
}

const crowded = /concurrent connections|concurrent_sending|thread limit|\bthrottled\b|too many|submission quota|rate limit/i;

/** Refusals for good that no sign-in repairs (microsoft.md 9.2). */
const reasons: readonly { readonly sentence: RegExp; readonly code?: string; readonly why: string }[] = [
  { sentence: /bad outbound sender/i, code: '5.1.8', why: 'the account is blocked for spam: unblock it under "Restricted entities"' },
  { sentence: /traffic not accepted from this IP/i, code: '5.7.708', why: 'a new or trial tenant, or an address of bad repute' },
  {
    sentence: /tenant has exceeded threshold/i,
    code: '5.7.705',
    why: 'the tenant sent too much that looks like spam: ask Microsoft support',
  },
  { sentence: /did not meet the criteria/i, why: 'Conditional Access or a blocked sign-in: the sign-in log of the user says which' },
  { sentence: /federated STS|STS URL/i, why: "the organisation's own sign-in service (federation) does not answer" },
];

function refusal(failure: SmtpFailure, status: number, at: SmtpAttempt, more: More): MailauthError {
  const { host, port } = at;
  const badToken = (): MailauthError => refusedToken(at, more, (blanks) => problem('smtp-authenticate-failed', blanks, more));
  if (status === 530 || failure.enhanced === '5.7.57') return badToken();
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
