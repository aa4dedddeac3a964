import type { Line, NextStep } from '../../src/core/next.ts';
import { allShown, type Surroundings, shown } from '../../src/core/shown.ts';

/** A POSIX shell, and nothing in force. */
export const posix: Surroundings = { shell: 'posix' };

/** The next steps of an error or a diagnosis as a person reads them. */
export const nextOf = ({ next = [] }: { readonly next?: readonly NextStep[] | undefined } = {}): readonly string[] => allShown(next, posix);

/** What an administrator is sent; empty where nobody is asked. */
export const adminOf = ({ admin }: { readonly admin?: string | Line | undefined } = {}): string =>
  admin === undefined ? '' : shown(admin, posix);
