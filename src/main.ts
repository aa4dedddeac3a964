import packageJson from '../package.json' with { type: 'json' };
import { rootHelp } from './cli/tree.ts';
import { print, startApp } from './quick/start-app.ts';

/** What `bin/mailauth.js` calls. What shells and installers ask for is answered before the whole program is loaded. */
export async function main(): Promise<void> {
  const answer = immediate(process.argv.slice(2));
  if (answer === undefined || !print(answer)) await startApp();
}

function immediate(argv: readonly string[]): string | undefined {
  const [word] = argv;
  if (word === undefined) return rootHelp(packageJson.version);
  if (argv.length > 1) return undefined;
  if (word === '--version' || word === '-V' || word === '-v' || word === 'version') return `${packageJson.version}\n`;
  return word === '--help' || word === '-h' || word === 'help' ? rootHelp(packageJson.version) : undefined;
}
