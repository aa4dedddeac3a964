import { Exit } from '../../../core/exit.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { again, type MailSpot, sh } from './mail-words.ts';

/** What only the test of all mailboxes can come to. */
export const allMailboxesEntries = {
  'mailboxes-red': entry<{ red: number; total: number; mailbox: string; protocol: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `${v.red} of ${v.total} mailboxes ${v.red === 1 ? 'is' : 'are'} red`,
    next: (v) => [`mailauth test ${v.protocol} ${sh(v.mailbox)}`],
  }),
  'mail-host-paused': entry<MailSpot>({
    exit: Exit.temporary,
    source: sources.own,
    title: (v) => `${v.host} was not asked about ${v.mailbox}: it wants fewer connections`,
    why: () => 'it asked for longer pauses than the two minutes that one run waits for in all',
    next: (v) => [again(v)],
    retryHelps: true,
  }),
  'nothing-to-test': entry<{ setUps: number; protocol: string }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: (v) =>
      v.setUps === 1 ? 'The one set-up there is has nothing to test here' : `None of the ${v.setUps} set-ups has anything to test here`,
    why: (v) =>
      v.protocol === 'all'
        ? 'their products keep the tokens: nobody signed in on this computer'
        : `they do not use ${v.protocol}, or their products keep the tokens`,
    next: () => ['mailauth status'],
  }),
};
