import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import * as z from 'zod/mini';
import type { Context } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import type { MailboxKey, MailboxRecord } from '../core/mailbox.ts';
import { plain } from '../core/text.ts';
import { sharedNotices } from '../database/shared-files.ts';
import { guardReads, guardWrites } from '../store/home.ts';
import { mailboxSlug } from '../store/mailbox-file.ts';
import { parseJsonFile, refuseNewerFormat, toJsonFile } from '../store/schemas.ts';
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

/** Throws `written-by-newer`. `setUps`: all of this home. What was told about those in a database stands there, too, so that no other machine tells it again. */
export async function openToldFile(
  ctx: Pick<Context, 'files'>,
  home: string,
  setUps: readonly Pick<MailboxRecord, 'mailbox' | 'for' | 'store'>[],
): Promise<ToldFile> {
  const shared = new Set(setUps.filter(({ store }) => store === 'postgres').map(mailboxSlug));
  const own = await openOne(ctx, join(home, 'notices.json'));
  if (shared.size === 0) return own;
  const there = await openOne(ctx, join(home, sharedNotices));
  const of = (key: MailboxKey): ToldFile => (shared.has(mailboxSlug(key)) ? there : own);
  return {
    ...defined({ broken: own.broken ?? there.broken }),
    of: (receiver, key) => of(key).of(receiver, key),
    note: (receiver, key, now) => of(key).note(receiver, key, now),
    async write(all) {
      await there.write(all.filter((key) => shared.has(mailboxSlug(key))));
      await own.write(all.filter((key) => !shared.has(mailboxSlug(key))));
    },
  };
}

async function openOne(ctx: Pick<Context, 'files'>, path: string): Promise<ToldFile> {
  const text = await guardReads(path, () => ctx.files.read(path));
  const read = text === undefined ? undefined : parseJsonFile(text, schema);
  refuseNewerFormat(read, plain(path));
  const receivers = new Map(
    Object.entries(read?.kind === 'ok' ? read.value.receivers : {}).map(([name, all]) => [name, new Map(Object.entries(all))]),
  );
  const home = dirname(path);
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
      const kept = [...receivers].map(([name, all]) => [
        name,
        Object.fromEntries([...all].filter(([slug, now]) => known.has(slug) && Object.keys(now).length > 0)),
      ]);
      await guardWrites(home, () => ctx.files.writeAtomic(path, toJsonFile({ version: 1, receivers: Object.fromEntries(kept) })));
    },
  };
}

const hashed = (receiver: string): string => createHash('sha256').update(receiver).digest('hex').slice(0, 16);
