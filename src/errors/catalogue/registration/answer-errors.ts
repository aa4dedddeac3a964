import { Exit } from '../../../core/errors.ts';
import { again, type Command, line, type NextStep, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

/** A command line that cannot be read, and answers that are missing or cannot be used. */
export const answerEntries = {
  usage: entry<{ message: string; why?: string; help: NextStep; meant?: Command }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => v.message,
    why: (v) => v.why ?? '',
    next: (v) => [...(v.meant === undefined ? [] : [v.meant]), v.help],
  }),
  'unknown-command': entry<{ word: string; suggestion?: Command }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => `There is no command "${v.word}"`,
    next: (v) => [v.suggestion ?? line`mailauth --help`],
  }),
  'value-invalid': entry<{ what: string; value: string; why: string; next: NextStep }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => `"${v.value}" is not a valid ${v.what}`,
    why: (v) => v.why,
    next: (v) => [v.next],
  }),
  'secret-in-argv': entry<{ flag: string; instead: NextStep }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => `A secret is never accepted as the value of ${v.flag}`,
    why: () => 'Arguments are visible to every user of this machine and stay in the shell history: treat this value as leaked.',
    next: (v) => [v.instead],
  }),
  'secret-is-id': entry({
    exit: Exit.usage,
    source: sources.secrets,
    title: () => "This is the client secret's ID, not its value",
    why: () => 'Entra shows two columns: "Value" (shown once) and "Secret ID" (a GUID). Only the value signs in.',
    next: () => [
      noted(again({ clientSecretFile: '-' }), 'with the column "Value" on standard input'),
      'It stands under App registrations > your app > Certificates & secrets. If it is masked, make a new client secret.',
    ],
  }),
  'secret-unusable': entry<{ source: string; why: string }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => `No usable client secret in ${v.source}`,
    why: (v) => v.why,
    next: () => [noted(again({ clientSecretFile: '-' }), 'with the value, and nothing else, on standard input')],
  }),
  'password-unusable': entry<{ source: string; why: string; next?: NextStep }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => `No usable password in ${v.source}`,
    why: (v) => v.why,
    next: (v) => [v.next ?? noted(again({ signIn: 'password', passwordFile: '-' }), 'with the password on standard input')],
  }),
  'answer-missing': entry<{ flag: string; question: string; example: NextStep }>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: (v) => `An answer is needed: ${v.question}`,
    why: (v) => `Nobody can be asked here (no terminal, --no-input or --json). Give it as ${v.flag}.`,
    next: (v) => [v.example],
  }),
  'needs-yes': entry<{ what: string; command: NextStep }>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: (v) => `${v.what} needs your agreement`,
    why: () => 'Nobody can be asked here. Give --yes to agree.',
    next: (v) => [v.command],
  }),
  'mailbox-choice': entry<{ candidates: readonly string[]; command: Command }>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: () => 'Several mailboxes are set up; name one',
    why: (v) => `Set up are: ${v.candidates.join(', ')}`,
    next: (v) => v.candidates.slice(0, 3).map((mailbox) => again({}, [...v.command.words, mailbox])),
  }),
  'guide-choice': entry<{ mailbox: string; guides: readonly string[]; command: Command }>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: (v) => `${v.mailbox} is set up for several products; name one`,
    why: (v) => `It is set up for: ${v.guides.join(', ')}`,
    next: (v) => v.guides.slice(0, 3).map((guide) => again({ for: guide }, [...v.command.words, v.mailbox])),
  }),
  'sandbox-with-cloud': entry({
    exit: Exit.usage,
    source: sources.own,
    title: () => '--sandbox is a cloud of its own: it does not go with --cloud or --cloud-file',
    next: () => [again({ sandbox: true, cloud: false, cloudFile: false })],
  }),
};
