import { Exit } from '../../../core/errors.ts';
import { again, line, mailauth, type NextStep, noted } from '../../../core/next.ts';
import { byShell, inTurn, unsetVariable } from '../../../core/shell-lines.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import {
  askHere,
  byProvider,
  freshSession,
  isMac,
  type Keychain,
  nameOf,
  sealedFile,
  tryWithoutMailauth,
  unlockHere,
} from './keychain-advice.ts';
import { said } from './keychain-words.ts';

/** Status words of macOS (SecBase.h). */
const status = (word: string, why: string) => ({ words: word, means: { why: `${why} (${word})`, label: 'macOS Keychain' } });

/** What our bus says of an address that it cannot connect to (`system/keychain/bus.ts`). */
const otherTransport = /names no Unix socket/;
/** KWallet's encryption is a plug-in of its own, which Debian only recommends. */
const withoutCiphers = /libqca-ossl/;

/** What our side says of a wallet that KWallet does not offer yet (`system/keychain/secret-unlock.ts`). */
const madeJustNow = /made in this session/;

const shareADatabase =
  'In KeePassXC: open the database, then choose the group that it shares: Database Settings, Secret Service Integration.';

/** Where systemd has the bus of a session; only Linux has it. */
const runtimeFolder = byShell({
  posix: line`export XDG_RUNTIME_DIR=/run/user/$(id -u)`,
  powershell: line`$env:XDG_RUNTIME_DIR = "/run/user/$(id -u)"`,
  cmd: line`export XDG_RUNTIME_DIR=/run/user/$(id -u)`,
});

export const keychainEntries = {
  'keychain-no-bus': entry<Keychain>({
    exit: Exit.noStore,
    source: sources.secretService,
    says: said('no-bus'),
    title: ({ why }) =>
      otherTransport.test(why)
        ? 'mailauth cannot use the D-Bus session that is named here, so there is no keychain'
        : 'There is no D-Bus session here, so there is no keychain',
    why: ({ why }) =>
      `The Secret Service (GNOME Keyring, KWallet) is reached through the session bus: ${why}${otherTransport.test(why) ? '; only those are used, not tcp:' : ''}`,
    next: (v) => [
      noted(freshSession, 'a session with an unlocked keyring; run mailauth in it'),
      noted(
        otherTransport.test(v.why) ? inTurn(unsetVariable('DBUS_SESSION_BUS_ADDRESS'), runtimeFolder) : runtimeFolder,
        'in cron, su and sudo, where a session is running',
      ),
      sealedFile(v),
    ],
  }),

  'keychain-no-provider': entry<Keychain>({
    exit: Exit.noStore,
    source: sources.secretService,
    says: said('no-provider'),
    title: () => 'No keychain service is installed on this computer',
    why: ({ why }) => `Nothing answers for org.freedesktop.secrets: ${why}`,
    next: (v) => [
      /kwalletd/.test(v.why)
        ? noted(line`sudo apt-get install kwalletmanager`, 'Fedora: sudo dnf install kwalletmanager5')
        : noted(line`sudo apt-get install gnome-keyring`, 'Fedora, RHEL: sudo dnf install gnome-keyring'),
      'KeePassXC and KWallet also work, with their Secret Service switched on.',
      sealedFile(v),
    ],
  }),

  'keychain-no-collection': entry<Keychain>({
    exit: Exit.noStore,
    source: sources.secretService,
    codes: [status('-25307', 'A default keychain could not be found')],
    says: said('no-collection'),
    title: (v) =>
      byProvider(
        v,
        { keepassxc: 'KeePassXC runs, but it shares no open database', kwallet: 'KWallet runs, but it offers no wallet yet' },
        'The keychain service runs, but it has no default keyring yet',
      ),
    why: ({ why }) => `Without one it does not keep anything: ${why}`,
    next: (v) =>
      byProvider<readonly NextStep[]>(
        v,
        {
          keepassxc: [shareADatabase, sealedFile(v)],
          kwallet: madeJustNow.test(v.why)
            ? ['Log out and in again.', sealedFile(v)]
            : [noted(line`kwalletmanager5`, 'make the wallet "kdewallet" there; in Plasma 6 it is kwalletmanager'), sealedFile(v)],
        },
        [
          noted(line`seahorse`, '"Passwords and Keys": make a password keyring there and set it as default'),
          noted(unlockHere, 'without a desktop: makes it, with the password you choose'),
        ],
      ),
  }),

  'keychain-locked': entry<Keychain>({
    exit: Exit.noStore,
    source: sources.secretService,
    codes: [status('-25308', 'User interaction is not allowed')],
    says: said('locked'),
    title: (v) =>
      isMac(v)
        ? 'The keychain is locked'
        : byProvider(v, { keepassxc: "KeePassXC's database is locked", kwallet: "KWallet's wallet is closed" }, 'The keyring is locked'),
    why: (v) =>
      isMac(v)
        ? `Over SSH it cannot ask anybody for its password: ${v.why}`
        : byProvider(
            v,
            {
              keepassxc: `Nobody was asked to unlock it, or the answer was no: ${v.why}`,
              kwallet: `Logging in opens it where the wallet has the password of the log-in: ${v.why}`,
            },
            `Logging in to the desktop unlocks it; SSH with a key and automatic log-in do not: ${v.why}`,
          ),
    next: (v) =>
      isMac(v)
        ? [line`security unlock-keychain`]
        : byProvider<readonly NextStep[]>(
            v,
            {
              keepassxc: [askHere, 'Or open KeePassXC and unlock the database.', sealedFile(v)],
              kwallet: [
                askHere,
                'So that logging in opens it: install libpam-kwallet5 and give the wallet the log-in password.',
                sealedFile(v),
              ],
            },
            [
              askHere,
              'On a desktop: open "Passwords and Keys" (seahorse) and unlock the keyring "Login".',
              noted(unlockHere, 'over SSH, for GNOME Keyring'),
              sealedFile(v),
            ],
          ),
  }),

  'keychain-unconfirmed': entry<Keychain>({
    exit: Exit.noStore,
    source: sources.secretService,
    title: () => 'KeePassXC did not let mailauth use its entry',
    why: ({ why }) => `KeePassXC wants a yes for each program, which mailauth waits for on a terminal only: ${why}`,
    next: (v) => [
      'In KeePassXC: Settings, Secret Service Integration: switch off "Confirm when passwords are retrieved by clients".',
      noted(mailauth('store move', 'file'), 'on a terminal: takes the secrets out of KeePassXC, which then asks once more'),
      sealedFile(v),
    ],
  }),

  'keychain-busy': entry<Keychain>({
    exit: Exit.temporary,
    source: sources.secretService,
    says: said('busy'),
    title: (v) => `The keychain did not answer in time (${nameOf(v)})`,
    why: ({ why }) => `The computer may be busy, or the keychain waits for a person: ${why}`,
    next: () => [noted(again(), 'in a minute'), noted(mailauth('doctor'), 'shows whether it answers')],
    retryHelps: true,
  }),

  'keychain-hung': entry<Keychain & { pid?: number | undefined }>({
    exit: Exit.noStore,
    source: sources.secretService,
    title: (v) => `The keychain is stopped and cannot answer (${nameOf(v)})`,
    why: ({ why }) => why,
    next: ({ pid }) =>
      typeof pid === 'number'
        ? [noted(line`kill -CONT ${String(pid)}`, 'lets it go on'), 'Or log out and in again.']
        : ['Log out and in again, then try once more.'],
  }),

  'keychain-denied': entry<Keychain>({
    exit: Exit.noStore,
    source: sources.secretService,
    codes: [status('-25293', 'The user name or passphrase is not correct')],
    says: said('denied'),
    title: (v) => `The keychain refuses access (${nameOf(v)})`,
    why: ({ why }) => why,
    next: (v) =>
      ({
        'macOS Keychain': [noted(line`security unlock-keychain`, 'then try again, and press "Always Allow" when macOS asks')],
        'Windows Credential Manager': [
          sealedFile(v),
          'Or run the same command in a window of the desktop: Credential Manager cannot be used over SSH, in a service or in a task of nobody logged on.',
        ],
      })[v.label] ?? ['Run the same command as the user who owns the session, without sudo.'],
  }),

  'keychain-no-binding': entry<Keychain>({
    exit: Exit.noStore,
    source: sources.secretService,
    says: said('no-binding'),
    title: () => "The part of mailauth that speaks to this system's keychain is not installed",
    why: ({ why }) =>
      `npm left it out, node_modules comes from another system, or this system (its glibc, its Node.js) is too old for it: ${why}`,
    next: (v) => [
      noted(line`npm install --include=optional`, 'where mailauth is a dependency; else npm install -g --include=optional entra-mailauth'),
      sealedFile(v),
    ],
    retryHelps: false,
  }),

  'keychain-left-out': entry<Keychain>({
    exit: Exit.noStore,
    source: sources.own,
    title: () => 'The single-file program keeps secrets in the sealed file only',
    why: () => 'It cannot use the keychain of this system. mailauth from npm can.',
    next: (v) => [sealedFile(v), noted(line`npm install --global entra-mailauth`, 'the mailauth that uses the keychain')],
    retryHelps: false,
  }),

  'keychain-failed': entry<Keychain>({
    exit: Exit.noStore,
    source: sources.secretService,
    says: said('other'),
    hints: [
      { words: 'CredWriteW failed', means: { label: 'Windows Credential Manager' } },
      { words: 'CredWrite failed', means: { label: 'Windows Credential Manager' } },
      { words: 'CredReadW failed', means: { label: 'Windows Credential Manager' } },
      { words: 'CredRead failed', means: { label: 'Windows Credential Manager' } },
    ],
    title: (v) => `The keychain does not work (${nameOf(v)})`,
    why: ({ why }) => (withoutCiphers.test(why) ? `KWallet has no encryption to hand out secrets with: ${why}` : why),
    next: (v) =>
      withoutCiphers.test(v.why)
        ? [
            noted(line`sudo apt-get install libqca-qt5-2-plugins`, 'Fedora: sudo dnf install qca-qt5-ossl; then log out and in again'),
            sealedFile(v),
          ]
        : [noted(tryWithoutMailauth(v), 'does it fail without mailauth, too?'), mailauth('doctor')],
  }),
};
