import { nodeModule } from '../../core/builtins.ts';

type Binding = typeof import('@napi-rs/keyring');
type KeychainEntry = InstanceType<Binding['AsyncEntry']>;

let binding: Binding | undefined;

/**
 * One entry of the keychain of macOS or Windows. Loaded at first use, by require: 26 against 58 ms for import. Throws when the package or
 * its native part is not there.
 */
export function openEntry(service: string, account: string): KeychainEntry {
  return new (loaded().AsyncEntry)(service, account);
}

function loaded(): Binding {
  binding ??= nodeModule().createRequire(import.meta.filename)('@napi-rs/keyring') as Binding;
  return binding;
}
