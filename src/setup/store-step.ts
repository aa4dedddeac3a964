import { join } from 'node:path';
import { MailauthError } from '../core/errors.ts';
import { columnsOf, fold } from '../core/fold.ts';
import type { Choice } from '../core/prompts-port.ts';
import type { SecretStore, StoreName } from '../core/stores.ts';
import { plain } from '../core/text.ts';
import { sealedFile } from '../store/file-store.ts';
import { configFolder, ensureHomeId, readHomeFile, recordKeyFile } from '../store/home.ts';
import { makeKeyFile } from '../store/new-key-file.ts';
import type { SetupDeps } from './journal/setup-deps.ts';

/**
 * Where this set-up keeps its secrets, tried. A person whose computer has no keychain is asked; nobody else is, and no store that was asked for
 * or that is in use already is replaced. Throws the store's problems (7).
 */
export async function chosenStore(deps: SetupDeps, recorded: StoreName | undefined): Promise<SecretStore> {
  try {
    return await deps.probedStore(recorded);
  } catch (error) {
    const isNew = recorded === undefined && deps.storeIsOpen;
    if (!isNew || !deps.canAsk || !(error instanceof MailauthError) || !error.code.startsWith('keychain-')) throw error;
    deps.report.progress('store', 'failed', error.title);
    if ((await askWhere(deps)) === 'stop') throw error;
    const store = await deps.storeNamed('file');
    await store.probe();
    return store;
  }
}

/** Asks, and makes the key file where one is wanted. */
async function askWhere(deps: SetupDeps): Promise<'file' | 'stop'> {
  const { ctx, home, report } = deps;
  const hasSealedFile = (await ctx.files.held(sealedFile(home))) !== undefined;
  const known = ctx.env.MAILAUTH_KEY_FILE || (await readHomeFile(ctx.files, home))?.keyFile;
  const keyFile = known ?? (await newKeyFile(deps));
  const file = hasSealedFile ? 'The encrypted file here' : 'An encrypted file';
  const byKey = {
    value: 'key',
    name: `${file}, with ${known === undefined ? 'a new key file' : 'its key file'}`,
    description: `${known === undefined ? 'made now' : 'as before'}: ${plain(keyFile)}`,
  } as const;
  const byPassphrase = {
    value: 'passphrase',
    name: `${file}, with a passphrase`,
    description: 'each command asks for it; a timer needs MAILAUTH_PASSPHRASE_FILE',
  } as const;
  // A file that is there already has its key: another one does not open it.
  const isByPassphrase = hasSealedFile && known === undefined;
  const choices: readonly Choice<'key' | 'passphrase' | 'stop'>[] = [
    ...(isByPassphrase ? [] : [byKey]),
    ...(known === undefined ? [byPassphrase] : []),
    { value: 'stop', name: 'Stop (shows how to start a keychain)' },
  ];
  const chosen = await ctx.prompts.select({ message: 'Where should mailauth keep the tokens?', choices });
  if (chosen === 'stop') return 'stop';
  if (chosen === 'key' && known === undefined) {
    // One that an interrupted run has left is used: nothing else has made it.
    await makeKeyFile(keyFile, ctx);
    await recordKeyFile(ctx.files, ctx.random, home, keyFile);
    const told = `Key file made: ${keyFile}. Keep a copy of it elsewhere: without it every mailbox must sign in again.`;
    report.show(`  ${fold(told, columnsOf(ctx.err), 2)}\n`);
  }
  return 'file';
}

/** Outside of MAILAUTH_HOME, so that a copy of that folder does not hold the key to the file in it. */
async function newKeyFile({ ctx, home }: Pick<SetupDeps, 'ctx' | 'home'>): Promise<string> {
  return join(configFolder(ctx), 'mailauth-key', `${await ensureHomeId(ctx.files, ctx.random, home)}.key`);
}
