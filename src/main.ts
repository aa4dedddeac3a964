import { createRequire } from 'node:module';
import packageJson from '../package.json' with { type: 'json' };
import { rootHelp } from './cli.ts';

/** What `bin/mailauth.js` calls. Version and help are answered before anything else is loaded: shells and installers ask for them. */
export function main(): Promise<never> | undefined {
  const argv = process.argv.slice(2);
  const answer = immediate(argv);
  if (answer !== undefined) {
    process.stdout.write(answer);
    return undefined;
  }
  // Built beside this file. `require` spares the ESM loader: a fifth of the time of a bare Node.
  const app: typeof import('./app.ts') = createRequire(import.meta.url)('./app.cjs');
  return app.start(process);
}

function immediate(argv: readonly string[]): string | undefined {
  const [word] = argv;
  if (word === undefined) return rootHelp(packageJson.version);
  if (argv.length > 1) return undefined;
  if (word === '--version' || word === '-V') return `${packageJson.version}\n`;
  return word === '--help' || word === '-h' || word === 'help' ? rootHelp(packageJson.version) : undefined;
}
