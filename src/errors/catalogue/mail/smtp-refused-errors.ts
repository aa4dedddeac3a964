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
    codes: ['5.1.8'],
    says: ['Access denied, bad outbound sender'],
    title: (v) => `Microsoft 365 has blocked ${v.user} from sending, for spam`,
    why: () => 'it sent too much that looked like spam: find out which program sent it before somebody unblocks it',
    next: (v) => [testAgain(v), 'An administrator unblocks it first. That takes up to an hour to act.'],
    admin: (v) =>
      noted(powerShell(`Remove-BlockedSenderAddress -SenderAddress ${ps(v.user)}`), 'or "Restricted entities" in the Defender portal'),
    retryHelps: false,
  }),
  'smtp-address-refused': entry<MailSpot>({
    exit: Exit.notAllowed,
    source: sources.nonDelivery,
    codes: ['5.7.708'],
    says: ['traffic not accepted from this IP'],
    title: (v) => `${v.host} takes no mail from this network address or tenant`,
    why: () => 'a new or trial tenant, or an address with a bad reputation',
    next: (v) => [testAgain(v), 'Try from another network, or once Microsoft support has lifted the block.'],
    admin: () => 'ask Microsoft support to lift 5.7.708; a trial tenant needs a paid licence first',
    retryHelps: false,
    mender: 'Microsoft',
  }),
  'smtp-tenant-threshold': entry<MailSpot>({
    exit: Exit.notAllowed,
    source: sources.nonDelivery,
    codes: ['5.7.705'],
    says: ['tenant has exceeded threshold'],
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
    says: ['the request did not meet the criteria to be authenticated'],
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
};
