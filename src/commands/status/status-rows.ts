import { defined } from '../../core/defined.ts';
import { MailauthError } from '../../core/errors.ts';
import { isHandedOver, type MailboxRecord, type TokenSet } from '../../core/mailbox.ts';
import { Secret } from '../../core/secret.ts';
import type { SecretStore } from '../../core/stores.ts';
import { rfc3339 } from '../../core/time.ts';
import type { Session } from '../../session/session.ts';
import { mailboxSlug } from '../../store/mailbox-file.ts';
import { tokensAhead } from '../../tokens/current.ts';
import { cannotRenew, type Ending, firstEnding, refreshIdleDeadline } from '../../tokens/lifetimes.ts';
import type { MonitoredMailbox } from '../../ui/status-formats.ts';
import { type Lost, lostSignIn } from './warnings.ts';

/** How a set-up stands: `over` beats `ending` beats `handed-over` beats `ok`; null where its store could not be read. */
export type SetUpState = 'ok' | 'ending' | 'over' | 'handed-over' | null;

export interface Row {
  readonly record: MailboxRecord;
  readonly set: TokenSet | undefined;
  /** false where the store could not be read, so that it is not known whether the mailbox is signed in */
  readonly storeRead: boolean;
  readonly lost: Lost | undefined;
  readonly storeText: string;
  readonly ending: Ending | undefined;
  readonly state: SetUpState;
  /** milliseconds since the epoch */
  readonly now: number;
}

interface RowReader {
  /** Without the network. Where a store cannot be read, only what is known of the token is missing. */
  rowsOf(records: readonly MailboxRecord[]): Promise<readonly Row[]>;
  /** the first store that could not be read */
  readonly storeError: MailauthError | undefined;
}

/** `warnDays` decides what is `ending`. */
export function rowReader(session: Session, warnDays: number): RowReader {
  const now = session.ctx.clock.now();
  // A store that cannot be opened is asked once; a damaged entry says nothing about the others.
  const errors = new Map<string, MailauthError>();
  const read = async (record: MailboxRecord, tokenIn: (store: SecretStore) => Promise<TokenSet | undefined>) => {
    const failed = { set: undefined, storeRead: false, storeText: String(record.store) };
    try {
      if (errors.has(record.store)) return failed;
      const store = await session.storeToShow(record);
      failed.storeText = store.describe();
      return { set: withoutSecrets(await tokenIn(store)), storeRead: true, storeText: failed.storeText };
    } catch (error) {
      if (!(error instanceof MailauthError)) throw error;
      errors.set(error.code === 'store-damaged' || error.code === 'written-by-newer' ? mailboxSlug(record) : record.store, error);
      return failed;
    }
  };
  return {
    get storeError() {
      return [...errors.values()][0];
    },
    async rowsOf(records) {
      const rows: Row[] = [];
      const tokenAt = tokensAhead(records);
      for (const [index, record] of records.entries()) {
        const found = await read(record, (store) => tokenAt(store, index));
        const lost = found.storeRead ? lostSignIn(record, found.set, now) : undefined;
        const facts = { record, ...found, lost, ending: firstEnding(now, record, found.set), now };
        rows.push({ ...facts, state: stateOf(facts, warnDays) });
      }
      return rows;
    },
  };
}

/** Only their times are shown, and a hundred thousand of them would fill the memory. */
const withoutSecrets = (set: TokenSet | undefined): TokenSet | undefined =>
  set && { ...set, accessToken: unseen, ...(set.refreshToken === undefined ? {} : { refreshToken: unseen }) };
const unseen = new Secret('-');

function stateOf({ record, set, storeRead, lost, ending }: Omit<Row, 'state'>, warnDays: number): SetUpState {
  if (lost !== undefined || (ending !== undefined && ending.days < 0)) return 'over';
  // A sign-in that cannot be renewed ends within hours, whatever `--warn-days` says.
  if ((ending !== undefined && ending.days < warnDays) || (set !== undefined && cannotRenew(record, set))) return 'ending';
  if (isHandedOver(record)) return 'handed-over';
  return storeRead ? 'ok' : null;
}

/** What is over or ends first comes first; what does not end comes last. The order of the mailbox files stays otherwise. */
export const urgency = ({ lost, ending }: Row): number =>
  lost !== undefined ? Number.NEGATIVE_INFINITY : (ending?.days ?? Number.MAX_SAFE_INTEGER);

/** A token that has expired and cannot be renewed is no sign-in any more. */
const isSignedIn = ({ record, set, now }: Row): boolean => set !== undefined && !(cannotRenew(record, set) && set.expiresAt <= now);

/** `data.mailboxes[]` of `status --json` (docs/contract.md, "JSON"). */
export function rowJson(row: Row) {
  const { record, set, ending, state } = row;
  const deadline = set === undefined ? undefined : refreshIdleDeadline(set);
  return {
    mailbox: record.mailbox,
    for: record.for,
    ...defined({ label: record.label }),
    state,
    tenantId: record.tenantId,
    clientId: record.registration.clientId,
    ...(record.access === undefined ? {} : { access: record.access }),
    signedIn: isSignedIn(row),
    account: set?.account.username ?? null,
    accessTokenExpiresAt: set === undefined ? null : rfc3339(set.expiresAt),
    lastRefreshedAt: set === undefined ? null : rfc3339(set.issuedAt),
    refreshTokenIdleDeadline: deadline === undefined ? null : rfc3339(deadline),
    secretExpiresAt: record.registration.secretExpiresAt ?? null,
    ...(record.registration.certificateThumbprint === undefined
      ? {}
      : { certificateThumbprint: record.registration.certificateThumbprint }),
    daysLeft: ending?.days ?? null,
    scopes: set?.scopes ?? record.scopes,
    store: record.store,
    lastTest: lastTest(record) ?? null,
    lastRefusal: record.refused ?? null,
  };
}

/** All tests of one run have the same time: a failed one is shown first, else the one that was noted last. */
export function lastTest({ lastTests }: MailboxRecord): MailboxRecord['lastTests'][number] | undefined {
  const newest = [...lastTests.map((t) => t.at)].sort().at(-1);
  const latest = lastTests.filter((t) => t.at === newest);
  return latest.find((t) => !t.ok) ?? latest.at(-1);
}

export const monitored = (row: Row): MonitoredMailbox => {
  const { record, set, ending } = row;
  const deadline = set && refreshIdleDeadline(set);
  const secretExpires = record.registration.secretExpiresAt;
  return {
    mailbox: record.mailbox,
    for: record.for,
    ...defined({ label: record.label }),
    ...(row.storeRead ? { signedIn: isSignedIn(row) } : {}),
    ...(row.lost === undefined ? {} : { lost: row.lost.why }),
    daysLeft: ending?.days ?? null,
    lastTests: record.lastTests,
    ...(set === undefined ? {} : { accessTokenExpiresAt: set.expiresAt }),
    ...defined({ refreshTokenIdleDeadline: deadline }),
    ...(secretExpires === undefined ? {} : { secretExpiresAt: Date.parse(secretExpires) }),
  };
};
