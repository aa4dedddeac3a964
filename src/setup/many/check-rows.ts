import { resolve } from 'node:path';
import { Exit, MailauthError } from '../../core/errors.ts';
import { sentence } from '../../core/text.ts';
import type { Known } from '../answers/answers.ts';
import { flagAnswers } from '../answers/ask.ts';
import { allQuestions } from '../answers/questions.ts';
import { type CheckedSetup, checkSetup } from '../check-setup.ts';
import type { SetupDeps, SetupOptions } from '../journal/setup-deps.ts';
import type { Columns } from './columns.ts';
import type { ListFault } from './list-fault.ts';
import type { ListedRow } from './read-list.ts';

/** A row that can be set up. */
export interface CheckedRow extends CheckedSetup {
  readonly row: number;
  /** with the defaults of the command line */
  readonly flags: ListedRow['flags'];
}

/** How the command reads its flags. */
export interface FlagReading {
  readonly columns: Columns;
  /** throws `usage` */
  read(flags: ListedRow['flags']): SetupOptions;
  /** throws what is wrong with the flags that are no part of the set-up itself: the file of its sheet */
  check(flags: ListedRow['flags']): Promise<void>;
}

interface CheckedRows {
  readonly rows: readonly CheckedRow[];
  readonly faults: readonly ListFault[];
}

/** Checks every row, each by itself and all beside one another. Contacts nobody and changes nothing. */
export async function checkRows(
  listed: readonly ListedRow[],
  defaults: ListedRow['flags'],
  deps: SetupDeps,
  reading: FlagReading,
): Promise<CheckedRows> {
  const rows: CheckedRow[] = [];
  const faults: ListFault[] = [];
  for (const { row, flags: own } of listed) {
    deps.ctx.signal.throwIfAborted();
    const flags = { ...defaults, ...own };
    const wrong = answerFaults(row, flags);
    const checked = wrong.length > 0 ? wrong : await checkedRow({ row, flags }, deps, reading);
    if (Array.isArray(checked)) faults.push(...checked);
    else rows.push(checked);
  }
  return { rows, faults: [...faults, ...twice(rows)] };
}

/** Each answer that the wizard would not take, and a missing mailbox. */
function answerFaults(row: number, flags: ListedRow['flags']): ListFault[] {
  const faults: ListFault[] = [];
  let known: Known = {};
  for (const question of allQuestions) {
    const given = flags[question.id];
    if (typeof given !== 'string') continue;
    try {
      known = flagAnswers([question], known, { [question.id]: given });
    } catch (error) {
      faults.push({ row, column: question.flag.slice(2), what: wordsOf(error) });
    }
  }
  if (typeof flags.mailbox !== 'string') faults.unshift({ row, column: 'mailbox', what: 'An answer is missing: Which mailbox?' });
  return faults;
}

async function checkedRow({ row, flags }: ListedRow, deps: SetupDeps, reading: FlagReading): Promise<CheckedRow | ListFault[]> {
  try {
    const input = reading.read(flags);
    await reading.check(flags);
    return { ...(await checkSetup(input, deps)), row, flags };
  } catch (error) {
    const column = columnOf(error, flags, reading.columns);
    return [{ row, ...(column === undefined ? {} : { column }), what: wordsOf(error) }];
  }
}

/** Throws what is no fault of the list. */
function wordsOf(error: unknown): string {
  if (!(error instanceof MailauthError) || (error.exit !== Exit.usage && error.exit !== Exit.needsAnswer)) throw error;
  if (error.code === 'answer-missing') return error.title.replace(/^An answer is needed/, 'An answer is missing');
  return [sentence(error.title), error.code === 'sheet-place-taken' ? undefined : error.why].filter((part) => part !== undefined).join(' ');
}

/** The flag that an error is about where its words do not name one. */
const flagOfError: Readonly<Record<string, string>> = {
  'secret-is-id': 'client-secret-file',
  'secret-unusable': 'client-secret-file',
  'password-unusable': 'password-file',
  'certificate-unusable': 'certificate',
  'redirect-not-accepted': 'redirect-uri',
  'redirect-not-here': 'sign-in',
  'password-not-here': 'sign-in',
  'device-not-here': 'sign-in',
  'device-confidential': 'sign-in',
  'app-only-not-here': 'access',
  'app-only-personal': 'access',
  'tenant-malformed': 'tenant',
  'sheet-place-taken': 'handover',
};

function columnOf(error: unknown, flags: ListedRow['flags'], { byName }: Columns): string | undefined {
  if (!(error instanceof MailauthError)) return undefined;
  const { title, why = '', detail, code } = error;
  const mentioned = [detail.flag ?? '', flagOfError[code] ?? '', ...(`${title} ${why}`.match(/--[a-z][a-z-]+/g) ?? [])];
  const named = mentioned.map((flag) => byName.get(flag.replace(/^--/, ''))).filter((column) => column !== undefined);
  const isGiven = named.find(({ key }) => flags[key] !== undefined);
  return (detail.flag === undefined ? (isGiven ?? named[0]) : named[0])?.name;
}

/** Set-ups that stand in the list twice, and sheets that would be written over one another. */
function twice(rows: readonly CheckedRow[]): readonly ListFault[] {
  const seen = new Map<string, number>();
  return rows.flatMap(({ row, key, flags }) => {
    const uses = [
      { column: 'mailbox', id: `${key.mailbox} for ${key.for}`, what: `${key.mailbox} for ${key.for}` },
      ...(typeof flags.handover === 'string' ? [{ column: 'handover', id: resolve(flags.handover), what: 'This file' }] : []),
    ];
    return uses.flatMap(({ column, id, what }) => {
      const first = seen.get(id);
      if (first === undefined) seen.set(id, row);
      return first === undefined ? [] : [{ row, column, what: `${what} stands in row ${first} already.` }];
    });
  });
}
