import { columnsOf, underHeading } from '../../core/fold.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { plus } from '../../core/next.ts';
import { problem } from '../../errors/problem.ts';
import { undoChanges } from '../../exchange/change.ts';
import { aloneInExchange } from '../../exchange/change-notes.ts';
import { changeWords } from '../../exchange/needs.ts';
import { type CommandModule, examples, type Outcome } from '../../session/command.ts';
import { mailboxesOf } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { type ExchangeWork, exchangeOptions, exchangeWork, printed } from './exchange-work.ts';

export const exchangeUndo: CommandModule = {
  configure: (command) =>
    examples(exchangeOptions(command), ['mailauth exchange undo helpdesk@contoso.com    puts back what apply changed, and nothing else']),

  async run(invocation, session) {
    const work = await exchangeWork(session, 'exchange undo', invocation);
    const { use, spot, through, notes } = work;
    const { mailbox } = use;
    if ((await notes.read()).length === 0)
      return {
        data: { mailbox, restored: [], left: [], through },
        text: 'Nothing to put back: mailauth notes no change of this set-up.\n',
      };
    if (through === 'print') return printed(work, { mailbox, restored: [], left: [], through });
    return aloneInExchange(session.ctx, { home: session.home, mailbox, again: spot.again }, () => undo(work));
  },
};

async function undo(work: ExchangeWork): Promise<Outcome> {
  const { session, record, use, notes, through } = work;
  const { ctx, report } = session;
  await agree(work);
  const isShared = await othersUseApp(session, record);
  const calls = await work.open();
  try {
    const { restored, left, error } = await undoChanges(
      { ctx, report, calls, use, notes },
      ({ what }) => what === 'servicePrincipal' && isShared,
    );
    const data = { mailbox: use.mailbox, restored, left, through };
    const text = restored.length === 0 ? '' : `Put back in Exchange Online: ${restored.length}.\n`;
    if (error !== undefined) return { data, text, error };
    if (left.length === 0) return { data, text };
    const names = left.map(({ what, now }) => `${what} (now ${now ?? 'not there'})`);
    return {
      data,
      text,
      error: problem('exchange-changed-since', { mailbox: use.mailbox, left: names }),
    };
  } finally {
    await calls.way.close();
  }
}

async function agree({ session, notes, spot }: ExchangeWork): Promise<void> {
  const { ctx, report, globals } = session;
  const lines = (await notes.read()).toReversed().map((note) => `${changeWords(note)}: ${note.before ?? 'removed'} again`);
  report.show(underHeading('This is put back in Exchange Online, where nobody changed it since:', lines, columnsOf(ctx.err)));
  if (globals.yes) return;
  if (await ctx.prompts.confirm({ message: 'Put it back?', default: true })) return;
  throw problem('exchange-declined', { again: plus(spot.again, { through: 'print' }) });
}

/** Another mailbox here is opened by the same app, which Exchange must go on knowing. */
async function othersUseApp(session: Session, { mailbox, registration }: MailboxRecord): Promise<boolean> {
  const { records } = await mailboxesOf(session).listMailboxes();
  return records.some((one) => one.mailbox !== mailbox && one.registration.clientId === registration.clientId);
}
