import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Files } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import { chosenStores, type SecretStore, type StoreName, storeNames } from '../core/stores.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { guardWrites } from './home.ts';
import { parseJsonFile, refuseNewerFormat, toJsonFile } from './schemas.ts';
import { decodeTokenSet, refuseNewer } from './token-entry.ts';

interface Move {
  readonly from: SecretStore;
  readonly to: SecretStore;
}

/**
 * Copies these entries and reads each back. Deletes nothing; a second run changes nothing. Answers how many the new store has now.
 * `landed`: the mailbox already lives in the new store, and what is still in the old one was left by a move that was stopped, so that
 * only a newer token, or what the new store lacks, is taken from there. Throws `store-move-differs`, `written-by-newer` and the store problems.
 */
export async function copySecrets(entries: readonly string[], { from, to }: Move, landed: boolean): Promise<number> {
  let copied = 0;
  for (const entry of entries) {
    const value = await from.read(entry);
    if (value === undefined) continue;
    const there = await to.read(entry);
    refuseNewer(entry, value);
    if (there !== undefined) refuseNewer(entry, there);
    copied += 1;
    if (there !== undefined && (landed || isToken(entry)) && !isNewerToken(entry, value, there)) continue;
    await to.write(entry, value);
    if ((await to.read(entry))?.reveal() !== value.reveal()) throw problem('store-move-differs', { what: plain(entry), to: to.name });
  }
  return copied;
}

/** To be called after the mailbox file names the new store. */
export async function removeSecrets(entries: readonly string[], from: SecretStore): Promise<void> {
  for (const entry of entries) await from.remove(entry);
}

/** As `tokenEntry` names it. */
const isToken = (entry: string): boolean => entry.startsWith('token/');

/** A refresh during a move that was stopped wrote to one store alone. An entry that cannot be read counts as older than one that can. */
function isNewerToken(entry: string, value: Secret, there: Secret): boolean {
  if (!isToken(entry)) return false;
  return (issuedAt(value) ?? 0) > (issuedAt(there) ?? -1);
}

function issuedAt(value: Secret): number | undefined {
  try {
    return decodeTokenSet(value).issuedAt;
  } catch (error) {
    if (error instanceof MailauthError) return undefined;
    throw error;
  }
}

const noteSchema = z.object({ version: z.literal(1), from: z.array(z.enum(storeNames)) });

/** Notes in `<home>/store-move.json` which stores a move took secrets from: until it is finished, they may still contain some. */
export function moveNotes({ files }: { readonly files: Files }, home: string) {
  const file = join(home, 'store-move.json');
  return {
    /** stores that an unfinished move took from; where the note cannot be read, every store that an operator may choose */
    async read(): Promise<readonly StoreName[]> {
      const text = await files.read(file);
      if (text === undefined) return [];
      const read = parseJsonFile(text, noteSchema);
      refuseNewerFormat(read, plain(file));
      return read.kind === 'ok' ? read.value.from : chosenStores;
    },
    write: (from: readonly StoreName[]): Promise<void> =>
      guardWrites(home, () => files.writeAtomic(file, toJsonFile({ version: 1, from: [...from] }))),
    forget: (): Promise<boolean> => guardWrites(home, () => files.remove(file)),
  };
}
