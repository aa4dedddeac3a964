import { setMaxListeners } from 'node:events';
import { Interrupted, MailauthError } from '../../core/errors.ts';
import type { NextStep } from '../../core/next.ts';
import type { Surroundings } from '../../core/shown.ts';
import { runSetup, type SetupOutcome } from '../begin-setup.ts';
import { ofThisSetup, type SetupDeps, withFlagsOf } from '../journal/setup-deps.ts';
import type { Columns } from './columns.ts';
import type { PlannedRow, RowPlan } from './plan-rows.ts';
import type { ReportFile } from './report-file.ts';
import { rowReporter } from './row-reporter.ts';
import { commandOfRow, failed, type RowResult, resultOf } from './row-result.ts';

export interface RowWork {
  readonly deps: SetupDeps;
  readonly columns: Columns;
  readonly report: ReportFile | undefined;
  /** what was thrown, as an error to show */
  explain(thrown: unknown): Promise<MailauthError>;
  /** what the command does once a set-up stands: its sheet */
  finish(row: PlannedRow, outcome: SetupOutcome): Promise<void>;
  /** the command that goes on when this one is stopped */
  readonly goOn: NextStep | undefined;
}

/**
 * Sets up each row, tenant by tenant, so that an administrator signs in once for each. A row that fails does not stop the others; a stop of the
 * whole command does. The results come in the order of the list; the report has them in the order of the work.
 */
export async function runRows({ rows, tenants }: RowPlan, work: RowWork): Promise<readonly RowResult[]> {
  const { deps } = work;
  // Each set-up listens for the stop with several of its parts, and some of them only let go when the whole command ends.
  setMaxListeners(0, deps.ctx.signal);
  const shared = sharedDeps(deps);
  const told = new Set<string>();
  const results: RowResult[] = [];
  for (const [name, group] of byTenant(rows)) {
    const done: RowResult[] = [];
    for (const row of group) {
      const text = `${name}, ${done.length + 1} of ${group.length}: ${row.key.mailbox}`;
      deps.report.progress('row', 'started', text);
      const result = await resultOfRow(row, { work, shared, tenants, told });
      await work.report?.add(result);
      done.push(result);
      tellRow(result, work);
    }
    tellTenant(name, done, deps);
    results.push(...done);
  }
  return results.toSorted((a, b) => a.row - b.row);
}

/** In the order in which the tenants come first in the list. */
function byTenant(rows: readonly PlannedRow[]): ReadonlyMap<string, readonly PlannedRow[]> {
  const groups = new Map<string, PlannedRow[]>();
  for (const row of rows) {
    const id = row.tenantId ?? row.tenant;
    groups.set(id, [...(groups.get(id) ?? []), row]);
  }
  return new Map([...groups.values()].map((group) => [nameOf(group), group]));
}

/** Domains of one tenant are one group; two tenants never have the same name. */
const nameOf = (group: readonly PlannedRow[]): string => [...new Set(group.map(({ tenant }) => tenant))].join(', ');

/** Nothing is asked in the middle but where somebody signs in, an administrator signs in once for a tenant, and the store is tried once. */
function sharedDeps(deps: SetupDeps): SetupDeps {
  const tried = new Map<string, ReturnType<SetupDeps['probedStore']>>();
  const { mailbox: _mailbox, clientId: _clientId, ...facts } = deps.facts;
  return {
    ...deps,
    ...{ facts, canAsk: false, asksForAddress: deps.asksForAddress ?? deps.canAsk, administrators: new Map() },
    probedStore(recorded) {
      const store = tried.get(recorded ?? '') ?? deps.probedStore(recorded);
      tried.set(recorded ?? '', store);
      return store;
    },
  };
}

interface Running extends Pick<RowPlan, 'tenants'> {
  readonly work: RowWork;
  readonly shared: SetupDeps;
  readonly told: Set<string>;
}

/** Throws `Interrupted`, with the command that goes on. */
async function resultOfRow(row: PlannedRow, { work, shared, tenants, told }: Running): Promise<RowResult> {
  const { ctx, report } = shared;
  const running = commandOfRow(row.flags, work.columns);
  const here: Surroundings = { ...ctx.surroundings, for: undefined, running };
  const failure = (error: MailauthError): RowResult => {
    const known = withFlagsOf(running, ofThisSetup(row.key, error));
    return failed(row, known instanceof MailauthError ? known : error, here);
  };
  if (row.error !== undefined) return failure(row.error);
  try {
    ctx.signal.throwIfAborted();
    const own = { ...shared, ctx: { ...ctx, surroundings: here }, report: rowReporter(report, row.key.mailbox, told) };
    const outcome = await runSetup(row.input, own, tenants);
    await work.finish(row, outcome);
    return resultOf(row, outcome, here);
  } catch (error) {
    const stop: unknown = ctx.signal.aborted ? ctx.signal.reason : error;
    if (stop instanceof Interrupted && work.goOn !== undefined) stop.goOn = work.goOn;
    if (ctx.signal.aborted || stop instanceof Interrupted) throw stop;
    return failure(await work.explain(error));
  }
}

/** A program gets a line for each row; a person one for each that failed, beside that of the tenant. */
function tellRow({ row, mailbox, for: product, ok, title }: RowResult, { deps }: RowWork): void {
  const { report } = deps;
  const name = `Row ${row}, ${mailbox}${product === 'this-computer' ? '' : ` for ${product}`}`;
  if (!ok) report.progress('row', 'failed', `${name}: ${title}`);
  else if (!report.isForPeople) report.progress('row', 'done', `${name} is set up`);
  else report.detail(`${name} is set up`);
}

function tellTenant(name: string, results: readonly RowResult[], { report }: SetupDeps): void {
  const ok = results.filter((one) => one.ok).length;
  report.progress('tenant', ok === results.length ? 'done' : 'failed', `${name}: ${ok} of ${results.length} set up`);
}
