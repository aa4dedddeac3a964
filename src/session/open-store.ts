import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import type { StoreName } from '../core/mailbox.ts';
import { fileStore } from '../store/file-store.ts';
import { ensureHomeId, readHomeId } from '../store/home.ts';
import { keySource } from '../store/key-source.ts';
import { keychainStore } from '../store/keychain-store.ts';
import { sandboxFileStore } from '../store/sandbox-file-store.ts';
import type { SecretStore } from '../store/store.ts';
import type { Globals } from './globals.ts';

type StoreContext = Pick<Context, 'env' | 'platform' | 'files' | 'keychain' | 'random' | 'prompts' | 'interactive'>;

/** A store by its name, not probed. The first use of the keychain gives a home its id; throws `home-not-writable`. */
export async function openStore(
  ctx: StoreContext,
  globals: Pick<Globals, 'sandbox' | 'noInput' | 'yes'>,
  home: string,
  name: StoreName,
): Promise<SecretStore> {
  if (name === 'file') {
    const key = keySource({
      ctx,
      // Asked for when there is a question: looking at the terminal costs `token get` more than reading its token.
      get canAsk() {
        return ctx.interactive && !globals.noInput && !globals.yes;
      },
    });
    return fileStore({ ctx, home, key });
  }
  if (name === 'sandbox-file') return sandboxFileStore({ files: ctx.files, path: join(home, 'secrets.json') });
  const homeId = (await readHomeId(ctx.files, home)) ?? (await ensureHomeId(ctx.files, ctx.random, home));
  return keychainStore({ keychain: ctx.keychain, service: globals.sandbox ? 'mailauth-sandbox' : 'mailauth', homeId, random: ctx.random });
}
