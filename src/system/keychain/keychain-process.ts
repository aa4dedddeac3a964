import type { ChildProcess, StdioOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nodeChildProcess } from '../../core/builtins.ts';
import type { Env } from '../../core/context.ts';
import { KeychainFailure } from '../../core/keychain-port.ts';

/** A write to the keychain; `password` null deletes the entry. */
interface KeychainWrite {
  readonly service: string;
  readonly account: string;
  readonly password: string | null;
}

export interface KeychainProcess {
  /**
   * Resolves what the binding answered (delete: false when there was nothing). Rejects with the binding's own words,
   * or with `KeychainFailure` 'busy' after `limitMs`, when the process was killed, or 'other' when it died by itself.
   */
  write(write: KeychainWrite, limitMs: number): Promise<boolean>;
  close(): void;
}

const startMs = 2_000;

/**
 * Starts keychain-child at the first write and keeps it for the next ones. Idle it does not keep the
 * event loop alive; it ends with `close()` or with this process, whatever happens to that.
 */
export function keychainProcess(options: { readonly env: Env; readonly childPath?: string }): KeychainProcess {
  let child: ChildProcess | undefined;
  let lastId = 0;
  const pending = new Map<number, (outcome: boolean | Error) => void>();

  const settleAll = (error: Error): void => {
    for (const settle of [...pending.values()]) settle(error);
  };

  const close = (): void => {
    child?.kill('SIGKILL');
    child = undefined;
  };

  const start = (): ChildProcess => {
    const started = fork(options.childPath ?? childPath(), options.env);
    const ended = (why: string): void => {
      if (child !== started) return;
      child = undefined;
      settleAll(new KeychainFailure('other', `the keychain process ended: ${why}`));
    };
    started.on('message', (message) => receive(message, pending));
    started.on('error', (error) => ended(error.message));
    started.on('exit', (code, signal) => ended(signal ?? `exit ${code}`));
    started.unref();
    started.channel?.unref();
    return started;
  };

  return {
    close() {
      close();
      settleAll(new KeychainFailure('other', 'the keychain was closed'));
    },

    write(write, limitMs) {
      return new Promise((resolve, reject) => {
        // The first one also waits for a Node to start, which takes its time on a busy machine.
        const allowedMs = child === undefined ? limitMs + startMs : limitMs;
        child ??= start();
        const id = ++lastId;
        // This timer also keeps the event loop alive while the answer is on its way.
        const timer = setTimeout(() => {
          const overrun = new KeychainFailure('busy', `no answer within ${allowedMs} ms`);
          close();
          settleAll(overrun);
        }, allowedMs);
        pending.set(id, (outcome) => {
          clearTimeout(timer);
          pending.delete(id);
          if (typeof outcome === 'boolean') resolve(outcome);
          else reject(outcome);
        });
        child.send({ id, ...write }, (error) => {
          if (error) pending.get(id)?.(new KeychainFailure('other', `the keychain process is gone: ${error.message}`));
        });
      });
    },
  };
}

function receive(message: unknown, pending: ReadonlyMap<number, (outcome: boolean | Error) => void>): void {
  if (typeof message !== 'object' || message === null || !('id' in message) || typeof message.id !== 'number') return;
  const settle = pending.get(message.id);
  if ('done' in message) settle?.(message.done === true);
  else settle?.(new Error('error' in message && typeof message.error === 'string' ? message.error : 'no reason given'));
}

/** What the child must not see (our own secrets) or does not need (each costs start-up time). */
const withheld = /^(MAILAUTH_.*|NODE_.*)$/;

function fork(path: string, env: Env): ChildProcess {
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => !withheld.test(name)));
  const stdio: StdioOptions = ['ignore', 'ignore', 'ignore', 'ipc'];
  // As `fork` does it, which does not say in its types that it hides the window of a console.
  return nodeChildProcess().spawn(process.execPath, [path], { env: kept, stdio, windowsHide: true });
}

/** Beside this file, beside the bundle's chunks, or in the build when this runs from its sources. */
function childPath(): string {
  const candidates = ['./keychain-child.cjs', '../../../dist/keychain-child.cjs'];
  const paths = candidates.map((candidate) => join(import.meta.dirname, candidate));
  const path = paths.find((candidate) => existsSync(candidate));
  if (path === undefined) throw new KeychainFailure('other', 'dist/keychain-child.cjs is missing: run npm run build');
  return path;
}
