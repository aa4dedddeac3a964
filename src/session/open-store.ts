import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import type { SecretStore, StoreName } from '../core/stores.ts';
import { problem } from '../errors/problem.ts';
import { fileStore, sealedFile } from '../store/file-store.ts';
import { ensureHomeId, readHomeFile, readHomeId } from '../store/home.ts';
import { type KeySource, keySource } from '../store/key-source.ts';
import { keychainStore } from '../store/keychain-store.ts';
import { sandboxFileStore } from '../store/sandbox-file-store.ts';
import type { Globals } from './globals.ts';

interface Opening {
  /** tells the person at the terminal what the keychain asks in its window */
  readonly say?: (text: string) => void;
  /** the store in the database of this run, where one is named */
  readonly postgres?: ((key: KeySource) => Promise<SecretStore>) | undefined;
}

type StoreContext = Pick<Context, 'env' | 'platform' | 'files' | 'keychain' | 'random' | 'prompts' | 'interactive'>;

/** A store by its name, not probed. The first use of the keychain gives a home its id; throws `home-not-writable`, `database-address-missing`. */
export async function openStore(
  ctx: StoreContext,
  globals: Pick<Globals, 'sandbox' | 'noInput' | 'yes'>,
  home: string,
  name: StoreName,
  { say, postgres }: Opening = {},
): Promise<SecretStore> {
  switch (name) {
    case 'keychain': {
      const homeId = (await readHomeId(ctx.files, home)) ?? (await ensureHomeId(ctx.files, ctx.random, home));
      const service = globals.sandbox ? 'mailauth-sandbox' : 'mailauth';
      const hasSealedFile = async () => (await ctx.files.held(sealedFile(home))) !== undefined;
      const keychain = say !== undefined && canAsk(ctx, globals) ? ctx.keychain.asking?.({ say }) : undefined;
      return keychainStore({ keychain: keychain ?? ctx.keychain, service, homeId, random: ctx.random, hasSealedFile });
    }
    case 'file':
      return fileStore({ ctx, home, key: keyOf(ctx, globals, (await readHomeFile(ctx.files, home))?.keyFile) });
    case 'postgres':
      if (postgres === undefined) throw problem('database-address-missing', {});
      return postgres(keyOf(ctx, { ...globals, noInput: true }, (await readHomeFile(ctx.files, home))?.keyFile));
    case 'sandbox-file':
      return sandboxFileStore({ files: ctx.files, path: join(home, 'secrets.json') });
    default:
      throw new Error(`no store ${name satisfies never}`);
  }
}

const keyOf = (ctx: StoreContext, globals: Pick<Globals, 'noInput' | 'yes'>, recorded: string | undefined): KeySource =>
  keySource({
    ctx,
    recorded,
    // Read only when there is a question: looking at the terminal costs `token get` more than reading its token.
    get canAsk() {
      return canAsk(ctx, globals);
    },
  });

const canAsk = (ctx: StoreContext, { noInput, yes }: Pick<Globals, 'noInput' | 'yes'>): boolean => ctx.interactive && !noInput && !yes;
