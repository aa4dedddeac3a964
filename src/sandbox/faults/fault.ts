import type { ProblemCode } from '../../errors/problem.ts';

/** Which server misbehaves; the groups of `--list-faults`. */
export type FaultArea =
  | 'sign-in'
  | 'administrator'
  | 'token'
  | 'app-only'
  | 'device'
  | 'graph'
  | 'exchange'
  | 'imap'
  | 'pop'
  | 'smtp'
  | 'send'
  | 'connection';

/** A way in which the sandbox misbehaves. A new one is a row in one of the lists of this folder. */
export interface Fault {
  readonly name: string;
  /** what the server does */
  readonly what: string;
  /** the error of the catalogue that the operator sees; left out where mailauth gets over the fault by itself */
  readonly sees?: ProblemCode;
  /** values for the blanks of that error, where this fault decides them */
  readonly means?: Readonly<Record<string, string>>;
}

export type Claims = Readonly<Record<string, unknown>>;

/** A fault of tokens: the claims that stand in place of the right ones. An undefined one is missing. */
export interface ClaimFault extends Fault {
  readonly access?: (nowSeconds: number) => Claims;
  readonly identity?: Claims;
}

/** The id of a tenant that is not the one of the sandbox. */
export const otherTenant = '9a11c0de-5a4d-4b0c-9a11-c0ffee000365';

export interface ListedFault extends Fault {
  readonly area: FaultArea;
}
