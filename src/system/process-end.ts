import { closeSync, fstatSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Work in Node's pool of threads. Node waits for it when it exits: for ever where the work is a pipe that nobody writes to. */
const inThreads = /^(?:FSReq|GetAddrInfo|GetNameInfo)/;
const pollMs = 10;
const patienceMs = 100;

/**
 * Node sets the terminal of each standard stream back when it exits, and crashes where that terminal is gone: `ResetStdio` in Node's
 * src/node.cc aborts at EIO (seen in Node 20; Node 22 no longer does). It leaves out a stream that is closed. Called while the process exits.
 *
 * A pipe stays open: its reader would believe that the process has ended, and zsh's line editor would set the terminal to raw mode before Node
 * sets it back (`source <(mailauth completion zsh)`).
 */
export function letGoOfLostTerminals(): void {
  for (const file of [0, 1, 2]) {
    try {
      if (fstatSync(file).isCharacterDevice() && !isatty(file)) closeSync(file);
    } catch {
      // It is closed already.
    }
  }
}

/** Ends the process after a signal, with the exit code that belongs to it; dies of the signal itself where Node would not exit in time. */
export async function endAfterSignal(process: NodeJS.Process, signal: NodeJS.Signals, code: number): Promise<never> {
  for (let waitedMs = 0; waitedMs < patienceMs && isBusy(process); waitedMs += pollMs)
    await new Promise((done) => setTimeout(done, pollMs));
  if (isBusy(process)) {
    process.emit('exit', code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  }
  return process.exit(code);
}

const isBusy = (process: NodeJS.Process): boolean => process.getActiveResourcesInfo().some((name) => inThreads.test(name));
