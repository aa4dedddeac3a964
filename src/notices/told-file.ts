import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Context } from '../core/context.ts';
import type { MailboxKey } from '../core/mailbox.ts';
import { guardReads, guardWrites } from '../store/home.ts';
import { mailboxSlug } from '../store/mailbox-file.ts';
import { parseJsonFile, toJsonFile } from '../store/schemas.ts';
import type { Told } from './event.ts';

const told = z.object({
  red: z.exactOptional(z.object({ exit: z.number(), what: z.string() })),
  ending: z.exactOptional(z.number()),
});
const schema = z.object({ version: z.literal(1), receivers: z.record(z.string(), z.record(z.string(), told)) });

/** `notices.json`: what each receiver was told. An address may hold a secret of its own, so a receiver stands there as a hash. */
export interface ToldFile {
  of(receiver: string, key: MailboxKey): Told;
  note(receiver: string, key: MailboxKey, now: Told): void;
  /** forgets set-ups that are gone, and writes what was noted */
  write(setUps: readonly MailboxKey[]): Promise<void>;
  /** the file was there and could not be read: everybody is told anew */
  readonly broken?: string;
}

export async function openToldFile(ctx: Pick<Context, 'files'>, home: string): Promise<ToldFile> {
  const path = join(home, 'notices.json');
  const text = await guardReads(path, () => ctx.files.read(path));
  const read = text === undefined ? undefined : parseJsonFile(text, schema);
  const receivers = new Map(
    Object.entries(read?.kind === 'ok' ? read.value.receivers : {}).map(([name, all]) => [name, new Map(Object.entries(all))]),
  );
  return {
    ...(read?.kind === 'broken' ? { broken: read.why } : {}),
    of: (receiver, key) => receivers.get(hashed(receiver))?.get(mailboxSlug(key)) ?? {},
    note(receiver, key, now) {
      const name = hashed(receiver);
      const all = receivers.get(name) ?? new Map<string, Told>();
      receivers.set(name, all.set(mailboxSlug(key), now));
    },
    async write(setUps) {
      const known = new Set(setUps.map(mailboxSlug));
      const kept = [...receivers].map(([name, all]) => [name, Object.fromEntries([...all].filter(([slug]) => known.has(slug)))]);
      await guardWrites(home, () => ctx.files.writeAtomic(path, toJsonFile({ version: 1, receivers: Object.fromEntries(kept) })));
    },
  };
}

const hashed = (receiver: string): string => createHash('sha256').update(receiver).digest('hex').slice(0, 16);
