import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import type { MailboxKey, MailboxRecord } from '../core/mailbox.ts';
import { problem } from '../errors/problem.ts';
import { guardWrites } from '../store/home.ts';
import { mailboxSlug } from '../store/mailbox-file.ts';

/** An app in a tenant, as a mailbox file names it. */
export type AppOfRecord = Pick<MailboxRecord, 'tenantId'> & { readonly registration: Pick<MailboxRecord['registration'], 'clientId'> };

/** One name for one app: the same client ID in two tenants is two apps, with two secrets. */
export const appKeyOf = ({ tenantId, registration }: AppOfRecord): string => `${tenantId} ${registration.clientId}`.toLowerCase();

/** The set-ups of these that sign in with this app, in their order. */
export const usersOf = (records: readonly MailboxRecord[], app: AppOfRecord): readonly MailboxRecord[] =>
  records.filter((one) => appKeyOf(one) === appKeyOf(app));

export const isSameKey = (a: MailboxKey, b: MailboxKey): boolean => a.mailbox === b.mailbox && a.for === b.for;

/** `ada@contoso.com, bob@contoso.com and 12 more` */
export function namedUsers(users: readonly MailboxKey[], most = 3): string {
  const names = [...new Set(users.map(({ mailbox }) => mailbox))];
  const left = names.length - most;
  return left > 0 ? `${names.slice(0, most).join(', ')} and ${left} more` : names.join(', ');
}

interface Place {
  readonly ctx: Pick<Context, 'files'>;
  readonly home: string;
}

/**
 * Only one at a time registers, rotates or removes the shared app of a tenant and product, so that two of them make one app and one secret.
 * Throws `app-busy` (5).
 */
export async function withAppLocked<T>(
  { ctx, home }: Place,
  { tenantId, for: product }: Pick<MailboxRecord, 'tenantId' | 'for'>,
  waitMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const lock = join(home, 'locks', `app-${mailboxSlug({ mailbox: tenantId, for: product })}`);
  const release = await guardWrites(home, () => ctx.files.lock(lock, waitMs));
  if (release === undefined) throw problem('app-busy', { for: product, tenant: tenantId });
  try {
    return await work();
  } finally {
    await release();
  }
}
