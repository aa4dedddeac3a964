import type { ExitCode } from '../../core/errors.ts';
import type { Line, NextStep } from '../../core/next.ts';

/** Words of a server or program, with the blanks that they fill. */
export interface Said {
  readonly words: string;
  readonly means?: Readonly<Record<string, string | number>>;
}

/**
 * How an entry is recognised in text from outside: the one list that both the live diagnoses and `mailauth explain` go by.
 * Sentences are compared by their letters and digits (`errors/recognise`), so that no line break, quoting or case hides them. `…` in a
 * sentence stands for up to 200 characters that may be anything.
 */
export interface Signs {
  /** AADSTS numbers that mean this */
  readonly aadsts?: readonly number[];
  /** codes, compared whole: `ENOTFOUND`, `Request_ResourceNotFound`, `5.7.60`; with a star behind: how the code begins */
  readonly codes?: readonly (string | Said)[];
  /** sentences that mean this and nothing else */
  readonly says?: readonly (string | Said)[];
  /** codes and sentences that mean this only where nothing more exact stands near: `invalid_grant` */
  readonly hints?: readonly (string | Said)[];
  /** codes and sentences that only follow from something else: they mean this where nothing was recognised before them */
  readonly follows?: readonly (string | Said)[];
}

/**
 * One thing that can be wrong, as data with blanks. `V` names the blanks: this mailbox's own values.
 * Words for people live here and nowhere else, so that each command says the same.
 */
export interface Entry<V> extends Signs {
  readonly exit: ExitCode;
  /** where this is known from: an address of a documentation, an RFC section, or what measured it (`sources.ts`) */
  readonly source: string;
  /** WHAT happened, in the operator's words, one line */
  readonly title: (v: V) => string;
  /** one line, if known */
  readonly why?: (v: V) => string | undefined;
  /** the first is THE command to copy; at least one */
  readonly next: (v: V) => readonly NextStep[];
  /** what to send to an administrator: the link or the PowerShell line */
  readonly admin?: (v: V) => string | Line | undefined;
  /** false: trying again cannot help */
  readonly retryHelps?: boolean;
  /** who can mend it; by default an administrator where the exit code is 6, else you */
  readonly mender?: Mender;
}

export type Mender = 'you' | 'administrator' | 'Microsoft';

/** Declares an entry; only there to infer the blanks. */
export const entry = <V = Record<never, never>>(e: Entry<V>): Entry<V> => e;
