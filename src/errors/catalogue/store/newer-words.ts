import { type Line, line, type NextStep, noted } from '../../../core/next.ts';

/** What is said of everything that a later mailauth wrote: it is left alone, and that version is what to get. */
const newest: Line = line`npm install --global entra-mailauth@latest`;

export const updating: NextStep = noted(newest, 'the version that wrote it, or a later one');

/** `format`: the number that stands in what was read. */
export const leftAlone = (format: unknown): string =>
  `It has format ${typeof format === 'number' ? format : 2}, which this version does not know. It was left untouched.`;

/** Of an error that has other words, too. In a pasted text nobody knows whether a later version wrote the file. */
export interface MayBeNewer {
  readonly newer?: number;
}

export const isNewer = ({ newer }: MayBeNewer): boolean => typeof newer === 'number';
