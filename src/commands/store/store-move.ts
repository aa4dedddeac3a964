import { join } from 'node:path';
import { namesDatabase } from '../../core/database-port.ts';
import { Exit, MailauthError } from '../../core/errors.ts';
import type { MailboxKey, MailboxRecord } from '../../core/mailbox.ts';
import { again, mailauth } from '../../core/next.ts';
import { shown } from '../../core/shown.ts';
import { type ChosenStore, chosenStores, isChosenStore, type SecretStore, type StoreName, stores } from '../../core/stores.ts';
import { anyOf } from '../../core/text.ts';
import { isToSealedFile } from '../../errors/catalogue/store/keychain-advice.ts';
import { problem } from '../../errors/problem.ts';
import { isSameKey, usersOf } from '../../secrets/app-users.ts';
import { rotationNotes } from '../../secrets/rotation-notes.ts';
import { type CommandModule, examples } from '../../session/command.ts';
import { unknownStore } from '../../session/globals.ts';
import { mailboxesOf } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { journals } from '../../setup/journal/journal-file.ts';
import { guardWrites } from '../../store/home.ts';
import { mailboxSlug } from '../../store/mailbox-file.ts';
import { copySecrets, moveNotes as movesInHand, removeSecrets } from '../../store/move-secrets.ts';
import { secretEntriesOf, sharedEntriesOf } from '../../store/token-entry.ts';
import { tokenLock } from '../../tokens/current.ts';

interface Moved extends MailboxKey {
  /** false: it was there already */
  readonly moved: boolean;
  readonly secrets: number;
}

export const storeMove: CommandModule = {
  configure: (command) =>
    examples(
      command.argument('<store>', `where every secret will be: ${anyOf(chosenStores)} (see: mailauth help stores)`),
      chosenStores.map((name) => `${`mailauth store move ${name}`.padEnd(33)}into ${stores[name].is}`),
    ),

  async run({ args }, session) {
    const to = readTarget(args[0]);
    const { records, broken } = await mailboxesOf(session).listMailboxes();
    const [damaged] = broken;
    if (damaged !== undefined) throw problem('mailbox-file-broken', damaged, { detail: { file: damaged.file } });
    await session.refuseSteered(undefined);
    const target = await session.storeNamed(to);
    await target.probe().catch((error: unknown) => {
      throw withoutWayBack(error);
    });
    const moved = await moveAll(session, records, target);
    const { describe } = target;
    warnOfEnvironment(session, to);
    return {
      data: { store: to, mailboxes: moved, secrets: moved.reduce((sum, one) => sum + (one.moved ? one.secrets : 0), 0) },
      text: moved.some((one) => one.moved)
        ? moved.map((one) => lineOf(one, describe())).join('')
        : `Everything is in the ${describe()} already, so nothing was moved.\n`,
    };
  },
};

function readTarget(word = ''): ChosenStore {
  if (isChosenStore(word)) return word;
  throw unknownStore(word, (store) => again({}, [store]));
}

/** Where the keychain cannot be used, its errors name the sealed file: the secrets are to be moved out of that. */
const withoutWayBack = (error: unknown): unknown =>
  error instanceof MailauthError ? error.but({ next: error.next.filter((step) => !isToSealedFile(step)) }) : error;

const lineOf = ({ mailbox, for: product, moved, secrets }: Moved, where: string): string =>
  `${mailbox} (${product}): ${moved ? `${secrets} ${secrets === 1 ? 'secret' : 'secrets'} moved to the ${where}` : 'already there'}.\n`;

/** The note exists from before the first change until after the last, so that the next run finishes what a killed one has begun. */
async function moveAll(session: Session, records: readonly MailboxRecord[], target: SecretStore): Promise<readonly Moved[]> {
  const notes = movesInHand(session.ctx, session.home);
  const stopped = (await notes.read()).filter((name) => name !== target.name);
  const recorded = records.map((record) => record.store).filter((name) => name !== target.name);
  const waiting = await interruptedSetups(session, records);
  const from = [...new Set([...stopped, ...recorded])];
  if (from.length === 0 && waiting.length === 0) return records.map((record) => ({ ...keyOf(record), moved: false, secrets: 0 }));
  await notes.write(from);
  const moved: Moved[] = [];
  for (const record of records)
    moved.push(await moveMailbox(session, record, target, record.store === target.name ? stopped : [record.store]));
  for (const key of waiting) await movePending(session, key, target);
  await notes.forget();
  return moved;
}

/**
 * Copies the secrets and proves them, writes the mailbox file, and deletes the old entries last. Wherever it is killed, one store has
 * everything, and the mailbox file names that store.
 */
async function moveMailbox(session: Session, before: MailboxRecord, target: SecretStore, from: readonly StoreName[]): Promise<Moved> {
  const files = mailboxesOf(session);
  return alone(session, before, async () => {
    const record = (await files.readMailbox(before)) ?? before;
    const landed = record.store === target.name;
    let secrets = 0;
    const entries = secretEntriesOf(record);
    // Those of a shared app are moved with its first mailbox, and leave the old store with its last one.
    const shared = sharedEntriesOf(record);
    const stores = await Promise.all(from.map((name) => session.storeNamed(name)));
    for (const store of stores) secrets += await copySecrets(entries, { from: store, to: target }, landed);
    for (const store of stores) secrets += await copySecrets(await lacking(shared, target), { from: store, to: target }, landed);
    if (!landed) {
      await files.writeMailbox({ ...record, store: target.name });
      await moveNotes(session, record);
      await moveSharedNote(session, { ...record, store: target.name });
    }
    const users = shared.length === 0 ? [] : usersOf((await files.listMailboxes()).records, record);
    for (const store of stores) {
      const isLast = !users.some((user) => user.store === store.name && !isSameKey(user, record));
      await removeSecrets(isLast ? [...entries, ...shared] : entries, store);
    }
    return { ...keyOf(record), moved: !landed || secrets > 0, secrets };
  });
}

/** Notes of a rotation or a change in Exchange that is not finished go where the mailbox file is now: into the database, or out of it. */
async function moveNotes({ ctx, home }: Session, key: MailboxKey): Promise<void> {
  for (const folder of ['rotations', 'exchange']) {
    const path = join(home, folder, `${mailboxSlug(key)}.json`);
    const text = await ctx.files.read(path);
    if (text !== undefined) await guardWrites(home, () => ctx.files.writeAtomic(path, text));
  }
}

/** The note of a shared app is under the app's name, and says itself where it belongs. */
async function moveSharedNote({ ctx, home }: Session, record: MailboxRecord): Promise<void> {
  if (record.registration.shared !== true) return;
  const notes = rotationNotes(ctx, home);
  const note = await notes.read(record);
  if (note !== undefined) await notes.write(record, note);
}

async function lacking(entries: readonly string[], target: SecretStore): Promise<readonly string[]> {
  const there = await Promise.all(entries.map((entry) => target.read(entry)));
  return entries.filter((_, i) => there[i] === undefined);
}

/**
 * A set-up that was interrupted before it wrote its mailbox file keeps the client secret for its first sign-in in a store. Its journal may not
 * name the store yet, so every other one is looked at; from then on the journal names the new one.
 */
async function movePending(session: Session, key: MailboxKey, target: SecretStore): Promise<void> {
  const isNamed = (name: ChosenStore): boolean => name !== 'postgres' || namesDatabase(session.ctx);
  for (const other of chosenStores.filter((name) => name !== target.name && isNamed(name))) {
    try {
      const from = await session.storeNamed(other);
      const entries = secretEntriesOf(key);
      const found = await alone(session, key, () => copySecrets(entries, { from, to: target }, false));
      if (found === 0) continue;
      const book = journals(session.ctx, session.home);
      const journal = await book.read(key);
      if (journal !== undefined) await book.write(key, { ...journal, store: target.name });
      await removeSecrets(entries, from);
      const goOn = mailauth('setup', { resume: true, mailbox: key.mailbox, for: key.for, store: target.name });
      session.report.note(`The set-up of ${key.mailbox} is not finished. Go on with:`, shown(goOn, session.ctx.surroundings));
    } catch (error) {
      if (!(error instanceof MailauthError) || (error.exit !== Exit.noStore && error.exit !== Exit.needsAnswer)) throw error;
      session.report.note(`The set-up of ${key.mailbox} is not finished, and the store ${other} could not be opened: ${error.title}`);
    }
  }
}

async function interruptedSetups(session: Session, records: readonly MailboxRecord[]): Promise<readonly MailboxKey[]> {
  const keys: MailboxKey[] = [];
  for (const { answers } of await journals(session.ctx, session.home).all()) {
    const { mailbox, for: product } = answers;
    if (mailbox === undefined || product === undefined || records.some((r) => r.mailbox === mailbox && r.for === product)) continue;
    keys.push({ mailbox, for: product });
  }
  return keys;
}

/** Runs `act` while no refresh and no set-up of this mailbox can run. Throws `store-busy`. */
async function alone<T>({ ctx, home, stepTimeoutMs }: Session, key: MailboxKey, act: () => Promise<T>): Promise<T> {
  const locks = [join(home, 'locks', `setup-${mailboxSlug(key)}`), tokenLock(home, key)];
  const releases: (() => Promise<void>)[] = [];
  try {
    for (const lock of locks) {
      const release = await guardWrites(home, () => ctx.files.lock(lock, stepTimeoutMs));
      if (release === undefined) throw problem('store-busy', { what: key.mailbox });
      releases.push(release);
    }
    return await act();
  } finally {
    for (const release of releases.reverse()) await release();
  }
}

const keyOf = ({ mailbox, for: product }: MailboxKey): MailboxKey => ({ mailbox, for: product });

function warnOfEnvironment({ globals, report }: Session, to: StoreName): void {
  if (globals.store === undefined || globals.store === to) return;
  report.note(`--store or MAILAUTH_STORE says ${globals.store}: leave it out or set it to ${to}, or the mailboxes are not found.`);
}
