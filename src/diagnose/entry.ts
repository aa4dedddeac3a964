import type { ExitCode } from '../core/exit.ts';

/**
 * One thing that can be wrong, as data with blanks. `V` names the blanks: this mailbox's own values.
 * Words for people live here and nowhere else, so that each command says the same.
 */
export interface Entry<V> {
  readonly exit: ExitCode;
  /** WHAT happened, in the operator's words, one line */
  readonly title: (v: V) => string;
  /** one line, if known */
  readonly why?: (v: V) => string | undefined;
  /** the first is THE command to copy; at least one */
  readonly next: (v: V) => readonly string[];
  /** what to send to an administrator: the link or the PowerShell line */
  readonly admin?: (v: V) => string | undefined;
  /** false: trying again cannot help */
  readonly retryHelps?: boolean;
  /** where this is known from: an address of Microsoft's documentation, an RFC section, or what measured it */
  readonly source?: string;
  /** AADSTS numbers that mean this */
  readonly aadsts?: readonly number[];
}

/** Declares an entry; only there to infer the blanks. */
export const entry = <V = Record<never, never>>(e: Entry<V>): Entry<V> => e;
