import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import type { StoreName } from '../core/mailbox.ts';
import { problem } from '../diagnose/problem.ts';
import { ensureHomeId, readHomeId } from '../store/home.ts';
import { keychainStore } from '../store/keychain-store.ts';
import { sandboxFileStore } from '../store/sandbox-file-store.ts';
import type { SecretStore } from '../store/store.ts';
import type { Globals } from './globals.ts';

/** A store by its name, not probed. The first use of a home gives it its id; throws `home-not-writable`, `store-not-yet`. */
export async function openStore(
  ctx: Pick<Context, 'files' | 'keychain' | 'random'>,
  globals: Pick<Globals, 'sandbox'>,
  home: string,
  name: StoreName,
): Promise<SecretStore> {
  if (name === 'file') throw problem('store-not-yet', {});
  if (name === 'sandbox-file') return sandboxFileStore({ files: ctx.files, path: join(home, 'secrets.json') });
  const homeId = (await readHomeId(ctx.files, home)) ?? (await ensureHomeId(ctx.files, ctx.random, home));
  return keychainStore({ keychain: ctx.keychain, service: globals.sandbox ? 'mailauth-sandbox' : 'mailauth', homeId, random: ctx.random });
}
