import type { KeychainTrouble } from './keychain-port.ts';

/** A sentence, and what it says beside the trouble: whose it is. */
interface KeychainSentence {
  readonly words: string;
  readonly means: { readonly label?: string; readonly provider?: string };
}

const mac = (words: string): KeychainSentence => ({ words, means: { label: 'macOS Keychain' } });
const windows = (words: string): KeychainSentence => ({ words, means: { label: 'Windows Credential Manager' } });
const kwallet = (words: string): KeychainSentence => ({ words, means: { provider: 'kwallet' } });

/**
 * The messages of the platforms' keychains, by what they mean: names of D-Bus errors, sentences of gnome-keyring, secret-tool and KWallet
 * (measured), SecBase.h and `security error` of macOS, and names of Win32 errors. They are in core, because the adapter of the keychain
 * and the error catalogue recognise the same messages.
 */
export const keychainSays: Readonly<Record<KeychainTrouble, readonly (string | KeychainSentence)[]>> = {
  'no-bus': [
    'Failed to connect to socket',
    'DBUS_SESSION_BUS_ADDRESS',
    'Unable to autolaunch a dbus-daemon',
    'Cannot autolaunch D-Bus without X11',
    'Failed to execute child process “dbus-launch”',
  ],
  'no-provider': [
    'not provided by any .service',
    kwallet('The name org.kde.kwalletd5 was not provided by any .service'),
    kwallet('The name org.kde.kwalletd6 was not provided by any .service'),
    kwallet('org.kde.kwalletd5 was not provided'),
    kwallet('org.kde.kwalletd6 was not provided'),
    kwallet('The name org.kde.kwalletd was not provided by any .service'),
    'org.freedesktop.DBus.Error.ServiceUnknown',
    'org.freedesktop.DBus.Error.NameHasNoOwner',
    'org.freedesktop.DBus.Error.Spawn',
    mac('No keychain is available'),
    mac('errSecNotAvailable'),
  ],
  'no-collection': [
    mac('default keychain could not be found'),
    mac('errSecNoDefaultKeychain'),
    'org.freedesktop.DBus.Error.UnknownObject',
    'org.freedesktop.DBus.Error.UnknownMethod',
    'org.freedesktop.DBus.Error.UnknownInterface',
    'org.freedesktop.Secret.Error.NoSuchObject',
    'Object does not exist at path “/org/freedesktop/secrets',
    "No such object path '/org/freedesktop/secrets",
  ],
  locked: [
    'prompt was dismissed',
    'org.freedesktop.Secret.Error.IsLocked',
    'Cannot create an item in a locked collection',
    'Cannot get secret of a locked object',
    mac('User interaction is not allowed'),
    mac('errSecInteractionNotAllowed'),
  ],
  unconfirmed: [],
  busy: ['Did not receive a reply', 'org.freedesktop.DBus.Error.NoReply', 'org.freedesktop.DBus.Error.TimedOut'],
  hung: [],
  denied: [
    'org.freedesktop.DBus.Error.AccessDenied',
    windows('NO_SUCH_LOGON_SESSION'),
    windows('A specified logon session does not exist'),
    windows('os error 1312'),
    windows('0x80070520'),
    mac('canceled the operation'),
    mac('The user name or passphrase you entered is not correct'),
    mac('errSecAuthFailed'),
    mac('errSecUserCanceled'),
  ],
  'left-out': [],
  'no-binding': ['Cannot find native binding', "Cannot find module '@napi-rs/keyring", 'Failed to load native binding'],
  damaged: [],
  other: [kwallet('createDLGroup failed: maybe libqca-ossl is missing'), kwallet('Client public key size is invalid')],
};

const order = ['no-bus', 'no-provider', 'no-collection', 'locked', 'busy', 'denied', 'no-binding'] as const;

/** The trouble that a keychain's message means; undefined for an unknown message. */
export function troubleThatSays(message: string): KeychainTrouble | undefined {
  const text = message.toLowerCase();
  return order.find((trouble) =>
    keychainSays[trouble].some((one) => text.includes((typeof one === 'string' ? one : one.words).toLowerCase())),
  );
}
