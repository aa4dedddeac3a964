import { Exit } from '../../../core/errors.ts';
import type { MailboxKey } from '../../../core/mailbox.ts';
import { type Command, led, mailauth, noted } from '../../../core/next.ts';
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
