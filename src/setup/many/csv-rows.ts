import * as z from 'zod/mini';
import type { ListFault } from './list-fault.ts';

/** One record of the file. */
export interface CsvRow {
  /** the line that it begins in */
  readonly row: number;
  readonly values: readonly string[];
}

export interface CsvRows {
  /** the first that is not empty is the header */
  readonly rows: readonly CsvRow[];
  readonly fault?: ListFault;
  /** the file holds more than was read */
  readonly isCut: boolean;
}

const parsedRows = z.array(z.object({ info: z.object({ lines: z.number() }), record: z.array(z.string()) }));

/**
 * The records of a CSV as Excel writes it: commas in America, semicolons in most of Europe, tabs in its "Unicode text"; values in quotes may
 * hold line breaks. Lines without any value are left out.
 */
export async function csvRows(text: string, most: number): Promise<CsvRows> {
  const { parse } = await import('csv-parse/sync');
  const lines = text.replace(/\r\n?/g, '\n');
  // What Excel writes, and obeys, as a first line of its own.
  const [sepLine = '', sep] = /^"?sep=(.)"?\n/i.exec(lines) ?? [];
  const before = sepLine === '' ? 0 : 1;
  const body = lines.slice(sepLine.length);
  const delimiter = sep ?? delimiterOf(body);
  const read = (to: number) =>
    parsedRows.parse(
      parse(body, { info: true, bom: true, relax_column_count: true, skip_empty_lines: false, record_delimiter: '\n', delimiter, to }),
    );
  let parsed: z.infer<typeof parsedRows>;
  try {
    parsed = read(most);
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === undefined) throw error;
    const { code, lines: at, records } = refused;
    // Of a mark that is never closed the parser tells the end of the file; it stands in the record behind the last whole one.
    const row = code === notClosed ? (records === 0 ? 0 : (read(records).at(-1)?.info.lines ?? 0)) + 1 : at;
    return { rows: [], fault: { row: before + row, what: words[code] ?? 'This line is no CSV.' }, isCut: false };
  }
  const rows: CsvRow[] = [];
  let last = before;
  for (const { info, record } of parsed) {
    if (record.some((value) => value.trim() !== '')) rows.push({ row: last + 1, values: record });
    last = before + info.lines;
  }
  return { rows, isCut: parsed.length >= most };
}

const delimiters = [',', ';', '\t'] as const;

/** The one that stands most often in the header, outside of quotes. */
function delimiterOf(body: string): string {
  const header = (/^\s*(.*)$/m.exec(body)?.[1] ?? '').replace(/"[^"]*"/g, '');
  const count = (delimiter: string): number => header.split(delimiter).length;
  return delimiters.reduce((best, one) => (count(one) > count(best) ? one : best));
}

const notClosed = 'CSV_QUOTE_NOT_CLOSED';
const words: Readonly<Record<string, string>> = {
  [notClosed]: 'A quotation mark is opened and never closed.',
  INVALID_OPENING_QUOTE: 'A quotation mark stands within a value that is not in quotes: put the value in quotes, and write the mark twice.',
  CSV_INVALID_CLOSING_QUOTE: 'Something stands behind a closing quotation mark: within quotes, a mark is written twice.',
};

const refusal = z.object({ code: z.string(), lines: z.number(), records: z.number() });

/** What the parser says about the file; undefined for any other error. */
const refusalOf = (error: unknown): z.infer<typeof refusal> | undefined => refusal.safeParse(error).data;
