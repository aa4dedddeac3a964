import type { Line, NextStep } from './next.ts';
import { printable } from './text.ts';

/** Exit codes of the command line (docs/contract.md, "Exit codes"). Scripts depend on them: never renumber. */
export const Exit = {
  done: 0,
  failed: 1,
  usage: 2,
  needsAnswer: 3,
  needsSignIn: 4,
  temporary: 5,
  notAllowed: 6,
  noStore: 7,
  /** the terminal was closed; as a shell counts, 128 and the number of the signal */
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

/** Exit codes of `mailauth send`, which callers of sendmail know (sysexits.h of BSD). */
export const SysExit = {
  usage: 64,
  data: 65,
  noUser: 67,
  unavailable: 69,
  later: 75,
  noPermission: 77,
  config: 78,
} as const;

export type SysExitCode = (typeof SysExit)[keyof typeof SysExit];
export type ExitCode = (typeof Exit)[keyof typeof Exit] | SysExitCode;

/** Evidence from outside, already stripped of control characters and never a secret. */
export interface ErrorDetail {
  /** the number after AADSTS */
  readonly aadsts?: number;
  readonly correlationId?: string;
  /** the error word of OAuth (RFC 6749 section 5.2): `invalid_grant` */
  readonly oauthError?: string;
  /** what the server said */
  readonly reply?: string;
  /** RFC 3339, UTC */
  readonly at?: string;
  /** the pause that the server asked for */
  readonly retryAfterSeconds?: number;
  readonly file?: string;
  readonly flag?: string;
  /** of a list */
  readonly row?: number;
  readonly column?: string;
}

export interface ErrorParts {
  readonly code: string;
  readonly exit: ExitCode;
  readonly title: string;
  readonly why?: string;
  readonly next: readonly NextStep[];
  /** what to send to an administrator, when only one can act: a sentence, or lines to copy */
  readonly admin?: string | Line;
  /** false: say that trying again cannot help */
  readonly retryHelps?: boolean;
  readonly detail?: ErrorDetail;
  readonly cause?: unknown;
}

/**
 * The one error class: your problem, with its words. Its texts come from the catalogue
 * (`errors/catalogue`), so that every command says the same thing in the same words.
 * Anything else that is thrown is a bug of ours and prints differently.
 */
export class MailauthError extends Error {
  readonly code: string;
  readonly exit: ExitCode;
  readonly title: string;
  readonly why: string | undefined;
  readonly next: readonly NextStep[];
  readonly admin: string | Line | undefined;
  readonly retryHelps: boolean | undefined;
  readonly detail: ErrorDetail;
  readonly #parts: ErrorParts;

  constructor(parts: ErrorParts) {
    super(printable(parts.title), parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = 'MailauthError';
    this.#parts = parts;
    this.code = parts.code;
    this.exit = parts.exit;
    // Whatever a blank was filled with, a file name or a flag's value: no terminal gets to see its escapes.
    this.title = printable(parts.title);
    this.why = parts.why === undefined ? undefined : printable(parts.why);
    this.next = parts.next;
    this.admin = parts.admin;
    this.retryHelps = parts.retryHelps;
    this.detail = parts.detail ?? {};
  }

  /** The same problem, but for what is different here. */
  but(different: Partial<ErrorParts>): MailauthError {
    return new MailauthError({ ...this.#parts, ...different });
  }
}

/** Ctrl-C, Ctrl-D at a question, a signal, or a terminal that was closed: nothing to explain. */
export class Interrupted extends Error {
  readonly exit: ExitCode;
  /** the command that goes on, where something was kept for it */
  goOn?: NextStep;

  constructor(exit: ExitCode = Exit.interrupted) {
    super('interrupted');
    this.name = 'Interrupted';
    this.exit = exit;
  }
}

/** Esc at a question that has one before it: the wizard asks that one again. */
export class Back extends Error {
  constructor() {
    super('one question back');
    this.name = 'Back';
  }
}

/** Windows lets nobody replace a file that another program has open. */
export class FileInUse extends Error {
  readonly path: string;

  constructor(path: string, cause: unknown) {
    super(`another program has ${path} open`, { cause });
    this.name = 'FileInUse';
    this.path = path;
  }
}

/** The code of an error of Node.js or of the operating system: `ENOENT`, `ECONNREFUSED`; undefined where it has none. */
export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** A file, or a folder on the way to it, does not exist. */
export function isMissingFile(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
