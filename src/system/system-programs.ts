import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Context, Env } from '../core/context.ts';
import { withoutSecrets } from './programs.ts';

/** The systemd of the user. What it says is for nobody: the exit code tells how it went, and mailauth says the rest. */
export const userSystemctl =
  (env: Env): Context['systemctl'] =>
  async (args) =>
    (await ran('systemctl', ['--user', ...args], env)).code;

/** Programs that come with Windows, by their whole path: one of the same name in the PATH or in the current folder is not run. */
export const windowsProgram =
  (env: Env): Context['windowsProgram'] =>
  (name, args) =>
    ran(join(env.SystemRoot || env.SYSTEMROOT || 'C:\\Windows', 'System32', `${name}.exe`), args, env);

const mostText = 64_000;

function ran(program: string, args: readonly string[], env: Env): ReturnType<Context['windowsProgram']> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], env: withoutSecrets(env), windowsHide: true });
    let text = '';
    // Of the text in the code page of the console, only ASCII is of interest.
    child.stdout.setEncoding('latin1').on('data', (chunk: string) => {
      if (text.length < mostText) text += chunk;
    });
    child.once('error', () => resolve({ code: undefined, text }));
    child.once('close', (code) => resolve({ code: code ?? 1, text }));
  });
}
