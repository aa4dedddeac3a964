import { MailauthError } from '../../core/errors.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import type { Choice } from '../../core/prompts-port.ts';
import type { Run } from '../../core/run-parts.ts';
import type { OtherAccount } from '../../oauth/sign-in.ts';
import type { Journal } from '../journal/journal.ts';

interface Attempts<T> {
  readonly deps: Pick<Run, 'ctx' | 'report' | 'canAsk'>;
  /** that another account signed in is written down; `login` has no journal */
  readonly journal?: Pick<Journal, 'wrongAccount'>;
  /** let the person choose the account at the first attempt too */
  readonly selectAccount: boolean;
  /** one sign-in; it hands over what it got of an account that was not expected */
  attempt(selectAccount: boolean, seen: (other: OtherAccount) => void): Promise<T>;
  /** goes on with that account as the one that opens the mailbox; left out where its sign-in cannot be kept */
  accept?(other: OtherAccount): Promise<T>;
}

/** Signs in until the right account has. After another one a person says whether it is right after all. Throws what the sign-in throws. */
export async function untilRightAccount<T>(record: MailboxRecord, { deps, journal, ...attempts }: Attempts<T>): Promise<T> {
  let { selectAccount } = attempts;
  for (;;) {
    let other: OtherAccount | undefined;
    try {
      return await attempts.attempt(selectAccount, (seen) => {
        other = seen;
      });
    } catch (error) {
      if (!(error instanceof MailauthError) || error.code !== 'wrong-account') throw error;
      await journal?.wrongAccount();
      if (!deps.canAsk) throw error;
      deps.report.progress('sign-in', 'failed', error.title);
      const offered = attempts.accept === undefined ? undefined : other;
      const chosen = await deps.ctx.prompts.select({ message: 'What now?', choices: choicesOf(record, offered), default: 'again' });
      if (chosen === 'stop') throw error;
      if (chosen === 'accept' && offered !== undefined && attempts.accept !== undefined) return await attempts.accept(offered);
      selectAccount = true;
    }
  }
}

function choicesOf({ mailbox, signInAs }: MailboxRecord, other: OtherAccount | undefined): readonly Choice<'again' | 'accept' | 'stop'>[] {
  const right =
    other === undefined ? [] : [{ value: 'accept' as const, name: `This is right: ${other.username} opens that (shared) mailbox` }];
  return [{ value: 'again', name: `Sign in again, as ${signInAs ?? mailbox}` }, ...right, { value: 'stop', name: 'Stop' }];
}
