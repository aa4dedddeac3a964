import { plain } from '../../core/text.ts';

/** One thing that is wrong in a list, and where. */
export interface ListFault {
  /** the line of the file, of which the header is 1; in JSON the row, from 1 */
  readonly row: number;
  /** the name of the flag, or the number of a column without a name */
  readonly column?: string;
  /** a sentence; never a secret, and never a value that may be one */
  readonly what: string;
}

/** `Row 3, column for: …` */
export const faultWords = ({ row, column, what }: ListFault): string =>
  `Row ${row}${column === undefined ? '' : `, column ${column}`}: ${plain(what, 300)}`;

/** By row, and the whole list before its rows. */
export const inOrder = (faults: readonly ListFault[]): readonly ListFault[] => faults.toSorted((a, b) => a.row - b.row);
