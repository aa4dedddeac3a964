import { nearest } from '../../core/text.ts';
import { allQuestions } from '../answers/questions.ts';

/** A flag of `mailauth setup` that may be a column. */
export interface Column {
  /** without hyphens in front: `client-id` */
  readonly name: string;
  /** the name of the flag's value among the flags that were read: `clientId` */
  readonly key: string;
  readonly takesValue: boolean;
  /** the flag takes something away: `--no-test` */
  readonly isNegated: boolean;
  /** takes several values, with commas between them */
  readonly isList: boolean;
}

export interface Columns {
  readonly byName: ReadonlyMap<string, Column>;
  /** flags that are about the whole run */
  readonly ofRun: ReadonlySet<string>;
}

/** What is read of an option of commander. */
interface Option {
  readonly long?: string | null | undefined;
  readonly required: boolean;
  readonly negate: boolean;
  attributeName(): string;
}

const nameOf = ({ long }: Option): string => (long ?? '').replace(/^--/, '');

/** `own`: the options of `mailauth setup`. `ofRun`: those of them that say something about the whole list. `global`: those of every command. */
export function columnsOf(own: readonly Option[], ofRun: readonly string[], global: readonly Option[]): Columns {
  const columns = own
    .filter((option) => !ofRun.includes(nameOf(option)))
    .map((option): Column => {
      const name = nameOf(option);
      const isList = allQuestions.some(({ flag, several }) => flag === `--${name}` && several === true);
      return { name, key: option.attributeName(), takesValue: option.required, isNegated: option.negate, isList };
    });
  return {
    byName: new Map(columns.map((column) => [column.name, column])),
    ofRun: new Set([...ofRun, ...global.map(nameOf)]),
  };
}

const inFile = (column: string): string => `Put it into a file of mode 0600, and name that file in the column ${column}.`;

/** What would hold a secret, and where the secret belongs instead. */
const secretColumns: ReadonlyMap<string, string> = new Map([
  ['client-secret', inFile('client-secret-file')],
  ['secret', inFile('client-secret-file')],
  ['password', inFile('password-file')],
  ['passphrase', 'Set MAILAUTH_PASSPHRASE_FILE to the path of a file that holds it.'],
  ['graph-token', 'Set MAILAUTH_GRAPH_TOKEN.'],
  ['access-token', 'Set MAILAUTH_GRAPH_TOKEN.'],
  ['refresh-token', 'Each mailbox signs in once.'],
]);

/** A column by its name, as somebody typed it, or why there is none. The name is repeated only where it looks like one. */
export function columnNamed(
  typed: string,
  { byName, ofRun }: Columns,
): Column | { readonly name: string | undefined; readonly why: string } {
  const name = typed.trim().toLowerCase().replace(/^--/, '');
  const column = byName.get(name);
  if (column !== undefined) return column;
  const instead = secretColumns.get(name);
  if (instead !== undefined) return { name, why: `A secret is never accepted in a list: treat what stands there as leaked. ${instead}` };
  if (ofRun.has(name)) return { name, why: 'This flag is about the whole run: give it on the command line.' };
  if (!/^[a-z][a-z0-9_ -]{0,39}$/.test(name))
    return { name: undefined, why: 'This is no name of a flag. The first row names the columns.' };
  const meant = nearest(name, [...byName.keys()]);
  const hint = meant === undefined ? 'Columns are named like the flags of mailauth setup.' : `Is ${meant} meant?`;
  return { name, why: `mailauth setup has no flag of this name. ${hint}` };
}

/** What a cell says: a flag's value, true for a flag without one, undefined where it is empty; or what is wrong with it. */
export function cellValue(
  { name, takesValue, isList, isNegated }: Column,
  cell: unknown,
): { readonly value: string | boolean | undefined } | { readonly why: string } {
  const text = Array.isArray(cell) ? listed(cell, isList) : cell;
  if (text === undefined)
    return { why: isList ? 'An array here holds texts and nothing else.' : 'This flag takes one value, and no array.' };
  const trimmed = typeof text === 'string' ? text.trim() : text;
  if (trimmed === '' || trimmed === false) return { value: undefined };
  if (takesValue) {
    if (typeof trimmed !== 'string') return { why: 'This flag takes a value: write it in quotes.' };
    if (trimmed === '-' && /file$/.test(name)) return { why: 'Standard input is read once, and not for each row: name a file.' };
    return { value: trimmed };
  }
  const isSet = trimmed === true || (typeof trimmed === 'string' && trimmed.toLowerCase() === 'true');
  return isSet ? { value: !isNegated } : { why: 'This flag has no value: write true, or leave the cell empty.' };
}

function listed(cell: readonly unknown[], isList: boolean): string | undefined {
  return isList && cell.every((one) => typeof one === 'string') ? cell.join(',') : undefined;
}
