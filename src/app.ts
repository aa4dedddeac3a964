import packageJson from '../package.json' with { type: 'json' };
import { run } from './cli/run.ts';
import { Exit, Interrupted } from './core/errors.ts';
import { createSystem } from './system/system.ts';

/** The real system to `run(argv, ctx)` to an exit code. Beside `main.ts` the only place that touches `process`. */
export async function start(process: NodeJS.Process): Promise<never> {
  const argv = process.argv.slice(2);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // A second Ctrl-C does not wait for anything.
      if (stop.signal.aborted) process.exit(Exit.interrupted);
      stop.abort(new Interrupted());
    });
  }
  const ctx = createSystem(process, argv.includes('--no-color'), stop.signal);
  let unwritten: NodeJS.ErrnoException | undefined;
  process.stdout.on('error', (error) => {
    unwritten = error;
  });
  const exit = await run(argv, ctx, packageJson.version);
  ctx.keychain.close();
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // A reader that went away (`mailauth status | head -1`) has what it wanted.
  if (unwritten === undefined || unwritten.code === 'EPIPE') return process.exit(exit);
  process.stderr.write(
    `mailauth: standard output cannot be written (${unwritten.code}); what it said is lost. Make room and run it again.\n`,
  );
  return process.exit(exit === Exit.done ? Exit.failed : exit);
}

/** Also of the error of the last write, which comes a moment after it. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) setImmediate(resolve);
    else stream.write('', () => setImmediate(resolve));
  });
}
