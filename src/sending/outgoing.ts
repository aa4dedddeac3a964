import { domainToASCII } from 'node:url';
import type { Clock, Random } from '../core/context.ts';
import { SysExit } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { readAddresses, sameAddress } from '../message/addresses.ts';
import { encodedWords, type Message, readMessage, valuesOf, withLinesOnTop, withoutField } from '../message/message.ts';

/** What the caller said beside the message. */
export interface Asked {
  /** of the command line */
  readonly recipients: readonly string[];
  /** -t: also those of To, Cc and Bcc */
  readonly fromHeader: boolean;
  /** -f; `''` and `<>` are the empty sender of a bounce; undefined: the mailbox */
  readonly sender?: string | undefined;
  /** -F: the name in a From that is put on top */
  readonly fullName?: string | undefined;
  readonly mailbox: string;
}

/** A message with its envelope, ready for a server. */
export interface Outgoing {
  /** `''`: the empty sender */
  readonly sender: string;
  readonly recipients: readonly string[];
  /** for SMTP: without Bcc where the recipients came from the header */
  readonly message: Message;
  /** for Graph, which reads the recipients from the header */
  readonly withBcc: Message;
  /** with its angle brackets, where the message names one that can be read */
  readonly messageId: string;
}

/**
 * Throws `send-no-recipients`, `send-recipients-unreadable`, `send-recipients-incomplete`, `send-sender-unreadable`: a message of which a
 * recipient cannot be read is sent to nobody, so that it can be sent again without a second copy for the others.
 */
export function outgoing(raw: Buffer, asked: Asked, { clock, random }: { clock: Clock; random: Random }): Outgoing {
  const read = readMessage(raw);
  const sender = senderOf(asked);
  const recipients = recipientsOf(read, asked);
  const messageId = newMessageId(sender === '' ? asked.mailbox : sender, random);
  const top = missingLines(read, { ...asked, address: sender === '' ? asked.mailbox : sender, messageId, now: clock.now() });
  const withBcc = withLinesOnTop(read, top);
  const message = asked.fromHeader ? withoutField(withBcc, 'bcc') : withBcc;
  return { sender, recipients, message, withBcc, messageId: valuesOf(withBcc, 'message-id')[0] ?? messageId };
}

function senderOf({ sender, mailbox }: Asked): string {
  if (sender === undefined) return mailbox;
  if (/^\s*(?:<\s*>)?\s*$/.test(sender)) return '';
  const { addresses, unreadable } = readAddresses(sender);
  const [address = ''] = addresses;
  if (addresses.length === 1 && unreadable.length === 0 && address.includes('@')) return ascii(address);
  throw problem('send-sender-unreadable', { sender: plain(sender, 80), mailbox });
}

function recipientsOf(message: Message, { recipients: words, fromHeader }: Asked): readonly string[] {
  const header = fromHeader ? valuesOf(message, 'to', 'cc', 'bcc') : [];
  const lists = [...words, ...header].map(readAddresses);
  const unreadable = lists.flatMap((list) => list.unreadable);
  if (unreadable.length > 0) {
    const isTyped = words.some((word) => readAddresses(word).unreadable.length > 0);
    const refusal = problem('send-recipients-unreadable', { recipients: unreadable.map((one) => plain(one, 80)), isTyped });
    throw isTyped ? refusal : refusal.but({ exit: SysExit.data });
  }
  const distinct = new Map<string, string>();
  for (const address of lists.flatMap((list) => list.addresses).map(ascii)) {
    if (!distinct.has(sameAddress(address))) distinct.set(sameAddress(address), address);
  }
  const recipients = [...distinct.values()];
  if (recipients.length === 0) {
    const missing = problem('send-no-recipients', { fromHeader });
    throw fromHeader ? missing.but({ exit: SysExit.data }) : missing;
  }
  const local = recipients.filter((address) => !address.includes('@'));
  if (local.length > 0) throw problem('send-recipients-incomplete', { recipients: local.map((one) => plain(one, 80)) });
  return recipients;
}

/** A domain that is not ASCII has a form that every server takes (RFC 5891); the part before the @ has none. */
function ascii(address: string): string {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  if (at < 0 || /^[\0-\x7f]*$/.test(domain)) return address;
  return `${address.slice(0, at)}@${domainToASCII(domain) || domain}`;
}

interface Missing extends Pick<Asked, 'fullName'> {
  readonly address: string;
  readonly messageId: string;
  readonly now: number;
}

/** RFC 5322 section 3.6 wants From and Date, and every mail program a Message-ID. What stands there already stays, also where it is empty. */
function missingLines(message: Message, { address, fullName, messageId, now }: Missing): readonly string[] {
  const lacks = (name: string) => message.fields.every((field) => field.name !== name);
  return [
    ...(lacks('from') ? [`From: ${named(address, fullName)}`] : []),
    ...(lacks('date') ? [`Date: ${new Date(now).toUTCString().replace('GMT', '+0000')}`] : []),
    ...(lacks('message-id') ? [`Message-ID: ${messageId}`] : []),
  ];
}

function newMessageId(address: string, random: Random): string {
  const domain = address.slice(address.lastIndexOf('@') + 1);
  return `<${random.uuid()}@${/^[\w.-]+$/.test(domain) ? domain : 'mailauth.invalid'}>`;
}

/** A line end in the name would begin a header line of its own, so control characters become blanks. */
function named(address: string, fullName = ''): string {
  const name = fullName.replace(/\p{Cc}+/gu, ' ').trim();
  if (name === '') return address;
  if (/^[\w !#$%&'*+/=?^`{|}~-]+$/.test(name)) return `${name} <${address}>`;
  if (/^[\x20-\x7e]+$/.test(name)) return `"${name.replace(/["\\]/g, '\\$&')}" <${address}>`;
  return `${encodedWords(name)} <${address}>`;
}
