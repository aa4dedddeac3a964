import { resolve } from 'node:path';
import type { Context } from '../core/context.ts';
import { type Line, line } from '../core/next.ts';
import { problem } from '../errors/problem.ts';
import { sealedFile } from '../store/file-store.ts';
import { readHomeFile } from '../store/home.ts';
import { accessOf, closingArguments, type Group, ownAccount } from '../store/windows-access.ts';
import { type Check, ok, warned } from './check.ts';

type Ports = Pick<Context, 'files' | 'random' | 'env' | 'windowsProgram'>;

/** Windows has access lists in place of modes: who gets at the folder of mailauth, at the sealed file and at what opens it. */
export async function windowsAccess(home: string, ctx: Ports): Promise<Awaited<ReturnType<Check['run']>>> {
  const found = await Promise.all(
    (await pathsOf(home, ctx)).map(async (path) => ({ path, folder: path === home, access: await accessOf(path, home, ctx) })),
  );
  const open = found.flatMap(({ path, folder, access }) => (access.kind === 'open' ? [{ path, folder, ...access }] : []));
  const [first, ...more] = [...open.filter(({ change }) => change), ...open.filter(({ change }) => !change)];
  if (first !== undefined) {
    const { path, folder, groups, change } = first;
    const command = icacls(closingArguments(path, await ownAccount(ctx), { folder, groups }));
    return warned(problem('windows-open', { path, lines: groups.map(named), command, change, more: more.length }));
  }
  const unknown = found.filter(({ access }) => access.kind === 'unknown');
  return ok(unknown.length === 0 ? `${home}, for this user only` : `${home} (icacls did not say who can read ${unknown[0]?.path})`);
}

const named = ({ name, sid }: Group): string => `${name} (${sid})`;

const icacls = (words: readonly string[]): Line => line(['icacls ', ...words.slice(1).map(() => ' '), ''], ...words);

async function pathsOf(home: string, { files, env }: Ports): Promise<readonly string[]> {
  const { MAILAUTH_KEY_FILE: key, MAILAUTH_PASSPHRASE_FILE: passphrase } = env;
  // A broken home.json has its own check.
  const recorded = await readHomeFile(files, home).catch(() => undefined);
  const secrets = [key || recorded?.keyFile, passphrase].flatMap((path) => (path ? [resolve(path)] : []));
  const wanted = [...secrets, sealedFile(home), home];
  const there = await Promise.all(wanted.map(async (path) => (await files.held(path)) !== undefined));
  return wanted.filter((_, i) => there[i]);
}
