import type { Cloud } from '../../core/cloud.ts';
import { Exit, type MailauthError } from '../../core/errors.ts';
import type { MailboxRecord, TokenSet } from '../../core/mailbox.ts';
import { resultsShown } from '../../mail/result.ts';
import { testError } from '../../mail/run-tests.ts';
import type { Session } from '../../session/session.ts';
import { testMailbox } from '../../setup/sign-in/test-step.ts';
import { remember } from '../test/remember.ts';

/** What the mail servers say to new tokens: `data` for JSON, `words` for the end of the sentence that says who is signed in. */
export interface LoginProof {
  readonly data: { readonly tests: readonly unknown[] };
  readonly words: string;
  readonly error?: MailauthError;
}

/** Tries new tokens at the mail servers of the set-up. A server that is busy or cannot be reached is only a note: the sign-in is kept. */
export async function proveLogin(record: MailboxRecord, cloud: Cloud, set: TokenSet, session: Session): Promise<LoginProof> {
  const { report } = session;
  const results = await testMailbox(session, record, cloud, async () => set);
  await remember(record, results, session);
  const data = { tests: resultsShown(results, session.ctx.surroundings) };
  const error = testError(results);
  if (error === undefined) return { data, words: '' };
  if (error.exit === Exit.temporary) {
    report.note(`Signed in, and not proven at the mail server: ${error.title}`);
    return { data, words: '' };
  }
  const red = results.filter(({ ok }) => !ok).map(({ protocol }) => protocol.toUpperCase());
  return { data, words: `, but a test is red: ${red.join(', ')}`, error };
}

/** `--no-test`. */
export const unproven: LoginProof = { data: { tests: [] }, words: '' };
