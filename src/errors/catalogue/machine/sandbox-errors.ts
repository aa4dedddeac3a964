import { Exit } from '../../../core/errors.ts';
import { again, mailauth, noted } from '../../../core/next.ts';
import { showAccess } from '../../../core/shell-lines.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

export const sandboxEntries = {
  'sandbox-port-taken': entry<{ port: number }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `The sandbox cannot use port ${v.port}: another program has it`,
    why: () => 'This port was asked for, so the sandbox tried no other one.',
    next: (v) => [`Stop the program on port ${v.port}, or leave the port out: the sandbox finds a free one.`],
    retryHelps: false,
  }),
  'sandbox-running': entry<{ address: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `A sandbox is running here already, at ${v.address}`,
    why: () => 'Other commands join the sandbox that runs. Two of them would change the same files.',
    next: () => [noted(mailauth('setup', { sandbox: true }), 'joins it'), 'Stop the other one first (Ctrl-C there).'],
    retryHelps: false,
  }),
  'sandbox-busy': entry<{ folder: string }>({
    exit: Exit.temporary,
    source: sources.own,
    title: () => 'Another mailauth command uses the sandbox and does not finish',
    why: (v) => `It held the lock in ${v.folder} for 15 seconds.`,
    next: () => [again(), 'End the other command in the sandbox first.'],
  }),
  'sandbox-folder': entry<{ folder: string; why: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `The sandbox cannot write its folder ${v.folder}`,
    why: (v) => `${v.why}. It keeps its certificates and its state there.`,
    next: (v) => [
      noted(showAccess(v.folder), 'who owns it; mailauth must run as that user'),
      noted({ ...mailauth('setup', { sandbox: true }), home: 'mailauth' }, 'begins anew in a folder that this user can write to'),
    ],
    retryHelps: false,
  }),
  'sandbox-sign-in-stopped': entry<{ said: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'The sandbox showed an error page instead of finishing the sign-in',
    why: (v) => v.said,
    next: () => [mailauth('sandbox', { listFaults: true })],
  }),
};
