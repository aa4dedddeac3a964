import { writeSync } from 'node:fs';
import { nodeModule } from '../core/builtins.ts';
import { errorCode } from '../core/errors.ts';

/** The whole program, built beside this file. `require` spares the ESM loader, a fifth of the time of a bare Node. */
export async function startApp(): Promise<void> {
  const app: { start(process: NodeJS.Process): Promise<never> } = nodeModule().createRequire(import.meta.filename)('./app.cjs');
  await app.start(process);
}

/**
 * By the file descriptor: opening process.stdout costs a tenth of a bare Node. What does not fit into a slow pipe at once goes its way;
 * false where it cannot be written at all, and the whole program says so.
 */
export function print(text: string): boolean {
  const bytes = Buffer.from(text);
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(1, bytes, written);
  } catch (error) {
    if (errorCode(error) !== 'EAGAIN') return false;
    process.stdout.write(bytes.subarray(written));
  }
  return true;
}
