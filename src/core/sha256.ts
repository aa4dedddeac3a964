import { nodeCrypto } from './builtins.ts';

/** Hex SHA-256 of a text in UTF-8. */
export const sha256 = (text: string): string => nodeCrypto().createHash('sha256').update(text).digest('hex');
