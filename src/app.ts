import packageJson from '../package.json' with { type: 'json' };
import { findCommand } from './cli/find-command.ts';
import { run } from './cli/run.ts';
import { commands } from './cli/tree.ts';
import { Exit, Interrupted } from './core/errors.ts';
import { placesGiven } from './session/globals.ts';
import { endAfterSignal, letGoOfLostTerminals } from './system/process-end.ts';
import { createSystem } from './system/system.ts';

/** For programs that import mailauth (src/library/mailauth.ts). */
export const library = () => import('./library/open-library.ts');

const endings = { SIGINT: Exit.interrupted, SIGTERM: Exit.terminated, SIGHUP: Exit.hungUp } as const;

/** The real system to `run(argv, ctx)` to an exit code. Beside `main.ts` the only place that touches `process`. */
export async function start(process: NodeJS.Process): Promise<never> {
  const argv = process.argv.slice(2);
  const stop = new AbortController();
  let signalled: keyof typeof endings | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // A second Ctrl-C does not wait for anything.
      if (stop.signal.aborted) void endAfterSignal(process, signal, endings[signal]);
      signalled ??= signal;
      stop.abort(new Interrupted(endings[signal]));
    });
  }
  // What Node throws where nobody can catch it ends the command like any other error: with its words, and without a stack.
  process.on('uncaughtException', (error) => {
    if (stop.signal.aborted) process.exit(Exit.failed);
    stop.abort(error);
  });
  // Nothing is left that could finish the command: its input has ended in the middle of a question.
  process.once('beforeExit', () => stop.abort(new Interrupted(Exit.hungUp)));
  process.once('exit', letGoOfLostTerminals);
  Object.assign(process.env, placesGiven(argv));
  const ctx = createSystem(process, argv.includes('--no-color'), stop.signal);
  let unwritten: NodeJS.ErrnoException | undefined;
  process.stdout.on('error', (error) => {
    unwritten = error;
  });
  // A closed terminal; whoever reads finds out by itself.
  process.stdin.on('error', () => undefined);
  const exit = await run(argv, ctx, packageJson.version);
  ctx.keychain.close();
  const written = Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  if (signalled !== undefined) {
    await Promise.race([written, new Promise((resolve) => setTimeout(resolve, lastWordsMs))]);
    return endAfterSignal(process, signalled, exit);
  }
  await written;
  // A reader that went away (`mailauth status | head -1`) has what it wanted.
  if (unwritten === undefined || unwritten.code === 'EPIPE') return process.exit(exit);
  // The terminal was closed, and its signal did not come.
  if (unwritten.code === 'EIO' && process.stdout.isTTY) return process.exit(Exit.hungUp);
  const lost = `mailauth: standard output cannot be written (${unwritten.code}); what it said is lost.`;
  if (exit === Exit.done && isSendmail(argv)) {
    // A caller that repeats it would send the message twice.
    process.stderr.write(`${lost} A server has the message.\n`);
    return process.exit(exit);
  }
  process.stderr.write(`${lost} Make room and run it again.\n`);
  return process.exit(exit === Exit.done ? Exit.failed : exit);
}

function isSendmail(argv: readonly string[]): boolean {
  const name = findCommand(argv).words.join(' ');
  return commands.some((one) => one.name === name && one.sysexits === true);
}

/** How long a reader that does not read keeps a command that was told to stop. */
const lastWordsMs = 100;

/** Also of the error of the last write, which comes a moment after it. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) setImmediate(resolve);
    else stream.write('', () => setImmediate(resolve));
  });
}
