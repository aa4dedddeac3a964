import type { KeychainProvider } from '../../../core/keychain-port.ts';
import { type Line, line, mailauth, type NextStep, noted } from '../../../core/next.ts';
import { inTurn, keyFileForThisWindow, setVariable } from '../../../core/shell-lines.ts';

/** The blanks of every entry about a keychain. */
export interface Keychain {
  /** `Secret Service`, `macOS Keychain`, `Windows Credential Manager` */
  label: string;
  why: string;
  /** who answers for the Secret Service, where that is known */
  provider?: KeychainProvider | undefined;
  /** this home has a sealed file, which has its key already */
  hasSealedFile?: boolean | undefined;
}

/** The value for who answers for the Secret Service; `otherwise` where that is not known. */
export const byProvider = <T>({ provider }: Keychain, values: Partial<Record<KeychainProvider, T>>, otherwise: T): T =>
  (typeof provider === 'string' ? values[provider] : undefined) ?? otherwise;

export const isMac = ({ label }: Keychain): boolean => label === 'macOS Keychain';

/** Asks for the keyring's password and unlocks with it; a keyring that does not exist yet is made. printf is a built-in: no password in argv. */
const unlock = (options: string): string =>
  `read -rsp "Keyring password: " p; printf %s "$p" | gnome-keyring-daemon ${options}--unlock --components=secrets >/dev/null`;
export const unlockHere = line`bash -c ${unlock('--replace ')}`;
export const freshSession = line`dbus-run-session -- bash -c ${`${unlock('')}; exec bash`}`;

/** On a terminal mailauth runs the keychain's own prompt, whichever program it is. */
export const askHere = noted(mailauth('doctor'), 'in a terminal of the desktop: the keychain then asks for its password in a window');

/** The platform's own tool, which shows whether the keychain or mailauth is at fault. */
export const tryWithoutMailauth = ({ label }: Keychain): Line =>
  ({
    'macOS Keychain': line`security add-generic-password -U -s mailauth-check -a check -w check`,
    'Windows Credential Manager': line`cmdkey /list`,
  })[label] ?? line`echo check | secret-tool store --label=mailauth-check service mailauth-check`;

/** For servers and containers: the other store, with a key file. */
const newSealedFile = noted(inTurn(setVariable('MAILAUTH_STORE', 'file'), keyFileForThisWindow), 'a server without a keychain');
const sealedFileHere = noted(setVariable('MAILAUTH_STORE', 'file'), 'the sealed file that is here already, with the key it was made with');
export const sealedFile = ({ hasSealedFile }: Keychain): NextStep => (hasSealedFile === true ? sealedFileHere : newSealedFile);

/** Whether a step leads to the other store. */
export const isToSealedFile = (step: NextStep): boolean => step === newSealedFile || step === sealedFileHere;

/** The name that a person knows it by. */
export const nameOf = (v: Keychain): string =>
  byProvider(v, { 'gnome-keyring': 'GNOME Keyring', kwallet: 'KWallet', keepassxc: 'KeePassXC' }, v.label);
