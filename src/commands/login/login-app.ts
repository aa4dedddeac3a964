import * as z from 'zod/mini';
import type { Cloud } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import { Exit, type MailauthError } from '../../core/errors.ts';
import type { MailboxRecord, TokenSet } from '../../core/mailbox.ts';
import { mailauth } from '../../core/next.ts';
import { rfc3339 } from '../../core/time.ts';
import { problem } from '../../errors/problem.ts';
import { resultsShown } from '../../mail/result.ts';
import { testError } from '../../mail/run-tests.ts';
import type { Outcome } from '../../session/command.ts';
import { mailboxesOf } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { appTokenWithRoles } from '../../setup/sign-in/app-only-step.ts';
import { keepTokens, testMailbox } from '../../setup/sign-in/kept-tokens.ts';
import { guardWrites } from '../../store/home.ts';
import { refuseNewerIn, tokenEntry } from '../../store/token-entry.ts';
import { tokenLock } from '../../tokens/current.ts';
import { freshAppToken } from '../../tokens/refresh.ts';
import { remember } from '../test/test-mailbox.ts';

const schema = z.object({ signIn: z.optional(z.string()), signInAs: z.optional(z.string()), test: z.optional(z.boolean()) });

/**
 * `login` for app-only access: no person signs in. A new token is fetched and stored, under the lock that refreshes take. Throws `usage` (2)
 * for flags that are about a person, `refresh-busy`, and what the token endpoint says.
 */
export async function loginAsApp({ refused: _, ...record }: MailboxRecord, flags: unknown, session: Session): Promise<Outcome> {
  const { signIn, signInAs, test = true } = schema.parse(flags);
  if (signIn !== undefined || signInAs !== undefined) {
    throw problem('usage', {
      message: `No person signs in for ${record.mailbox}: its app acts for itself`,
      help: mailauth('login', record.mailbox),
    });
  }
  const { ctx, home, report, stepTimeoutMs } = session;
  const [inForce, store] = await Promise.all([session.inForce(record), session.store(record)]);
  const { cloud } = inForce;
  await store.probe();
  await refuseNewerIn(store, [tokenEntry(record)]);
  const release = await guardWrites(home, () => ctx.files.lock(tokenLock(home, record), stepTimeoutMs));
  if (release === undefined) throw problem('refresh-busy', { mailbox: record.mailbox });
  let set: TokenSet;
  try {
    set = await appTokenWithRoles(record, {
      deps: { ctx, report },
      cloud,
      fetch: () => freshAppToken(record, { ctx, stepTimeoutMs, network: () => session.network(), ...inForce, store }),
      patient: false,
      again: mailauth('login', record.mailbox),
    });
    await keepTokens(record, set, { report, mailboxes: mailboxesOf(session), store, pendingSecret: 'leave' });
  } finally {
    await release();
  }
  const proof = test ? await proveLogin({ ...record, account: set.account }, cloud, set, session) : unproven;
  return {
    data: {
      mailbox: record.mailbox,
      account: set.account.username,
      access: 'app-only',
      alreadySignedIn: false,
      store: record.store,
      expiresAt: rfc3339(set.expiresAt),
      scopes: set.scopes,
      ...proof.data,
    },
    ...defined({ error: proof.error }),
    text: `${record.mailbox}: the app has a new token of its own, until ${rfc3339(set.expiresAt)}${proof.words}.\n`,
  };
}

/** What the mail servers say to new tokens: `data` for JSON, `words` for the end of the sentence that says who is signed in. */
interface LoginProof {
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
