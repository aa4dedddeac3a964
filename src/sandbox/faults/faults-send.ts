import type { Fault } from './fault.ts';
import { host, type MailFault } from './faults-mail.ts';

/** Faults of the SMTP server that only a whole message meets: `mailauth send`. */
export const submissionFaults = [
  {
    name: 'smtp-one-recipient-refused',
    sees: 'send-recipients-refused',
    what: 'each recipient nobody@… is refused, the others are taken: 550 5.1.10 Recipient not found',
    at: /^RCPT TO: ?<nobody@/i,
    says: ['550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found'],
  },
  {
    name: 'smtp-recipient-later',
    sees: 'send-recipients-later',
    what: 'each recipient nobody@… is refused for now: 451 4.7.1 Please try again later',
    at: /^RCPT TO: ?<nobody@/i,
    says: ['451 4.7.1 Please try again later'],
  },
  {
    name: 'smtp-message-refused',
    sees: 'smtp-not-accepted',
    what: 'the whole message is refused at its end: 554 5.6.0 Corrupt message content',
    at: 'message',
    says: ['554 5.6.0 Corrupt message content'],
  },
  {
    name: 'smtp-message-too-large',
    sees: 'smtp-too-large',
    what: 'the message is refused at its end: 552 5.3.4 Message size exceeds fixed maximum message size',
    at: 'message',
    says: ['552 5.3.4 Message size exceeds fixed maximum message size'],
  },
  {
    name: 'smtp-message-later',
    sees: 'smtp-throttled',
    what: 'the message is refused for now, at its end: 432 4.3.2 Concurrent connections limit exceeded',
    at: 'message',
    says: [`432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. [${host}]`],
  },
  {
    name: 'smtp-message-send-as-denied',
    sees: 'smtp-send-as-denied',
    what: 'the message is refused at its end: 554 5.2.252 SendAsDenied',
    at: 'message',
    says: ['554 5.2.252 SendAsDenied; helpdesk@contoso.example not allowed to send as news@contoso.example; STOREDRV.Submission.Exception'],
  },
  {
    name: 'smtp-answer-lost',
    sees: 'send-answer-lost',
    what: 'the connection ends when the whole message is there, without an answer',
    at: 'message',
    says: [],
    hangUp: true,
  },
] as const satisfies readonly MailFault[];

/** Answers of Graph to `sendMail`, every time. */
export const graphSendRefusals = [
  {
    name: 'graph-send-denied',
    sees: 'graph-send-denied',
    what: 'with --via graph: 403 ErrorAccessDenied',
    status: 403,
    code: 'ErrorAccessDenied',
    message: 'Access is denied. Check credentials and try again.',
  },
  {
    name: 'graph-send-as-denied',
    sees: 'graph-send-denied',
    what: 'with --via graph: the sender is refused: 403 ErrorSendAsDenied',
    status: 403,
    code: 'ErrorSendAsDenied',
    message:
      'The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account.',
  },
  {
    name: 'graph-send-throttled',
    sees: 'graph-send-later',
    what: 'with --via graph: 429 ApplicationThrottled and Retry-After: 20',
    status: 429,
    code: 'ApplicationThrottled',
    message: 'Application is over its MailboxConcurrency limit.',
    retryAfter: 20,
  },
  {
    name: 'graph-send-busy',
    sees: 'graph-send-later',
    what: 'with --via graph: 503 serviceNotAvailable',
    status: 503,
    code: 'serviceNotAvailable',
    message: 'The service is temporarily unavailable. Please try again later.',
  },
  {
    name: 'graph-send-unclear',
    sees: 'send-answer-lost',
    what: 'with --via graph: 504, so that nobody knows whether the message was taken',
    status: 504,
    code: 'timeout',
    message: 'The request has timed out.',
  },
  {
    name: 'graph-send-too-large',
    sees: 'send-too-large',
    what: 'with --via graph: 413 for a message of any size',
    status: 413,
    code: 'RequestEntityTooLarge',
    message: 'The request is larger than the size limit.',
  },
  {
    name: 'graph-send-no-mailbox',
    sees: 'graph-send-refused',
    what: 'with --via graph: 404 MailboxNotEnabledForRESTAPI',
    status: 404,
    code: 'MailboxNotEnabledForRESTAPI',
    message: 'The mailbox is either inactive, soft-deleted, or is hosted on-premise.',
  },
  {
    name: 'graph-send-token-refused',
    sees: 'graph-send-token-refused',
    what: 'with --via graph: 401 InvalidAuthenticationToken',
    status: 401,
    code: 'InvalidAuthenticationToken',
    message: 'Access token has expired or is not yet valid.',
  },
] as const satisfies readonly (Fault & {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** seconds */
  readonly retryAfter?: number;
})[];
