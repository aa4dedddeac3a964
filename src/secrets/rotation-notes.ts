import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Context } from '../core/context.ts';
import type { MailboxKey, MailboxRecord } from '../core/mailbox.ts';
import { Secret } from '../core/secret.ts';
import { type Authority, differenceOf } from '../core/sign-in-authority.ts';
import type { SecretStore } from '../core/stores.ts';
import { plain } from '../core/text.ts';
import type { NewSecret } from '../entra/app-secret.ts';
import { problem } from '../errors/problem.ts';
import { guardWrites } from '../store/home.ts';
import { mailboxSlug } from '../store/mailbox-file.ts';
import { authoritySchema, parseJsonFile, refuseNewerFormat, timeSchema, toJsonFile } from '../store/schemas.ts';
import { rotatedSecretEntry, type SecretUser } from '../store/token-entry.ts';

/** A rotation in hand. On disk before the first change in the tenant, gone after the last; never a secret. */
export interface RotationNote {
  /** random; the name of the new client secret ends with it */
  readonly id: string;
  /** RFC 3339 */
  readonly startedAt: string;
}

const noteSchema = z.object({ version: z.literal(1), mailbox: z.string(), for: z.string(), id: z.uuid(), startedAt: timeSchema });

/** Of a shared app there is one note for all its mailboxes. No product is called `app`. */
const keyOf = ({ mailbox, for: product, registration: { shared, clientId } }: SecretUser): MailboxKey =>
  shared === true ? { mailbox: clientId.toLowerCase(), for: 'app' } : { mailbox, for: product };

/** The rotations in hand of one home, one file an app: under the name of its mailbox, or of the app where several share it. */
export function rotationNotes(ctx: Pick<Context, 'files'>, home: string) {
  const folder = join(home, 'rotations');
  const fileOf = (user: SecretUser) => join(folder, `${mailboxSlug(keyOf(user))}.json`);
  return {
    /**
     * undefined: there is no note. A file that cannot be read is treated like none: it only tells which lost secret to remove. Throws
     * `written-by-newer`.
     */
    async read(user: SecretUser): Promise<RotationNote | undefined> {
      const text = await ctx.files.read(fileOf(user));
      const read = text === undefined ? undefined : parseJsonFile<z.infer<typeof noteSchema>>(text, noteSchema);
      refuseNewerFormat(read, plain(fileOf(user)));
      return read?.kind === 'ok' ? { id: read.value.id, startedAt: read.value.startedAt } : undefined;
    },
    /** `store`: what all machines of a database share is known by it (database/shared-files.ts) */
    write(user: SecretUser & Pick<MailboxRecord, 'store'>, note: RotationNote): Promise<void> {
      const { store } = user;
      return guardWrites(home, () => ctx.files.writeAtomic(fileOf(user), toJsonFile({ version: 1, ...keyOf(user), store, ...note })));
    },
    async forget(user: SecretUser): Promise<void> {
      // A run that was killed in the middle of a write leaves its temporary file beside the note.
      const names = (await ctx.files.list(folder)).filter((name) => name.startsWith(`${mailboxSlug(keyOf(user))}.json`));
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
export function waitingSecret(store: SecretStore, user: SecretUser, authority: Authority) {
  const entry = rotatedSecretEntry(user);
  return {
    async read(): Promise<NewSecret | undefined> {
      const text = await store.read(entry);
      const read = text === undefined ? undefined : parseJsonFile<z.infer<typeof waitingSchema>>(text.reveal(), waitingSchema);
      refuseNewerFormat(read, entry);
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

/**
 * One at a time, and not beside a set-up of one of these mailboxes, which would write what it knew of the client secret before. Throws
 * `rotation-busy` (5).
 */
export async function alone<T>(
  { ctx, home }: { readonly ctx: Pick<Context, 'files'>; readonly home: string },
  keys: readonly MailboxKey[],
  work: () => Promise<T>,
): Promise<T> {
  const releases: (() => Promise<void>)[] = [];
  try {
    for (const key of keys) {
      const release = await guardWrites(home, () => ctx.files.lock(join(home, 'locks', `setup-${mailboxSlug(key)}`), 0));
      if (release === undefined) throw problem('rotation-busy', { mailbox: key.mailbox, for: key.for });
      releases.push(release);
    }
    return await work();
  } finally {
    for (const release of releases.reverse()) await release();
  }
}
