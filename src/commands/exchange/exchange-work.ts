import type { Command } from 'commander';
import * as z from 'zod/mini';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { mailauth } from '../../core/next.ts';
import { discoverTenant } from '../../entra/discovery.ts';
import type { ExchangeSpot } from '../../errors/catalogue/registration/exchange-errors.ts';
import { problem } from '../../errors/problem.ts';
import { type ChangeNotes, changeNotes } from '../../exchange/change-notes.ts';
import { chooseWay, readThrough } from '../../exchange/choose-way.ts';
import type { ExchangeCalls } from '../../exchange/exchange-calls.ts';
import { changesFor, type ExchangeUse, exchangeUse, linesOf, undoOf } from '../../exchange/needs.ts';
import { openWay } from '../../exchange/open-way.ts';
import type { Through } from '../../exchange/way.ts';
import { missingRoles } from '../../oauth/client-credentials.ts';
import type { Outcome } from '../../session/command.ts';
import { canAsk, mailboxArgument } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { signInRun } from '../../session/sign-in-run.ts';
import { storedToken } from '../../tokens/current.ts';

const schema = z.object({ through: z.optional(z.string()) });

/** One set-up and its part of Exchange Online, not contacted yet. */
export interface ExchangeWork {
  readonly session: Session;
  readonly record: MailboxRecord;
  readonly use: ExchangeUse;
  readonly through: Through;
  readonly notes: ChangeNotes;
  readonly spot: Omit<ExchangeSpot, 'changed'>;
  /** signs in */
  open(): Promise<ExchangeCalls>;
}

export const exchangeOptions = (command: Command): Command =>
  command
    .argument('[mailbox]', 'address of a mailbox that is set up')
    .option('--through <way>', 'api, pwsh or print (default: asks on a terminal, else print)')
    .option('--for <product>', 'which set-up, when the mailbox has several');

type Name = 'exchange show' | 'exchange apply' | 'exchange undo';

/** Throws what finds no mailbox, `value-invalid` (2), and `needs-yes` (3) where a change could not be agreed to. */
export async function exchangeWork(
  session: Session,
  name: Name,
  { args, flags }: { args: readonly string[]; flags: unknown },
): Promise<ExchangeWork> {
  const given = readThrough(schema.parse(flags).through);
  const record = await mailboxArgument(session, mailauth(name), args[0], flags);
  const { ctx, globals, home } = session;
  await session.refuseSteered(record);
  const asking = given ?? (await chooseWay({ ctx, report: session.report, canAsk: canAsk(session) }, { isSandbox: globals.sandbox }));
  const again = mailauth(name, record.mailbox, { for: record.for, through: asking, yes: globals.yes });
  if (name !== 'exchange show' && asking !== 'print' && !globals.yes && !canAsk(session))
    throw problem('needs-yes', { what: 'A change in Exchange Online', command: { ...again, flags: { ...again.flags, yes: true } } });
  const use = exchangeUse(record, await sendsByPermission(session, record));
  const notes = changeNotes(ctx, home, record);
  const changes =
    name === 'exchange undo'
      ? (await notes.read()).toReversed().map((note) => ({ cmdlet: undoOf(note, use.mailbox) }))
      : changesFor(use, undefined);
  const spot = { mailbox: record.mailbox, again, lines: linesOf(changes, record.cloud) };
  return {
    ...{ session, record, use, notes, spot, through: asking },
    async open() {
      if (asking === 'print') throw new Error('printed lines are not a way to ask');
      const [box, network, cloud] = await Promise.all([session.sandbox(), session.network(), session.cloud(record)]);
      const { tenantId: domainOrId } = record;
      const tenant = await discoverTenant({ network, cloud, domainOrId, timeoutMs: session.stepTimeoutMs, signal: ctx.signal });
      session.report.busy('exchange', 'Asking Exchange Online');
      return openWay(signInRun(session, box), { through: asking, tenant, cloud, spot });
    },
  };
}

/** Does the registration carry SMTP.SendAsApp? The app's last token says it; where there is none, the usual is assumed. */
async function sendsByPermission(session: Session, record: MailboxRecord): Promise<boolean> {
  if (record.access !== 'app-only' || !record.protocols.includes('smtp')) return true;
  const set = await storedToken(await session.store(record), record);
  return set === undefined || missingRoles(set, ['smtp']).length === 0;
}

/** Nobody is asked: the lines. On a terminal they stand in the advice alone, elsewhere also on stdout. */
export function printed({ session, spot }: ExchangeWork, data: object): Outcome {
  const error = problem('exchange-printed', { ...spot, changed: [] });
  return { data, error, ...(session.ctx.out.isTerminal ? {} : { text: spot.lines.map((one) => `${one}\n`).join('') }) };
}
