import type { Cloud } from '../core/cloud.ts';
import { isOfRecordedAccount, type MailboxKey, type MailboxRecord, type TokenSet } from '../core/mailbox.ts';
import { type Authority, authorityOf, differenceOf, microsoftCloudOf } from '../core/sign-in-authority.ts';
import type { SecretStore } from '../core/stores.ts';
import { isGuid } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { readAccessToken } from '../oauth/claims.ts';
import { decodeClientSecret, type HeldSecret } from '../store/client-secret-entry.ts';
import { decodeTokenSet, ownSecretEntry, pendingSecretEntry, sharedSecretEntry, tokenEntry } from '../store/token-entry.ts';

/** The cloud that a command works with. */
export interface InForce {
  readonly cloud: Cloud;
  /** a flag or a variable says so, and not the mailbox file alone */
  readonly isChosen: boolean;
}

const inForceFor = (record: MailboxRecord, { cloud }: InForce): Authority =>
  authorityOf(cloud, { tenantId: record.tenantId, clientId: record.registration.clientId });

/** Of the mailbox file itself, whatever flags and variables say. In the sandbox the file's own ports are of an earlier run. */
const recordedFor = (record: MailboxRecord, { cloud }: InForce): Authority =>
  cloud.name === 'sandbox' ? inForceFor(record, { cloud, isChosen: false }) : inForceFor(record, { cloud: record.cloud, isChosen: false });

/**
 * A stored sign-in is sent only to what it belongs to. One of the first edition does not say it: it is taken over where the mailbox file
 * agrees with the token itself and names a cloud that somebody else vouches for. Throws `authority-changed`, `authority-unknown`,
 * `account-changed` (all 4).
 */
export function refuseForeign(record: MailboxRecord, set: TokenSet, inForce: InForce): void {
  const authority = set.authority ?? (isTakenOver(record, set, inForce) ? recordedFor(record, inForce) : undefined);
  if (authority === undefined) throw unknownAuthority(record);
  refuseDifference(record, authority, inForce);
  if (isOfRecordedAccount(record, set)) return;
  const { mailbox, for: product, account } = record;
  throw problem('account-changed', { mailbox, for: product, stored: set.account.username, recorded: account?.username ?? '' });
}

function refuseDifference(record: MailboxRecord, authority: Authority, inForce: InForce): void {
  const difference = differenceOf(authority, inForceFor(record, inForce));
  if (difference === undefined) return;
  const { mailbox, for: product } = record;
  const byFile = differenceOf(authority, recordedFor(record, inForce)) !== undefined;
  const home = byFile ? microsoftCloudOf(authority) : record.cloud.name;
  throw problem('authority-changed', { mailbox, for: product, ...difference, byFile, cloud: home });
}

const unknownAuthority = ({ mailbox, for: product, registration: { clientId, clientType } }: MailboxRecord) =>
  problem('authority-unknown', { mailbox, for: product, clientId, clientType });

function isTakenOver(record: MailboxRecord, set: TokenSet, inForce: InForce): boolean {
  const claims = readAccessToken(set.accessToken);
  if (claims.opaque) return false;
  const tenant = isGuid(record.tenantId) ? record.tenantId : set.account.tenantId;
  const agrees = same(claims.tenantId, tenant) && same(claims.appId, record.registration.clientId);
  const { cloud } = inForce;
  const isVouchedFor = cloud.name === 'sandbox' || microsoftCloudOf(recordedFor(record, inForce)) !== undefined;
  // A cloud file in force vouches for the cloud that it describes.
  return (
    agrees && (isVouchedFor || (inForce.isChosen && differenceOf(inForceFor(record, inForce), recordedFor(record, inForce)) === undefined))
  );
}

const same = (a: string | undefined, b: string | undefined): boolean => a !== undefined && a.toLowerCase() === b?.toLowerCase();

/** The client secret of a mailbox, to be sent. Throws `authority-changed`, `authority-unknown` (both 4). */
export async function boundSecret(
  record: MailboxRecord,
  held: HeldSecret,
  store: SecretStore,
  inForce: InForce,
): Promise<HeldSecret['secret']> {
  if (held.authority !== undefined) {
    refuseDifference(record, held.authority, inForce);
    return held.secret;
  }
  const token = await store.read(tokenEntry(record));
  if (token === undefined) throw unknownAuthority(record);
  // The token says what the secret of the first edition does not: they are of one app.
  refuseForeign(record, decodeTokenSet(token, record), inForce);
  return held.secret;
}

/**
 * The client secret that a set-up finds in the store: of the interrupted set-up, else of the finished one, if it belongs to `authority`. One
 * that belongs elsewhere, or of which nothing says where, is not taken. `isShared`: the app's own, which several mailboxes use.
 */
export async function secretFor(
  store: SecretStore,
  key: MailboxKey,
  authority: Authority,
  isShared = false,
): Promise<HeldSecret['secret'] | undefined> {
  const { clientId } = authority;
  const kept = !isShared ? [ownSecretEntry(key)] : clientId === undefined ? [] : [sharedSecretEntry(clientId)];
  const entries = [pendingSecretEntry(key), ...kept];
  for (const entry of entries) {
    const stored = await store.read(entry);
    const held = stored && decodeClientSecret(stored);
    if (held?.authority !== undefined && differenceOf(held.authority, authority) === undefined) return held.secret;
  }
  return undefined;
}
