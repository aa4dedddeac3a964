import type { Tenant } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import { Exit, MailauthError } from '../../core/errors.ts';
import { tenantForMailbox } from '../../entra/discovery.ts';
import { discover } from '../finished-setup.ts';
import type { Found, SetupDeps } from '../journal/setup-deps.ts';
import type { CheckedRow } from './check-rows.ts';
import type { ListFault } from './list-fault.ts';

export interface PlannedRow extends CheckedRow {
  /** the domain or the ID that its tenant was looked for by */
  readonly tenant: string;
  /** undefined: it was not found */
  readonly tenantId: string | undefined;
  /** why the tenant was not found */
  readonly error?: MailauthError;
}

export interface RowPlan {
  readonly rows: readonly PlannedRow[];
  /** what only the tenant shows */
  readonly faults: readonly ListFault[];
  /** by cloud and by what they were looked for: a set-up does not look for them again */
  readonly tenants: Found['tenants'];
}

/** Looks up the tenant of each row that is not finished, once for each domain. Changes nothing. */
export async function planRows(rows: readonly CheckedRow[], deps: SetupDeps): Promise<RowPlan> {
  const tenants: Found['tenants'] = new Map();
  const errors = new Map<string, MailauthError>();
  const lookUp = async ({ cloud }: CheckedRow, name: string): Promise<Tenant | MailauthError> => {
    const id = `${cloud.name} ${name}`;
    const known = tenants.get(id) ?? errors.get(id);
    if (known !== undefined) return known;
    deps.report.progress('tenant', 'started', `Looking for the tenant of ${name}`);
    const found = await tenantOrError(cloud, name, deps);
    if (found instanceof MailauthError) errors.set(id, found);
    else tenants.set(id, found);
    return found;
  };
  const planned: PlannedRow[] = [];
  const faults: ListFault[] = [];
  for (const row of rows) {
    const name = row.answers.tenant ?? tenantForMailbox(row.key.mailbox);
    if (row.state === 'finished') {
      planned.push({ ...row, tenant: name, tenantId: row.existing?.tenantId });
      continue;
    }
    const found = await lookUp(row, name);
    if (found instanceof MailauthError) {
      if (found.exit === Exit.usage) faults.push({ row: row.row, column: 'tenant', what: found.title });
      planned.push({ ...row, tenant: name, tenantId: undefined, error: found });
      continue;
    }
    if (row.answers.clientId === found.id.toLowerCase())
      faults.push({ row: row.row, column: 'client-id', what: 'This is the Directory (tenant) ID, not the Application (client) ID.' });
    planned.push({ ...row, tenant: name, tenantId: found.id });
  }
  deps.report.settle();
  return { rows: planned, faults, tenants };
}

async function tenantOrError(cloud: CheckedRow['cloud'], domainOrId: string, deps: SetupDeps): Promise<Tenant | MailauthError> {
  try {
    return await discover(deps, cloud, domainOrId);
  } catch (error) {
    if (error instanceof MailauthError) return error;
    throw error;
  }
}

/** How many people sign in, and for what. */
export interface SignIns {
  /** one for each tenant in which something is registered */
  readonly administrator: number;
  /** the same for Exchange Online, where `--exchange api` asks it */
  readonly exchange: number;
  /** one for each mailbox that signs in on this computer */
  readonly mailbox: number;
}

export function signInsOf(rows: readonly PlannedRow[], env: SetupDeps['ctx']['env']): SignIns {
  const open = rows.filter(({ state, error }) => state !== 'finished' && error === undefined);
  const tenantsOf = (some: readonly PlannedRow[]): number => new Set(some.map(({ tenantId }) => tenantId)).size;
  const isSignedIn = ({ answers: { access, signIn } }: PlannedRow): boolean =>
    access !== 'app-only' && (signIn === 'browser' || signIn === 'paste' || signIn === 'device');
  return {
    administrator: env.MAILAUTH_GRAPH_TOKEN ? 0 : tenantsOf(open.filter(({ needsAdministrator }) => needsAdministrator)),
    exchange: env.MAILAUTH_EXCHANGE_TOKEN ? 0 : tenantsOf(open.filter(({ input }) => input.exchange === 'api')),
    mailbox: open.filter(isSignedIn).length,
  };
}

/** The plan as `--dry-run --json` has it. */
export const plannedJson = ({ row, key, tenant, tenantId, state, answers, error }: PlannedRow) => ({
  ...{ row, mailbox: key.mailbox, for: key.for, tenant, tenantId: tenantId ?? null, state, register: answers.register },
  ...defined({ signIn: answers.signIn, code: error?.code, title: error?.title }),
});
