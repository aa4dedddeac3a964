import type { ProtocolWord } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import { Interrupted, MailauthError } from '../../core/errors.ts';
import type { MailboxRecord, TokenSet } from '../../core/mailbox.ts';
import type { SecretStore } from '../../core/stores.ts';
import type { ProtocolResult } from '../../mail/result.ts';
import { testError } from '../../mail/run-tests.ts';
import type { Session } from '../../session/session.ts';
import { tokenOf } from '../../session/token-for.ts';
import { asProblem } from '../../session/unexpected.ts';
import { inTurn } from '../../tokens/current.ts';
import { cannotRenew, jitterMs, wantsRenewal } from '../../tokens/lifetimes.ts';
import { lostSignIn, lostSignIns } from '../status/warnings.ts';
import { testMailbox } from '../test/test-mailbox.ts';
import type { Kept } from './kept.ts';

/** What the flags say about each mailbox. */
export interface Wish {
  readonly renewAfterDays: number;
  readonly warnDays: number;
  readonly jitterLimitMs: number;
  readonly tests: readonly ProtocolWord[] | 'all' | undefined;
}

/** Runs of several machines that begin within this time are one: what the first has renewed is not due again. In milliseconds. */
const togetherMs = 15_000;

/** The error of one mailbox is part of its result, so that the others are kept alive too. Throws `Interrupted` and `database-away`. */
export async function keep(
  record: MailboxRecord,
  wish: Wish,
  session: Session,
  read: (store: SecretStore) => Promise<TokenSet | undefined>,
): Promise<Kept> {
  const { ctx } = session;
  ctx.signal.throwIfAborted();
  try {
    const store = await session.store(record);
    const stored = await read(store);
    if (stored === undefined) {
      const lost = lostSignIn(record, stored, ctx.clock.now());
      if (lost === undefined) return { record, state: 'idle', results: [] };
      throw lostSignIns([lost]);
    }
    const over = cannotRenew(record, stored) ? lostSignIn(record, stored, ctx.clock.now()) : undefined;
    if (over !== undefined) throw lostSignIns([over]);
    await session.refuseForeign(record, stored);
    // An app has no sign-in that ends for want of use, but a new token proves that its secret or certificate still works. A refusal of
    // last time may be over.
    const isDue = (set: TokenSet): boolean =>
      record.access === 'app-only' || record.refused !== undefined || wantsRenewal(set, ctx.clock.now(), wish.renewAfterDays);
    if (!isDue(stored)) return await afterwards(record, { state: 'fresh', set: stored }, wish, session);
    await ctx.clock.sleep(jitterMs(ctx.random.bytes(4), wish.jitterLimitMs), ctx.signal);
    return await inTurn<Kept>(store, record, stored, {
      elsewhere: async () => ({ record, state: 'elsewhere', set: stored, results: [] }),
      async act(there, { doneAgoMs, done }) {
        // Another machine may have renewed it since it was read here, or just before.
        const isFresh = (doneAgoMs ?? Number.POSITIVE_INFINITY) < togetherMs || (there.issuedAt !== stored.issuedAt && !isDue(there));
        const set = isFresh ? there : await tokenOf(session, record, { minValidityMs: 0, force: true });
        if (!isFresh) done();
        return afterwards(record, { state: isFresh ? 'fresh' : 'renewed', set }, wish, session);
      },
    });
  } catch (thrown) {
    if (thrown instanceof Interrupted || ctx.signal.aborted) throw thrown;
    // That concerns all that follow, too.
    if (thrown instanceof MailauthError && thrown.code === 'database-away') throw thrown;
    return { record, state: 'failed', results: [], error: await asProblem(thrown, ctx) };
  }
}

async function afterwards(record: MailboxRecord, kept: Pick<Kept, 'state' | 'set'>, wish: Wish, session: Session): Promise<Kept> {
  const results = await tested(record, wish, session);
  return { record, ...kept, results, ...defined({ error: testError(results) }) };
}

async function tested(record: MailboxRecord, { tests }: Wish, session: Session): Promise<readonly ProtocolResult[]> {
  if (tests === undefined) return [];
  const wanted = record.protocols.filter((p) => tests === 'all' || tests.includes(p));
  return wanted.length === 0 ? [] : testMailbox(session, record, wanted);
}
