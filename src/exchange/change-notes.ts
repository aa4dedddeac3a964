import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Context } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import type { MailboxKey } from '../core/mailbox.ts';
import { plain } from '../core/text.ts';
import { rfc3339 } from '../core/time.ts';
import { problem } from '../errors/problem.ts';
import { guardWrites } from '../store/home.ts';
import { mailboxSlug } from '../store/mailbox-file.ts';
import { type Parsed, parseJsonFile, timeSchema, toJsonFile } from '../store/schemas.ts';
import { type Change, changeNames } from './needs.ts';

const noteSchema = z.object({
  what: z.enum(changeNames),
  before: z.nullable(z.string()),
  after: z.string(),
  at: timeSchema,
  /** `begun`: it was about to be made; whether it was is seen in Exchange */
  state: z.enum(['begun', 'done']),
});
export type ChangeNote = z.infer<typeof noteSchema>;
const fileSchema = z.object({ version: z.literal(1), mailbox: z.string(), for: z.string(), changes: z.array(noteSchema) });
type NotesFile = z.infer<typeof fileSchema>;

/** Why the file is not of this very set-up, as what is put back must be; undefined: it is. */
function whyForeign({ mailbox, for: product }: NotesFile, key: MailboxKey): string | undefined {
  return mailbox === key.mailbox && product === key.for ? undefined : `it is about ${plain(mailbox, 120)} for ${plain(product, 60)}`;
}

/** What `exchange apply` changed for one set-up, with what was there before: the only source of `exchange undo`. Holds no secret. */
export interface ChangeNotes {
  /** throws `exchange-notes-broken` */
  read(): Promise<readonly ChangeNote[]>;
  /** on disk before the change is made; a note of the same change is replaced */
  begin(change: Pick<Change, 'what' | 'before' | 'after'>): Promise<void>;
  done(change: Pick<Change, 'what'>): Promise<void>;
  drop(change: Pick<Change, 'what' | 'after'>): Promise<void>;
  /** throws `exchange-notes-broken` where a later mailauth wrote the file: that one alone may remove it */
  refuseNewer(): Promise<void>;
  /** removes the file */
  forget(): Promise<void>;
}

export function changeNotes(ctx: Pick<Context, 'files' | 'clock'>, home: string, { mailbox, for: product }: MailboxKey): ChangeNotes {
  const file = join(home, 'exchange', `${mailboxSlug({ mailbox, for: product })}.json`);
  const broken = ({ why, newer }: Parsed<NotesFile> & { kind: 'broken' }) =>
    problem('exchange-notes-broken', { file, why, ...defined({ newer }) });
  const read = async (): Promise<readonly ChangeNote[]> => {
    const text = await ctx.files.read(file);
    if (text === undefined) return [];
    const parsed = parseJsonFile<NotesFile>(text, fileSchema);
    if (parsed.kind === 'broken') throw broken(parsed);
    const why = whyForeign(parsed.value, { mailbox, for: product });
    if (why !== undefined) throw problem('exchange-notes-broken', { file, why });
    return parsed.value.changes;
  };
  const write = async (changes: readonly ChangeNote[]): Promise<void> => {
    await guardWrites(home, async () => {
      if (changes.length === 0) await ctx.files.remove(file);
      else await ctx.files.writeAtomic(file, toJsonFile({ version: 1, mailbox, for: product, changes }));
    });
  };
  return {
    read,
    async refuseNewer() {
      const parsed = parseJsonFile<NotesFile>((await ctx.files.read(file)) ?? '', fileSchema);
      if (parsed.kind === 'broken' && parsed.newer !== undefined) throw broken(parsed);
    },
    forget: () => write([]),
    async begin({ what, before, after }) {
      const others = (await read()).filter((note) => note.what !== what || note.after !== after);
      await write([...others, { what, before, after, at: rfc3339(ctx.clock.now()), state: 'begun' }]);
    },
    async done({ what }) {
      await write((await read()).map((note) => (note.what === what ? { ...note, state: 'done' } : note)));
    },
    async drop({ what, after }) {
      await write((await read()).filter((note) => note.what !== what || note.after !== after));
    },
  };
}

/** One change of a mailbox in Exchange at a time. Throws `exchange-locked` (5). */
export async function aloneInExchange<T>(
  ctx: Pick<Context, 'files'>,
  {
    home,
    mailbox,
    again,
  }: { readonly home: string; readonly mailbox: string; readonly again: Parameters<typeof problem<'exchange-locked'>>[1]['again'] },
  work: () => Promise<T>,
): Promise<T> {
  const lock = join(home, 'locks', `exchange-${mailboxSlug({ mailbox, for: 'exchange' })}`);
  const release = await guardWrites(home, () => ctx.files.lock(lock, 0));
  if (release === undefined) throw problem('exchange-locked', { mailbox, again });
  try {
    return await work();
  } finally {
    await release();
  }
}
