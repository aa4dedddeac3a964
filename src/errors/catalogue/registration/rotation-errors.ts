import { Exit } from '../../../core/exit.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

/** `mailauth secret rotate`. */
export const rotationEntries = {
  'rotation-open': entry<{ mailbox: string; for: string }>({
    exit: Exit.needsAnswer,
    title: () => 'A rotation is open: the product may still use the old client secret',
    why: () => 'Both secrets work until it is finished.',
    next: (v) => [
      `mailauth secret rotate ${v.mailbox} --for ${v.for} --finish   (once the new value is in the product)`,
      `mailauth secret show ${v.mailbox} --for ${v.for} --reveal   (the new value)`,
    ],
    source: sources.own,
  }),
  'rotation-unproven': entry<{ mailbox: string; for: string; host: string }>({
    exit: Exit.temporary,
    title: () => 'The new client secret could not be tried, so the old one stays',
    why: (v) => `${v.host} did not answer. The new one is kept in the store, and the next run goes on with it.`,
    next: (v) => [`mailauth secret rotate ${v.mailbox} --for ${v.for}`],
    retryHelps: true,
    source: sources.own,
  }),
  'rotation-busy': entry<{ mailbox: string; for: string }>({
    exit: Exit.temporary,
    title: (v) => `Another mailauth is at work on the registration of ${v.mailbox} right now`,
    why: () => 'A set-up or a rotation; the other one goes on undisturbed.',
    next: (v) => [`mailauth secret rotate ${v.mailbox} --for ${v.for}   (once it has ended)`],
    retryHelps: true,
    source: sources.own,
  }),
  'app-gone': entry<{ mailbox: string; for: string; clientId: string }>({
    exit: Exit.failed,
    title: (v) => `The app ${v.clientId} is not in the tenant any more`,
    why: () => 'Somebody deleted it. For 30 days it can be restored: Entra > App registrations > Deleted applications.',
    next: (v) => [
      `mailauth setup --mailbox ${v.mailbox} --for ${v.for} --yes   (makes a new one, if mailauth made the old one)`,
      `mailauth logout ${v.mailbox} --for ${v.for}   (forgets it here)`,
    ],
    source: 'https://learn.microsoft.com/entra/identity-platform/howto-restore-app',
  }),
};
