import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Files } from '../core/context.ts';
import { chosenStores, type StoreName, storeNames } from '../core/stores.ts';
import { guardWrites } from './home.ts';
import { parseJsonFile, toJsonFile } from './json-file.ts';

const schema = z.object({ version: z.literal(1), from: z.array(z.enum(storeNames)) });

/** A move between stores that has begun: where leftovers may be until it is finished. `<home>/store-move.json`. */
export function moveNotes({ files }: { readonly files: Files }, home: string) {
  const file = join(home, 'store-move.json');
  return {
    /** stores that an unfinished move took from; where the note cannot be read, every store that an operator may choose */
    async read(): Promise<readonly StoreName[]> {
      const text = await files.read(file);
      if (text === undefined) return [];
      const read = parseJsonFile(text, schema);
      return read.kind === 'ok' ? read.value.from : chosenStores;
    },
    write: (from: readonly StoreName[]): Promise<void> =>
      guardWrites(home, () => files.writeAtomic(file, toJsonFile({ version: 1, from: [...from] }))),
    forget: (): Promise<boolean> => guardWrites(home, () => files.remove(file)),
  };
}
