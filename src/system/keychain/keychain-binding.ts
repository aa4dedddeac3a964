import { nodeModule } from '../../core/builtins.ts';

type Binding = typeof import('@napi-rs/keyring');
type KeychainEntry = InstanceType<Binding['AsyncEntry']>;

let binding: Binding | undefined;

/**
 * One entry of the operating system's keychain. Loaded at first use, by require: 26 against 58 ms for import.
 * On Linux it is pinned to the Secret Service: left alone, the binding falls back without a word to the kernel
 * keyring, which forgets everything at the next boot. Throws when the binding or its library is not there.
 */
export function openEntry(service: string, account: string): KeychainEntry {
  return new (loaded().AsyncEntry)(service, account, { linux: { store: 'secret-service' } });
}

function loaded(): Binding {
  binding ??= nodeModule().createRequire(import.meta.filename)('@napi-rs/keyring') as Binding;
  return binding;
}
