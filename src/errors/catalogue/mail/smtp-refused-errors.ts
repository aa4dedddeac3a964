import { Exit } from '../../../core/errors.ts';
import { led, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { type MailSpot, powerShell, ps, testAgain } from './mail-words.ts';

/** What Exchange says when it takes no mail although the sign-in worked: each sentence has its own next step. */
export const smtpRefusedEntries = {
  'smtp-sender-restricted': entry<MailSpot>({
    exit: Exit.notAllowed,
    source: sources.nonDelivery,
    codes: ['5.1.8', '5.1.90', '5.7.501', '5.7.502', '5.7.503', '5.7.504', 'OutboundSpamException'],
    says: [
      'Access denied, bad outbound sender',
      'Access denied, spam abuse detected',
      'WASCL UserAction verdict',
      'outbound spam … blocked',
      'account has been blocked … spam',
      'suspected of sending spam',
    ],
    title: (v) => `Microsoft 365 has blocked ${v.user} from sending, for spam`,
    why: () => 'it sent too much that looked like spam: find out which program sent it before somebody unblocks it',
    next: (v) => [
      testAgain(v),
      'An administrator unblocks it first. That takes up to an hour to act.',
      'A personal account is verified on the web: sign in at https://outlook.com and follow what it asks.',
    ],
    admin: (v) =>
      noted(powerShell(`Remove-BlockedSenderAddress -SenderAddress ${ps(v.user)}`), 'or "Restricted entities" in the Defender portal'),
    retryHelps: false,
  }),
  'smtp-address-refused': entry<MailSpot>({
    exit: Exit.notAllowed,
    source: sources.nonDelivery,
    codes: ['5.7.708', '5.7.511', '5.7.6*', '5.7.7*'],
    says: [
      'To request removal from this list',
      'Spam abuse detected from IP range',
      'IP address … blocked',
      'blocked … IP address … reputation',
      'traffic not accepted from this IP',
      'banned sending IP',
      'Access denied, banned sending IP',
    ],
    title: (v) => `${v.host} takes no mail from this network address or tenant`,
    why: () => 'a new or trial tenant, or an address with a bad reputation',
    next: (v) => [testAgain(v), 'Try from another network, or once Microsoft support has lifted the block.'],
    admin: () => 'ask Microsoft support to lift the block (https://sender.office.com); a trial tenant needs a paid licence first',
    retryHelps: false,
    mender: 'Microsoft',
  }),
  'smtp-tenant-threshold': entry<MailSpot>({
    exit: Exit.notAllowed,
    source: sources.nonDelivery,
    codes: ['5.7.750', '5.7.705'],
    says: ['Client blocked from sending from unregistered domains', 'tenant has exceeded threshold', 'Access denied, tenant has exceeded'],
    title: () => 'Microsoft 365 has stopped all outgoing mail of this tenant',
    why: () => 'most of what it sent looked like spam, so somebody may have taken over an account',
    next: (v) => [testAgain(v), 'An administrator finds the account that sends, then asks Microsoft support.'],
    admin: () => 'find and stop the account that sends spam, then ask Microsoft support to lift 5.7.705',
    retryHelps: false,
    mender: 'Microsoft',
  }),
  'smtp-sign-in-blocked': entry<MailSpot>({
    exit: Exit.notAllowed,
    source: sources.smtpFaults,
    says: [
      'Authentication unsuccessful, the account has been locked',
      'Authentication unsuccessful, user password has expired',
      'Authentication unsuccessful, the user account is disabled',
      'Authentication unsuccessful, sign-in … blocked',
      'the request did not meet the criteria to be authenticated',
      'did not meet the criteria … authenticated successfully',
    ],
    title: (v) => `The organisation's rules do not let ${v.user} sign in for sending`,
    why: () => 'Conditional Access or a blocked sign-in: the sign-in log of the user says which one',
    next: (v) => [testAgain(v), 'An administrator looks into the sign-in log first.'],
    admin: (v) =>
      led(
        `look into Entra > Users > ${v.user} > Sign-in logs, then`,
        powerShell(`Get-CASMailbox -Identity ${ps(v.user)} | fl SmtpClientAuthenticationDisabled`),
      ),
    retryHelps: false,
  }),
  'smtp-federation': entry<MailSpot>({
    exit: Exit.notAllowed,
    source: sources.smtpFaults,
    says: ['federated STS service was unreachable', 'STS URL does not support HTTPS'],
    title: () => "The organisation's own sign-in service (federation) cannot be reached by Microsoft",
    why: () => 'a password sign-in goes through it; OAuth 2 does not',
    next: (v) => [testAgain(v)],
    admin: () => 'check that AD FS is reachable from the internet over https with a valid certificate',
  }),
  'smtp-tenant-limit': entry<MailSpot>({
    exit: Exit.notAllowed,
    source: 'https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits',
    codes: ['5.7.232', '5.7.233', '5.7.236'],
    says: ['tenant exceeded its daily limit', 'tenant external recipient rate limit', 'exceeded … daily limit … external recipients'],
    title: () => 'The tenant has used up its limit of mail to other organisations for 24 hours',
    why: () => 'the limit is of the whole organisation and depends on its licences; a trial tenant has a small one',
    next: (v) => [noted(testAgain(v), 'when a day has passed'), 'Send less to outside addresses, or by a service for bulk mail.'],
    admin: () => 'see Exchange admin center > Reports > Mail flow > Tenant outbound external recipients.',
  }),
  'smtp-recipient-limit': entry<MailSpot>({
    exit: Exit.temporary,
    source: sources.nonDelivery,
    codes: ['5.2.121', '5.2.122', '4.2.122'],
    says: [
      'receiving mail too quickly',
      'receiving mail at a rate',
      'recipient has exceeded their limit for the number of messages',
      'exceeded the limit … messages they can receive',
    ],
    title: () => 'The recipient gets more messages an hour than its mailbox takes',
    why: () => 'the limit is that of the mailbox which receives: 3,600 messages an hour, fewer from one sender',
    next: (v) => [noted(testAgain(v), 'in an hour'), 'Send less to this recipient, or sum up several messages in one.'],
    retryHelps: true,
  }),
  'smtp-relay-refused': entry<MailSpot>({
    exit: Exit.notAllowed,
    source: sources.smtpFaults,
    codes: ['5.7.54', '5.7.64', '5.4.1', '5.7.129'],
    says: ['Unable to relay recipient in non-accepted domain', 'Relay Access Denied', 'TenantAttribution', 'Unable to relay'],
    title: (v) => `${v.host} does not pass this message on to another organisation`,
    why: () => 'the program sent without signing in, through a connector that does not know it, or to an address the rules exclude',
    next: (v) => [
      noted(testAgain(v), 'sends with a sign-in'),
      'In the program: host smtp.office365.com, port 587, STARTTLS, and a sign-in with OAuth 2.',
    ],
    admin: () =>
      'check the connectors (Exchange admin center > Mail flow > Connectors): the certificate or the address of the sending host.',
  }),
  'smtp-too-large': entry<MailSpot>({
    exit: Exit.failed,
    source: sources.nonDelivery,
    codes: ['5.2.3', '5.3.4'],
    says: ['message size exceeds', 'message exceeds … maximum'],
    title: () => 'The message is larger than the server or the mailbox takes',
    why: () => 'the sign-in is not at fault',
    next: () => ['Send it with smaller attachments, or a link in their place.'],
    retryHelps: false,
  }),
};
