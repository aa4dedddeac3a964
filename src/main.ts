import { createRequire } from 'node:module';
import packageJson from '../package.json' with { type: 'json' };
import { rootHelp } from './cli.ts';

// The parts are built beside this file. `require` spares the ESM loader, a fifth of the time of a bare Node.
const part = createRequire(import.meta.url);

/** What `bin/mailauth.js` calls. What shells, installers and mail clients ask for is answered before the whole program is loaded. */
export async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const answer = immediate(argv) ?? (argv.includes('token') && argv.includes('get') ? await quick(argv) : undefined);
  if (answer === undefined) {
    const app: typeof import('./app.ts') = part('./app.cjs');
    await app.start(process);
  } else process.stdout.write(answer);
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
