import { Exit } from '../../../core/exit.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

interface File {
  readonly file: string;
}

interface Broken extends File {
  readonly why: string;
}

/** Where nothing that mailauth keeps can be opened any more. `file`: the sealed file itself. */
const withoutCopy = (file: string, move: string): readonly string[] => [
  `Put ${file} back from your own backup`,
  `Start anew, every mailbox signs in again: ${move}, then mailauth login --force MAILBOX`,
];

type Kind = 'scrypt' | 'key-file';

/** What can be wrong with the store `file`: the sealed file itself, and where its key comes from. */
export const fileStoreEntries = {
  'sealed-file-damaged': entry<Broken>({
    exit: Exit.noStore,
    source: sources.own,
    title: () => 'The sealed file with the secrets is damaged',
    why: ({ file, why }) => `${file} was left untouched: ${why}`,
    next: () => ['mailauth store restore   # takes the kept copy, after asking'],
    retryHelps: false,
  }),

  'sealed-file-unreadable': entry<Broken>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ file }) => `The sealed file ${file} is out of reach`,
    why: ({ why }) => why,
    next: ({ file }) => [`ls -l '${file}'   # it must belong to the user who runs mailauth`],
  }),

  'sealed-file-newer': entry<File>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ file }) => `Another version of mailauth wrote ${file}`,
    why: () => 'This one does not know its format, and left it untouched',
    next: () => ['mailauth --version   # then use the newer one here as well'],
    retryHelps: false,
  }),

  'sealed-key-wrong': entry<File & { kind: Kind }>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ kind }) => (kind === 'scrypt' ? 'The passphrase is wrong' : 'The key file is not the one that was used'),
    why: ({ file, kind }) =>
      kind === 'scrypt' ? `${file} was sealed with another one` : `${file} was sealed with another key; it was left untouched`,
    next: ({ kind }) => [
      kind === 'scrypt'
        ? 'export MAILAUTH_PASSPHRASE_FILE=FILE   # the file with the right one, mode 0600'
        : 'export MAILAUTH_KEY_FILE=FILE   # the one that was there when the file was made',
    ],
  }),

  'sealed-key-kind': entry<File & { kind: Kind }>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ kind }) =>
      kind === 'scrypt'
        ? 'The sealed file has a passphrase, but a key file was given'
        : 'The sealed file needs its key file, not a passphrase',
    why: ({ file, kind }) => `${file} was made with ${kind === 'scrypt' ? 'a passphrase' : 'MAILAUTH_KEY_FILE'}`,
    next: ({ kind }) => [
      kind === 'scrypt' ? 'unset MAILAUTH_KEY_FILE' : 'export MAILAUTH_KEY_FILE=FILE   # the one that was there when the file was made',
    ],
    retryHelps: false,
  }),

  'passphrase-needed': entry<File>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: () => 'The sealed file needs its passphrase or its key file',
    why: ({ file }) => `${file} cannot be opened without, and prompts are off or nobody is at a terminal`,
    next: () => [
      'export MAILAUTH_PASSPHRASE_FILE=FILE   # holds the passphrase, mode 0600',
      'For a new store on a server, make a key file and export MAILAUTH_KEY_FILE with its name: mailauth store keygen FILE',
    ],
  }),

  'key-file-unusable': entry<Broken>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ file }) => `The key file ${file} cannot be used`,
    why: ({ why }) => why,
    next: () => [
      'mailauth store keygen FILE   # makes one, for a store that is new',
      'A store that has secrets opens only with the key file it was made with',
    ],
    retryHelps: false,
  }),

  'passphrase-file-unusable': entry<Broken>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ file }) => `The passphrase file ${file} cannot be used`,
    why: ({ why }) => why,
    next: () => ['export MAILAUTH_PASSPHRASE_FILE=FILE   # one line, mode 0600'],
    retryHelps: false,
  }),

  'passphrase-short': entry<{ from: string; fewest: number }>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ from }) => `The passphrase in ${from} is too short for a new sealed file`,
    why: ({ fewest }) => `It needs at least ${fewest} characters; four or five unrelated words are good`,
    next: () => [
      'export MAILAUTH_PASSPHRASE_FILE=FILE   # one line, mode 0600',
      'On a server, a key file in place of a passphrase; export MAILAUTH_KEY_FILE with its name: mailauth store keygen FILE',
    ],
    retryHelps: false,
  }),

  'file-exposed': entry<File & { mode: string }>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ file }) => `Others can read or change ${file}`,
    why: ({ mode }) => `Its mode is ${mode}; what opens the secrets must be its owner's alone`,
    next: ({ file }) => [`chmod 600 '${file}'   # if others were on this machine, count it as known`],
    retryHelps: false,
  }),

  'file-foreign': entry<File>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ file }) => `${file} belongs to another user`,
    why: () => 'What opens the secrets must belong to the user who runs mailauth',
    next: ({ file }) => [`sudo chown "$(id -u)" '${file}'   # or run mailauth as the user it belongs to`],
    retryHelps: false,
  }),

  'sealed-copy-missing': entry<File>({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'There is no kept copy to restore',
    why: ({ file }) => `${file} does not exist`,
    next: ({ file }) => withoutCopy(file.replace(/\.copy$/, ''), 'move the damaged file away'),
    retryHelps: false,
  }),

  'sealed-copy-damaged': entry<Broken>({
    exit: Exit.noStore,
    source: sources.own,
    title: () => 'The kept copy is damaged as well: there is nothing to restore',
    why: ({ why }) => why,
    next: ({ file }) => withoutCopy(file, `move both files away (mv '${file}' '${file}.old'; mv '${file}.copy' '${file}.copy.old')`),
    retryHelps: false,
  }),

  'restore-declined': entry({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'Stopped: nothing was changed',
    next: () => ['mailauth store restore'],
  }),

  'key-file-exists': entry<File>({
    exit: Exit.failed,
    source: sources.own,
    title: ({ file }) => `${file} is there already`,
    why: () => 'A key that is in use would be lost, and every secret with it; nothing was written over',
    next: ({ file }) => [`mailauth store keygen '${file}.new'`],
    retryHelps: false,
  }),

  'key-file-not-made': entry<Broken>({
    exit: Exit.failed,
    source: sources.own,
    title: ({ file }) => `The key file ${file} could not be made`,
    why: ({ why }) => why,
    next: ({ file }) => [
      'mailauth store keygen ~/mailauth.key   # or any file in a folder that this user may write',
      `sudo mailauth store keygen '${file}'   # where mailauth itself runs as root`,
    ],
  }),

  'store-move-differs': entry<{ what: string; to: string }>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ to }) => `The store ${to} did not give back what was written`,
    why: ({ what }) => `${what} read differently; nothing was deleted from the old store`,
    next: () => ['mailauth doctor   # checks the stores', 'Then run the same command again: it goes on where it stopped'],
  }),
};
