import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Env } from '../core/context.ts';

/** Variables that hold a secret. A program that mailauth starts may run for days, and anybody of this user can read its environment. */
const secretVariables = ['MAILAUTH_PASSPHRASE', 'MAILAUTH_DATABASE_URL', 'MAILAUTH_GRAPH_TOKEN', 'MAILAUTH_EXCHANGE_TOKEN'] as const;
export type SecretVariable = (typeof secretVariables)[number];

/** The environment for a program that mailauth starts. */
export const withoutSecrets = (env: Env): Env =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !secretVariables.some((secret) => secret === name)));

/** Runs `start` while this process has none of the secrets in its environment: for a library that hands on its own. */
export async function hidingSecrets<T>(start: () => Promise<T>): Promise<T> {
  const hidden = secretVariables.map((name) => [name, process.env[name]] as const);
  for (const [name] of hidden) delete process.env[name];
  try {
    return await start();
  } finally {
    for (const [name, value] of hidden) if (value !== undefined) process.env[name] = value;
  }
}

/** Where a program is found as a shell would find it; undefined: nowhere. */
export const programInPath = (name: string, env: Env): string | undefined =>
  (env.PATH ?? env.Path ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
