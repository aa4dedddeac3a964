import { Exit } from '../../../core/errors.ts';
import { type Command, mailauth, type NextStep } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';

/** `mailauth export`. */
export const exportEntries = {
  'export-client-unknown': entry<{ client: string; known: readonly string[]; mailbox?: string | undefined; next?: NextStep }>({
    exit: Exit.usage,
    title: (v) => `mailauth cannot write a configuration for "${v.client}"`,
    why: (v) => `It can for ${v.known.join(', ')}. Any other program can call mailauth token get.`,
    next: (v) => [v.next ?? mailauth('export', { help: true })],
    source: 'mailauth export --help',
  }),
  'export-cannot': entry<{ client: string; why: string; next: Command }>({
    exit: Exit.usage,
    title: (v) => `${v.client} cannot take its token from a command`,
    why: (v) => v.why,
    next: (v) => [v.next],
    source: 'measured with the program itself',
  }),
  'export-protocol-missing': entry<{ client: string; speaks: string; mailbox: string; for: string }>({
    exit: Exit.usage,
    title: (v) => `${v.client} speaks ${v.speaks}, but ${v.mailbox} is set up without it`,
    next: (v) => [mailauth('setup', { mailbox: v.mailbox, for: v.for, protocols: 'imap,pop,smtp' })],
    source: 'the set-up itself',
  }),
  'export-without-agent': entry<{ client: string; name: string; why: string }>({
    exit: Exit.usage,
    title: (v) => `${v.client} has no use for the agent: it ${v.why}`,
    next: (v) => [mailauth('export', v.name)],
    source: 'docs/server.md, "Many programs, one agent"',
  }),
  'export-line-too-long': entry<{ client: string; name: string; most: number }>({
    exit: Exit.usage,
    title: (v) => `${v.client} reads no line of more than ${v.most} bytes, and the command with its variables is longer`,
    why: () => 'The agent’s command is short. Shorter paths help, too: every variable that mailauth needs is in the line.',
    next: (v) => [mailauth('export', v.name, { agent: true })],
    source: 'tried with msmtp 1.8.23, mpop 1.4.18 and mbsync 1.4.4',
  }),
};
