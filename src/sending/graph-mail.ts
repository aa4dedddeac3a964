import { type Cloud, placeOf } from '../core/cloud.ts';
import type { Context, HttpResponse } from '../core/context.ts';
import { Interrupted, MailauthError, SysExit } from '../core/errors.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { isDelegate } from '../core/permissions.ts';
import type { Secret } from '../core/secret.ts';
import { plain } from '../core/text.ts';
import { graphDetail, refusalOf } from '../entra/graph-answer.ts';
import { problem } from '../errors/problem.ts';
import { readAddresses, sameAddress } from '../message/addresses.ts';
import { type Message, valuesOf, withLinesOnTop } from '../message/message.ts';
import type { Outgoing } from './outgoing.ts';
import { inBytes } from './read-input.ts';
import { answerLost } from './submission.ts';

interface GraphMailDeps {
  readonly ctx: Pick<Context, 'signal' | 'random'>;
  readonly network: Context['network'];
  readonly cloud: Cloud;
  readonly token: Secret;
  /** until the answer */
  readonly timeoutMs: number;
}

/** Microsoft Graph takes 4 MB in one request (learn.microsoft.com/graph/api/user-sendmail). */
const mostBase64 = 4 * 1024 * 1024;

/**
 * The MIME that Graph gets. Graph knows no envelope: it delivers to To, Cc and Bcc of the header, from its From. So a recipient that the
 * header lacks is added as Bcc, and what the header has beyond the envelope is refused. Throws `graph-send-recipients`, `graph-send-sender`,
 * `send-too-large`.
 */
export function mimeFor(record: MailboxRecord, { sender, recipients, withBcc }: Outgoing): string {
  const lists = valuesOf(withBcc, 'to', 'cc', 'bcc').map(readAddresses);
  const inHeader = lists.flatMap((list) => list.addresses);
  const wanted = new Set(recipients.map(sameAddress));
  const beyond = [...lists.flatMap((list) => list.unreadable), ...inHeader.filter((address) => !wanted.has(sameAddress(address)))];
  if (beyond.length > 0) throw problem('graph-send-recipients', { recipients: beyond.map((one) => plain(one, 80)) });
  checkSender(record, sender, withBcc);
  const there = new Set(inHeader.map(sameAddress));
  const hidden = recipients.filter((address) => !there.has(sameAddress(address)));
  const mime = withLinesOnTop(withBcc, hidden.length === 0 ? [] : [`Bcc: ${hidden.join(',\r\n ')}`]).bytes.toString('base64');
  if (mime.length > mostBase64) throw problem('send-too-large', { limit: `${inBytes(mostBase64)} of Base64`, where: 'Microsoft Graph' });
  return mime;
}

/** Graph has no place for another sender of the envelope than From or the mailbox, and none for the empty one of a bounce. */
function checkSender({ mailbox }: MailboxRecord, sender: string, message: Message): void {
  const from = valuesOf(message, 'from').flatMap((value) => readAddresses(value).addresses);
  if ([mailbox, ...from].some((address) => sameAddress(address) === sameAddress(sender))) return;
  throw problem('graph-send-sender', { sender: sender === '' ? '<>' : plain(sender, 80), mailbox });
}

/**
 * `POST sendMail` with MIME. Resolves at 202, and at nothing else. Throws `graph-send-denied`, `graph-send-later`, `graph-send-refused`,
 * `send-too-large`, `send-recipients-refused`, `send-answer-lost`, and what keeps the request from being sent.
 */
export async function sendByGraph(record: MailboxRecord, mime: string, deps: GraphMailDeps): Promise<void> {
  const { ctx, network, cloud, token, timeoutMs } = deps;
  const { host } = placeOf(cloud, 'graph-send');
  const { mailbox } = record;
  const who = isDelegate(record) ? `users/${encodeURIComponent(mailbox)}` : 'me';
  const headers = { authorization: `Bearer ${token.reveal()}`, 'content-type': 'text/plain', 'client-request-id': ctx.random.uuid() };
  const request = {
    method: 'POST',
    url: `${cloud.graph}/v1.0/${who}/sendMail`,
    headers,
    body: mime,
    timeoutMs,
    signal: ctx.signal,
  } as const;
  const answer = await network.request(request).catch((cause: unknown) => {
    throw isSent(cause) ? answerLost(cause, host) : cause;
  });
  if (answer.status !== 202) throw refusal(answer, host, mailbox);
}

/** The connection was there, so the message may have arrived. */
const isSent = (cause: unknown): boolean =>
  cause instanceof Interrupted ||
  (cause instanceof MailauthError && /^connection-closed$|^http-failed$|^connect-timeout$|^response-too-large$/.test(cause.code));

function refusal(answer: HttpResponse, host: string, mailbox: string): MailauthError {
  const { status } = answer;
  const said = refusalOf(answer);
  const more = { detail: graphDetail(said) };
  // An answer that is neither 202 nor a refusal, and faults behind Graph: nobody knows what became of the message.
  if (status < 400 || [500, 502, 504].includes(status)) return problem('send-answer-lost', { host }, more);
  const means = (...codes: readonly string[]) => said.codes.some((code) => codes.includes(code));
  if (status === 429 || status === 503 || status === 408) return problem('graph-send-later', { host }, more);
  if (status === 413 || means('ErrorMessageSizeExceeded')) return problem('send-too-large', { limit: 'of one request', where: host }, more);
  if (status === 401) return problem('graph-send-token-refused', { mailbox }, more);
  if (means('ErrorAccessDenied', 'ErrorSendAsDenied', 'ErrorSendOnBehalfOfDenied', 'Authorization_RequestDenied') || status === 403) {
    return problem('graph-send-denied', { mailbox }, more);
  }
  if (means('ErrorInvalidRecipients')) {
    return problem('send-recipients-refused', { host, accepted: [], refused: [plain(said.message, 160)] }, more);
  }
  const refused = problem('graph-send-refused', { host, mailbox, isMissing: status === 404 }, more);
  return status === 400 ? refused.but({ exit: SysExit.data }) : refused;
}
