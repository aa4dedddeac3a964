import { isMissingFile } from '../../core/errors.ts';
import { plain } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { diskReason } from '../../store/home.ts';
import { type Column, type Columns, cellValue, columnNamed } from './columns.ts';
import { type CsvRow, csvRows } from './csv-rows.ts';
import type { ListFault } from './list-fault.ts';

/** A row as flags of `mailauth setup`, as commander would have read them. */
export interface ListedRow {
  readonly row: number;
  readonly flags: Readonly<Record<string, string | boolean>>;
}

export interface List {
  readonly rows: readonly ListedRow[];
  readonly faults: readonly ListFault[];
}

const mostRows = 10_000;
const mostCharacters = 16 * 1024 * 1024;

/** Reads a list as CSV or JSON; which one it is, its text tells. `name`: for the words of an error. Throws `list-unreadable` (2). */
export async function readList(pieces: AsyncIterable<string>, name: string, columns: Columns): Promise<List> {
  const text = await textOf(pieces, name);
  const list = /^\s*[[{]/.test(text) ? jsonList(text, name, columns) : await csvList(text, name, columns);
  if (list.rows.length === 0 && list.faults.length === 0) throw unreadable(name, 'It has no rows.');
  return list;
}

const unreadable = (file: string, why: string) => problem('list-unreadable', { file: plain(file), why });

const tooLong = `It has more than ${mostRows} rows: divide it.`;

async function textOf(pieces: AsyncIterable<string>, name: string): Promise<string> {
  let text = '';
  try {
    for await (const piece of pieces) {
      text += piece;
      if (text.startsWith('PK\u0003\u0004')) throw unreadable(name, 'It is a workbook: save it in Excel as "CSV UTF-8".');
      if (text.length > mostCharacters) throw unreadable(name, 'It is larger than 16 MB: divide it.');
    }
  } catch (error) {
    const reason = isMissingFile(error) ? 'There is no such file.' : diskReason(error);
    throw reason === undefined ? error : unreadable(name, reason);
  }
  // The decoder writes this character in place of each byte that is no UTF-8.
  const at = text.search(/[\uFFFD\0]/);
  if (at < 0) return text;
  const line = text.slice(0, at).split(/\r\n?|\n/).length;
  throw unreadable(name, `Line ${line} is not in UTF-8 (Windows-1252, perhaps): save it in Excel as "CSV UTF-8".`);
}

async function csvList(text: string, name: string, columns: Columns): Promise<List> {
  // Two more than are allowed: the header, and the one too many.
  const {
    rows: [header, ...rows],
    fault,
    isCut,
  } = await csvRows(text, mostRows + 2);
  if (fault !== undefined) return { rows: [], faults: [fault] };
  if (isCut) throw unreadable(name, tooLong);
  if (header === undefined) return { rows: [], faults: [] };
  const { named, faults } = headerOf(header, columns);
  const listed = rows.map((one) => csvRow(one, named));
  return { rows: listed.map(({ row, flags }) => ({ row, flags })), faults: [...faults, ...listed.flatMap((one) => one.faults)] };
}

/** undefined: a column that is wrong, which was said once. null: one without a name, which must be empty. */
type Named = Column | undefined | null;

function headerOf({ row, values }: CsvRow, columns: Columns): { readonly named: readonly Named[]; readonly faults: readonly ListFault[] } {
  const faults: ListFault[] = [];
  const seen = new Set<string>();
  const named = values.map((typed, i): Named => {
    if (typed.trim() === '') return null;
    const found = columnNamed(typed, columns);
    if ('why' in found) {
      faults.push({ row, column: found.name ?? String(i + 1), what: found.why });
      return undefined;
    }
    if (seen.has(found.name)) faults.push({ row, column: found.name, what: 'This column stands here twice.' });
    seen.add(found.name);
    return found;
  });
  return { named, faults };
}

type ReadRow = ListedRow & { readonly faults: readonly ListFault[] };

function csvRow({ row, values }: CsvRow, named: readonly Named[]): ReadRow {
  const pairs = values.map((cell, i) => ({ cell, column: named[i] ?? (i < named.length ? named[i] : null), at: i + 1 }));
  const strays = pairs.filter(({ column, cell }) => column === null && cell.trim() !== '');
  const faults = strays.map(({ at }) => ({
    row,
    column: String(at),
    what: 'A value without a column: a value that contains the separator stands in quotes.',
  }));
  const read = flagsOf(row, pairs);
  return { ...read, faults: [...faults, ...read.faults] };
}

function flagsOf(row: number, cells: readonly { readonly column: Named; readonly cell: unknown }[]): ReadRow {
  const flags: Record<string, string | boolean> = {};
  const faults: ListFault[] = [];
  for (const { column, cell } of cells) {
    if (column === undefined || column === null) continue;
    const read = cellValue(column, cell);
    if ('why' in read) faults.push({ row, column: column.name, what: read.why });
    else if (read.value !== undefined) flags[column.key] = read.value;
  }
  return { row, flags, faults };
}

function jsonList(text: string, name: string, columns: Columns): List {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    // The rest of the parser's message repeats the text, and with it whatever stands there.
    const [, at] = /at position (\d+)/.exec(error instanceof Error ? error.message : '') ?? [];
    const where = at === undefined ? '' : ` from line ${text.slice(0, Number(at)).split('\n').length} on`;
    throw unreadable(name, `It is no JSON${where}.`);
  }
  if (!Array.isArray(read)) throw unreadable(name, 'A list in JSON is an array of objects, one for each set-up.');
  if (read.length > mostRows) throw unreadable(name, tooLong);
  const rows = read.map((one: unknown, i) => jsonRow(one, i + 1, columns));
  return { rows: rows.map(({ row, flags }) => ({ row, flags })), faults: rows.flatMap(({ faults }) => faults) };
}

function jsonRow(one: unknown, row: number, columns: Columns): ReadRow {
  if (typeof one !== 'object' || one === null || Array.isArray(one))
    return { row, flags: {}, faults: [{ row, what: 'A row is an object: { "mailbox": "helpdesk@contoso.com" }.' }] };
  const faults: ListFault[] = [];
  const seen = new Set<string>();
  const cells = Object.entries(one).map(([typed, cell]: [string, unknown]) => {
    const found = columnNamed(typed, columns);
    const name = found.name ?? plain(typed, 20);
    const why = 'why' in found ? found.why : seen.has(name) ? 'This column stands here twice.' : kindFault(cell);
    seen.add(name);
    if (why !== undefined) faults.push({ row, column: name, what: why });
    return { cell, column: 'why' in found || why !== undefined ? undefined : found };
  });
  const read = flagsOf(row, cells);
  return { ...read, faults: [...faults, ...read.faults] };
}

const kindFault = (cell: unknown): string | undefined =>
  typeof cell === 'string' || typeof cell === 'boolean' || Array.isArray(cell)
    ? undefined
    : 'A value is a text in quotes, true or false, or an array.';
