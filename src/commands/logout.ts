import * as z from 'zod/mini';
import type { MailboxKey, MailboxRecord } from '../core/mailbox.ts';
import { problem } from '../diagnose/problem.ts';
import { tenantForMailbox } from '../entra/discovery.ts';
import { guardWrites } from '../store/home.ts';
import { tokenLock } from '../tokens/current.ts';
import { pendingSecretEntry } from '../wizard/client-secret.ts';
import { type Journal, journals } from '../wizard/journal.ts';
import { rotationNotes } from '../wizard/rotation-notes.ts';
import { type CommandModule, examples } from './command.ts';
import type { MadeApp } from './delete-app.ts';
import { mailboxArgument, mailboxesOf, productFlag } from './mailbox-argument.ts';
import { secretEntriesOf } from './secret-entries.ts';
import type { Session } from './session.ts';

const lockWaitMs = 2_000;

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
    if (options.deleteApp === true) await deleteApps(session, records, await interrupted(session, records, args[0], options));
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

/** Grants and apps go before the local traces; every refusal comes before the first change. */
async function deleteApps(session: Session, records: readonly MailboxRecord[], waiting: readonly Journal[]): Promise<void> {
  const { deleteRegistration } = await import('./delete-app.ts');
  await refuseWhatIsNotOurs(session, records, waiting);
  const made = new Map([...records.flatMap(madeApp), ...waiting.flatMap(halfMadeApp)].map((app) => [app.tag, app]));
  for (const app of made.values()) await deleteRegistration(session, app);
  for (const { answers } of waiting) await forgetJournals(session, answers.mailbox, answers.for);
}

/** Throws `delete-app-refused`, `delete-app-used`. */
async function refuseWhatIsNotOurs(session: Session, records: readonly MailboxRecord[], waiting: readonly Journal[]): Promise<void> {
  const { records: all } = await mailboxesOf(session).listMailboxes();
  const staying = all.filter((r) => !records.some((going) => going.mailbox === r.mailbox && going.for === r.for));
  const refuseUsed = (clientId: string | undefined, mailbox: string, product: string) => {
    const other = staying.find((r) => r.registration.clientId === clientId);
    if (other !== undefined && clientId !== undefined)
      throw problem('delete-app-used', { clientId, mailbox, other: other.mailbox, otherFor: other.for, for: product });
  };
  for (const { mailbox, for: product, registration: app } of records) {
    if (!app.madeByMailauth || app.made === undefined) throw problem('delete-app-refused', { clientId: app.clientId, mailbox });
    refuseUsed(app.clientId, mailbox, product);
  }
  for (const { answers, registration } of waiting) refuseUsed(registration?.appId, answers.mailbox ?? '', answers.for ?? '');
}

function madeApp({ mailbox, for: product, tenantId: tenant, cloud, registration: { made } }: MailboxRecord): readonly MadeApp[] {
  if (made === undefined) return [];
  const { tag, grantIds, applicationObjectId, servicePrincipalId } = made;
  return [
    {
      ...{ mailbox, for: product, tenant, cloud, tag, grantIds },
      ...(applicationObjectId === undefined ? {} : { appObjectId: applicationObjectId }),
      ...(servicePrincipalId === undefined ? {} : { spObjectId: servicePrincipalId }),
    },
  ];
}

function halfMadeApp({ answers, registration: made, cloud }: Journal): readonly MadeApp[] {
  const { mailbox, for: product } = answers;
  if (made === undefined || cloud === undefined || mailbox === undefined || product === undefined) return [];
  return [
    {
      ...{ mailbox, for: product, cloud, tenant: answers.tenant ?? tenantForMailbox(mailbox) },
      ...{ tag: `mailauth:${made.setupId}`, grantIds: made.grantIds },
      ...(made.creating === undefined ? {} : { creating: made.creating }),
      ...(made.appObjectId === undefined ? {} : { appObjectId: made.appObjectId }),
      ...(made.spObjectId === undefined ? {} : { spObjectId: made.spObjectId }),
    },
  ];
}

/** Interrupted set-ups that made an app before they stopped, for instance at a grant that was refused: those of what is meant. */
async function interrupted(
  session: Session,
  records: readonly MailboxRecord[],
  argument: string | undefined,
  { all, for: product }: z.infer<typeof schema>,
): Promise<readonly Journal[]> {
  const wanted = (argument ?? (session.ctx.env.MAILAUTH_MAILBOX || undefined))?.trim().toLowerCase();
  const found = (await journals(session.ctx, session.home).all()).filter(({ answers, registration, cloud }) => {
    if (registration === undefined || registration.adopted === true || cloud === undefined || answers.mailbox === undefined) return false;
    if (product !== undefined && answers.for !== product) return false;
    if (wanted !== undefined) return answers.mailbox === wanted;
    return all === true || records.length === 0 || records.some((r) => r.mailbox === answers.mailbox && r.for === answers.for);
  });
  const candidates = [...new Set(found.map(({ answers }) => answers.mailbox ?? ''))];
  if (candidates.length > 1 && all !== true) throw problem('mailbox-choice', { candidates, command: 'mailauth logout --delete-app' });
  return found;
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
  // An interrupted set-up has no mailbox file yet.
  if (options.deleteApp === true && options.for !== undefined && wanted !== undefined) {
    return records.filter((r) => r.mailbox === wanted && r.for === options.for);
  }
  const all = options.for === undefined && wanted !== undefined ? records.filter((r) => r.mailbox === wanted) : [];
  return all.length > 0 ? all : [await mailboxArgument(session, 'mailauth logout', argument, flags)];
}

/** Also true of a mailbox whose file is broken: that is an error, not "already so". */
async function hasFile(session: Session, mailbox: string): Promise<boolean> {
  const { records, broken } = await mailboxesOf(session).listMailboxes();
  return records.some((r) => r.mailbox === mailbox) || broken.some((b) => b.file.includes(mailbox));
}

async function forgetJournals(session: Session, mailbox?: string, product?: string): Promise<void> {
  const book = journals(session.ctx, session.home);
  for (const { answers, store: noted } of await book.all()) {
    const key: MailboxKey | undefined =
      answers.mailbox === undefined || answers.for === undefined ? undefined : { mailbox: answers.mailbox, for: answers.for };
    if (key === undefined || (mailbox !== undefined && key.mailbox !== mailbox) || (product !== undefined && key.for !== product)) continue;
    // Where no store was opened yet, there is no secret either.
    if (noted !== undefined) await (await session.store({ store: noted })).remove(pendingSecretEntry(key));
    await book.forget(key);
  }
}

/** Secrets first: if the store refuses, the mailbox file is still there to try again with. */
async function forget(session: Session, record: MailboxRecord): Promise<void> {
  const store = await session.store(record);
  const { ctx, home } = session;
  // A refresh that is about to store its token comes first. One that hangs is not waited for: it looks again before it writes.
  const release = await guardWrites(home, () => ctx.files.lock(tokenLock(home, record), lockWaitMs));
  try {
    for (const entry of secretEntriesOf(record)) await store.remove(entry);
  } finally {
    await release?.();
  }
  await journals(session.ctx, session.home).forget(record);
  await rotationNotes(session.ctx, session.home).forget(record);
  await mailboxesOf(session).removeMailbox(record);
}
