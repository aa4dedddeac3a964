import { nodeCrypto } from './builtins.ts';

/** Hex SHA-256 of a text in UTF-8. */
export const sha256 = (text: string): string => nodeCrypto().createHash('sha256').update(text).digest('hex');

/** The thumbprints of a certificate, in capital hex. Entra's portal shows SHA-1; its errors and OpenSSL show SHA-256. */
export interface Thumbprints {
  readonly sha1: string;
  readonly sha256: string;
}

export function thumbprintsOf(der: Uint8Array): Thumbprints {
  const hash = (algorithm: string): string => nodeCrypto().createHash(algorithm).update(der).digest('hex').toUpperCase();
  return { sha1: hash('sha1'), sha256: hash('sha256') };
}
