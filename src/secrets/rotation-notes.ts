import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Context } from '../core/context.ts';
import type { MailboxKey, MailboxRecord } from '../core/mailbox.ts';
import { Secret } from '../core/secret.ts';
import { type Authority, differenceOf } from '../core/sign-in-authority.ts';
import type { SecretStore } from '../core/stores.ts';
import type { NewSecret } from '../entra/app-secret.ts';
import { problem } from '../errors/problem.ts';
import { guardWrites } from '../store/home.ts';
import { mailboxSlug } from '../store/mailbox-file.ts';
import { authoritySchema, parseJsonFile, timeSchema, toJsonFile } from '../store/schemas.ts';
import { rotatedSecretEntry } from '../store/token-entry.ts';

/** A rotation in hand. On disk before the first change in the tenant, gone after the last; never a secret. */
export interface RotationNote {
  /** random; the name of the new client secret ends with it */
  readonly id: string;
  /** RFC 3339 */
  readonly startedAt: string;
}

const noteSchema = z.object({ version: z.literal(1), mailbox: z.string(), for: z.string(), id: z.uuid(), startedAt: timeSchema });

/** The rotations in hand of one home, one file a (mailbox, product). */
export function rotationNotes(ctx: Pick<Context, 'files'>, home: string) {
  const folder = join(home, 'rotations');
  const fileOf = (key: MailboxKey) => join(folder, `${mailboxSlug(key)}.json`);
  return {
    /** undefined: there is no note. A file that cannot be read is treated like none: it only tells which lost secret to remove. */
    async read(key: MailboxKey): Promise<RotationNote | undefined> {
      const text = await ctx.files.read(fileOf(key));
      const read = text === undefined ? undefined : parseJsonFile<z.infer<typeof noteSchema>>(text, noteSchema);
      return read?.kind === 'ok' ? { id: read.value.id, startedAt: read.value.startedAt } : undefined;
    },
    write({ mailbox, for: product }: MailboxKey, note: RotationNote): Promise<void> {
      const file = fileOf({ mailbox, for: product });
      return guardWrites(home, () => ctx.files.writeAtomic(file, toJsonFile({ version: 1, mailbox, for: product, ...note })));
    },
    async forget(key: MailboxKey): Promise<void> {
      // A run that was killed in the middle of a write leaves its temporary file beside the note.
      const names = (await ctx.files.list(folder)).filter((name) => name.startsWith(`${mailboxSlug(key)}.json`));
      for (const name of names) await ctx.files.remove(join(folder, name));
    },
  };
}

const waitingSchema = z.object({
  version: z.literal(1),
  keyId: z.string().check(z.minLength(1)),
  endDateTime: timeSchema,
  value: z.string().check(z.minLength(1)),
  authority: z.exactOptional(authoritySchema),
});

/**
 * Value and id in one entry, so that after a crash it is known to which of the app's secrets the value belongs; and to which `authority`: a
 * value that belongs elsewhere counts as lost.
 */
export function waitingSecret(store: SecretStore, key: MailboxKey, authority: Authority) {
  const entry = rotatedSecretEntry(key);
  return {
    async read(): Promise<NewSecret | undefined> {
      const text = await store.read(entry);
      const read = text === undefined ? undefined : parseJsonFile<z.infer<typeof waitingSchema>>(text.reveal(), waitingSchema);
      if (read?.kind !== 'ok') return undefined;
      const { keyId, endDateTime, value, authority: of } = read.value;
      if (of === undefined || differenceOf(of, authority) !== undefined) return undefined;
      return { keyId, endDateTime, secret: new Secret(value) };
    },
    write: ({ keyId, endDateTime, secret }: NewSecret): Promise<void> =>
      store.write(entry, new Secret(JSON.stringify({ version: 1, keyId, endDateTime, value: secret.reveal(), authority }))),
    remove: (): Promise<boolean> => store.remove(entry),
  };
}

/** One at a time, and not beside a set-up of the same mailbox. Throws `rotation-busy` (5). */
export async function alone<T>(
  { ctx, home }: { readonly ctx: Pick<Context, 'files'>; readonly home: string },
  record: MailboxRecord,
  work: () => Promise<T>,
): Promise<T> {
  const release = await guardWrites(home, () => ctx.files.lock(join(home, 'locks', `setup-${mailboxSlug(record)}`), 0));
  if (release === undefined) throw problem('rotation-busy', { mailbox: record.mailbox, for: record.for });
  try {
    return await work();
  } finally {
    await release();
  }
}
