import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import packageJson from '../package.json' with { type: 'json' };
import { rootHelp } from './cli.ts';

// The parts are built beside this file. `require` spares the ESM loader, a fifth of the time of a bare Node.
const part = createRequire(import.meta.url);

/** What `bin/mailauth.js` calls. What shells, installers and mail clients ask for is answered before the whole program is loaded. */
export async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const answer = immediate(argv) ?? (argv.includes('token') && argv.includes('get') ? await quick(argv) : undefined);
  if (answer !== undefined && print(answer)) return;
  const app: typeof import('./app.ts') = part('./app.cjs');
  await app.start(process);
}

/**
 * By the file descriptor: opening process.stdout costs a tenth of a bare Node. What does not fit into a slow pipe at once goes its way;
 * false where it cannot be written at all, and the whole program says so.
 */
function print(text: string): boolean {
  const bytes = Buffer.from(text);
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(1, bytes, written);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) return false;
    process.stdout.write(bytes.subarray(written));
  }
  return true;
}

function immediate(argv: readonly string[]): string | undefined {
  const [word] = argv;
  if (word === undefined) return rootHelp(packageJson.version);
  if (argv.length > 1) return undefined;
  if (word === '--version' || word === '-V') return `${packageJson.version}\n`;
  return word === '--help' || word === '-h' || word === 'help' ? rootHelp(packageJson.version) : undefined;
}

function quick(argv: readonly string[]): Promise<string | undefined> {
  const { quickTokenGet }: typeof import('./quick.ts') = part('./quick.cjs');
  return quickTokenGet(argv, process);
}
