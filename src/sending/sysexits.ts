import { type ExitCode, type MailauthError, SysExit, type SysExitCode } from '../core/errors.ts';

/** Entries of the catalogue that `mailauth send` ends with, where the exit code of other commands does not decide it. */
const byCode: readonly (readonly [SysExitCode, RegExp])[] = [
  [SysExit.data, /^smtp-too-large$/],
  [SysExit.noUser, /^smtp-recipient-refused$/],
  [SysExit.noPermission, /^smtp-send-as-denied$|^mail-app-only$|^mail-no-full-access$|^mail-token-user$/],
  // What stands between may be gone in a minute: a proxy, a page of a guest network, a certificate. Nothing was taken, so a queue tries again.
  [
    SysExit.later,
    /^tls-|^proxy-|^connection-|^http-|^dns-|^response-|^mail-no-starttls$|^mail-starttls-injection$|^smtp-protocol$|^sandbox-/,
  ],
  // A disk that is full, and faults of mailauth itself: the message is not lost while a queue keeps it.
  [SysExit.later, /^bug$|^write-failed$|^home-not-writable$|^results-differ$/],
];

const byExit: Readonly<Partial<Record<ExitCode, SysExitCode>>> = {
  1: SysExit.unavailable,
  2: SysExit.usage,
  3: SysExit.usage,
  4: SysExit.config,
  5: SysExit.later,
  6: SysExit.unavailable,
  7: SysExit.config,
};

/** The same error with the exit code that callers of sendmail know. Codes of signals stay. */
export function asSysExit(error: MailauthError): MailauthError {
  // The server finds fault with the message itself (RFC 3463: 5.6.x).
  if (error.code === 'smtp-not-accepted' && /^\d{3} 5\.6\.\d/.test(error.detail.reply ?? '')) return error.but({ exit: SysExit.data });
  const [known] = byCode.find(([, codes]) => codes.test(error.code)) ?? [];
  const exit = known ?? byExit[error.exit];
  return exit === undefined ? error : error.but({ exit });
}
