import type { DatabaseFailure } from '../core/database-port.ts';
import type { MailauthError } from '../core/errors.ts';
import { problem } from '../errors/problem.ts';

/** `where`: the address for messages. */
export function databaseProblem({ trouble, message: why }: DatabaseFailure, where: string): MailauthError {
  switch (trouble) {
    case 'away':
    case 'slow':
      return problem('database-away', { where, why });
    case 'full':
      return problem('database-full', { where, why });
    case 'read-only':
      return problem('database-read-only', { where, why });
    case 'refused':
      return problem('database-refused', { where, why });
    case 'no-right':
      return problem('database-no-right', { where, why });
    case 'no-schema':
      return problem('database-schema-missing', { where });
    case 'untrusted':
      return problem('database-untrusted', { where, why });
    case 'other':
      return problem('database-failed', { where, why });
  }
}
