import { Exit } from '../../../core/errors.ts';
import { again, type Line, led, line, mailauth, type NextStep, noted } from '../../../core/next.ts';
import { byPlatform, inTurn, keyFileForThisWindow, moveFile, showAccess, unsetVariable } from '../../../core/shell-lines.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { leftAlone, updating } from './newer-words.ts';

interface File {
  readonly file: string;
}

interface Broken extends File {
  readonly why: string;
}

/** What is left to do when neither the sealed file nor its copy can be opened. `file`: the sealed file itself. */
const withoutCopy = (file: string, ...away: readonly NextStep[]): readonly NextStep[] => [
  `Put ${file} back from your own backup.`,
  ...away,
  led('Start anew: then sign in again for every mailbox', mailauth('login', { force: true })),
];

/** These variables name files that only the operator knows. */
const otherKey = 'Set MAILAUTH_KEY_FILE to the path of the key file that was there when the sealed file was made.';
const passphraseFile =
  'Set MAILAUTH_PASSPHRASE_FILE to the path of a file with the passphrase on one line, which only you can read (mode 0600).';
const newKeyFile = led('For a new store on a server, use a key file', keyFileForThisWindow);

type Kind = 'scrypt' | 'key-file';

/** What can be wrong with the store `file`: the sealed file itself, and where its key comes from. */
export const fileStoreEntries = {
  'sealed-file-damaged': entry<Broken>({
    exit: Exit.noStore,
    source: sources.own,
    title: () => 'The sealed file with the secrets is damaged',
    why: ({ file, why }) => `${file} was left untouched: ${why}`,
    next: () => [noted(mailauth('store restore'), 'takes the kept copy, after asking')],
    retryHelps: false,
  }),

  'sealed-file-unreadable': entry<Broken>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ file }) => `The sealed file ${file} cannot be read`,
    why: ({ why }) => why,
    next: ({ file }) => [noted(showAccess(file), 'it must belong to the user who runs mailauth')],
  }),

  'sealed-file-newer': entry<File & { format: number }>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ file }) => `A newer mailauth wrote ${file}`,
    why: ({ format }) => leftAlone(format),
    next: () => [updating],
    retryHelps: false,
  }),

  'sealed-key-wrong': entry<File & { kind: Kind }>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ kind }) => (kind === 'scrypt' ? 'The passphrase is wrong' : 'The key file is not the one that was used'),
    why: ({ file, kind }) =>
      kind === 'scrypt' ? `${file} was sealed with another one` : `${file} was sealed with another key; it was left untouched`,
    next: ({ kind }) => [kind === 'scrypt' ? passphraseFile : otherKey],
  }),

  'sealed-key-kind': entry<File & { kind: Kind }>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ kind }) =>
      kind === 'scrypt'
        ? 'The sealed file has a passphrase, but a key file was given'
        : 'The sealed file needs its key file, not a passphrase',
    why: ({ file, kind }) => `${file} was made with ${kind === 'scrypt' ? 'a passphrase' : 'MAILAUTH_KEY_FILE'}`,
    next: ({ kind }) => [kind === 'scrypt' ? unsetVariable('MAILAUTH_KEY_FILE') : otherKey],
    retryHelps: false,
  }),

  'passphrase-needed': entry<File>({
    exit: Exit.needsAnswer,
    source: sources.own,
    title: () => 'The sealed file needs its passphrase or its key file',
    why: ({ file }) => `${file} cannot be opened without one of them, and nobody can be asked here.`,
    next: () => [passphraseFile, newKeyFile],
  }),

  'key-file-unusable': entry<Broken>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ file }) => `The key file ${file} cannot be used`,
    why: ({ why }) => why,
    next: () => ['A store that has secrets opens only with the key file it was made with.', newKeyFile],
    retryHelps: false,
  }),

  'passphrase-file-unusable': entry<Broken>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ file }) => `The passphrase file ${file} cannot be used`,
    why: ({ why }) => why,
    next: () => [passphraseFile],
    retryHelps: false,
  }),

  'passphrase-short': entry<{ from: string; fewest: number }>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ from }) => `The passphrase in ${from} is too short for a new sealed file`,
    why: ({ fewest }) => `It needs at least ${fewest} characters. Four or five unrelated words are good.`,
    next: () => [passphraseFile, newKeyFile],
    retryHelps: false,
  }),

  'file-exposed': entry<File & { mode: string }>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ file }) => `Others can read or change ${file}`,
    why: ({ mode }) => `Its mode is ${mode}. Only its owner should be able to read what opens the secrets.`,
    next: ({ file }) => [noted(line`chmod 600 ${file}`, 'if others were on this machine, treat it as known to them')],
    retryHelps: false,
  }),

  'file-foreign': entry<File>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ file }) => `${file} belongs to another user`,
    why: () => 'What opens the secrets must belong to the user who runs mailauth.',
    next: ({ file }) => [noted(line`sudo chown "$(id -u)" ${file}`, 'or run mailauth as the user it belongs to')],
    retryHelps: false,
  }),

  'sealed-copy-missing': entry<File>({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'There is no kept copy to restore',
    why: ({ file }) => `${file} does not exist`,
    next: ({ file }) => withoutCopy(file.replace(/\.copy$/, ''), 'Without a backup, move the damaged file away.'),
    retryHelps: false,
  }),

  'sealed-copy-damaged': entry<Broken>({
    exit: Exit.noStore,
    source: sources.own,
    title: () => 'The kept copy is damaged as well, so nothing can be restored',
    why: ({ why }) => why,
    next: ({ file }) =>
      withoutCopy(
        file,
        led('Without a backup, move both files away', inTurn(moveFile(file, `${file}.old`), moveFile(`${file}.copy`, `${file}.copy.old`))),
      ),
    retryHelps: false,
  }),

  'restore-declined': entry({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'Stopped: nothing was changed',
    next: () => [mailauth('store restore')],
  }),

  'key-file-exists': entry<File>({
    exit: Exit.failed,
    source: sources.own,
    title: ({ file }) => `${file} exists already`,
    why: () => 'Writing over a key that is in use would lose every secret, so nothing was changed.',
    next: ({ file }) => [mailauth('store keygen', `${file}.new`)],
    retryHelps: false,
  }),

  'key-file-not-made': entry<Broken>({
    exit: Exit.failed,
    source: sources.own,
    title: ({ file }) => `The key file ${file} could not be made`,
    why: ({ why }) => why,
    next: ({ file }) => [
      noted(mailauth('store keygen', 'mailauth.key'), 'in a folder that this user can write to'),
      noted(
        byPlatform(line`sudo mailauth store keygen ${file}`, line`mailauth store keygen ${file}`),
        'as root, or in a window of an administrator, if mailauth itself runs so',
      ),
    ],
  }),

  'key-file-not-closed': entry<File & { exit: number }>({
    exit: Exit.noStore,
    source: 'https://learn.microsoft.com/windows-server/administration/windows-commands/icacls',
    title: ({ file }) => `Other users could read a key file at ${file}, so none was made`,
    why: ({ exit }) => `icacls could not take it away from them (exit ${exit}). A disk with FAT and many network drives keep no such list.`,
    next: () => [noted(keyFileForThisWindow, 'in your profile, which Windows closes to others')],
    retryHelps: false,
  }),

  'windows-open': entry<{ path: string; lines: readonly string[]; command: Line; change: boolean; more: number }>({
    exit: Exit.failed,
    source: 'https://learn.microsoft.com/windows-server/administration/windows-commands/icacls',
    title: ({ path, lines, change }) => `Others can ${change ? 'change' : 'read'} ${path}: ${lines.join(', ')}`,
    why: ({ more }) =>
      `A folder outside of your profile lets every user of this computer in.${more === 0 ? '' : ` The same is true of ${more} more.`}`,
    next: ({ command }) => [noted(command, 'leaves it to you, SYSTEM and the administrators')],
    retryHelps: false,
  }),

  'store-move-differs': entry<{ what: string; to: string }>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ to }) => `The store ${to} did not give back what was written`,
    why: ({ what }) => `${what} read differently; nothing was deleted from the old store`,
    next: () => [noted(mailauth('doctor'), 'checks the stores'), noted(again(), 'goes on where it stopped')],
  }),
};
