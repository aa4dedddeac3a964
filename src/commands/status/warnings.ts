import type { MailauthError } from '../../core/errors.ts';
import { isHandedOver, type MailboxRecord, type TokenSet } from '../../core/mailbox.ts';
import { type Command, mailauth } from '../../core/next.ts';
import { problem } from '../../errors/problem.ts';
import { cannotRenew, type Ending } from '../../tokens/lifetimes.ts';

/** A set-up, and what ends there first. */
interface Row {
  readonly record: MailboxRecord;
  readonly ending: Ending | undefined;
}

/** One error for everything that ends within `warnDays`, the most urgent first: its command is the one to copy. */
export function endsSoon(code: 'expires-soon' | 'secret-ends-soon', rows: readonly Row[], warnDays: number): MailauthError | undefined {
  const soon = rows
    .flatMap(({ record, ending }) => (ending === undefined || ending.days >= warnDays ? [] : [{ ...ending, record }]))
    .sort((a, b) => a.days - b.days);
  const [first] = soon;
  if (first === undefined) return undefined;
  const lines = soon.map(({ record, what, days }) => {
    const left = days < 0 ? 'expired' : `${days} days left`;
    return `${record.mailbox} for ${record.for}, ${what}: ${left}`;
  });
  return problem(code, { lines, mailbox: first.record.mailbox, for: first.record.for, what: first.what });
}

export interface Lost {
  readonly record: MailboxRecord;
  readonly why: string;
}

/**
 * A set-up that had tokens on this computer and cannot get any now: its sign-in is gone, or Microsoft refused the last refresh for good.
 * Undefined where all is well, and for a product that signs in by itself. `set` is the stored token.
 */
export function lostSignIn(record: MailboxRecord, set: TokenSet | undefined, now: number): Lost | undefined {
  const { refused } = record;
  if (refused !== undefined) return { record, why: `Microsoft refused the last renewal (${refused.code}, ${refused.at})` };
  if (set !== undefined && cannotRenew(record, set) && set.expiresAt <= now)
    return { record, why: 'its token has expired, and Microsoft gave no refresh token to renew it' };
  if (set !== undefined) return undefined;
  if (record.account !== undefined || record.access === 'app-only') return { record, why: 'its sign-in is no longer on this computer' };
  return isHandedOver(record) ? undefined : { record, why: 'nobody has signed in yet' };
}

/** One error for all of them, with a command for each; undefined for an empty list. */
export function lostSignIns(lost: readonly Lost[]): MailauthError | undefined {
  if (lost.length === 0) return undefined;
  return problem('sign-in-lost', {
    lines: lost.map(({ record, why }) => `${record.mailbox} for ${record.for}: ${why}`),
    commands: lost.map(({ record }) => repair(record)),
  });
}

function repair({ mailbox, for: product, refused, registration }: MailboxRecord): Command {
  const needsSecret = refused?.code.startsWith('stored-secret') === true && registration.clientType === 'confidential';
  return mailauth(needsSecret ? 'secret rotate' : 'login', mailbox, { for: product });
}
