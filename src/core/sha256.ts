import { createRequire } from 'node:module';

type Crypto = typeof import('node:crypto');
let crypto: Crypto | undefined;

/** Hex SHA-256 of a text in UTF-8. Loaded at first use: `token get` rarely needs it, and node:crypto costs an eighth of a bare start. */
export function sha256(text: string): string {
  crypto ??= createRequire(import.meta.url)('node:crypto') as Crypto;
  return crypto.createHash('sha256').update(text).digest('hex');
}
