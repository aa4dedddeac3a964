import { defined } from '../../core/defined.ts';
import { domainOf } from '../../core/text.ts';
import type { TestedMailbox } from '../../mail/test-mailboxes.ts';
import type { Theme } from '../../ui/theme.ts';

/** A set-up that was not tested, and why. */
export interface Skipped {
  readonly mailbox: string;
  readonly for: string;
  readonly tenantId: string;
  readonly label?: string;
  readonly why: string;
}

/** `data.tenants[]` of `test --all-mailboxes --json`. */
export interface TenantSummary {
  readonly tenantId: string;
  /** where all set-ups of the tenant have the same one */
  readonly label?: string;
  readonly mailboxes: number;
  readonly green: number;
  readonly red: number;
  readonly skipped: number;
}

/** How the tests went, a line a tenant, in the order of the set-ups. */
export function tenantSummaries(tested: readonly TestedMailbox[], skipped: readonly Skipped[]): readonly TenantSummary[] {
  const all = [...tested, ...skipped];
  return [...new Set(all.map(({ tenantId }) => tenantId))].map((tenantId) => {
    const labels = new Set(all.filter((one) => one.tenantId === tenantId).map(({ label }) => label));
    const here = tested.filter((one) => one.tenantId === tenantId);
    const red = here.filter(({ exits }) => exits.length > 0).length;
    const left = skipped.filter((one) => one.tenantId === tenantId).length;
    return {
      tenantId,
      ...defined({ label: labels.size === 1 ? [...labels][0] : undefined }),
      ...{ mailboxes: here.length + left, green: here.length - red, red, skipped: left },
    };
  });
}

/** The heading of each tenant: `Contoso · 7 mailboxes, 1 red`. */
export function tenantHeadings(
  summaries: readonly TenantSummary[],
  mailboxes: readonly Pick<Skipped, 'mailbox' | 'tenantId'>[],
  theme: Theme,
): ReadonlyMap<string, string> {
  return new Map(
    summaries.map(({ tenantId, label, mailboxes: total, red, skipped }) => {
      const domains = [...new Set(mailboxes.filter((one) => one.tenantId === tenantId).map(({ mailbox }) => domainOf(mailbox)))];
      const name = label ?? `${domains.slice(0, 2).join(', ')}${domains.length > 2 ? ' …' : ''}`;
      const counts = [
        `${total} mailbox${total === 1 ? '' : 'es'}`,
        ...(red === 0 ? [] : [theme.red(`${red} red`)]),
        ...(skipped === 0 ? [] : [`${skipped} not tested`]),
      ];
      return [tenantId, `${theme.bold(name)} · ${counts.join(', ')}`];
    }),
  );
}
