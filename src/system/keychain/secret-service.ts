import { isUtf8 } from 'node:buffer';
import { nodeCrypto } from '../../core/builtins.ts';
import { type Env, severalEntries } from '../../core/context.ts';
import { type Bus, onSessionBus, Refusal, type Unusable, unusable } from './bus.ts';
import type { MethodCall } from './dbus-call.ts';
import { BadMessage, type Value } from './dbus-reply.ts';

/** Can the default collection of the Secret Service be used without a question to the person? */
export type CollectionState = { readonly kind: 'unlocked' } | Unusable;

/** The attributes by which an entry is found; the binding writes the same ones (freedesktop.org Secret Service API 0.2, "Lookup Attributes"). */
interface EntryName {
  readonly service: string;
  readonly username: string;
}

/**
 * Asks the Secret Service for `Locked` of its default collection (freedesktop.org Secret Service API 0.2,
 * org.freedesktop.Secret.Collection). The binding (@napi-rs/keyring) cannot answer this: on a locked keyring with a display its call waits
 * for the person for ever, and then not even process.exit returns. Never throws; ends within `deadlineMs`.
 */
export const defaultCollection = (env: Env, deadlineMs: number): Promise<CollectionState> => onSessionBus(env, deadlineMs, askLocked);

/**
 * Reads the secret of an entry over D-Bus and not with the binding. A locked keyring is never asked to open, so no prompt can hold the
 * call, and it takes half the time. The secret is encrypted on the bus, as with the binding. `secret` is null when the entry does not
 * exist. Never throws; ends within `deadlineMs`.
 */
export const readSecret = (env: Env, deadlineMs: number, name: EntryName): Promise<ReadSecret | Unusable> =>
  onSessionBus(env, deadlineMs, async (bus) => {
    // The first three calls go out together. When the collection is locked, the other answers do not matter.
    const locked = expected(askLocked(bus));
    const session = expected(openSession(bus));
    const found = expected(search(bus, name));
    const state = await locked;
    return state.kind === 'unlocked' ? takeSecret(bus, await session, name, found) : state;
  });

/** `damaged`: something is stored under this name that mailauth did not write. */
type ReadSecret = { readonly kind: 'read'; readonly secret: string | null } | { readonly kind: 'damaged'; readonly why: string };

/** A promise that is awaited later, or never when another call failed first: its rejection must not end the process. */
function expected<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

const onService = {
  destination: 'org.freedesktop.secrets',
  path: '/org/freedesktop/secrets',
  interface: 'org.freedesktop.Secret.Service',
} as const;

const getLocked: MethodCall = {
  destination: 'org.freedesktop.secrets',
  path: '/org/freedesktop/secrets/aliases/default',
  interface: 'org.freedesktop.DBus.Properties',
  member: 'Get',
  args: [
    { type: 's', value: 'org.freedesktop.Secret.Collection' },
    { type: 's', value: 'Locked' },
  ],
};

async function askLocked(bus: Bus): Promise<CollectionState> {
  try {
    const [value] = await bus.call(getLocked);
    if (value === false) return { kind: 'unlocked' };
    if (value === true) return unusable('locked', 'the default keyring is locked');
    return unusable('other', 'the Secret Service answered neither yes nor no');
  } catch (error) {
    if (error instanceof Refusal) return unusable(error.trouble, error.message);
    throw error;
  }
}

interface Session {
  readonly path: string;
  decrypt(parameters: Buffer, value: Buffer): Buffer;
}

const algorithm = 'dh-ietf1024-sha256-aes128-cbc-pkcs7';

/**
 * Secret Service API, "Transfer of Secrets": Diffie-Hellman in the Second Oakley Group, HKDF (RFC 5869) without salt and info, AES-128-CBC.
 * So a program that records the bus does not see the secret.
 */
async function openSession(bus: Bus): Promise<Session> {
  const { createDecipheriv, hkdfSync, randomBytes } = nodeCrypto();
  const secret = toNumber(randomBytes(24));
  const [theirs, path] = await bus.call({
    ...onService,
    member: 'OpenSession',
    args: [
      { type: 's', value: algorithm },
      { type: 'v', value: toBytes(power(2n, secret)) },
    ],
  });
  if (!Buffer.isBuffer(theirs) || typeof path !== 'string') throw new BadMessage('a session without its key');
  const key = Buffer.from(hkdfSync('sha256', toBytes(power(publicValue(theirs), secret)), '', '', 16));
  return {
    path,
    decrypt(parameters, value) {
      try {
        const decipher = createDecipheriv('aes-128-cbc', key, parameters);
        return Buffer.concat([decipher.update(value), decipher.final()]);
      } catch (cause) {
        throw new BadMessage('a secret that cannot be decrypted', { cause });
      }
    },
  };
}

/** RFC 2409 section 6.2, generator 2. */
const prime = BigInt(
  `0x${[
    'ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74',
    '020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437',
    '4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed',
    'ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff',
  ].join('')}`,
);
const primeLength = 128;

/** `base` to the power of `exponent`, modulo the prime. Written here because Node's getDiffieHellman first spends 80 ms to prove the prime. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % prime;
    if (bit === '1') result = (result * base) % prime;
  }
  return result;
}

/** The service's public key. It may begin with zeros (KWallet writes a sign). Throws `BadMessage` for a value outside 2 … p-2, which would reveal the key. */
function publicValue(bytes: Buffer): bigint {
  const value = bytes.length > 2 * primeLength ? 0n : toNumber(bytes);
  if (value > 1n && value < prime - 1n) return value;
  throw new BadMessage('a public key out of range');
}

const toNumber = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex') || '0'}`);
/** Padded to the length of the prime, because the key is derived from all bytes. */
const toBytes = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(2 * primeLength, '0'), 'hex');

interface Found {
  readonly unlocked: readonly Value[];
  readonly locked: readonly Value[];
}

async function search(bus: Bus, name: EntryName): Promise<Found> {
  const [unlocked, locked] = await bus.call({ ...onService, member: 'SearchItems', args: [{ type: 'a{ss}', value: { ...name } }] });
  if (!Array.isArray(unlocked) || !Array.isArray(locked)) throw new BadMessage('no lists of entries');
  return { unlocked, locked };
}

/** How often an entry is searched for: it may be deleted or replaced between search and read. */
const searches = 3;

async function takeSecret(bus: Bus, session: Session, name: EntryName, first: Promise<Found>): Promise<ReadSecret | Unusable> {
  let found = await first;
  for (let tries = 1; ; tries += 1) {
    const { unlocked, locked } = found;
    const [item, second] = unlocked;
    if (item === undefined && locked.length > 0) return unusable('locked', 'the entry is in a keyring that is locked');
    if (second !== undefined) return { kind: 'damaged', why: severalEntries };
    if (typeof item !== 'string') return { kind: 'read', secret: null };
    try {
      const secret = await getSecret(bus, session, item);
      return isUtf8(secret) ? { kind: 'read', secret: secret.toString() } : { kind: 'damaged', why: 'it is not text' };
    } catch (error) {
      const isGone = error instanceof Refusal && error.trouble === 'no-collection';
      if (!isGone) throw error;
      if (tries === searches) return unusable('other', 'the entry changes again and again while it is read');
    }
    found = await search(bus, name);
  }
}

async function getSecret(bus: Bus, session: Session, item: string): Promise<Buffer> {
  const [secret] = await bus.call({
    ...onService,
    path: item,
    interface: 'org.freedesktop.Secret.Item',
    member: 'GetSecret',
    args: [{ type: 'o', value: session.path }],
  });
  // The struct `Secret` (Secret Service API, "Data Types"): session, parameters, value, content type.
  const [, parameters, value] = Array.isArray(secret) ? secret : [];
  if (!Buffer.isBuffer(parameters) || !Buffer.isBuffer(value)) throw new BadMessage('a secret without its value');
  return session.decrypt(parameters, value);
}
