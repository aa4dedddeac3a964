import type { KeychainTrouble } from './context.ts';

/**
 * The messages of the platforms' keychains, by what they mean: names of D-Bus errors, sentences of gnome-keyring (measured), SecBase.h and
 * names of Win32 errors. They are in core, because the adapter of the keychain binding and the error catalogue recognise the same messages.
 */
export const keychainSays = {
  'no-bus': ['Failed to connect to socket', 'DBUS_SESSION_BUS_ADDRESS', 'Unable to autolaunch a dbus-daemon'],
  'no-provider': [
    'not provided by any .service',
    'org.freedesktop.DBus.Error.ServiceUnknown',
    'org.freedesktop.DBus.Error.NameHasNoOwner',
    'org.freedesktop.DBus.Error.Spawn',
    'No keychain is available',
  ],
  'no-collection': [
    'default keychain could not be found',
    'org.freedesktop.DBus.Error.UnknownObject',
    'org.freedesktop.DBus.Error.UnknownMethod',
    'org.freedesktop.DBus.Error.UnknownInterface',
    'org.freedesktop.Secret.Error.NoSuchObject',
  ],
  locked: [
    'prompt was dismissed',
    'org.freedesktop.Secret.Error.IsLocked',
    'Cannot create an item in a locked collection',
    'User interaction is not allowed',
  ],
  hung: ['Did not receive a reply', 'org.freedesktop.DBus.Error.NoReply', 'org.freedesktop.DBus.Error.TimedOut'],
  denied: ['org.freedesktop.DBus.Error.AccessDenied', 'NO_SUCH_LOGON_SESSION', 'canceled the operation'],
  damaged: [],
  other: [],
} as const satisfies Record<KeychainTrouble, readonly string[]>;

/** The trouble that a keychain's message means; undefined for an unknown message. */
export function troubleThatSays(message: string): KeychainTrouble | undefined {
  const said = message.toLowerCase();
  for (const trouble of ['no-bus', 'no-provider', 'no-collection', 'locked', 'hung', 'denied'] as const) {
    if (keychainSays[trouble].some((words) => said.includes(words.toLowerCase()))) return trouble;
  }
  return undefined;
}
