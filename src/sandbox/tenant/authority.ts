import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import * as z from 'zod/mini';
import type { Context } from '../../core/context.ts';
import { toJsonFile } from '../../store/schemas.ts';
import type { Folder } from './folder.ts';

const schema = z.object({
  /** The certificate of the authority. Its private key was thrown away after it had signed the one certificate below. */
  ca: z.string(),
  cert: z.string(),
  key: z.string(),
  /** The RSA key that signs tokens, as PKCS #8. */
  signingKey: z.string(),
  /** When the certificates end, in milliseconds since the epoch. */
  expiresAt: z.number(),
});

/** Keys and certificates of this sandbox as PEM texts, made on this machine when the sandbox is first used. */
export type KeyRing = z.infer<typeof schema>;

const fileName = 'keys.json';
const dayMs = 86_400_000;
const lifeMs = 365 * dayMs;
const renewBeforeMs = 7 * dayMs;

/**
 * Reads the keys, or makes them once, which takes about half a second: a TLS certificate for localhost with an authority of its own, and
 * the key that signs tokens. A file that is broken or soon ends is replaced. `ca.pem` is written beside it, so that other programs can
 * trust the authority.
 */
export async function openKeyRing(ctx: Pick<Context, 'clock'>, folder: Folder): Promise<KeyRing> {
  const ready = await readKeys(ctx, folder);
  if (ready !== undefined) return ready;
  return folder.locked(async () => {
    // Another command may have made them while this one waited for the lock.
    const made = await readKeys(ctx, folder);
    if (made !== undefined) return made;
    const keys = await makeKeys(ctx.clock.now());
    await folder.files.writeAtomic(folder.file('ca.pem'), keys.ca);
    await folder.files.writeAtomic(folder.file(fileName), toJsonFile(keys));
    return keys;
  });
}

interface CertificateOptions {
  readonly leafEnds?: number;
  readonly host?: string;
  readonly name?: string;
}

async function readKeys(ctx: Pick<Context, 'clock'>, folder: Folder): Promise<KeyRing | undefined> {
  const text = await folder.files.read(folder.file(fileName));
  if (text === undefined) return undefined;
  try {
    const read = schema.safeParse(JSON.parse(text));
    return read.success && read.data.expiresAt > ctx.clock.now() + renewBeforeMs ? read.data : undefined;
  } catch {
    return undefined;
  }
}

async function makeKeys(now: number): Promise<KeyRing> {
  const signing = promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const [tls, rsa] = await Promise.all([makeCertificates(now), signing]);
  return { ...tls, signingKey: rsa.privateKey, expiresAt: now + lifeMs };
}

/**
 * Makes an authority and its one certificate, for localhost. The faults of the sandbox give another end (in milliseconds since the epoch)
 * or another host. They also give the authority another `name`, because OpenSSL looks an issuer up by its name.
 *
 * The package selfsigned makes them, so that no cryptography of certificates is written here. The build puts it into certificates.cjs,
 * which is loaded by this function alone (build.mjs).
 */
export async function makeCertificates(
  now: number,
  { leafEnds = now + lifeMs, host, name = 'mailauth sandbox authority' }: CertificateOptions = {},
): Promise<Pick<KeyRing, 'ca' | 'cert' | 'key'>> {
  const { generate } = await import('selfsigned');
  const common = {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(now - dayMs),
    notAfterDate: new Date(now + lifeMs),
  } as const;
  const authority = await generate([{ name: 'commonName', value: `${name} (trust nowhere else)` }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const leaf = await generate([{ name: 'commonName', value: host ?? 'localhost' }], {
    ...common,
    notAfterDate: new Date(leafEnds),
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames:
          host !== undefined
            ? [{ type: 2, value: host }]
            : [
                { type: 2, value: 'localhost' },
                { type: 7, ip: '127.0.0.1' },
                { type: 7, ip: '::1' },
              ],
      },
    ],
  });
  return { ca: authority.cert, cert: leaf.cert, key: leaf.private };
}
