import * as z from 'zod/mini';
import type { Context } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import type { Reporter } from '../core/run-parts.ts';
import type { ExchangeSpot } from '../errors/catalogue/registration/exchange-errors.ts';
import { problem } from '../errors/problem.ts';
import type { ChangeNote, ChangeNotes } from './change-notes.ts';
import type { ExchangeCalls } from './exchange-calls.ts';
import { type Change, changesFor, changeWords, type ExchangeUse, undoOf } from './needs.ts';
import { fullAccessOf, isThere, principals, readState, readSwitches, sendAsOf } from './read-state.ts';

/** A change that was made: `{what, before, after}` of the JSON. */
export type Made = Pick<Change, 'what' | 'before'> & { readonly after: string | null };

export interface Changing {
  readonly ctx: Pick<Context, 'clock' | 'signal'>;
  readonly report: Reporter;
  readonly calls: ExchangeCalls;
  readonly use: ExchangeUse;
  readonly notes: ChangeNotes;
  readonly spot: Omit<ExchangeSpot, 'changed'>;
}

/** What was changed, whole or until the error. */
export interface Applied {
  readonly changed: readonly Made[];
  readonly error?: MailauthError;
}

/** Exchange needs a while until it reads back what it took. */
const readBackPausesMs = [2_000, 5_000, 10_000] as const;
const mostReadBackMs = readBackPausesMs.reduce((sum, ms) => sum + ms, 0);

/**
 * Makes the changes one after the other. Each is noted with what was there before, then made. At the end everything is read back. Where one
 * fails, the error says what was changed before it, and the same command goes on with the rest.
 */
export async function applyChanges(at: Changing, changes: readonly Change[]): Promise<Applied> {
  const changed: Made[] = [];
  try {
    for (const change of changes) {
      await at.notes.begin(change);
      await makeChange(at, change);
      await at.notes.done(change);
      const { what, before, after } = change;
      changed.push({ what, before, after });
      at.calls.changed.push(changeWords(change));
      at.report.progress('exchange', 'done', `${changeWords(change)}: ${after === 'on' ? `${before} → on` : 'added'}`);
    }
    await readBack(at);
    return { changed };
  } catch (error) {
    if (error instanceof MailauthError) return { changed, error };
    throw error;
  }
}

async function makeChange(at: Changing, change: Change): Promise<void> {
  const { calls, use } = at;
  const answer = await calls.run(change.cmdlet);
  if (answer.kind === 'ok') return;
  if (answer.reason === 'customization') {
    await calls.ask({ name: 'Enable-OrganizationCustomization', parameters: {} });
    at.report.progress('exchange', 'done', 'Enable-OrganizationCustomization was run: the organisation can have roles of its own now');
    const again = await calls.run(change.cmdlet);
    if (again.kind === 'ok') return;
    throw calls.problem(again, change.cmdlet);
  }
  // An answer may be lost, and two administrators may do the same: what counts is what is there.
  const isOver = ['token', 'role', 'cmdlet', 'unreadable'].includes(answer.reason);
  if (!isOver && (await currentValue(calls, change, use.mailbox)) === change.after) return;
  throw calls.problem(answer, change.cmdlet);
}

/** Throws `exchange-not-seen` (5) where something is still missing after a while. */
async function readBack({ ctx, report, calls, use, spot }: Changing): Promise<void> {
  let missing = changesFor(use, await readState(calls, use));
  for (const ms of readBackPausesMs) {
    if (missing.length === 0) break;
    report.progress(
      'exchange',
      'waiting',
      `Exchange Online does not show it yet; waiting ${ms / 1000} s (${mostReadBackMs / 1000} s in all at most)`,
    );
    await ctx.clock.sleep(ms, ctx.signal);
    missing = changesFor(use, await readState(calls, use));
  }
  if (missing.length > 0) throw problem('exchange-not-seen', { ...spot, changed: calls.changed, missing: missing.map(changeWords) });
  await readAuthorization(calls, use, report);
}

const authorization = z.object({ InScope: z.union([z.boolean(), z.string()]) });

/** What Exchange itself says of the app's role on this mailbox; only for that way. */
async function readAuthorization(calls: ExchangeCalls, { opener, mailbox, protocols }: ExchangeUse, report: Reporter): Promise<void> {
  if (opener.kind !== 'app' || opener.sendsByPermission || !protocols.includes('smtp')) return;
  const cmdlet = {
    name: 'Test-ServicePrincipalAuthorization',
    parameters: { Identity: opener.objectId ?? opener.appId, Resource: mailbox },
  };
  const isIn = (await calls.ask(cmdlet)).some((one) => /^true$/i.test(String(authorization.safeParse(one).data?.InScope)));
  if (isIn) report.progress('exchange', 'done', 'Exchange Online says that the app may send as this mailbox');
  else report.note('Exchange Online does not say yet that the app may send as this mailbox. That can take an hour.');
}

/** What is there now of one change; null where it is not there. */
async function currentValue(
  calls: ExchangeCalls,
  { what, after }: Pick<Change, 'what' | 'after'>,
  mailbox: string,
): Promise<string | null> {
  const unless = (isHere: boolean): string | null => (isHere ? after : null);
  switch (what) {
    case 'servicePrincipal':
      return unless((await principals(calls)).some(({ ObjectId }) => ObjectId.toLowerCase() === after.toLowerCase()));
    case 'fullAccess':
      return unless((await fullAccessOf(calls, mailbox, after)).length > 0);
    case 'sendAs':
      return unless((await sendAsOf(calls, mailbox, after)).length > 0);
    case 'managementScope':
      return unless(await isThere(calls, 'Get-ManagementScope', after));
    case 'roleAssignment':
      return unless(await isThere(calls, 'Get-ManagementRoleAssignment', after));
    default:
      return (await readSwitches(calls, mailbox))[what];
  }
}

export interface Undone {
  readonly restored: readonly Made[];
  /** somebody else changed it since, or it is needed by another set-up */
  readonly left: readonly { readonly what: Change['what']; readonly now: string | null }[];
  readonly error?: MailauthError;
}

/** Puts back what `apply` noted, the last first, where it is still as `apply` left it. `keeps`: what must stay for another set-up. */
export async function undoChanges(
  { calls, use, notes, report }: Omit<Changing, 'spot'>,
  keeps: (note: ChangeNote) => boolean,
): Promise<Undone> {
  const restored: Made[] = [];
  const left: Undone['left'][number][] = [];
  try {
    for (const note of [...(await notes.read())].reverse()) {
      const now = await currentValue(calls, note, use.mailbox);
      if ((now !== note.after && now !== note.before) || keeps(note)) {
        left.push({ what: note.what, now });
        continue;
      }
      // What was there before may be shown because Exchange lags behind: taking it back once more does no harm.
      await calls.askIfThere(undoOf(note, use.mailbox));
      await notes.drop(note);
      restored.push({ what: note.what, before: note.after, after: note.before });
      calls.changed.push(changeWords(note));
      report.progress('exchange', 'done', `${changeWords(note)}: ${note.before ?? 'removed'} again`);
    }
    return { restored, left };
  } catch (error) {
    if (error instanceof MailauthError) return { restored, left, error };
    throw error;
  }
}
