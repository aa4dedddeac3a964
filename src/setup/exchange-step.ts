import { join } from 'node:path';
import { exchangeOnlineScript } from '../by-hand/handoff/exchange-powershell.ts';
import { fileNames } from '../by-hand/handoff/handoff-request.ts';
import { handoffFolder, writeHandoff } from '../by-hand/handoff/write-handoff.ts';
import { mailOf } from '../core/cloud.ts';
import { defined } from '../core/defined.ts';
import { MailauthError } from '../core/errors.ts';
import { columnsOf, fold, underHeading } from '../core/fold.ts';
import { mailauth } from '../core/next.ts';
import { shown } from '../core/shown.ts';
import { applyChanges } from '../exchange/change.ts';
import { aloneInExchange, changeNotes } from '../exchange/change-notes.ts';
import { usualWay, wayWords } from '../exchange/choose-way.ts';
import { type Change, changeLine, changesFor, changeWords, exchangeUse, linesOf } from '../exchange/needs.ts';
import { openWay } from '../exchange/open-way.ts';
import { principalProblem, readState } from '../exchange/read-state.ts';
import type { Through } from '../exchange/way.ts';
import type { ProtocolResult } from '../mail/result.ts';
import { missingRoles } from '../oauth/client-credentials.ts';
import { guardWrites } from '../store/home.ts';
import { isMendable, type SignedInNow, testedNow, untilAdministrator, untilItActs } from './exchange-wait.ts';
import type { RegisteredSetup } from './sign-in/registered-setup.ts';

type Test = () => Promise<readonly ProtocolResult[]>;

/**
 * The tests of a set-up, and around them its part of Exchange Online (`--exchange`): a way that was named changes before the tests, and a
 * person is asked after a red one. What Exchange refuses does not end the set-up: the tests tell what is missing.
 */
export async function testedWithExchange(at: RegisteredSetup, now: SignedInNow, test: Test): Promise<readonly ProtocolResult[]> {
  const { deps, input } = at;
  const choice = input.exchange ?? (deps.canAsk ? 'ask' : 'print');
  if (choice === 'api' || choice === 'pwsh') {
    const outcome = await changeInExchange(at, now, choice);
    if (!input.test) return [];
    return outcome === 'changed' ? untilItActs(at, now) : testedNow(at, now);
  }
  if (!input.test) return [];
  if (choice === 'ask' && deps.canAsk) return testedWithPerson(at, now, test);
  const results = await test();
  if (input.exchange === 'print' && results.some(isMendable)) showLines(at, changesFor(useOf(now), undefined));
  return results;
}

async function testedWithPerson(at: RegisteredSetup, now: SignedInNow, test: Test): Promise<readonly ProtocolResult[]> {
  // Without a change, every test of an app is red.
  const before = now.record.access === 'app-only' ? undefined : await test();
  if (before?.some(isMendable) === false) return before;
  const way = await wayToLook(at);
  const outcome = way === undefined ? 'declined' : await changeInExchange(at, now, way);
  if (outcome === 'changed') return untilItActs(at, now);
  const results = before ?? (await (way === undefined ? test() : testedNow(at, now)));
  const isLeft = outcome === 'unchanged' || !results.some(isMendable) || !(await wantsToWait(at, now));
  if (isLeft) return results;
  // What refused has shown the lines.
  if (outcome === 'declined') showLines(at, changesFor(useOf(now), undefined));
  await writeForExchange(at, now);
  return untilAdministrator(at, now, results);
}

/** The operator is often not the administrator of Exchange Online. */
async function wantsToWait({ deps }: RegisteredSetup, { record }: SignedInNow): Promise<boolean> {
  const later = shown(mailauth('exchange apply', record.mailbox), deps.ctx.surroundings);
  const choices = [
    { value: 'later', name: 'Nobody now', description: `later: ${later}` },
    { value: 'wait', name: 'Somebody else, now', description: 'lines and a script for them; mailauth waits here' },
  ] as const;
  return (await deps.ctx.prompts.select({ message: 'Who changes it?', choices, default: 'later' })) === 'wait';
}

/** The same change as a script, in the folder for an administrator. */
async function writeForExchange(at: RegisteredSetup, now: SignedInNow): Promise<void> {
  const { deps, cloud } = at;
  const { record } = now;
  const use = useOf(now);
  // The script knows Send As and not the role of RBAC for Applications.
  if (use.opener.kind === 'app' && !use.opener.sendsByPermission) return;
  const { mailbox, tenantId, signInAs } = record;
  const protocols = mailOf(record.protocols);
  const app = use.opener.kind === 'app' ? { app: defined({ clientId: use.opener.appId, objectId: use.opener.objectId }) } : {};
  const text = exchangeOnlineScript({ mailbox, tenantId, cloud, protocols, ...defined({ signInAs }), ...app });
  const folder = handoffFolder(deps.home, record);
  try {
    await guardWrites(deps.home, () => writeHandoff(deps.ctx, folder, [{ name: fileNames.exchange, text }]));
    deps.report.progress('exchange', 'done', `The same as a script for the administrator: ${join(folder, fileNames.exchange)}`);
  } catch (error) {
    if (!(error instanceof MailauthError)) throw error;
    deps.report.note(error.title);
  }
}

/** undefined: the person does not want to look there. */
async function wayToLook({ deps, cloud }: RegisteredSetup): Promise<'api' | 'pwsh' | undefined> {
  const way = await usualWay(deps, { isSandbox: cloud.name === 'sandbox' });
  deps.report.note(wayWords[way]);
  const message = 'Look into Exchange Online?';
  return (await deps.ctx.prompts.confirm({ message, default: true })) ? way : undefined;
}

const useOf = ({ record, set }: SignedInNow) =>
  exchangeUse(record, record.access !== 'app-only' || missingRoles(set, ['smtp']).length === 0);

function showLines({ deps, cloud }: RegisteredSetup, changes: readonly Change[]): void {
  const lines = linesOf(changes, cloud).map((line) => `    ${line}\n`);
  const heading = fold('An Exchange administrator runs this in PowerShell:', columnsOf(deps.ctx.err), 2);
  // A line that is copied stays whole.
  deps.report.show(`  ${heading}\n${lines.join('')}`);
}

/** `failed`: Exchange or the sign-in refused, which was said. */
type Outcome = 'changed' | 'unchanged' | 'failed';

async function changeInExchange(at: RegisteredSetup, now: SignedInNow, through: Exclude<Through, 'print'>): Promise<Outcome> {
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
        const wrong = principalProblem(state, use, { ...spot, changed: [], missing: changes.map(changeWords) });
        if (wrong !== undefined) throw wrong;
        if (changes.length === 0) {
          report.progress('exchange', 'done', 'Exchange Online has all that this set-up needs');
          return 'unchanged';
        }
        if (!(await agrees(at, changes))) return 'unchanged';
        const applied = await applyChanges({ ctx, report, calls, use, notes: changeNotes(ctx, home, record), spot }, changes);
        const isLeft = ({ what }: Change) => !applied.changed.some((made) => made.what === what);
        if (applied.error !== undefined) tell(at, applied.error, changes.filter(isLeft));
        if (applied.changed.length > 0) return 'changed';
        return applied.error === undefined ? 'unchanged' : 'failed';
      } finally {
        await calls.way.close();
      }
    });
  } catch (error) {
    if (!(error instanceof MailauthError)) throw error;
    tell(at, error, changesFor(use, undefined));
    return 'failed';
  }
}

function tell(at: RegisteredSetup, error: MailauthError, changes: readonly Change[]): void {
  at.deps.report.progress('exchange', 'failed', `${error.title}${error.why === undefined ? '' : `: ${error.why}`}`);
  showLines(at, changes);
}

async function agrees({ deps }: RegisteredSetup, changes: readonly Change[]): Promise<boolean> {
  const heading = 'Exchange Online will be changed for this mailbox, and nothing else there:';
  deps.report.show(underHeading(heading, changes.map(changeLine), columnsOf(deps.ctx.err)));
  if (deps.agreed) return true;
  return deps.canAsk && deps.ctx.prompts.confirm({ message: 'Change it?', default: true });
}
