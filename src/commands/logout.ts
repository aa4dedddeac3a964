import * as z from 'zod/mini';
import type { MailboxKey, MailboxRecord } from '../core/mailbox.ts';
import { problem } from '../diagnose/problem.ts';
import { tenantForMailbox } from '../entra/discovery.ts';
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
    if (options.deleteApp === true) await deleteApps(session, records, args[0]);
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

/** All refusals before the first change; grants and apps go before the local traces. */
async function deleteApps(session: Session, records: readonly MailboxRecord[], argument: string | undefined): Promise<void> {
  const { deleteRegistration } = await import('./delete-app.ts');
  const { records: all } = await mailboxesOf(session).listMailboxes();
  const going = new Set(records.map((r) => `${r.mailbox} ${r.for}`));
  for (const { mailbox, for: product, registration: app } of records) {
    if (!app.madeByMailauth || app.made === undefined) throw problem('delete-app-refused', { clientId: app.clientId, mailbox });
    const other = all.find((r) => r.registration.clientId === app.clientId && !going.has(`${r.mailbox} ${r.for}`));
    if (other !== undefined) throw problem('delete-app-used', { clientId: app.clientId, mailbox, other: other.mailbox, for: product });
  }
  const gone = new Set<string>();
  for (const record of records) {
    const { made, clientId } = record.registration;
    if (made === undefined || gone.has(clientId)) continue;
    await deleteRegistration(session, {
      mailbox: record.mailbox,
      tenant: record.tenantId,
      cloud: record.cloud,
      tag: made.tag,
      grantIds: made.grantIds,
      ...(made.applicationObjectId === undefined ? {} : { appObjectId: made.applicationObjectId }),
      ...(made.servicePrincipalId === undefined ? {} : { spObjectId: made.servicePrincipalId }),
    });
    gone.add(clientId);
  }
  await deleteInterrupted(session, argument?.trim().toLowerCase());
}

/** What an interrupted set-up made before it stopped, for instance at a grant that was refused. */
async function deleteInterrupted(session: Session, mailbox: string | undefined): Promise<void> {
  const { deleteRegistration } = await import('./delete-app.ts');
  const book = journals(session.ctx, session.home);
  for (const { answers, registration: made, cloud } of await book.all()) {
    if (made === undefined || made.adopted === true || cloud === undefined) continue;
    if (answers.mailbox === undefined || (mailbox !== undefined && answers.mailbox !== mailbox)) continue;
    await deleteRegistration(session, {
      mailbox: answers.mailbox,
      tenant: answers.tenant ?? tenantForMailbox(answers.mailbox),
      cloud,
      tag: `mailauth:${made.setupId}`,
      grantIds: made.grantIds,
      ...(made.appObjectId === undefined ? {} : { appObjectId: made.appObjectId }),
      ...(made.spObjectId === undefined ? {} : { spObjectId: made.spObjectId }),
    });
    await forgetJournals(session, answers.mailbox);
  }
}

/** Logging out what is not there is done already: no error. */
async function meant(
  session: Session,
  argument: string | undefined,
  options: z.infer<typeof schema>,
  flags: unknown,
): Promise<readonly MailboxRecord[]> {
  const { records } = await mailboxesOf(session).listMailboxes();
  if (options.all === true) {
    if (options.deleteApp !== true) await forgetJournals(session);
    return records;
  }
  const wanted = (argument ?? (session.ctx.env.MAILAUTH_MAILBOX || undefined))?.trim().toLowerCase();
  if (records.length === 0 && wanted === undefined) return [];
  if (wanted !== undefined && !(await hasFile(session, wanted))) {
    // With --delete-app the notes are what tells which app to delete; they go after it.
    if (options.deleteApp !== true) await forgetJournals(session, wanted);
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
