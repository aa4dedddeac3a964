import type { Context } from '../../core/context.ts';
import { toJsonFile } from '../../store/schemas.ts';
import type { Folder } from './folder.ts';

/** A message that a server of the sandbox took: nobody gets it, and it is kept so that its bytes can be looked at. */
export interface TakenMessage {
  readonly via: 'smtp' | 'graph';
  /** who signed in */
  readonly user: string;
  /** the envelope; Graph has none */
  readonly sender?: string;
  readonly recipients?: readonly string[];
  readonly bytes: Buffer;
}

/** Keeps the last messages. */
export interface Outbox {
  keep(message: TakenMessage): Promise<void>;
}

const folderName = 'sent';
const most = 100;

/** `<home>/sandbox/sent`: of each message the bytes (`.eml`) and what stood beside them (`.json`). The names sort by time. */
export function openOutbox(ctx: Pick<Context, 'clock' | 'random'>, folder: Folder): Outbox {
  let count = 0;
  return {
    async keep({ bytes, ...envelope }) {
      count += 1;
      const serial = String(count).padStart(4, '0');
      const name = `${folderName}/${ctx.clock.now()}-${serial}-${ctx.random.bytes(4).toString('hex')}`;
      await folder.files.writeAtomic(folder.file(`${name}.json`), toJsonFile(envelope));
      await folder.files.writeAtomic(folder.file(`${name}.eml`), bytes);
      const kept = await folder.files.list(folder.file(folderName));
      for (const old of kept.slice(0, Math.max(kept.length - 2 * most, 0))) await folder.files.remove(folder.file(`${folderName}/${old}`));
    },
  };
}
