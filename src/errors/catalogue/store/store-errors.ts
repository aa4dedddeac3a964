import { Exit } from '../../../core/errors.ts';
import { again, led, line, mailauth, type NextStep, noted } from '../../../core/next.ts';
import { byShell, moveFile, showAccess } from '../../../core/shell-lines.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { isNewer, leftAlone, type MayBeNewer, updating } from './newer-words.ts';

/** What is wrong with the files of MAILAUTH_HOME, or with one stored entry. */
/** Whose file it is, by its name (`helpdesk@contoso.com~osticket.json`); nothing where the name was cut to a hash. */
function setUpOf(file: string): { readonly mailbox?: string; readonly for?: string } {
  const [, mailbox, product] = /([^/\\~]+@[^/\\~]+)~([a-z-]+)\.json$/.exec(file) ?? [];
  return mailbox === undefined || product === undefined ? {} : { mailbox, for: product };
}

/** The statement that removes one document of the database. */
const removing = (document: string): string => `DELETE FROM mailauth.document WHERE path = '${document.replaceAll("'", "''")}'`;

export const storeEntries = {
  'store-damaged': entry<{ what: string; why: string; fix: readonly NextStep[] }>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ what }) => `What is stored as ${what} is damaged`,
    why: ({ why }) => `It was left untouched: ${why}`,
    next: ({ fix }) => fix,
    retryHelps: false,
  }),

  'written-by-newer': entry<{ what: string; format: number }>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ what }) => `A newer mailauth wrote ${what}`,
    why: ({ format }) => leftAlone(format),
    next: () => [updating],
    retryHelps: false,
  }),

  'store-forgets': entry<{ store: string; mailbox: string }>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ mailbox }) => `The new token of ${mailbox} could not be stored`,
    why: ({ store }) => `The ${store} did not give back what was written, so the old one was put back`,
    next: () => [mailauth('doctor')],
    retryHelps: true,
  }),

  'store-busy': entry<{ what: string }>({
    exit: Exit.temporary,
    source: sources.own,
    title: () => 'Another mailauth is writing the same file',
    why: ({ what }) => `${what} stayed locked.`,
    next: () => [noted(again(), 'once the other command has finished')],
    retryHelps: true,
  }),

  'mailbox-file-broken': entry<{ file: string; why: string; document?: string | undefined } & MayBeNewer>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => {
      const file = `the mailbox file ${typeof v.document === 'string' ? `${v.document} in the database` : v.file}`;
      return isNewer(v) ? `A newer mailauth wrote ${file}` : `T${file.slice(1)} cannot be used`;
    },
    why: (v) => (isNewer(v) ? leftAlone(v.newer) : `It was left untouched: ${v.why}`),
    next: ({ file, document, ...v }) =>
      isNewer(v)
        ? [updating]
        : [
            typeof document === 'string'
              ? byShell({
                  posix: line`psql "\${MAILAUTH_DATABASE_URL:-$(cat "$MAILAUTH_DATABASE_URL_FILE")}" -c ${removing(document)}`,
                  powershell: line`psql $env:MAILAUTH_DATABASE_URL -c ${removing(document)}`,
                  cmd: line`psql "%MAILAUTH_DATABASE_URL%" -c ${removing(document)}`,
                })
              : moveFile(file, `${file}.broken`),
            noted(mailauth('setup', setUpOf(file)), 'sets the mailbox up again afterwards'),
          ],
    retryHelps: false,
  }),

  'home-file-broken': entry<{ file: string; why: string } & MayBeNewer>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => (isNewer(v) ? `A newer mailauth wrote the file ${v.file}` : `The file ${v.file} cannot be used`),
    why: (v) => (isNewer(v) ? leftAlone(v.newer) : `It holds the id under which the keychain knows this folder's secrets: ${v.why}`),
    next: ({ file, ...v }) =>
      isNewer(v)
        ? [updating]
        : [`Put ${file} back from a copy.`, led('Start anew, with a new sign-in for every mailbox', moveFile(file, `${file}.broken`))],
    retryHelps: false,
  }),

  'home-unknown': entry({
    exit: Exit.failed,
    source: sources.own,
    title: () => 'mailauth does not know where to keep its files',
    why: () =>
      'This user has no home folder: HOME is not set, and the list of users of this system does not name one. Containers are often so.',
    next: () => [
      noted(
        byShell({
          posix: line`export MAILAUTH_HOME="$(mktemp -d /var/tmp/mailauth.XXXXXX)"`,
          powershell: line`$env:MAILAUTH_HOME = Join-Path ([IO.Path]::GetTempPath()) mailauth`,
          cmd: line`set "MAILAUTH_HOME=%TEMP%\\mailauth"`,
        }),
        'a new folder; for good, name one that outlives the container',
      ),
      again(),
    ],
    retryHelps: false,
  }),

  'home-not-writable': entry<{ home: string; why: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: ({ home }) => `mailauth cannot write to its folder ${home}`,
    why: ({ why }) => why,
    next: ({ home, why }) => [
      noted(
        showAccess(home),
        `who owns it; ${/denied|permitted/.test(why) ? 'mailauth must run as that user' : 'then make room or make it writable'}`,
      ),
      noted({ ...mailauth('setup'), home: 'mailauth' }, 'begins anew in a folder that this user can write to'),
    ],
    retryHelps: false,
  }),
};
