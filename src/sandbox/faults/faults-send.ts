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
