import { isCloudName } from '../../../core/cloud.ts';
import { Exit } from '../../../core/errors.ts';
import type { ClientType, MailboxKey } from '../../../core/mailbox.ts';
import { again, type Command, led, mailauth, type NextStep, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

interface Changed extends MailboxKey {
  /** `the sign-in service https://login.microsoftonline.com` */
  readonly stored: string;
  readonly now: string;
  /** the mailbox file says something else than the stored sign-in; else a flag or a variable does */
  readonly byFile: boolean;
  /** the cloud that the sign-in belongs to, where it is known by a name */
  readonly cloud: string | undefined;
}

const anew = ({ mailbox, for: product }: MailboxKey, cloud?: string): Command =>
  mailauth('setup', { mailbox, for: product, ...(cloud === undefined ? {} : { cloud }) });

/** A sign-in is sent only to what it belongs to. */
export const authorityEntries = {
  'authority-changed': entry<Changed>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: ({ mailbox, stored, now }) => `The sign-in of ${mailbox} belongs to ${stored}, and not to ${now}`,
    why: ({ byFile }) =>
      `${byFile ? 'The mailbox file' : 'A flag or a variable (MAILAUTH_CLOUD, MAILAUTH_CLOUD_FILE)'} names another one. Nothing was sent there.`,
    next: (v): readonly NextStep[] => {
      const isMicrosofts = v.cloud !== undefined && isCloudName(v.cloud);
      if (v.byFile) return [noted(anew(v, v.cloud), 'finds the addresses again and signs in anew')];
      const there = isMicrosofts ? again({ cloud: v.cloud, cloudFile: false }) : again({ cloud: false, cloudFile: false });
      const named = v.cloud === undefined ? '' : ` "${v.cloud}"`;
      return [
        noted(there, isMicrosofts ? 'the cloud of this sign-in' : `the cloud of this sign-in,${named}; without the two variables`),
        led('To sign in there instead', anew(v)),
      ];
    },
    retryHelps: false,
  }),

  'authority-unknown': entry<MailboxKey & { readonly clientId: string; readonly clientType: ClientType }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: ({ mailbox }) => `Nothing says where the stored sign-in of ${mailbox} belongs`,
    why: () =>
      'It does not say it itself, and the mailbox file disagrees with its token or names an unknown cloud (--cloud-file). Nothing was sent.',
    next: ({ mailbox, for: product, clientId, clientType }) =>
      clientType === 'public'
        ? [mailauth('login', mailbox, { for: product, force: true })]
        : [mailauth('setup', { mailbox, for: product, clientId, clientSecretFile: '-' })],
    retryHelps: false,
  }),

  'account-changed': entry<MailboxKey & { readonly stored: string; readonly recorded: string }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: ({ mailbox, stored, recorded }) => `The stored sign-in of ${mailbox} is of ${stored}, and not of ${recorded}`,
    why: () => 'The mailbox file names another person than the stored sign-in. The token was not handed out, and nothing was sent.',
    next: ({ mailbox, for: product }) => [noted(mailauth('login', mailbox, { for: product, force: true }), 'signs in anew')],
    retryHelps: false,
  }),

  'refresh-foreign': entry<MailboxKey & { readonly what: 'app' | 'tenant' | 'account'; readonly wanted: string; readonly got: string }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: ({ mailbox, what }) => `The new token for ${mailbox} is for another ${what}`,
    why: ({ wanted, got }) => `Expected ${wanted}, got ${got}. It was not stored, and the sign-in is as it was.`,
    next: ({ mailbox, for: product }) => [mailauth('login', mailbox, { for: product, force: true })],
    retryHelps: false,
  }),

  'answer-foreign': entry<{ readonly mailbox?: string | undefined; readonly why: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'The answer to the sign-in is not the one that was asked for',
    why: ({ why }) => `${why} Nothing was stored.`,
    next: ({ mailbox }) => [mailauth('login', mailbox, { force: true }), mailauth('doctor')],
    retryHelps: false,
  }),
};
