import { nodeCrypto } from '../../core/builtins.ts';
import type { Bus } from './bus.ts';
import { UndecryptableSecret } from './bus-errors.ts';
import { BadMessage } from './dbus-reply.ts';
import { onService } from './secret-calls.ts';

/** A session of the Secret Service: what goes over the bus in it is encrypted. */
export interface SecretSession {
  readonly path: string;
  /** Throws `UndecryptableSecret`. */
  decrypt(parameters: Buffer, value: Buffer): Buffer;
  encrypt(value: Uint8Array): { readonly parameters: Uint8Array; readonly value: Uint8Array };
}

const algorithm = 'dh-ietf1024-sha256-aes128-cbc-pkcs7';

/** Two shared values of this many in a row that begin with a zero are no accident. */
const tries = 8;

/**
 * Secret Service API, "Transfer of Secrets": Diffie-Hellman in the Second Oakley Group, HKDF (RFC 5869) without salt and info, AES-128-CBC.
 * So a program that records the bus does not see the secret.
 *
 * A number that begins with a zero byte has two forms. The specification wants 128 bytes. KWallet refuses a shorter public key, and up to
 * KDE Frameworks 6 it derives the key from the shared value without its zeros, so one session of 256 had two different keys. Neither of our
 * numbers begins with a zero: another one is chosen instead.
 */
export async function openSession(bus: Bus, limitMs: number): Promise<SecretSession> {
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const own = ownKey();
    const [theirs, path] = await bus.call(
      {
        ...onService,
        member: 'OpenSession',
        args: [
          { type: 's', value: algorithm },
          { type: 'v', value: own.publicValue },
        ],
      },
      limitMs,
    );
    if (!Buffer.isBuffer(theirs) || typeof path !== 'string') throw new BadMessage('a session without its key');
    const shared = toBytes(power(publicValue(theirs), own.exponent));
    if (shared[0] !== 0) return sessionWith(path, shared);
  }
  throw new BadMessage('only keys that begin with a zero');
}

function sessionWith(path: string, shared: Buffer): SecretSession {
  const { createCipheriv, createDecipheriv, hkdfSync, randomBytes } = nodeCrypto();
  const key = Buffer.from(hkdfSync('sha256', shared, '', '', 16));
  return {
    path,
    decrypt(parameters, value) {
      try {
        const decipher = createDecipheriv('aes-128-cbc', key, parameters);
        return Buffer.concat([decipher.update(value), decipher.final()]);
      } catch (cause) {
        throw new UndecryptableSecret('a secret that cannot be decrypted', { cause });
      }
    },
    encrypt(value) {
      const parameters = randomBytes(16);
      const cipher = createCipheriv('aes-128-cbc', key, parameters);
      return { parameters, value: Buffer.concat([cipher.update(value), cipher.final()]) };
    },
  };
}

function ownKey(): { readonly exponent: bigint; readonly publicValue: Buffer } {
  for (;;) {
    const exponent = toNumber(nodeCrypto().randomBytes(24));
    const bytes = toBytes(power(2n, exponent));
    if (bytes[0] !== 0) return { exponent, publicValue: bytes };
  }
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
