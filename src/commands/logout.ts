import * as z from 'zod/mini';
import type { MailboxKey, MailboxRecord } from '../core/mailbox.ts';
import { problem } from '../diagnose/problem.ts';
import { clientSecretEntry, tokenEntry } from '../store/token-entry.ts';
import { pendingSecretEntry } from '../wizard/client-secret.ts';
import { journals } from '../wizard/journal.ts';
import { type CommandModule, examples } from './command.ts';
import { mailboxArgument, mailboxesOf, productFlag } from './mailbox-argument.ts';
import type { Session } from './session.ts';

const schema = z.object({ all: z.optional(z.boolean()), deleteApp: z.optional(z.boolean()), for: z.optional(z.string()) });

export const logout: CommandModule = {
  configure: (command) =>
    examples(command.argument('[mailbox]', 'address of a mailbox that is set up'), [
      'mailauth logout helpdesk@contoso.com       its tokens, client secret and mailbox file',
      'mailauth logout --all',
    ])
      .option('--all', 'every mailbox')
      .option('--delete-app', 'also remove the registration, where mailauth made it')
      .option('--for <product>', 'which set-up, when the mailbox has several'),

  async run({ args, flags }, session) {
    const options = schema.parse(flags);
    productFlag(flags);
    const records = await meant(session, args[0], options, flags);
    const foreign = options.deleteApp === true ? records.find((r) => !r.registration.madeByMailauth) : undefined;
    if (foreign !== undefined) throw problem('delete-app-refused', { clientId: foreign.registration.clientId, mailbox: foreign.mailbox });
    for (const record of records) await forget(session, record);
    const removed = records.map(({ mailbox, for: product }) => ({ mailbox, for: product }));
    return {
      data: { removed },
      text:
        removed.length === 0
          ? 'Nothing to remove: already so.\n'
          : removed.map((r) => `Removed every local trace of ${r.mailbox} (${r.for}).\n`).join(''),
    };
  },
};

/** Logging out what is not there is done already: no error. */
async function meant(
  session: Session,
  argument: string | undefined,
  options: z.infer<typeof schema>,
  flags: unknown,
): Promise<readonly MailboxRecord[]> {
  const { records } = await mailboxesOf(session).listMailboxes();
  if (options.all === true) {
    await forgetJournals(session);
    return records;
  }
  const wanted = (argument ?? (session.ctx.env.MAILAUTH_MAILBOX || undefined))?.trim().toLowerCase();
  if (records.length === 0 && wanted === undefined) return [];
  if (wanted !== undefined && !(await hasFile(session, wanted))) {
    await forgetJournals(session, wanted);
    return [];
  }
  const all = options.for === undefined && wanted !== undefined ? records.filter((r) => r.mailbox === wanted) : [];
  return all.length > 0 ? all : [await mailboxArgument(session, 'mailauth logout', argument, flags)];
}

/** Also true of a mailbox whose file is broken: that is an error, not "already so". */
async function hasFile(session: Session, mailbox: string): Promise<boolean> {
  const { records, broken } = await mailboxesOf(session).listMailboxes();
  return records.some((r) => r.mailbox === mailbox) || broken.some((b) => b.file.includes(mailbox));
}

async function forgetJournals(session: Session, mailbox?: string): Promise<void> {
  const book = journals(session.ctx, session.home);
  for (const { answers } of await book.all()) {
    const key: MailboxKey | undefined =
      answers.mailbox === undefined || answers.for === undefined ? undefined : { mailbox: answers.mailbox, for: answers.for };
    if (key === undefined || (mailbox !== undefined && key.mailbox !== mailbox)) continue;
    const store = await session.store();
    await store.remove(pendingSecretEntry(key));
    await book.forget(key);
  }
}

/** Secrets first: if the store refuses, the mailbox file is still there to try again with. */
async function forget(session: Session, record: MailboxRecord): Promise<void> {
  const store = await session.store(record);
  for (const entry of [tokenEntry(record), clientSecretEntry(record), pendingSecretEntry(record)]) await store.remove(entry);
  await journals(session.ctx, session.home).forget(record);
  await mailboxesOf(session).removeMailbox(record);
}
