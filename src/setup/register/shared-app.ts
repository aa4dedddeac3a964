import type { Cloud, Tenant } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import type { MailboxKey, MailboxRecord, Registration } from '../../core/mailbox.ts';
import type { SecretStore } from '../../core/stores.ts';
import { isSameKey, usersOf, withAppLocked } from '../../secrets/app-users.ts';
import { rotationNotes } from '../../secrets/rotation-notes.ts';
import { clientSecretEntry, ownSecretEntry, sharedSecretEntry } from '../../store/token-entry.ts';
import type { Answers, Known } from '../answers/answers.ts';
import { isSameCloud } from '../answers/answers-record.ts';
import type { SharedBy } from '../answers/remaining-answers.ts';
import { type JournaledRegistration, journals, madeBefore } from '../journal/journal-file.ts';
import type { OpenSetup, SetupDeps } from '../journal/setup-deps.ts';
import type { Registered } from '../sign-in/registered-setup.ts';
import type { RegistrationStep } from './registration-step.ts';

/** For which app a mailbox asks: two kinds of access or of client do not mix in one registration. */
interface SharedPlace {
  readonly cloud: Cloud;
  readonly tenantId: string;
  readonly answers: Pick<Known, 'for' | 'access' | 'clientType'>;
}

const isOfPlace =
  ({ cloud, tenantId, answers }: SharedPlace) =>
  (record: MailboxRecord): boolean =>
    record.tenantId === tenantId &&
    record.for === answers.for &&
    isSameCloud(record.cloud, cloud) &&
    (record.access ?? 'delegated') === (answers.access ?? 'delegated') &&
    record.registration.clientType === answers.clientType;

const isSharedHere = ({ registration }: MailboxRecord): boolean => registration.shared === true;

/** The set-up whose app another mailbox of its tenant and product can use: one that is shared already, else one that mailauth made. */
function shareable(records: readonly MailboxRecord[], place: SharedPlace, key: MailboxKey): MailboxRecord | undefined {
  const others = records.filter((record) => isOfPlace(place)(record) && !isSameKey(record, key));
  const isMade = ({ registration: { made, certificateThumbprint } }: MailboxRecord) =>
    made !== undefined && certificateThumbprint === undefined;
  return others.find(isSharedHere) ?? others.find(isMade);
}

/** What a person is offered for this mailbox, where it has no app yet. */
export async function sharedByOthers(
  { deps, key, input, journal }: OpenSetup,
  tenant: Tenant,
  cloud: Cloud,
): Promise<SharedBy | undefined> {
  const { app, registration } = journal.now;
  const hasApp = app !== undefined || registration?.creating === true || registration?.appObjectId !== undefined;
  if (!deps.canAsk || hasApp || input.flags.sharedApp !== undefined) return undefined;
  const { records } = await deps.mailboxes.listMailboxes();
  if (records.some((record) => isSameKey(record, key))) return undefined;
  return (answers) => {
    const record = shareable(records, { cloud, tenantId: tenant.id, answers }, key);
    return record && { tenant: tenant.foundBy, mailbox: record.mailbox };
  };
}

/** The set-ups that share the app of this tenant and product. */
export async function sharing({ mailboxes }: Pick<SetupDeps, 'mailboxes'>, place: SharedPlace): Promise<readonly MailboxRecord[]> {
  const { records } = await mailboxes.listMailboxes();
  const first = records.filter(isOfPlace(place)).find(isSharedHere);
  return first === undefined ? [] : usersOf(records, first).filter(isSharedHere);
}

/**
 * The app that a person chose becomes one that others use, too: its client secret moves to where all of them find it. Safe to repeat. A
 * rotation that was stopped knows its new secret by the mailbox: such an app is left alone, and another one is made.
 */
export async function takeOffered({ deps, key }: OpenSetup, place: SharedPlace): Promise<void> {
  const { ctx, home, mailboxes } = deps;
  const offered = shareable((await mailboxes.listMailboxes()).records, place, key);
  if (offered === undefined || isSharedHere(offered)) return;
  if ((await rotationNotes(ctx, home).read(offered)) !== undefined) return;
  await withAppLocked(deps, offered, lockWaitMs, async () => {
    const from = await deps.store(offered);
    const secret = await from.read(ownSecretEntry(offered));
    if (secret !== undefined) await from.write(sharedSecretEntry(offered.registration.clientId), secret);
    const now = (await mailboxes.readMailbox(offered)) ?? offered;
    await mailboxes.writeMailbox({ ...now, registration: { ...now.registration, shared: true } });
    await from.remove(ownSecretEntry(offered));
  });
}

const lockWaitMs = 60_000;

/**
 * What is there of the shared app before this mailbox gets it, with its secret in this mailbox's store: from the set-ups that use it, else from
 * one that is under way or was stopped. undefined: nothing was begun. To be called while no other set-up can register it.
 */
export async function sharedBefore(step: RegistrationStep, answers: Answers): Promise<JournaledRegistration | undefined> {
  const { deps, tenant, cloud, key } = step;
  const place = { cloud, tenantId: tenant.id, answers };
  const users = await sharing(deps, place);
  const [first] = users;
  const marks = { shared: true, tenantId: tenant.id } as const;
  const made = madeBefore(first);
  if (first !== undefined && made !== undefined) {
    await bringSecret(first, users, step);
    return { ...made, ...marks, grantIds: grantsOf(users) };
  }
  const begun = (await journals(deps.ctx, deps.home).all()).filter(
    ({ answers: of, registration, cloud: at }) =>
      registration?.shared === true &&
      registration.tenantId === tenant.id &&
      at !== undefined &&
      isSameCloud(at, cloud) &&
      of.for === answers.for &&
      (of.access ?? 'delegated') === (answers.access ?? 'delegated') &&
      of.clientType === answers.clientType &&
      (registration.creating === true || registration.appObjectId !== undefined),
  );
  const ofThis = begun.find(({ answers: of }) => of.mailbox === key.mailbox);
  // One that has come further knows which secret is in use.
  const furthest = begun.find(({ registration }) => registration?.secretKeyId !== undefined) ?? ofThis ?? begun[0];
  if (furthest?.registration === undefined) return undefined;
  // The redirect of a proof is that of the other mailbox.
  const { proofRedirect, ...registration } = furthest.registration;
  if (furthest.app !== undefined) await bringSecretFrom(furthest.store, furthest.app.clientId, step);
  return furthest === ofThis ? { ...registration, ...defined({ proofRedirect }) } : registration;
}

const grantsOf = (users: readonly MailboxRecord[]): readonly string[] => [
  ...new Set(users.flatMap(({ registration }) => registration.made?.grantIds ?? [])),
];

/** Mailboxes of one app may have their secrets in two stores: each store has the client secret once. */
async function bringSecret(first: MailboxRecord, users: readonly MailboxRecord[], step: Pick<RegistrationStep, 'deps' | 'store'>) {
  for (const name of new Set(users.map(({ store }) => store))) await bringSecretFrom(name, first.registration.clientId, step);
}

async function bringSecretFrom(
  name: SecretStore['name'] | undefined,
  clientId: string,
  { deps, store }: Pick<RegistrationStep, 'deps' | 'store'>,
): Promise<void> {
  if (name === undefined || name === store.name) return;
  const entry = sharedSecretEntry(clientId);
  if ((await store.read(entry)) !== undefined) return;
  const value = await (await deps.storeNamed(name)).read(entry);
  if (value !== undefined) await store.write(entry, value);
}

/** The app is as this mailbox has registered it: every set-up that uses it knows that, and this one what the others have. */
export async function spread(registered: Registered, step: Pick<RegistrationStep, 'deps' | 'key' | 'tenant'>): Promise<Registered> {
  const { deps, key, tenant } = step;
  const { records } = await deps.mailboxes.listMailboxes();
  const of = { tenantId: tenant.id, registration: registered.registration };
  const users = usersOf(records, of).filter((record) => isSharedHere(record) && !isSameKey(record, key));
  const [first] = users;
  if (first === undefined) return registered;
  const { registration: ours } = registered;
  const theirs = first.registration;
  const isOurs = ours.made !== undefined;
  const made = isOurs ? ours.made : theirs.made;
  const common: Partial<Registration> = {
    madeByMailauth: isOurs ? ours.madeByMailauth : theirs.madeByMailauth,
    ...defined({
      made: made && { ...made, grantIds: [...new Set([...made.grantIds, ...grantsOf(users)])] },
      secretKeyId: isOurs ? ours.secretKeyId : theirs.secretKeyId,
      oldSecretKeyId: theirs.oldSecretKeyId,
      secretExpiresAt: isOurs ? ours.secretExpiresAt : theirs.secretExpiresAt,
      publicClientFlows: users.some((one) => one.registration.publicClientFlows === true) ? true : ours.publicClientFlows,
    }),
  };
  for (const user of users) {
    const now = (await deps.mailboxes.readMailbox(user)) ?? user;
    const next = { ...now, registration: { ...now.registration, ...common } };
    if (JSON.stringify(next) !== JSON.stringify(now)) await deps.mailboxes.writeMailbox(next);
  }
  const names = defined({ name: theirs.name, audience: theirs.audience });
  return { ...registered, registration: { ...ours, ...names, ...common } };
}

/** What a finished set-up leaves behind when it gets another app: the secret that nothing here uses any more. */
export async function forgetFormer(
  { report, mailboxes }: Pick<SetupDeps, 'report' | 'mailboxes'>,
  former: MailboxRecord,
  now: MailboxRecord,
  store: SecretStore,
): Promise<void> {
  const isSame = former.registration.clientId === now.registration.clientId && former.registration.shared === now.registration.shared;
  if (isSame || (former.registration.shared === undefined && now.registration.shared === undefined)) return;
  const { records } = await mailboxes.listMailboxes();
  const others = usersOf(records, former).filter((one) => !isSameKey(one, former));
  if (former.registration.shared === undefined || others.length === 0) await store.remove(clientSecretEntry(former));
  if (others.length === 0 && former.registration.clientId !== now.registration.clientId && former.registration.madeByMailauth)
    report.note(`The app ${former.registration.clientId} that this mailbox used before remains in the tenant (App registrations).`);
}
