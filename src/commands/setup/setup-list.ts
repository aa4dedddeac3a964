import { resolve } from 'node:path';
import type { Command } from 'commander';
import * as z from 'zod/mini';
import { columnsOf as widthOf } from '../../core/fold.ts';
import { again, mailauth } from '../../core/next.ts';
import { problem } from '../../errors/problem.ts';
import type { Outcome } from '../../session/command.ts';
import type { Session } from '../../session/session.ts';
import { asProblem } from '../../session/unexpected.ts';
import type { SetupDeps } from '../../setup/journal/setup-deps.ts';
import { checkRows, type FlagReading } from '../../setup/many/check-rows.ts';
import { type Columns, columnsOf } from '../../setup/many/columns.ts';
import { planRows, type RowPlan, signInsOf } from '../../setup/many/plan-rows.ts';
import { planText } from '../../setup/many/plan-text.ts';
import { type ListedRow, readList } from '../../setup/many/read-list.ts';
import { beginReport, checkReport } from '../../setup/many/report-file.ts';
import { silent } from '../../setup/many/row-reporter.ts';
import { runRows } from '../../setup/many/run-rows.ts';
import { chosenStore } from '../../setup/store-step.ts';
import { themeFor } from '../../ui/theme.ts';
import { faulty, finished, planned, template } from './list-outcome.ts';
import { readInput } from './setup-input.ts';
import { mayWriteSheet, writeSheetOf } from './setup-outcome.ts';

const text = z.optional(z.string());
const schema = z.object({
  from: text,
  report: text,
  dryRun: z.optional(z.boolean()),
  template: z.optional(z.boolean()),
  handover: text,
  clientSecretFile: text,
  passwordFile: text,
});
type ListFlags = z.infer<typeof schema>;

/** Flags that say something about the whole list. */
const ofRun = ['from', 'dry-run', 'template', 'report', 'qr'];

/** The options of `mailauth setup`, and those of every command. */
export interface Options {
  readonly own: Command['options'];
  readonly global: Command['options'];
}

/** Whether the command is about a list. Throws `usage` where a flag of lists stands alone. */
export function wantsList(flags: unknown): boolean {
  const { from, dryRun, template, report } = schema.parse(flags);
  if (from !== undefined || template === true) return true;
  if (dryRun === true) throw usage('--dry-run needs --from: it shows what a list would do');
  if (report !== undefined) throw usage('--report needs --from: it has a line for each row of a list');
  return false;
}

const usage = (message: string) => problem('usage', { message, help: mailauth('setup', { help: true }) });

/** `mailauth setup --from FILE` and `--template`: everything is read, checked and looked up before the first change. */
export async function setUpList(flags: unknown, options: Options, session: Session, depsOf: () => Promise<SetupDeps>): Promise<Outcome> {
  const wish = schema.parse(flags);
  const columns = columnsOf(options.own, ofRun, options.global);
  if (wish.template === true) return template(columns);
  refuseForAll(wish);
  const { ctx } = session;
  const name = wish.from === undefined || wish.from === '-' ? 'standard input' : wish.from;
  if (wish.report !== undefined) await checkReport(ctx, wish.report);
  const list = await readList(ctx.longInput.pieces(wish.from === '-' ? undefined : resolve(wish.from ?? '')), name, columns);
  const deps = await depsOf();
  const quiet = quietly(deps);
  const checked = await checkRows(list.rows, defaultsIn(flags, columns), quiet, readingOf(columns, session));
  const faults = [...list.faults, ...checked.faults];
  if (faults.length > 0) return faulty(name, faults, session);
  const plan = await planRows(checked.rows, { ...quiet, report: deps.report });
  if (plan.faults.length > 0) return faulty(name, plan.faults, session);
  if (wish.dryRun === true) return planned(plan, session);
  const agreed = await agreedTo(plan, deps, session);
  const report = wish.report === undefined ? undefined : await beginReport(ctx, wish.report);
  const results = await runRows(plan, {
    deps: agreed,
    ...{ columns, report },
    explain: (thrown) => asProblem(thrown, ctx),
    finish: async ({ flags: { handover, reveal } }, outcome) => {
      if (typeof handover === 'string' && outcome.kind !== 'handed-off')
        await writeSheetOf(outcome.record, session, { reveal: reveal === true, file: handover });
    },
    goOn: ctx.surroundings.running,
  });
  return finished(results, plan.rows, session);
}

/** What cannot be the same for every row. */
function refuseForAll({ from, handover, clientSecretFile, passwordFile }: ListFlags): void {
  if (from?.trim() === '') throw usage('--from was given without a value');
  if (handover !== undefined) throw usage('With --from, each set-up has a sheet of its own: name the files in a column handover');
  if (clientSecretFile === '-' || passwordFile === '-')
    throw usage('With --from, a secret is read for each row, and standard input only once: name a file');
}

/** The flags of the command line that hold for each row where its cell is empty. Those that commander fills in were not given. */
function defaultsIn(flags: unknown, { byName }: Columns): ListedRow['flags'] {
  const given = z.record(z.string(), z.unknown()).parse(flags);
  const defaults: Record<string, string | boolean> = {};
  for (const { key, takesValue, isNegated } of byName.values()) {
    const value = given[key];
    if (takesValue && typeof value === 'string') defaults[key] = value;
    if (!takesValue && value === !isNegated) defaults[key] = !isNegated;
  }
  return defaults;
}

/** Checks ask nothing and tell nothing. Which mailbox a row is about only the row says, also in the sandbox. */
function quietly(deps: SetupDeps): SetupDeps {
  const { mailbox: _mailbox, clientId: _clientId, ...facts } = deps.facts;
  const isPerson = deps.canAsk;
  return { ...deps, facts, canAsk: false, asksForAddress: isPerson, report: silent(deps.report) };
}

function readingOf(columns: Columns, session: Session): FlagReading {
  const { MAILAUTH_MAILBOX: _, ...env } = session.ctx.env;
  return {
    columns,
    read: (flags) => readInput(flags, env),
    async check({ handover }) {
      if (typeof handover === 'string') await mayWriteSheet(handover, session, false);
    },
  };
}

/** Shows the plan and asks for all of it, once. Throws `needs-yes` (3), `list-declined`, and the store's problems (7). */
async function agreedTo({ rows }: RowPlan, deps: SetupDeps, { ctx, globals, report }: Session): Promise<SetupDeps> {
  const open = rows.filter(({ state, error }) => state !== 'finished' && error === undefined);
  if (open.length === 0) return deps;
  if (!globals.quiet || deps.canAsk)
    report.show(planText(rows, signInsOf(rows, ctx.env), themeFor(ctx, ctx.err, globals.noColor), widthOf(ctx.err)));
  if (!deps.agreed && !deps.canAsk) {
    const what = open.length === 1 ? 'Setting up a mailbox' : `Setting up ${open.length} mailboxes`;
    throw problem('needs-yes', { what, command: again({ yes: true }) });
  }
  // Tried before anybody signs in, and asked for once where this computer has none.
  const isStoreOpen = open.some(({ existing, state }) => existing === undefined && state === 'new');
  const store = isStoreOpen ? await chosenStore(deps, undefined) : undefined;
  if (!deps.agreed && !(await ctx.prompts.confirm({ message: 'Go on?', default: false }))) throw problem('list-declined', {});
  return {
    ...deps,
    agreed: true,
    probedStore: async (recorded) => (recorded === undefined && store !== undefined ? store : deps.probedStore(recorded)),
  };
}
