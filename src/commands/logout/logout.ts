import * as z from 'zod/mini';
import { handoffFolder, handoffKeys } from '../../by-hand/handoff/write-handoff.ts';
import { defined } from '../../core/defined.ts';
import { Back } from '../../core/errors.ts';
import type { MailboxKey, MailboxRecord } from '../../core/mailbox.ts';
import { mailauth } from '../../core/next.ts';
import { bareAddress } from '../../core/text.ts';
import { tenantForMailbox } from '../../entra/discovery.ts';
import { problem } from '../../errors/problem.ts';
import { changeNotes } from '../../exchange/change-notes.ts';
import { productNamed } from '../../products/products.ts';
import { sheetPage } from '../../products/sheet/write-sheet.ts';
import { namedUsers, usersOf } from '../../secrets/app-users.ts';
import { rotationNotes } from '../../secrets/rotation-notes.ts';
import { type CommandModule, examples } from '../../session/command.ts';
import { canAsk, mailboxesOf, productFlag } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { type InterruptedSetup, journals } from '../../setup/journal/journal-file.ts';
import { guardWrites } from '../../store/home.ts';
import { isFileOf, mailboxSlug } from '../../store/mailbox-file.ts';
import { pendingSecretEntry, secretEntriesOf } from '../../store/token-entry.ts';
import { tokenLock } from '../../tokens/current.ts';
import { agreeToRemove, type LocalTraces, pickSetUps } from './agree-to-remove.ts';
import type { MadeApp } from './delete-app.ts';
import { forgetSharedSecret, type KeptApp, usedByOthers, withSharedApps } from './shared-traces.ts';

const schema = z.object({ all: z.optional(z.boolean()), deleteApp: z.optional(z.boolean()), for: z.optional(z.string()) });
type Options = z.infer<typeof schema>;

export const logout: CommandModule = {
  configure: (command) =>
    examples(command.argument('[mailbox]', 'address of a mailbox that is set up'), [
      'mailauth logout helpdesk@contoso.com       its tokens, client secret and mailbox file',
      'mailauth logout helpdesk@contoso.com --for osticket',
      'mailauth logout --all                      asks for their number; a script gives --yes',
    ])
      .option('--all', 'every mailbox')
      .option('--delete-app', 'also remove the registration, where mailauth made it')
      .option('--for <product>', 'which set-up, when the mailbox has several'),

  async run({ args, flags }, session) {
    const options = schema.parse(flags);
    productFlag(flags);
    if (options.all === true && args[0] !== undefined) {
      throw problem('usage', { message: 'Give a mailbox or --all, not both', help: mailauth('logout', { help: true }) });
    }
    const going = await agreedOn(session, args[0], options);
    for (const traces of going) await refuseNewer(session, traces);
    const kept = await withSharedApps(session, going, async () => {
      const stays = options.deleteApp === true ? await deleteApps(session, going) : [];
      for (const traces of going) await forget(session, traces);
      return stays;
    });
    const removed = going.map(({ mailbox, for: product }) => ({ mailbox, for: product }));
    return {
      data: { removed, ...(kept.length === 0 ? {} : { keptApps: kept }) },
      text:
        removed.length === 0
          ? 'Nothing to remove.\n'
          : removed
              .map(
                (r) =>
                  `Removed ${r.mailbox}${r.for === 'this-computer' ? '' : ` (${productNamed(r.for)?.title ?? r.for})`} from this computer.\n`,
              )
              .join(''),
    };
  },
};

/** What goes, agreed to. Esc at the last question picks again. */
async function agreedOn(session: Session, argument: string | undefined, options: Options): Promise<readonly LocalTraces[]> {
  for (;;) {
    const { going, wasPicked } = await meant(session, argument, options);
    try {
      await agreeToRemove(session, going, { all: options.all === true, deleteApp: options.deleteApp === true, wasPicked });
      return going;
    } catch (error) {
      if (!(error instanceof Back)) throw error;
    }
  }
}

/**
 * Grants and apps go before the local traces; every refusal comes before the first change. A shared app that other mailboxes use stays: it goes
 * with the last of them. Answers what stays.
 */
async function deleteApps(session: Session, going: readonly LocalTraces[]): Promise<readonly KeptApp[]> {
  const { deleteRegistration } = await import('./delete-app.ts');
  const all = going.flatMap(({ record }) => record ?? []);
  const journaled = going.flatMap(({ journal }) => journal ?? []);
  const used = await usedByOthers(session, all, journaled);
  const stays = (clientId: string | undefined) => used.some((app) => app.clientId === clientId?.toLowerCase());
  const records = all.filter(({ registration }) => registration.shared !== true || !stays(registration.clientId));
  const waiting = journaled.filter(({ registration }) => registration?.shared !== true || !stays(registration.appId));
  await refuseWhatIsNotOurs(session, records, waiting);
  const made = new Map([...records.flatMap(madeApp), ...waiting.flatMap(halfMadeApp)].map((app) => [app.tag, app]));
  const { offerUndo } = await import('./exchange-traces.ts');
  for (const record of all) await offerUndo(session, record);
  for (const app of made.values()) await deleteRegistration(session, app);
  for (const { clientId, usedBy } of used)
    session.report.note(`The app ${clientId} stays in the tenant: ${namedUsers(usedBy)} ${usedBy.length === 1 ? 'uses' : 'use'} it, too.`);
  return used;
}

/** Throws `delete-app-refused`, `delete-app-used`. */
async function refuseWhatIsNotOurs(
  session: Session,
  records: readonly MailboxRecord[],
  waiting: readonly InterruptedSetup[],
): Promise<void> {
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
  for (const { answers, registration } of waiting) {
    const { mailbox = '', for: product = '' } = answers;
    if (registration?.adopted === true) throw problem('delete-app-refused', { clientId: registration.appId ?? '', mailbox });
    refuseUsed(registration?.appId, mailbox, product);
  }
}

function madeApp({ mailbox, for: product, tenantId: tenant, cloud, registration: { made } }: MailboxRecord): readonly MadeApp[] {
  if (made === undefined) return [];
  const { tag, grantIds, applicationObjectId, servicePrincipalId } = made;
  return [
    {
      ...{ mailbox, for: product, tenant, cloud, tag, grantIds },
      ...defined({ appObjectId: applicationObjectId, spObjectId: servicePrincipalId }),
    },
  ];
}

/** Of an interrupted set-up that made an app before it stopped, for instance at a grant that was refused. */
function halfMadeApp({ answers, registration: made, cloud }: InterruptedSetup): readonly MadeApp[] {
  const { mailbox, for: product } = answers;
  if (made === undefined || cloud === undefined || mailbox === undefined || product === undefined) return [];
  return [
    {
      ...{ mailbox, for: product, cloud, tenant: answers.tenant ?? tenantForMailbox(mailbox) },
      ...{ tag: `mailauth:${made.setupId}`, grantIds: made.grantIds },
      ...defined({ creating: made.creating, appObjectId: made.appObjectId, spObjectId: made.spObjectId }),
    },
  ];
}

/** Logging out what is not there is done already: no error. Throws `mailbox-choice`, `guide-choice` (3), `mailbox-file-broken`. */
async function meant(session: Session, argument: string | undefined, options: Options): Promise<Meant> {
  const { records, broken } = await mailboxesOf(session).listMailboxes();
  const given = argument ?? (session.ctx.env.MAILAUTH_MAILBOX || undefined);
  const wanted = given === undefined ? undefined : bareAddress(given).toLowerCase();
  const here = (await localTraces(session, records, options.all === true)).filter(
    (one) => options.for === undefined || one.for === options.for,
  );
  const mailbox = options.all === true ? undefined : (wanted ?? (await onlyMailbox(session, here, options)));
  const going = options.all === true ? here : here.filter((one) => one.mailbox === mailbox);
  // A mailbox file that cannot be read does not mean that there is nothing to remove.
  const damaged = broken.find(({ file }) => isFileOf(file, { mailbox, for: options.for }));
  if (damaged !== undefined && !going.some(({ record }) => record !== undefined)) {
    throw problem('mailbox-file-broken', damaged, { detail: { file: damaged.file } });
  }
  if (options.all === true) return { going, wasPicked: false };
  const picked = await pickSetUps(session, going);
  return { going: picked, wasPicked: picked.length < here.filter((one) => wanted === undefined || one.mailbox === wanted).length };
}

interface Meant {
  readonly going: readonly LocalTraces[];
  /** a person chose among several */
  readonly wasPicked: boolean;
}

/** Where no set-up was finished, those that were only begun count. */
async function onlyMailbox(session: Session, here: readonly LocalTraces[], { deleteApp }: Options): Promise<string | undefined> {
  const finished = here.filter(({ record }) => record !== undefined);
  const candidates = [...new Set((finished.length > 0 ? finished : here).map(({ mailbox }) => mailbox))];
  if (candidates.length < 2) return candidates[0];
  if (canAsk(session)) {
    return session.ctx.prompts.select({ message: 'Which mailbox?', choices: candidates.map((name) => ({ value: name, name })) });
  }
  throw problem('mailbox-choice', { candidates, command: mailauth('logout', { deleteApp }) });
}

async function localTraces({ ctx, home }: Session, records: readonly MailboxRecord[], allGo: boolean): Promise<readonly LocalTraces[]> {
  const found = new Map<string, LocalTraces>();
  const note = (key: MailboxKey, more: Omit<LocalTraces, keyof MailboxKey>) => {
    const slug = mailboxSlug(key);
    found.set(slug, { ...found.get(slug), mailbox: key.mailbox, for: key.for, ...more });
  };
  for (const record of records) {
    const sharesApp = record.registration.shared === true && !allGo && usersOf(records, record).length > 1;
    note(record, { record, sharesApp });
  }
  for (const journal of await journals(ctx, home).all()) {
    const { mailbox, for: product } = journal.answers;
    if (mailbox !== undefined && product !== undefined) note({ mailbox, for: product }, { journal });
  }
  for (const key of await handoffKeys(ctx, home)) note(key, {});
  return [...found.values()];
}

/** Notes of a later mailauth may know of more in the tenant than this one would remove: they stay. Throws `setup-file-broken`, `written-by-newer`. */
async function refuseNewer({ ctx, home }: Session, { record, ...key }: LocalTraces): Promise<void> {
  await journals(ctx, home).refuseNewer(key);
  await changeNotes(ctx, home, key).refuseNewer();
  if (record !== undefined) await rotationNotes(ctx, home).read(record);
}

/** Secrets first: if the store refuses, the mailbox file is still there to try again with. */
async function forget(session: Session, { record, journal, ...key }: LocalTraces): Promise<void> {
  const { ctx, home } = session;
  // A set-up that has not opened a store yet has no secret either.
  if (journal?.store !== undefined) await (await session.storeToShow({ store: journal.store })).remove(pendingSecretEntry(key));
  if (record !== undefined) await forgetSecrets(session, record);
  await guardWrites(home, async () => {
    await ctx.files.removeTree(handoffFolder(home, key));
    await ctx.files.remove(sheetPage(home, key));
  });
  await journals(ctx, home).forget(key);
  await (await import('./exchange-traces.ts')).forgetChanges(session, key);
  if (record === undefined) return;
  await mailboxesOf(session).removeMailbox(record);
}

const lockWaitMs = 2_000;

async function forgetSecrets(session: Session, record: MailboxRecord): Promise<void> {
  const store = await session.storeToShow(record);
  const { ctx, home } = session;
  // A refresh that is about to store its token comes first. One that hangs is not waited for: it looks again before it writes.
  const release = await guardWrites(home, () => ctx.files.lock(tokenLock(home, record), lockWaitMs));
  try {
    for (const entry of secretEntriesOf(record)) await store.remove(entry);
  } finally {
    await release?.();
  }
  if (record.registration.shared !== true) return rotationNotes(ctx, home).forget(record);
  await forgetSharedSecret(session, record, store);
}
