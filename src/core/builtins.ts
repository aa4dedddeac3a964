/**
 * Node's own modules at their first use instead of at the program's start (`process.getBuiltinModule`, Node 20.16): `token get` rarely needs
 * these, and loading them costs it a tenth to a fifth of a bare Node.
 */
export const nodeCrypto = () => process.getBuiltinModule('node:crypto');
export const nodeNet = () => process.getBuiltinModule('node:net');
export const nodeChildProcess = () => process.getBuiltinModule('node:child_process');
export const nodeModule = () => process.getBuiltinModule('node:module');
