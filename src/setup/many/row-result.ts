import { defined } from '../../core/defined.ts';
import { Exit, type ExitCode, type MailauthError } from '../../core/errors.ts';
import type { Command } from '../../core/next.ts';
import { allShown, type Surroundings } from '../../core/shown.ts';
import { mayBeSecret } from '../../core/text.ts';
import type { SetupOutcome } from '../ending.ts';
import type { Columns } from './columns.ts';
import type { ListedRow } from './read-list.ts';

/** How one row ended, as the report and `--json` have it. Fields are added, never renamed. */
export interface RowResult {
  readonly row: number;
  readonly mailbox: string;
  readonly for: string;
  readonly ok: boolean;
  readonly exit: ExitCode;
  readonly code?: string;
  readonly title?: string;
  /** commands and sentences; the first is to be run */
  readonly next?: readonly string[];
}

interface Whose {
  readonly row: number;
  readonly key: { readonly mailbox: string; readonly for: string };
}

export function failed({ row, key }: Whose, error: MailauthError, here: Surroundings): RowResult {
  const { exit, code, detail } = error;
  // The column that is missing stands in the title, because a report has no more words than that.
  const title = detail.flag === undefined ? error.title : `${error.title} (${detail.flag})`;
  return { row, mailbox: key.mailbox, for: key.for, ok: false, exit, code, title, next: allShown(error.next, here) };
}

/** A set-up that stands, and tests that are red, is failed; one that waits for an administrator has done what it was told. */
export function resultOf(whose: Whose, outcome: SetupOutcome, here: Surroundings): RowResult {
  if (outcome.kind === 'done' && outcome.error !== undefined) return failed(whose, outcome.error, here);
  const { row, key } = whose;
  const next = outcome.kind === 'handed-off' ? allShown([outcome.goOn], here) : undefined;
  return { row, mailbox: key.mailbox, for: key.for, ok: true, exit: Exit.done, ...defined({ next }) };
}

/** The exit code that all failed rows share, else 1; 0 where none failed. */
export function commonExit(results: readonly RowResult[]): ExitCode {
  const exits = new Set(results.filter(({ ok }) => !ok).map(({ exit }) => exit));
  const [only = Exit.done] = exits;
  return exits.size > 1 ? Exit.failed : only;
}

/** The command that would set up this one row, for the next steps of its errors. */
export function commandOfRow(flags: ListedRow['flags'], { byName }: Columns): Command {
  const given = [...byName.values()].flatMap(({ name, key, takesValue, isNegated }): [string, string | true][] => {
    const value = flags[key];
    if (!takesValue) return value === !isNegated ? [[name, true]] : [];
    if (typeof value !== 'string') return [];
    const isSecret = mayBeSecret(name, value);
    return [[name, isSecret ? '-' : value]];
  });
  return { kind: 'command', name: 'setup', words: [], flags: Object.fromEntries(given) };
}
