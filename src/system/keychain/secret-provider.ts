import { readFileSync } from 'node:fs';
import type { KeychainProvider } from '../../core/keychain-port.ts';
import type { Line } from './secret-calls.ts';

/** The program that answers for org.freedesktop.secrets. */
export interface SecretProvider {
  /** undefined for a program that mailauth does not know */
  readonly name: KeychainProvider | undefined;
  /** as the kernel names it, at most 15 characters: `kwalletd5`, `gnome-keyring-d` */
  readonly process: string;
  readonly pid: number;
  /** somebody stopped it with a signal (SIGSTOP), so it will not answer before it is let go */
  readonly isStopped: boolean;
}

const names: readonly [RegExp, KeychainProvider][] = [
  [/^gnome-keyring/, 'gnome-keyring'],
  [/^(kwalletd\d*|ksecretd)$/, 'kwallet'],
  [/^keepassxc/i, 'keepassxc'],
];

/** Asks the bus who owns the name; undefined when it does not say. The bus answers itself, so a silent service does not hold this up. */
export async function secretProvider({ bus, limitMs }: Line): Promise<SecretProvider | undefined> {
  try {
    const [pid] = await bus.call(
      {
        destination: 'org.freedesktop.DBus',
        path: '/org/freedesktop/DBus',
        interface: 'org.freedesktop.DBus',
        member: 'GetConnectionUnixProcessID',
        args: [{ type: 's', value: 'org.freedesktop.secrets' }],
      },
      Math.min(limitMs, 1_000),
    );
    if (typeof pid !== 'number') return undefined;
    // proc(5), "/proc/pid/stat": pid, (name), state. The name may hold parentheses.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const process = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const state = stat.slice(stat.lastIndexOf(')') + 2)[0];
    return { name: names.find(([pattern]) => pattern.test(process))?.[1], process, pid, isStopped: state === 'T' || state === 't' };
  } catch {
    // The owner has gone, or its process cannot be seen from here.
    return undefined;
  }
}

/**
 * The wallet that KWallet has open for its own programs; undefined where none is. The log-in (pam_kwallet) opens it, but KWallet calls its
 * collection locked until somebody runs the prompt of `Unlock`, which then ends at once and without a window.
 */
export async function openWallet(line: Line, { process }: SecretProvider): Promise<string | undefined> {
  const onWallet = { destination: 'org.freedesktop.secrets', path: `/modules/${process}`, interface: 'org.kde.KWallet' } as const;
  try {
    const [wallet] = await line.bus.call({ ...onWallet, member: 'networkWallet', args: [] }, line.limitMs);
    if (typeof wallet !== 'string') return undefined;
    const [isOpen] = await line.bus.call({ ...onWallet, member: 'isOpen', args: [{ type: 's', value: wallet }] }, line.limitMs);
    return isOpen === true ? wallet : undefined;
  } catch {
    return undefined;
  }
}
