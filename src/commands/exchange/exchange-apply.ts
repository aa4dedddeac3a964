import { columnsOf, fold, underHeading } from '../../core/fold.ts';
import { mailauth, plus } from '../../core/next.ts';
import { shown } from '../../core/shown.ts';
import { problem } from '../../errors/problem.ts';
import { applyChanges } from '../../exchange/change.ts';
import { aloneInExchange } from '../../exchange/change-notes.ts';
import { type Change, changeLine, changesFor, changeWords, linesOf } from '../../exchange/needs.ts';
import { principalProblem, readState } from '../../exchange/read-state.ts';
import { type CommandModule, examples, type Outcome } from '../../session/command.ts';
import { type ExchangeWork, exchangeOptions, exchangeWork, printed } from './exchange-work.ts';

export const exchangeApply: CommandModule = {
  configure: (command) =>
    examples(exchangeOptions(command), [
      'mailauth exchange apply helpdesk@contoso.com                      says each change, asks',
      'mailauth exchange apply helpdesk@contoso.com --through api --yes  for a script',
    ]),

  async run(invocation, session) {
    const work = await exchangeWork(session, 'exchange apply', invocation);
    const { use, spot, through } = work;
    if (through === 'print') return printed(work, { mailbox: use.mailbox, changed: [], through });
    return aloneInExchange(session.ctx, { home: session.home, mailbox: use.mailbox, again: spot.again }, () => apply(work));
  },
};

async function apply(work: ExchangeWork): Promise<Outcome> {
  const { session, record, use, spot, notes, through } = work;
  const { ctx, report } = session;
  const calls = await work.open();
  try {
    const state = await readState(calls, use);
    const changes = changesFor(use, state);
    // A run that was stopped between two changes has made them, and did not come to say so.
    const begun = (await notes.read()).filter(({ state: noted }) => noted === 'begun');
    for (const note of begun) if (!changes.some(({ what }) => what === note.what)) await notes.done(note);
    const outcome = (changed: readonly object[]) => ({ mailbox: use.mailbox, changed, through });
    const now = { ...spot, lines: linesOf(changes, record.cloud) };
    const wrong = principalProblem(state, use, { ...now, changed: [], missing: changes.map(changeWords) });
    if (wrong !== undefined) return { data: outcome([]), error: wrong };
    if (changes.length === 0)
      return { data: outcome([]), text: 'Nothing to change: this set-up has all that it needs in Exchange Online.\n' };
    await agree(work, changes);
    const { changed, error } = await applyChanges({ ctx, report, calls, use, notes, spot: now }, changes);
    const undo = shown(mailauth('exchange undo', use.mailbox, { for: record.for, through }), ctx.surroundings);
    const later = 'A change takes effect after some minutes, at most after about an hour.';
    const text =
      changed.length === 0
        ? ''
        : // The command stays whole, so that it can be copied.
          `${fold(`Changed in Exchange Online: ${changed.length} of ${changes.length}. ${later}`, columnsOf(ctx.out))}\nTo put it back: ${undo}\n`;
    return { data: outcome(changed), text, ...(error === undefined ? {} : { error }) };
  } finally {
    await calls.way.close();
  }
}

/** Says each change and asks; `--yes` agrees. Throws `exchange-declined` (1). */
async function agree({ session, spot }: ExchangeWork, changes: readonly Change[]): Promise<void> {
  const { ctx, report, globals } = session;
  // Only a first scope needs it, in an organisation that never had one.
  const customization = changes.some(({ what }) => what === 'managementScope')
    ? ['Enable-OrganizationCustomization is run where Exchange asks for it; that cannot be undone.']
    : [];
  report.show(
    underHeading(
      `Exchange Online will be changed for ${spot.mailbox}, and nothing else there:`,
      [...changes.map(changeLine), ...customization],
      columnsOf(ctx.err),
    ),
  );
  if (globals.yes) return;
  if (await ctx.prompts.confirm({ message: 'Change it?', default: true })) return;
  throw problem('exchange-declined', { again: plus(spot.again, { through: 'print' }) });
}
