import { keychainSays } from '../../../core/keychain-says.ts';
import type { Said } from '../../entry/entry.ts';

type Trouble = keyof typeof keychainSays;

const windows = { label: 'Windows Credential Manager' };
const kwallet = { provider: 'kwallet' };

/** Sentences of other programs about a keychain, beside those that mailauth itself meets (`core/keychain-says.ts`). */
const elsewhere: Readonly<Partial<Record<Trouble, readonly (string | Said)[]>>> = {
  'no-bus': [
    'Error spawning command line dbus-launch',
    'zbus error: I/O error: No such file or directory',
    'zbus error: Address error',
    'zbus error: Connection refused',
    'Unable to connect to the session bus',
    'Cannot spawn a message bus',
    'session bus is not available',
    'Could not connect: No such file or directory',
    'dbus-launch terminated abnormally',
    'dial unix … bus: connect',
    'failed to open dbus connection',
    'cannot connect to session bus',
    'failed to connect to session bus',
    'DBus connection … failed',
    'Unable to initialize SecretService',
    'Could not get session bus',
  ],
  'no-collection': [
    "No such interface 'org.freedesktop.Secret",
    'No such interface … on object at path /org/freedesktop/secrets',
    'result not returned from SS API',
    'No such secret collection',
    'Failed to get default collection',
    'no default collection',
  ],
  locked: [
    'prompt dismissed',
    'failed to unlock correct collection',
    'Failed to unlock the collection',
    'Failed to unlock the keyring',
    'Failed to unlock the item',
    'collection is locked',
    'Item is locked',
    'LockedException',
    'keyring is locked',
    'KeyringLocked',
    { words: 'wallet is closed', means: kwallet },
    { words: 'Failed to open the wallet', means: kwallet },
  ],
  denied: [
    { words: 'Win32Exception (1312)', means: windows },
    { words: 'ERROR_NO_SUCH_LOGON_SESSION', means: windows },
  ],
  'no-binding': [
    'version `GLIBC',
    'GLIBC … not found',
    'GLIBCXX … not found',
    'was compiled against a different Node.js version',
    'invalid ELF header',
    'is not a valid Win32 application',
    'ERR_DLOPEN_FAILED',
    'Error relocating … symbol not found',
    'libc.musl … No such file',
  ],
};

/** The sentence that `explain` finds is the reason, because the text has no other. */
export const said = (trouble: Trouble): readonly Said[] =>
  [...keychainSays[trouble], ...(elsewhere[trouble] ?? [])].map((one) => {
    const { words, means = {} }: Said = typeof one === 'string' ? { words: one } : one;
    return { words, means: { why: words.replace(' …', ''), ...means } };
  });
