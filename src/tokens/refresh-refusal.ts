import { Exit, MailauthError } from '../core/errors.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { mailauth } from '../core/next.ts';
import { appEntries } from '../errors/catalogue/entra/entra-app-errors.ts';
import { type ProblemCode, problem } from '../errors/problem.ts';
import type { MailboxFiles } from '../store/mailbox-file.ts';

/**
 * In a refresh, these errors of a sign-in mean something else, because a sign-in worked before: a policy asks the person to sign in again
 * (exit 4, not 6), and for a secret that is no longer accepted, `secret rotate` can name the mailbox.
 */
const meanings = {
  'policy-blocked': 'refresh-policy',
  'device-required': 'refresh-policy',
  'client-secret-expired': 'stored-secret-expired',
  'client-secret-wrong': 'stored-secret-wrong',
} as const satisfies Partial<Record<ProblemCode, ProblemCode>>;

const isNamed = (code: string): code is keyof typeof meanings => Object.hasOwn(meanings, code);

/** The error for a mailbox that worked before; undefined where it is the same. */
export const refreshMeaning = (code: ProblemCode): ProblemCode | undefined => (isNamed(code) ? meanings[code] : undefined);

/** The error of a refresh in a set-up mailbox's words, Microsoft's evidence kept; any other error as it is. */
export function refreshRefusal(error: unknown, { mailbox, for: product, registration }: MailboxRecord): unknown {
  if (!(error instanceof MailauthError)) return error;
  // This needs no new sign-in, but a second try a little later.
  if (error.code === 'entra-busy') return error.but({ next: [mailauth('token get', mailbox), ...error.next.slice(1)] });
  // Microsoft answered before, so this is the page of a proxy or of a guest network.
  if (error.code === 'token-answer-unreadable') {
    return error.but({ exit: Exit.temporary, next: [mailauth('doctor'), mailauth('token get', mailbox)] });
  }
  // For a refresh, this word means that somebody has to sign in again, whatever the number and the sentence beside it.
  if (!isNamed(error.code)) return error.detail.oauthError === 'invalid_grant' ? error.but({ exit: Exit.needsSignIn }) : error;
  const meaning = meanings[error.code];
  if (meaning !== 'refresh-policy' && registration.clientType !== 'confidential') return error;
  const { why, admin, detail } = error;
  return problem(meaning, { mailbox, for: product, clientId: registration.clientId, why, admin }, { detail, cause: error });
}

/** Not said by Microsoft, but by mailauth itself, which has sent or stored nothing. */
const isAboutAuthority = (code: string): boolean =>
  ['authority-changed', 'authority-unknown', 'account-changed', 'refresh-foreign'].includes(code);

/**
 * Microsoft will refuse in the same way next time: the sign-in has ended, a policy forbids it, the client secret or certificate is no longer
 * taken, the tenant is gone, or something is wrong with the app itself. Then `setup` does not say that all is well.
 */
export const isRefusal = (error: unknown): error is MailauthError =>
  error instanceof MailauthError &&
  !isAboutAuthority(error.code) &&
  (error.exit === Exit.needsSignIn ||
    error.exit === Exit.notAllowed ||
    /^stored-secret-(?:expired|wrong)$|^certificate-|^tenant-unknown$|^endpoint-v1$/.test(error.code) ||
    Object.hasOwn(appEntries, error.code));

/**
 * Notes the result of a refresh in the mailbox file, so that `status` knows it without the network; undefined: the refresh worked. Called under the
 * mailbox's lock. A home that cannot be written must not hide the answer itself.
 */
export async function noteRefusal(files: MailboxFiles, key: MailboxRecord, refused: MailboxRecord['refused']): Promise<void> {
  try {
    const record = await files.readMailbox(key);
    if (record === undefined || (refused === undefined && record.refused === undefined)) return;
    const { refused: _, ...rest } = record;
    await files.writeMailbox(refused === undefined ? rest : { ...rest, refused });
  } catch (error) {
    if (!(error instanceof MailauthError)) throw error;
  }
}
