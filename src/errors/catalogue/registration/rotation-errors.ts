import { Exit } from '../../../core/errors.ts';
import type { MailboxKey } from '../../../core/mailbox.ts';
import { again, type Command, led, mailauth, type NextStep, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

const rotate = (v: MailboxKey, flags = {}): Command => mailauth('secret rotate', v.mailbox, { for: v.for, ...flags });

/** `mailauth secret rotate`. */
export const rotationEntries = {
  'rotation-open': entry<{ mailbox: string; for: string }>({
    exit: Exit.needsAnswer,
    title: () => 'A rotation is open: the product may still use the old client secret',
    why: () => 'Both secrets work until it is finished.',
    next: (v) => [
      noted(rotate(v, { finish: true }), 'once the new value is in the product'),
      led('The new value', mailauth('secret show', v.mailbox, { for: v.for, reveal: true })),
    ],
    source: sources.own,
  }),
  'rotation-unproven': entry<{ mailbox: string; for: string; host: string }>({
    exit: Exit.temporary,
    title: () => 'The new client secret could not be tested, so the old one stays',
    why: (v) => `${v.host} did not answer. The new one stays in the store, and the next run goes on with it.`,
    next: (v) => [rotate(v)],
    retryHelps: true,
    source: sources.own,
  }),
  'rotation-busy': entry<{ mailbox: string; for: string }>({
    exit: Exit.temporary,
    title: (v) => `Another mailauth is changing the registration of ${v.mailbox} right now`,
    why: () => 'It is a set-up or a rotation, and it goes on undisturbed.',
    next: (v) => [noted(rotate(v), 'once the other one has ended')],
    retryHelps: true,
    source: sources.own,
  }),
  'rotation-red': entry<{ clientId: string; lines: readonly string[]; mailbox: string; for: string }>({
    exit: Exit.failed,
    title: (v) => `The old client secret of ${v.clientId} stays: not every mailbox works with the new one`,
    why: (v) => `The new one is stored and works for the app. Red: ${v.lines.join('; ')}`,
    next: (v) => [
      noted(mailauth('secret rotate', { app: v.clientId }), 'once they work: tries them again and removes the old one'),
      noted(mailauth('logout', v.mailbox, { for: v.for }), 'if nobody needs it any more'),
    ],
    source: sources.own,
  }),
  'rotations-failed': entry<{ failed: number; total: number; lines: readonly string[]; command: NextStep }>({
    exit: Exit.failed,
    title: (v) => `${v.failed} of ${v.total} apps did not get a new client secret, or are not finished`,
    why: (v) => v.lines.join('; '),
    next: (v) => [v.command],
    source: sources.own,
  }),
  'app-unknown': entry<{ clientId: string; known: readonly string[] }>({
    exit: Exit.needsSignIn,
    title: (v) => `No mailbox here has a client secret of the app ${v.clientId}`,
    why: (v) => (v.known.length === 0 ? 'No mailbox here has a client secret.' : `Apps with one: ${v.known.join(', ')}`),
    next: () => [noted(mailauth('status', { all: true, format: 'csv' }), 'shows the client ID of every set-up')],
    source: sources.own,
  }),
  'app-busy': entry<{ for: string; tenant: string }>({
    exit: Exit.temporary,
    title: (v) => `Another mailauth is changing the shared app for ${v.for} of the tenant ${v.tenant} right now`,
    why: () => 'It is a set-up, a rotation or a removal, and it goes on undisturbed.',
    next: () => [noted(again(), 'once the other one has ended')],
    retryHelps: true,
    source: sources.own,
  }),
  'app-gone': entry<{ mailbox: string; for: string; clientId: string }>({
    exit: Exit.failed,
    title: (v) => `The app ${v.clientId} is not in the tenant any more`,
    why: () => 'Somebody deleted it. For 30 days it can be restored: Entra > App registrations > Deleted applications.',
    next: (v) => [
      noted(mailauth('setup', { mailbox: v.mailbox, for: v.for, yes: true }), 'makes a new one, if mailauth made the old one'),
      noted(mailauth('logout', v.mailbox, { for: v.for }), 'forgets it on this computer'),
    ],
    source: 'https://learn.microsoft.com/entra/identity-platform/howto-restore-app',
  }),
};
