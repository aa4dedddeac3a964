import { Exit } from '../../core/exit.ts';
import { entry } from '../entry.ts';

/** `mailauth keepalive`. */
export const keepaliveEntries = {
  'keepalive-red': entry<{ lines: readonly string[] }>({
    exit: Exit.failed,
    title: (v) => `Not every mailbox could be kept alive: ${v.lines.join('; ')}`,
    why: () => 'They differ in what is wrong; the lines above say each.',
    next: () => ['mailauth status'],
    source: 'the commands of the single mailboxes',
  }),
  'secret-ends-soon': entry<{ lines: readonly string[]; mailbox: string }>({
    exit: Exit.failed,
    title: (v) => v.lines.join('; '),
    why: () => 'When it has ended, every sign-in with this app fails at once.',
    next: (v) => [`mailauth secret rotate ${v.mailbox}`],
    source: 'https://learn.microsoft.com/entra/identity-platform/how-to-add-credentials',
  }),
};
