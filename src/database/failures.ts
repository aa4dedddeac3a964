import type { DatabaseFailure } from '../core/database-port.ts';
import type { MailauthError } from '../core/errors.ts';
import { problem } from '../errors/problem.ts';

/** `where`: the address for messages. */
export function databaseProblem(cause: DatabaseFailure, where: string): MailauthError {
  const { trouble, message: why } = cause;
  switch (trouble) {
    case 'away':
    case 'slow':
      return problem('database-away', { where, why }, { cause });
    case 'full':
      return problem('database-full', { where, why }, { cause });
    case 'read-only':
      return problem('database-read-only', { where, why }, { cause });
    case 'refused':
      return problem('database-refused', { where, why }, { cause });
    case 'no-right':
      return problem('database-no-right', { where, why }, { cause });
    case 'no-schema':
      return problem('database-schema-missing', { where }, { cause });
    case 'untrusted':
      return problem('database-untrusted', { where, why }, { cause });
    case 'other':
      return problem('database-failed', { where, why }, { cause });
  }
}
