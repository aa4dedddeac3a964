import { powerShellLine } from '../../core/cmdlet.ts';
import { MailauthError } from '../../core/errors.ts';
import type { MailboxKey } from '../../core/mailbox.ts';
import { changeNotes } from '../../exchange/change-notes.ts';
import { usualWay, wayWords } from '../../exchange/choose-way.ts';
import { changeWords, undoOf } from '../../exchange/needs.ts';
import { canAsk } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { exchangeUndo } from '../exchange/exchange-undo.ts';

/** Before the app goes: puts back what `exchange apply` changed, where a person wants it. What is not put back is said afterwards. */
export async function offerUndo(session: Session, { mailbox, for: product }: MailboxKey): Promise<void> {
  const notes = await changeNotes(session.ctx, session.home, { mailbox, for: product }).read();
  if (notes.length === 0 || !canAsk(session)) return;
  const through = await usualWay(session, { isSandbox: session.globals.sandbox });
  session.report.note(wayWords[through]);
  try {
    const { error } = await exchangeUndo.run({ args: [mailbox], flags: { for: product, through } }, session);
    if (error !== undefined) throw error;
  } catch (error) {
    if (!(error instanceof MailauthError)) throw error;
    session.report.progress('exchange', 'failed', error.title);
  }
}

/** Forgets the notes. What is still changed in Exchange Online is said with the lines that put it back, because nothing here knows it later. */
export async function forgetChanges(session: Session, key: MailboxKey): Promise<void> {
  const changes = changeNotes(session.ctx, session.home, key);
  const notes = await changes.read().catch((error: unknown) => {
    // Notes that cannot be read tell nothing, and go with the rest.
    if (error instanceof MailauthError) return [];
    throw error;
  });
  if (notes.length > 0) {
    const lines = notes.toReversed().map((note) => `    ${powerShellLine(undoOf(note, key.mailbox))}\n`);
    const what = notes.map(changeWords).join(', ');
    session.report.show(`In Exchange Online this stays for ${key.mailbox}: ${what}. These lines put it back:\n${lines.join('')}`);
  }
  await changes.forget();
}
