import { KeychainFailure, type KeychainTrouble } from '../../core/keychain-port.ts';
import { troubleThatSays } from '../../core/keychain-says.ts';
import { BadMessage } from './dbus-reply.ts';

/** Names of errors on the bus; services use them with different prefixes. */
const troubles: readonly [RegExp, KeychainTrouble][] = [
  [/\.(ServiceUnknown|NameHasNoOwner|Spawn\.\w+)$/, 'no-provider'],
  [/\.(UnknownObject|UnknownMethod|UnknownInterface|NoSuchObject)$/, 'no-collection'],
  [/\.(NoReply|Timeout|TimedOut)$/, 'busy'],
  [/\.IsLocked$/, 'locked'],
  [/\.(AccessDenied|AuthFailed)$/, 'denied'],
];

/** A call that the bus or the service refused. */
export class Refusal extends Error {
  readonly trouble: KeychainTrouble;
  /** as the bus names errors: `org.freedesktop.DBus.Error.ServiceUnknown` */
  readonly errorName: string;

  constructor(errorName: string, words: string) {
    super(words);
    this.errorName = errorName;
    this.trouble = troubleThatSays(errorName) ?? troubles.find(([pattern]) => pattern.test(errorName))?.[1] ?? 'other';
  }
}

/** No answer to a call within its time. */
export class BusyBus extends Error {
  constructor(limitMs: number) {
    super(`no answer within ${limitMs} ms`);
  }
}

/** The connection was closed. */
export class Closed extends Error {}

export class UndecryptableSecret extends BadMessage {}

/** The connection ended, or never began. */
export const isLost = (error: unknown): error is Error => error instanceof Closed || (error instanceof Error && 'syscall' in error);

/** The service does not know our session any more, or it derived another key: a new session helps. */
export const isSessionLost = (error: unknown): boolean =>
  error instanceof UndecryptableSecret ||
  (error instanceof Refusal && (/\.NoSession$/.test(error.errorName) || /\bsession\b/i.test(error.message)));

/** The object of a call does not exist (any more). */
export const isGone = (error: unknown): boolean => error instanceof Refusal && error.trouble === 'no-collection' && !isSessionLost(error);

export const isLocked = (error: unknown): boolean => error instanceof Refusal && error.trouble === 'locked';

/** Why the conversation ended. Rethrows an error that comes neither from the bus nor from a service. */
export function failureOf(error: unknown): KeychainFailure {
  if (error instanceof KeychainFailure) return error;
  if (error instanceof BusyBus) return new KeychainFailure('busy', error.message, { cause: error });
  if (error instanceof BadMessage) return new KeychainFailure('other', `the session bus sent ${error.message}`, { cause: error });
  // "No such object" means a missing collection only as the answer to the question for the collection.
  if (error instanceof Refusal) {
    return new KeychainFailure(error.trouble === 'no-collection' ? 'other' : error.trouble, error.message, { cause: error });
  }
  if (isLost(error)) return new KeychainFailure('other', error.message, { cause: error });
  throw error;
}
