import type { Needle } from './needles.ts';

/** Something recognised, with where it stands in the readable text. */
export type Hit = SignHit | NumberHit;

export interface SignHit {
  readonly kind: 'sign';
  readonly needle: Needle;
  readonly at: number;
  readonly end: number;
  /** begin and end of each part of a sentence with gaps */
  readonly parts?: readonly (readonly [number, number])[];
}

export interface NumberHit {
  readonly kind: 'number';
  readonly aadsts: number;
  readonly at: number;
  readonly end: number;
  /** it stands in a list or an address, and not in front of its sentence */
  readonly listed: boolean;
}
