import type { Protocol } from '../core/cloud.ts';
import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import { rfc3339 } from '../core/time.ts';
import { xoauth2 } from './sasl.ts';

export const tokenFormats = ['raw', 'xoauth2', 'json', 'env'] as const;
export type TokenFormat = (typeof tokenFormats)[number];

/** What `token get` prints: exactly the token and one newline, in the form other programs take it. */
export function formatToken(set: TokenSet, record: MailboxRecord, format: TokenFormat): string {
  const token = set.accessToken.reveal();
  switch (format) {
    case 'raw':
      return `${token}\n`;
    case 'env':
      return `MAILAUTH_ACCESS_TOKEN=${token}\n`;
    case 'xoauth2':
      return `${xoauth2(saslUser(record), set.accessToken).reveal()}\n`;
    case 'json':
      return `${JSON.stringify({ accessToken: token, tokenType: 'Bearer', expiresAt: rfc3339(set.expiresAt), username: saslUser(record) })}\n`;
  }
}

/**
 * The name for SASL `user=`: the mailbox, also where a delegate signed in for it (Microsoft, "Authenticate an IMAP, POP or SMTP connection
 * using OAuth"), except where a test found that SMTP wants another. Without a protocol: what fits all of the set-up's.
 */
export function saslUser(record: Pick<MailboxRecord, 'mailbox' | 'protocols' | 'smtpUser'>, protocol?: Protocol): string {
  const forSmtp = protocol === 'smtp' || (protocol === undefined && record.protocols.every((p) => p === 'smtp'));
  return forSmtp ? (record.smtpUser ?? record.mailbox) : record.mailbox;
}
