import { dirname } from 'node:path';
import * as z from 'zod/mini';
import type { Files } from '../core/context.ts';
import { Secret } from '../core/secret.ts';
import { removeFile } from '../core/shell-lines.ts';
import type { SecretStore } from '../core/stores.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { diskReason, guardWrites } from './home.ts';
import { parseJsonFile, refuseNewerFormat, toJsonFile } from './schemas.ts';

const schema = z.object({ version: z.literal(1), secrets: z.record(z.string(), z.string()) });
const lockWaitMs = 10_000;

/**
 * The sandbox's worthless secrets in one 0600 file, for machines without a keychain (docs/contract.md, "Sandbox").
 * In plain text: no real command may ever be given this store.
 */
export function sandboxFileStore({ files, path }: { readonly files: Files; readonly path: string }): SecretStore {
  const load = async (): Promise<Map<string, string>> => {
    const read = parseJsonFile((await readText(files, path)) ?? '{"version":1,"secrets":{}}', schema);
    refuseNewerFormat(read, plain(path));
    if (read.kind === 'broken') throw problem('store-damaged', { what: plain(path), why: read.why, fix: [removeFile(path)] });
    return new Map(Object.entries(read.value.secrets));
  };

  const change = <T>(act: (secrets: Map<string, string>) => T): Promise<T> =>
    guardWrites(dirname(path), async () => {
      const release = await files.lock(`${path}.lock`, lockWaitMs);
      if (release === undefined) throw problem('store-busy', { what: plain(path) });
      try {
        const secrets = await load();
        const result = act(secrets);
        await files.writeAtomic(path, toJsonFile({ version: 1, secrets: Object.fromEntries(secrets) }));
        return result;
      } finally {
        await release();
      }
    });

  return {
    name: 'sandbox-file',
    describe: () => `sandbox file ${path}`,
    async probe() {
      await change(() => undefined);
    },
    async read(entry) {
      const value = (await load()).get(entry);
      return value === undefined ? undefined : new Secret(value);
    },
    async write(entry, value) {
      await change((secrets) => secrets.set(entry, value.reveal()));
    },
    remove: (entry) => change((secrets) => secrets.delete(entry)),
  };
}

async function readText(files: Files, path: string): Promise<string | undefined> {
  try {
    return await files.read(path);
  } catch (error) {
    const why = diskReason(error);
    if (why === undefined) throw error;
    throw problem('store-damaged', { what: plain(path), why, fix: [removeFile(path)] }, { cause: error });
  }
}
