/**
 * Loads Node's own modules at their first use instead of at the program's start. A `token get` needs some of them and never all, and each
 * costs it a twentieth to a seventh of the time of a bare Node. `require` exists in the built files, for Node 22.0 to 22.2, which have no
 * `process.getBuiltinModule`.
 */
const load = process.getBuiltinModule ?? require;

export const nodeCrypto = (): typeof import('node:crypto') => load('node:crypto');
export const nodeNet = (): typeof import('node:net') => load('node:net');
export const nodeChildProcess = (): typeof import('node:child_process') => load('node:child_process');
export const nodeModule = (): typeof import('node:module') => load('node:module');
