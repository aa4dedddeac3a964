import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { type Thumbprints, thumbprintsOf } from '../core/hashes.ts';
import { Secret } from '../core/secret.ts';
import { rfc3339 } from '../core/time.ts';

/** A certificate with its private key, read and matched. `pem` is both, as the secret store keeps them. */
export interface ClientCertificate {
  readonly pem: Secret;
  /** SHA-256 of the DER, base64url: the assertion's `x5t#S256` (RFC 7515 section 4.1.8) */
  readonly thumbprint: string;
  /** what Entra is given: the certificate alone, DER, base64 */
  readonly der: string;
  /** RFC 3339 */
  readonly startsAt: string;
  readonly expiresAt: string;
  readonly key: KeyObject;
}

/** Client secrets never look like this, so one entry of the store can hold either. */
const begins = /^-----BEGIN /;

/** What proves who the app is, from its entry in the secret store: a client secret, or certificate and key as PEM. */
export function credentialOf(stored: Secret): { readonly clientSecret: Secret } | { readonly clientCertificate: Secret } {
  return begins.test(stored.reveal()) ? { clientCertificate: stored } : { clientSecret: stored };
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/;
const keyBlock = /-----BEGIN ((?:RSA |EC |ENCRYPTED )?PRIVATE KEY)-----[\s\S]+?-----END \1-----/;
const smallestKeyBits = 2048;

/**
 * Reads certificate and key from PEM text, in one file or two. Answers the complaint where they cannot sign in: nothing of the key is in
 * it. `now`: milliseconds since the epoch. Entra takes RSA keys only (learn.microsoft.com, certificate-credentials).
 */
export function readClientCertificate(text: string, now: number): ClientCertificate | string {
  const certificateText = certificateBlock.exec(text)?.[0];
  if (certificateText === undefined) return 'There is no "BEGIN CERTIFICATE" in it: it must be PEM, not DER or PFX.';
  const keyText = keyBlock.exec(text)?.[0];
  if (keyText === undefined) return 'There is no private key in it: give its file as --certificate-key-file.';
  const certificate = readX509(certificateText);
  if (certificate === undefined) return 'The certificate in it cannot be read.';
  const key = readKey(keyText);
  if (typeof key === 'string') return key;
  if (!certificate.checkPrivateKey(key)) return 'The private key is not the one of this certificate.';
  const [startsAt, expiresAt] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  if (expiresAt <= now) return `The certificate ended at ${rfc3339(expiresAt)}.`;
  const pem = `${key.export({ type: 'pkcs8', format: 'pem' }).toString().trim()}\n${certificate.toString().trim()}\n`;
  return {
    pem: new Secret(pem),
    thumbprint: createHash('sha256').update(certificate.raw).digest('base64url'),
    der: certificate.raw.toString('base64'),
    startsAt: rfc3339(startsAt),
    expiresAt: rfc3339(expiresAt),
    key,
  };
}

/**
 * The thumbprints of the certificate in an entry of the secret store, also of an expired one; undefined when the entry has no
 * certificate.
 */
export function storedThumbprints(stored: Secret | undefined): Thumbprints | undefined {
  const block = certificateBlock.exec(stored?.reveal() ?? '')?.[0];
  const certificate = block === undefined ? undefined : readX509(block);
  return certificate && thumbprintsOf(certificate.raw);
}

function readX509(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function readKey(pem: string): KeyObject | string {
  if (/ENCRYPTED/.test(pem))
    return 'The private key is encrypted: openssl pkcs8 -in KEY.pem -out PLAIN.pem writes it plain, for mailauth to seal.';
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== 'rsa') return `The key is ${key.asymmetricKeyType ?? 'of another kind'}; Entra takes RSA keys only.`;
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    return bits < smallestKeyBits ? `The RSA key has ${bits} bits; ${smallestKeyBits} are the least.` : key;
  } catch {
    return 'The private key in it cannot be read.';
  }
}
