import type { MailauthError } from '../../core/errors.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { problem } from '../../errors/problem.ts';
import type { Ending } from '../../tokens/lifetimes.ts';

export interface Row {
  readonly record: MailboxRecord;
  readonly ending: Ending | undefined;
}

/** One error for everything that ends within `warnDays`, the most urgent first: its command is the one to copy. */
export function endsSoon(code: 'expires-soon' | 'secret-ends-soon', rows: readonly Row[], warnDays: number): MailauthError | undefined {
  const soon = rows
    .flatMap(({ record, ending }) => (ending === undefined || ending.days >= warnDays ? [] : [{ ...ending, record }]))
    .sort((a, b) => a.days - b.days);
  const [first] = soon;
  if (first === undefined) return undefined;
  const lines = soon.map(({ record, what, days }) => {
    const left = days < 0 ? 'expired' : `${days} days left`;
    return `${record.mailbox} for ${record.for}, ${what}: ${left}`;
  });
  return problem(code, { lines, mailbox: first.record.mailbox, for: first.record.for, what: first.what });
}
