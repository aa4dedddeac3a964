import { Exit, MailauthError } from '../core/errors.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { appEntries } from '../errors/catalogue/entra/entra-app-errors.ts';
import type { MailboxFiles } from '../store/mailbox-file.ts';

/**
 * Microsoft will refuse in the same way next time: the sign-in has ended, a policy forbids it, the client secret or certificate is no longer
 * taken, or something is wrong with the app itself.
 */
export const isRefusal = (error: unknown): error is MailauthError =>
  error instanceof MailauthError &&
  (error.exit === Exit.needsSignIn ||
    error.exit === Exit.notAllowed ||
    /^stored-secret-(?:expired|wrong)$|^certificate-/.test(error.code) ||
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
