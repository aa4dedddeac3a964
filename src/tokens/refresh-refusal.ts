import { MailauthError } from '../core/errors.ts';
import { Exit } from '../core/exit.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { mailauth } from '../core/next.ts';
import { type ProblemCode, problem } from '../errors/problem.ts';

/**
 * What a sign-in says with these words means another thing where one worked before: a policy wants the person again (exit 4, not 6), and
 * of a secret that is no longer accepted the mailbox is known, so `secret rotate` can name it.
 */
const meanings = {
  'policy-blocked': 'refresh-policy',
  'device-required': 'refresh-policy',
  'client-secret-expired': 'stored-secret-expired',
  'client-secret-wrong': 'stored-secret-wrong',
} as const satisfies Partial<Record<ProblemCode, ProblemCode>>;

const isNamed = (code: string): code is keyof typeof meanings => Object.hasOwn(meanings, code);

/** What a mailbox that worked before is told in place of this; undefined: the same. */
export const refreshMeaning = (code: ProblemCode): ProblemCode | undefined => (isNamed(code) ? meanings[code] : undefined);

/** The error of a refresh in a set-up mailbox's words, Microsoft's evidence kept; any other error as it is. */
export function refreshRefusal(error: unknown, { mailbox, for: product, registration }: MailboxRecord): unknown {
  if (!(error instanceof MailauthError)) return error;
  // Nobody need sign in for it: the same again, a little later.
  if (error.code === 'entra-busy') return error.but({ next: [mailauth('token get', mailbox), ...error.next.slice(1)] });
  // A proxy's or a guest network's page in place of Microsoft's answer, where Microsoft answered before.
  if (error.code === 'token-answer-unreadable') {
    return error.but({ exit: Exit.temporary, next: [mailauth('doctor'), mailauth('token get', mailbox)] });
  }
  if (!isNamed(error.code)) return error;
  const meaning = meanings[error.code];
  if (meaning !== 'refresh-policy' && registration.clientType !== 'confidential') return error;
  const { why, admin, detail } = error;
  return problem(meaning, { mailbox, for: product, clientId: registration.clientId, why, admin }, { detail, cause: error });
}
