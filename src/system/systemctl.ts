import { spawn } from 'node:child_process';
import type { Context, Env } from '../core/context.ts';
import { withoutSecrets } from './programs.ts';

/** The systemd of the user. What it says is for nobody: the exit code tells how it went, and mailauth says the rest. */
export const userSystemctl =
  (env: Env): Context['systemctl'] =>
  (args) =>
    new Promise((resolve) => {
      const child = spawn('systemctl', ['--user', ...args], { stdio: 'ignore', env: withoutSecrets(env) });
      child.once('error', () => resolve(undefined));
      child.once('exit', (code) => resolve(code ?? 1));
    });
