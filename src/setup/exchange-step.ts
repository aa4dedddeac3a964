import { MailauthError } from '../core/errors.ts';
import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import { mailauth } from '../core/next.ts';
import { shown } from '../core/shown.ts';
import { applyChanges } from '../exchange/change.ts';
import { aloneInExchange, changeNotes } from '../exchange/change-notes.ts';
import { usualWay, wayWords } from '../exchange/choose-way.ts';
import { type Change, changesFor, changeWords, exchangeUse, linesOf } from '../exchange/needs.ts';
import { openWay } from '../exchange/open-way.ts';
import { checkPrincipal, readState } from '../exchange/read-state.ts';
import type { Through } from '../exchange/way.ts';
import type { ProtocolResult } from '../mail/result.ts';
import { missingRoles } from '../oauth/client-credentials.ts';
import { testMailbox } from './sign-in/kept-tokens.ts';
import type { RegisteredSetup } from './sign-in/registered-setup.ts';

interface SignedInNow {
  readonly record: MailboxRecord;
  readonly set: TokenSet;
}

type Test = () => Promise<readonly ProtocolResult[]>;

/** Red tests that a change in Exchange Online can mend. */
const mendable = [
  ...['smtp-auth-disabled', 'smtp-send-as-denied', 'smtp-authenticate-failed', 'imap-not-connected', 'imap-authenticate-failed'],
  ...['pop-disabled', 'pop-authenticate-failed', 'mail-no-full-access', 'mail-app-only'],
];
const isMendable = ({ ok, diagnosis }: ProtocolResult): boolean => !ok && diagnosis !== undefined && mendable.includes(diagnosis.code);

/**
 * The tests of a set-up, and around them its part of Exchange Online (`--exchange`): a way that was named changes before the tests, and a
 * person is asked after a red one. What Exchange refuses does not end the set-up: the tests tell what is missing.
 */
export async function testedWithExchange(at: RegisteredSetup, now: SignedInNow, test: Test): Promise<readonly ProtocolResult[]> {
  const { deps, input } = at;
  const choice = input.exchange ?? (deps.canAsk ? 'ask' : 'print');
  // Without it, every test of an app is red.
  const isApp = now.record.access === 'app-only';
  const early = choice === 'ask' && deps.canAsk && input.test && isApp ? await wayToLook(at) : undefined;
  if (early !== undefined) return untilItActs(at, now, await changeInExchange(at, now, early));
  if (choice === 'api' || choice === 'pwsh') {
    const changed = await changeInExchange(at, now, choice);
    return input.test ? untilItActs(at, now, changed) : [];
  }
  if (!input.test) return [];
  const results = await test();
  if (choice === 'skip' || !results.some(isMendable)) return results;
  const way = choice === 'print' || !deps.canAsk || isApp ? undefined : await wayToLook(at);
  if (way === undefined) {
    if (input.exchange === 'print') showLines(at, changesFor(useOf(now), undefined));
    return results;
  }
  const changed = await changeInExchange(at, now, way);
  return changed ? untilItActs(at, now, changed) : results;
}

/** undefined: the person does not want to look there. */
async function wayToLook({ deps, cloud }: RegisteredSetup): Promise<'api' | 'pwsh' | undefined> {
  const way = await usualWay(deps, { isSandbox: cloud.name === 'sandbox' });
  deps.report.note(wayWords[way]);
  const message = 'Look into Exchange Online, and switch on what is missing there?';
  return (await deps.ctx.prompts.confirm({ message, default: true })) ? way : undefined;
}

const useOf = ({ record, set }: SignedInNow) =>
  exchangeUse(record, record.access !== 'app-only' || missingRoles(set, ['smtp']).length === 0);

function showLines({ deps, cloud }: RegisteredSetup, changes: readonly Change[]): void {
  const lines = linesOf(changes, cloud).map((line) => `    ${line}\n`);
  deps.report.show(`  An Exchange administrator runs this in PowerShell:\n${lines.join('')}`);
}

/** True where something was changed. */
async function changeInExchange(at: RegisteredSetup, now: SignedInNow, through: Exclude<Through, 'print'>): Promise<boolean> {
  const { deps, cloud } = at;
  const { ctx, report, home } = deps;
  const { record } = now;
  const use = useOf(now);
  const again = mailauth('exchange apply', record.mailbox, { for: record.for, through });
  const spot = { mailbox: record.mailbox, again, lines: linesOf(changesFor(use, undefined), cloud) };
  const tenant = { id: record.tenantId, foundBy: record.tenantId, endpoints: record.endpoints };
  try {
    return await aloneInExchange(ctx, { home, mailbox: record.mailbox, again }, async () => {
      const calls = await openWay(deps, { through, tenant, cloud, spot });
      try {
        const state = await readState(calls, use);
        const changes = changesFor(use, state);
        checkPrincipal(state, use, { ...spot, changed: [], missing: changes.map(changeWords) });
        if (changes.length === 0) {
          report.progress('exchange', 'done', 'Exchange Online has all that this set-up needs');
          return false;
        }
        if (!(await agrees(at, changes))) return false;
        const applied = await applyChanges({ ctx, report, calls, use, notes: changeNotes(ctx, home, record), spot }, changes);
        if (applied.error !== undefined) tell(at, applied.error, changes);
        return applied.changed.length > 0;
      } finally {
        await calls.way.close();
      }
    });
  } catch (error) {
    if (!(error instanceof MailauthError)) throw error;
    tell(at, error, changesFor(use, undefined));
    return false;
  }
}

function tell(at: RegisteredSetup, error: MailauthError, changes: readonly Change[]): void {
  at.deps.report.progress('exchange', 'failed', `${error.title}${error.why === undefined ? '' : `: ${error.why}`}`);
  showLines(at, changes);
}

async function agrees({ deps }: RegisteredSetup, changes: readonly Change[]): Promise<boolean> {
  const lines = changes.map((change) => `  ${changeWords(change)}: ${change.after === 'on' ? `${change.before} → on` : 'is added'}\n`);
  deps.report.show(`Exchange Online will be changed for this mailbox, and nothing else there:\n${lines.join('')}`);
  if (deps.agreed) return true;
  return deps.canAsk && deps.ctx.prompts.confirm({ message: 'Change it?', default: true });
}

/** A switch takes minutes to reach the mail servers, seldom an hour. */
const mostWaitMs = 300_000;
const betweenMs = 20_000;

/** Tests again until everything is green, for some minutes; then it says the command for later. */
async function untilItActs(at: RegisteredSetup, { record, set }: SignedInNow, changed: boolean): Promise<readonly ProtocolResult[]> {
  const { ctx, report } = at.deps;
  const until = ctx.clock.now() + mostWaitMs;
  for (;;) {
    const results = await testMailbox(at.deps, record, at.cloud, async () => set);
    if (!changed || !results.some(isMendable)) return results;
    const leftMs = until - ctx.clock.now();
    if (leftMs < betweenMs) {
      const later = shown(mailauth('test', 'all', record.mailbox), ctx.surroundings);
      report.note(`The change has not reached the mail servers yet; it can take an hour. Later: ${later}`);
      return results;
    }
    const text = 'Waiting until the change reaches the mail servers (Ctrl-C stops)';
    report.waiting({ step: 'exchange', text, live: text, limitMs: mostWaitMs, leftMs });
    await ctx.clock.sleep(betweenMs, ctx.signal);
  }
}
