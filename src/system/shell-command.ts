import { spawn } from 'node:child_process';
import type { Context, Env } from '../core/context.ts';
import { withoutSecrets } from './programs.ts';

/** Of what a command says on standard error, the last characters are kept. */
const complaintLimit = 500;

/**
 * A line for the shell of the system (`sh -c`, on Windows `cmd /d /s /c`), with a text on its standard input. It gets none of mailauth's
 * secrets. After `timeoutMs` it is killed, with what it has started; its code is then undefined.
 */
export const shellCommand =
  ({ env, platform }: { readonly env: Env; readonly platform: NodeJS.Platform }): Context['shellCommand'] =>
  (line, input, timeoutMs) =>
    new Promise((resolve) => {
      const child = spawn(line, {
        shell: true,
        env: withoutSecrets(env),
        stdio: ['pipe', 'ignore', 'pipe'],
        detached: platform !== 'win32',
        windowsHide: true,
      });
      let complaint = '';
      child.stderr.on('data', (chunk) => {
        complaint = `${complaint}${chunk}`.slice(-complaintLimit);
      });
      // It may not read what it is given.
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
      let isLate = false;
      const late = setTimeout(() => {
        isLate = true;
        try {
          if (child.pid !== undefined) process.kill(platform === 'win32' ? child.pid : -child.pid, 'SIGKILL');
        } catch {
          // It has ended at this moment.
        }
      }, timeoutMs);
      const end = (code: number | undefined, why = complaint) => {
        clearTimeout(late);
        resolve({ code, complaint: why.trim() });
      };
      child.once('error', (error) => end(127, error.message));
      // Its end counts, and not that of a child which it has left behind with the same standard error.
      child.once('exit', (code) => {
        child.stderr.destroy();
        end(isLate ? undefined : (code ?? 1));
      });
    });
