import type { MailboxKey, MailboxRecord } from '../../core/mailbox.ts';
import type { SecretStore } from '../../core/stores.ts';
import { appKeyOf, isSameKey, usersOf, withAppLocked } from '../../secrets/app-users.ts';
import { rotationNotes } from '../../secrets/rotation-notes.ts';
import { mailboxesOf } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { type InterruptedSetup, journals } from '../../setup/journal/journal-file.ts';
import { sharedEntriesOf } from '../../store/token-entry.ts';
import type { LocalTraces } from './agree-to-remove.ts';

/** A shared app that is not removed, and who uses it. */
export interface KeptApp {
  /** lower case */
  readonly clientId: string;
  readonly usedBy: readonly MailboxKey[];
}

/** The shared apps of what goes that other mailboxes use, finished or under way. */
export async function usedByOthers(
  session: Session,
  going: readonly MailboxRecord[],
  waiting: readonly InterruptedSetup[],
): Promise<readonly KeptApp[]> {
  const ids = [
    ...going.flatMap(({ registration }) => (registration.shared === true ? registration.clientId : [])),
    ...waiting.flatMap(({ registration }) => (registration?.shared === true ? (registration.appId ?? []) : [])),
  ].map((clientId) => clientId.toLowerCase());
  const { records } = await mailboxesOf(session).listMailboxes();
  const keys: readonly MailboxKey[] = [...going, ...waiting.flatMap(({ answers }) => keyOf(answers) ?? [])];
  const kept: KeptApp[] = [];
  for (const clientId of new Set(ids)) {
    const finished = records.filter(({ registration }) => registration.clientId.toLowerCase() === clientId);
    const users = [...finished, ...(await underWay(session, clientId))].filter((user) => !keys.some((key) => isSameKey(key, user)));
    const usedBy = users.map(({ mailbox, for: product }) => ({ mailbox, for: product }));
    if (usedBy.length > 0) kept.push({ clientId, usedBy });
  }
  return kept;
}

const keyOf = ({ mailbox, for: product }: Partial<MailboxKey>): MailboxKey | undefined =>
  mailbox === undefined || product === undefined ? undefined : { mailbox, for: product };

async function underWay({ ctx, home }: Session, clientId: string): Promise<readonly MailboxKey[]> {
  return (await journals(ctx, home).all()).flatMap(({ answers, registration, app }) => {
    const isOf = [registration?.shared === true ? registration.appId : undefined, app?.clientId].some(
      (id) => id?.toLowerCase() === clientId,
    );
    return isOf ? (keyOf(answers) ?? []) : [];
  });
}

const lockWaitMs = 10_000;

/**
 * Works while nobody else sets up, rotates or removes the shared apps of what goes. Until the mailbox files are gone: of two runs that remove
 * the last two mailboxes at once, the second one then sees that it is the last. Throws `app-busy` (5).
 */
export function withSharedApps<T>(session: Session, going: readonly LocalTraces[], work: () => Promise<T>): Promise<T> {
  const shared = going.flatMap(({ record }) => (record?.registration.shared === true ? [record] : []));
  const apps = new Map(shared.map(({ tenantId, for: product }) => [`${tenantId} ${product}`, { tenantId, for: product }]));
  // Always in one order, so that two runs never wait for each other.
  const ordered = [...apps].sort(([a], [b]) => (a < b ? -1 : 1));
  return ordered.reduceRight(
    (inner, [, app]) =>
      () =>
        withAppLocked(session, app, lockWaitMs, inner),
    work,
  )();
}

/** The client secret of a shared app goes with the last mailbox that has it in this store. To be called within `withSharedApps`. */
export async function forgetSharedSecret(session: Session, record: MailboxRecord, store: SecretStore): Promise<void> {
  const { records } = await mailboxesOf(session).listMailboxes();
  const others = usersOf(records, record).filter((user) => !isSameKey(user, record) && user.registration.shared === true);
  const waiting = (await underWay(session, record.registration.clientId.toLowerCase())).filter((key) => !isSameKey(key, record));
  if (waiting.length > 0 || others.some((user) => user.store === record.store)) return;
  for (const entry of sharedEntriesOf(record)) await store.remove(entry);
  if (others.every((user) => appKeyOf(user) !== appKeyOf(record))) await rotationNotes(session.ctx, session.home).forget(record);
}
