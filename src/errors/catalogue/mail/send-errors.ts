import { Exit, SysExit } from '../../../core/errors.ts';
import { mailauth, type NextStep, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { type MailServer, powerShell, ps } from './mail-words.ts';

interface SetUp {
  readonly mailbox: string;
  readonly for: string;
}

interface Refused {
  /** each with the server's reply: `bob@contoso.com (550 5.1.10 …)` */
  readonly refused: readonly string[];
  /** the recipients that the server took the message for */
  readonly accepted: readonly string[];
  readonly host: string;
}

const sendHelp: NextStep = mailauth('send', { help: true });
const list = (words: readonly string[]): string => (words.length > 5 ? `${words.slice(0, 5).join(', ')} and more` : words.join(', '));

/** `mailauth send`. Its exit codes are those of sysexits.h (sending/sysexits.ts). */
export const sendEntries = {
  'send-no-recipients': entry<{ fromHeader: boolean }>({
    exit: SysExit.usage,
    source: sources.own,
    title: (v) => (v.fromHeader ? 'No field To, Cc or Bcc of the message names a recipient' : 'No recipient was given'),
    why: (v) =>
      v.fromHeader
        ? 'Nothing was sent. The header ends at the first line that is not a field: a byte order mark or an empty line at the top ends it, too.'
        : 'Nothing was sent. Recipients stand behind the flags; with -t they are read from To, Cc and Bcc of the message.',
    next: () => [sendHelp],
    retryHelps: false,
  }),
  'send-recipients-unreadable': entry<{ recipients: readonly string[]; isTyped: boolean }>({
    exit: SysExit.usage,
    source: 'RFC 5322 section 3.4',
    title: (v) => `This is no address: ${list(v.recipients)}`,
    why: (v) =>
      `Nothing was sent, to nobody. ${v.isTyped ? 'Addresses are divided by commas or stand as words of their own.' : 'It stands in To, Cc or Bcc of the message.'}`,
    next: () => [sendHelp],
    retryHelps: false,
  }),
  'send-recipients-incomplete': entry<{ recipients: readonly string[] }>({
    exit: SysExit.noUser,
    source: sources.own,
    title: (v) => `Without a domain no server knows whom this means: ${list(v.recipients)}`,
    why: () => 'Nothing was sent, to nobody. mailauth has no local mailboxes and no aliases: write the whole address, in cron as MAILTO.',
    next: () => [sendHelp],
    retryHelps: false,
  }),
  'send-sender-unreadable': entry<{ sender: string; mailbox: string }>({
    exit: SysExit.usage,
    source: 'RFC 5321 section 4.1.1.2',
    title: (v) => `-f takes one address, and "${v.sender}" is none`,
    why: (v) => `Nothing was sent. Without -f the sender is ${v.mailbox}.`,
    next: () => [sendHelp],
    retryHelps: false,
  }),
  'send-too-large': entry<{ limit: string; where: string }>({
    exit: SysExit.data,
    source: sources.smtp,
    title: (v) => `The message is larger than ${v.where} takes (${v.limit})`,
    why: () => 'Nothing was sent.',
    next: () => ['Send it with smaller attachments, or a link in their place.'],
    retryHelps: false,
  }),
  'send-extension-missing': entry<MailServer & { extension: string; needs: string }>({
    exit: SysExit.unavailable,
    source: sources.smtp,
    title: (v) => `${v.host} does not offer ${v.extension}, which ${v.needs} needs`,
    why: () => 'Nothing was sent: without it the server may change the message. Exchange Online offers it.',
    next: () => [mailauth('test', 'smtp')],
    mender: 'you',
  }),
  'send-recipients-refused': entry<Refused>({
    exit: SysExit.noUser,
    source: sources.smtp,
    title: (v) => `${v.host} does not take the message for ${list(v.refused)}`,
    why: (v) =>
      v.accepted.length === 0
        ? 'Nothing was sent, to nobody.'
        : `It was sent to the others, and must not be sent to them again: ${list(v.accepted)}.`,
    next: () => ['Correct these addresses, and send the message to them alone.'],
    retryHelps: false,
  }),
  'send-recipients-later': entry<Omit<Refused, 'accepted'>>({
    exit: SysExit.later,
    source: sources.smtp,
    title: (v) => `${v.host} does not take the message now for ${list(v.refused)}`,
    why: () => 'Nothing was sent, to nobody, so that the same message can be sent again.',
    next: () => ['Send it again in some minutes.'],
    retryHelps: true,
  }),
  'send-answer-lost': entry<{ host: string }>({
    exit: SysExit.later,
    source: 'RFC 5321 section 6.1 and RFC 1047',
    title: (v) => `${v.host} has the message, and its answer was lost`,
    why: () => 'Nobody knows whether it will be delivered. Sent again it may arrive twice; not sent again it may be lost.',
    next: () => ['Look into Sent Items of the mailbox before you send it again. A queue sends it again by itself.'],
    retryHelps: true,
  }),
  'graph-send-scope-missing': entry<SetUp & { permission: string }>({
    exit: Exit.notAllowed,
    source: sources.graphSend,
    title: (v) => `The token for Microsoft Graph does not carry ${v.permission}`,
    why: () => 'The app does not have this permission, or nobody has agreed to it',
    next: (v) => [
      noted(mailauth('setup', { mailbox: v.mailbox, for: v.for, resume: false }), 'registers it and asks for consent'),
      mailauth('test', 'graph-send', v.mailbox),
    ],
    admin: (v) => `add ${v.permission} (Microsoft Graph, delegated) to the app and grant admin consent`,
  }),
  'graph-send-recipients': entry<{ recipients: readonly string[] }>({
    exit: SysExit.data,
    source: sources.graphSend,
    title: (v) => `Through Microsoft Graph these would get the message, too: ${list(v.recipients)}`,
    why: () => 'Nothing was sent. Graph delivers to everybody in To, Cc and Bcc, and they are not among the recipients that were given.',
    next: () => [sendHelp, 'Send it by SMTP, which has an envelope: --via smtp.'],
    retryHelps: false,
  }),
  'graph-send-sender': entry<{ sender: string; mailbox: string }>({
    exit: SysExit.noPermission,
    source: sources.graphSend,
    title: (v) => `Microsoft Graph cannot send with the sender ${v.sender}`,
    why: (v) => `Nothing was sent. Graph knows no envelope: the sender is the From of the message, or ${v.mailbox}.`,
    next: () => [sendHelp, 'Leave -f out, or put the same address into From.'],
    retryHelps: false,
  }),
  'graph-send-denied': entry<{ mailbox: string }>({
    exit: SysExit.noPermission,
    source: sources.graphSend,
    codes: ['ErrorSendAsDenied', 'ErrorSendOnBehalfOfDenied'],
    title: (v) => `Microsoft Graph does not let this sign-in send as ${v.mailbox} or as the From of the message`,
    why: () => 'The permission Mail.Send (Mail.Send.Shared for another mailbox) is missing, or the right Send As in Exchange',
    next: (v) => [mailauth('test', 'graph-send', v.mailbox)],
    admin: (v) => powerShell(`Get-RecipientPermission -Identity ${ps(v.mailbox)} | fl Trustee,AccessRights`),
    retryHelps: false,
  }),
  'graph-send-token-refused': entry<{ mailbox: string }>({
    exit: SysExit.config,
    source: sources.graphSend,
    title: (v) => `Microsoft Graph does not accept the token of ${v.mailbox}`,
    why: () => 'It was revoked, or is for another service',
    next: (v) => [mailauth('login', v.mailbox, { force: true })],
  }),
  'graph-send-later': entry<{ host: string }>({
    exit: SysExit.later,
    source: sources.graphThrottling,
    codes: ['ApplicationThrottled', 'ErrorServerBusy'],
    says: ['Application is over its MailboxConcurrency limit'],
    title: (v) => `${v.host} asks to send more slowly, or is busy`,
    why: () => 'Nothing was sent, so that the same message can be sent again',
    next: () => ['Send it again in some minutes.'],
    retryHelps: true,
  }),
  'graph-send-refused': entry<{ host: string; mailbox: string; isMissing?: boolean }>({
    exit: SysExit.unavailable,
    source: sources.graphSend,
    codes: ['ErrorMimeContentInvalid', 'ErrorMimeContentInvalidBase64String'],
    title: (v) => `${v.host} does not take the message`,
    why: (v) =>
      v.isMissing === true
        ? `Graph finds no mailbox in Exchange Online for ${v.mailbox}: no licence, or it is on premises`
        : 'Its reply says why',
    next: (v) => [mailauth('test', 'graph-send', v.mailbox)],
    mender: 'you',
    retryHelps: false,
  }),
  'send-not-set-up': entry<SetUp & { word: string; keep: readonly string[] }>({
    exit: SysExit.config,
    source: sources.own,
    title: (v) => `${v.mailbox} is not set up for sending by ${v.word === 'smtp' ? 'SMTP' : 'Microsoft Graph (graph-send)'}`,
    why: () => 'Nothing was sent: the permission was not asked for when the mailbox was set up.',
    next: (v) => [
      noted(
        mailauth('setup', { mailbox: v.mailbox, for: v.for, protocols: [...v.keep, v.word].join(',') }),
        'asks for it and signs in again',
      ),
    ],
    retryHelps: false,
  }),
};
