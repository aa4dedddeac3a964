import { Exit } from '../../../core/errors.ts';
import { keychainSays } from '../../../core/keychain-says.ts';
import { again, byShell, type Line, led, line, mailauth, type NextStep, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';

interface Keychain {
  /** `Secret Service`, `macOS Keychain`, `Windows Credential Manager` */
  label: string;
  why: string;
  /** this home has a sealed file, which has its key already */
  hasSealedFile?: boolean | undefined;
}

/** Asks for the keyring's password and unlocks with it; a keyring that does not exist yet is made. printf is a built-in: no password in argv. */
const unlock = (options: string): string =>
  `read -rsp "Keyring password: " p; printf %s "$p" | gnome-keyring-daemon ${options}--unlock --components=secrets >/dev/null`;
const unlockHere = line`bash -c ${unlock('--replace ')}`;
const freshSession = line`dbus-run-session -- bash -c ${`${unlock('')}; exec bash`}`;

/** The platform's own tool, which shows whether the keychain or mailauth is at fault. */
const tryWithoutMailauth = ({ label }: Keychain): Line =>
  ({
    'macOS Keychain': line`security add-generic-password -U -s mailauth-check -a check -w check`,
    'Windows Credential Manager': line`cmdkey /list`,
  })[label] ?? line`echo check | secret-tool store --label=mailauth-check service mailauth-check`;

/** For servers and containers: the other store, with a key file. */
const newSealedFile = noted(
  byShell(
    line`export MAILAUTH_STORE=file MAILAUTH_KEY_FILE=~/mailauth.key; mailauth store keygen ~/mailauth.key`,
    line`$env:MAILAUTH_STORE = 'file'; $env:MAILAUTH_KEY_FILE = "$HOME/mailauth.key"; mailauth store keygen "$HOME/mailauth.key"`,
  ),
  'a server without a keychain',
);
const sealedFileHere = noted(
  byShell(line`export MAILAUTH_STORE=file`, line`$env:MAILAUTH_STORE = 'file'`),
  'the sealed file that is here already, with the key it was made with',
);
const sealedFile = ({ hasSealedFile }: Keychain): NextStep => (hasSealedFile === true ? sealedFileHere : newSealedFile);

/** Whether a step leads to the other store. */
export const isToSealedFile = (step: NextStep): boolean => step === newSealedFile || step === sealedFileHere;

/** What our bus says of an address that it cannot connect to (`system/bus.ts`). */
const otherTransport = /names no Unix socket/;

export const storeEntries = {
  'keychain-no-bus': entry<Keychain>({
    exit: Exit.noStore,
    source: sources.secretService,
    says: keychainSays['no-bus'],
    title: ({ why }) =>
      otherTransport.test(why)
        ? 'mailauth cannot use the D-Bus session that is named here, so there is no keychain'
        : 'There is no D-Bus session here, so there is no keychain',
    why: ({ why }) =>
      `The Secret Service (GNOME Keyring, KWallet) is reached through the session bus: ${why}${otherTransport.test(why) ? '; only those are used, not tcp:' : ''}`,
    next: (v) => [
      noted(freshSession, 'a session with an unlocked keyring; run mailauth in it'),
      noted(
        otherTransport.test(v.why)
          ? line`unset DBUS_SESSION_BUS_ADDRESS; export XDG_RUNTIME_DIR=/run/user/$(id -u)`
          : line`export XDG_RUNTIME_DIR=/run/user/$(id -u)`,
        'in cron, su and sudo, where a session is running',
      ),
      sealedFile(v),
    ],
  }),

  'keychain-no-provider': entry<Keychain>({
    exit: Exit.noStore,
    source: sources.secretService,
    says: keychainSays['no-provider'],
    title: () => 'No keychain service is installed on this computer',
    why: ({ why }) => `Nothing answers for org.freedesktop.secrets: ${why}`,
    next: (v) => [
      noted(line`sudo apt-get install gnome-keyring`, 'Fedora, RHEL: sudo dnf install gnome-keyring'),
      'KeePassXC and KWallet also work, with their Secret Service switched on.',
      sealedFile(v),
    ],
  }),

  'keychain-no-collection': entry<Keychain>({
    exit: Exit.noStore,
    source: sources.secretService,
    says: keychainSays['no-collection'],
    title: () => 'The keychain service runs, but it has no default keyring yet',
    why: ({ why }) => `Without one it does not keep anything: ${why}`,
    next: () => [
      noted(unlockHere, 'makes it, with the password you choose'),
      'On a desktop: open "Passwords and Keys" (seahorse), make a password keyring and set it as default.',
    ],
  }),

  'keychain-locked': entry<Keychain>({
    exit: Exit.noStore,
    source: sources.secretService,
    says: keychainSays.locked,
    title: ({ label }) => (label === 'macOS Keychain' ? 'The keychain is locked' : 'The keyring is locked'),
    why: ({ why, label }) =>
      label === 'macOS Keychain'
        ? `Over SSH it cannot ask anybody for its password: ${why}`
        : `Logging in to the desktop unlocks it; SSH with a key and automatic log-in do not: ${why}`,
    next: ({ label }) =>
      label === 'macOS Keychain'
        ? [line`security unlock-keychain`]
        : [unlockHere, 'On a desktop: open "Passwords and Keys" (seahorse) and unlock the keyring "Login".'],
  }),

  'keychain-hung': entry<Keychain>({
    exit: Exit.noStore,
    source: sources.secretService,
    says: keychainSays.hung,
    title: ({ label }) => `The keychain does not answer (${label})`,
    why: ({ why }) => why,
    next: ({ label }) =>
      label === 'Secret Service'
        ? [noted(line`pkill -KILL -u "$(id -u)" gnome-keyring-d`, 'it starts again when it is asked'), 'Log out and in again.']
        : ['Log out and in again, then try once more.'],
  }),

  'keychain-denied': entry<Keychain>({
    exit: Exit.noStore,
    source: sources.secretService,
    says: keychainSays.denied,
    title: ({ label }) => `The keychain refuses access (${label})`,
    why: ({ why }) => why,
    next: ({ label }) => [
      {
        'macOS Keychain': noted(line`security unlock-keychain`, 'then try again, and press "Always Allow" when macOS asks'),
        'Windows Credential Manager': 'Run the same command in a window of the desktop: Credential Manager cannot be used over SSH.',
      }[label] ?? 'Run the same command as the user who owns the session, without sudo.',
    ],
  }),

  'keychain-failed': entry<Keychain>({
    exit: Exit.noStore,
    source: sources.secretService,
    title: ({ label }) => `The keychain does not work (${label})`,
    why: ({ why }) => why,
    next: (v) => [noted(tryWithoutMailauth(v), 'does it fail without mailauth, too?'), mailauth('doctor')],
  }),

  'store-damaged': entry<{ what: string; why: string; fix: readonly NextStep[] }>({
    exit: Exit.noStore,
    source: sources.own,
    title: ({ what }) => `What is stored as ${what} is damaged`,
    why: ({ why }) => `It was left untouched: ${why}`,
    next: ({ fix }) => fix,
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

  'mailbox-file-broken': entry<{ file: string; why: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: ({ file }) => `The mailbox file ${file} cannot be used`,
    why: ({ why }) => `It was left untouched: ${why}`,
    next: ({ file }) => [line`mv ${file} ${`${file}.broken`}`, led('Then set the mailbox up again', mailauth('setup'))],
    retryHelps: false,
  }),

  'home-file-broken': entry<{ file: string; why: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: ({ file }) => `The file ${file} cannot be used`,
    why: ({ why }) => `It holds the id under which the keychain knows this folder's secrets: ${why}`,
    next: ({ file }) => [
      `Put ${file} back from a copy.`,
      led('Start anew, with a new sign-in for every mailbox', line`mv ${file} ${`${file}.broken`}`),
    ],
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
        byShell(
          line`export MAILAUTH_HOME="$(mktemp -d /var/tmp/mailauth.XXXXXX)"`,
          line`$env:MAILAUTH_HOME = Join-Path ([IO.Path]::GetTempPath()) mailauth`,
        ),
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
        byShell(line`ls -ld ${home}`, line`Get-Acl ${home}`),
        `who owns it; ${/denied|permitted/.test(why) ? 'mailauth must run as that user' : 'then make room or make it writable'}`,
      ),
      noted({ ...mailauth('setup'), home: 'mailauth' }, 'begins anew in a folder that this user can write to'),
    ],
    retryHelps: false,
  }),
};
