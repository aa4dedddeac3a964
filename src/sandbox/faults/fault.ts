import type { ProblemCode } from '../../errors/problem.ts';

/** Which server misbehaves; the groups of `--list-faults`. */
export type FaultArea = 'sign-in' | 'token' | 'app-only' | 'device' | 'graph' | 'imap' | 'pop' | 'smtp' | 'connection';

/** A way to misbehave, as data: adding one is a line in one of the lists. */
export interface Fault {
  readonly name: string;
  /** what the server does */
  readonly what: string;
  /** the entry of the catalogue that the operator sees; none: mailauth gets over it by itself */
  readonly sees?: ProblemCode;
  /** blanks of that entry, where this fault fills them otherwise than `--list-faults` would */
  readonly means?: Readonly<Record<string, string>>;
}

export interface ListedFault extends Fault {
  readonly area: FaultArea;
}
