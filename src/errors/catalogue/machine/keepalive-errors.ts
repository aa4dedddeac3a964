import { Exit } from '../../../core/errors.ts';
import { again, type Command, line, mailauth, type NextStep, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { newCertificate } from '../entra/app-only-errors.ts';

/** What ends soon: a line for each set-up. `what` ends first, and `mailbox` and `for` say in which set-up. */
interface EndingBlanks {
  readonly lines: readonly string[];
  readonly mailbox: string;
  readonly for: string;
  readonly what: string;
}

/** The first three of many: the whole list is what `status` shows. */
const someOf = (lines: readonly string[]): string =>
  [...lines.slice(0, 3), ...(lines.length > 3 ? [`and ${lines.length - 3} more`] : [])].join('; ');

function renewal(v: EndingBlanks): readonly NextStep[] {
  if (v.what === 'certificate') return newCertificate(v);
  return [
    v.what === 'client secret' ? mailauth('secret rotate', v.mailbox, { for: v.for }) : mailauth('login', v.mailbox, { force: true }),
  ];
}

/** `mailauth keepalive` and the warnings of `mailauth status`. */
export const keepaliveEntries = {
  'keepalive-red': entry<{ lines: readonly string[] }>({
    exit: Exit.failed,
    title: (v) => `Not every mailbox could be kept alive: ${v.lines.join('; ')}`,
    why: () => 'Different things are wrong with them; the lines above say what.',
    next: () => [mailauth('status')],
    source: 'the commands of the single mailboxes',
  }),
  'notice-undelivered': entry<{ lines: readonly string[] }>({
    exit: Exit.temporary,
    source: sources.own,
    title: (v) => `Not every notice was delivered: ${someOf(v.lines)}`,
    why: () => 'The mailboxes themselves are well. What was not delivered is sent again by the next run.',
    next: () => [again()],
    retryHelps: true,
  }),
  'notify-from-missing': entry<{ known: readonly string[]; wanted?: string | undefined }>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: (v) => (v.wanted === undefined ? 'Which mailbox sends the notices?' : `${v.wanted} is not set up here for sending`),
    why: (v) => (v.known.length === 0 ? 'No mailbox is set up here for sending.' : `--notify-from takes one of ${v.known.join(', ')}.`),
    next: (v) => [v.known[0] === undefined ? mailauth('setup', { protocols: 'smtp' }) : again({ notifyFrom: v.known[0] })],
    retryHelps: false,
  }),
  'timer-not-here': entry<{ why: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `No timer was installed: ${v.why}`,
    next: () => ['The lines above do the same by hand.'],
    retryHelps: false,
  }),
  'timer-refused': entry<{ what: string; exit: number }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `${v.what} failed (exit ${v.exit})`,
    next: (v) => [
      v.what.startsWith('schtasks')
        ? noted(line`gpresult /r`, 'an administrator may forbid tasks of your own')
        : line`systemctl --user status mailauth-keepalive.timer`,
      mailauth('keepalive', { install: true }),
    ],
  }),
  'sign-in-lost': entry<{ lines: readonly string[]; commands: readonly Command[] }>({
    exit: Exit.needsSignIn,
    title: (v) => someOf(v.lines),
    next: (v) => v.commands.slice(0, 3),
    source: sources.own,
  }),
  'secret-ends-soon': entry<EndingBlanks>({
    exit: Exit.failed,
    title: (v) => someOf(v.lines),
    why: () => 'When it has ended, every sign-in with this app fails at once.',
    next: renewal,
    source: 'https://learn.microsoft.com/entra/identity-platform/how-to-add-credentials',
  }),
  'expires-soon': entry<EndingBlanks>({
    exit: Exit.failed,
    title: (v) => someOf(v.lines),
    next: renewal,
    source: sources.own,
  }),
};
