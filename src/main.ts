import packageJson from '../package.json' with { type: 'json' };
import type { Context } from './core/context.ts';
import { Interrupted } from './core/errors.ts';
import { Exit } from './core/exit.ts';
import { run } from './run.ts';

/** Composition root: the real system to `run(argv, ctx)` to an exit code. The only place that touches `process`. */
export async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  // Printed without building the world: `--version` is asked by scripts and installers.
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    process.stdout.write(`${packageJson.version}\n`);
    return;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // A second Ctrl-C does not wait for anything.
      if (stop.signal.aborted) process.exit(Exit.interrupted);
      stop.abort(new Interrupted());
    });
  }
  const exit = await run(argv, await systemContext(argv, stop.signal), packageJson.version);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(exit);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) resolve();
    else stream.write('', () => resolve());
  });
}

async function systemContext(argv: readonly string[], signal: AbortSignal): Promise<Context> {
  const { createSystem } = await import('./system/system.ts');
  return createSystem(process, argv.includes('--no-color'), signal);
}
