import { defined } from '../core/defined.ts';
import { MailauthError } from '../core/errors.ts';
import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import { mailauth } from '../core/next.ts';
import { bareAddress } from '../core/text.ts';
import { mailboxArgument } from '../session/mailbox-argument.ts';
import type { Session } from '../session/session.ts';
import { tokenOf } from '../session/token-for.ts';

export interface TokenAsked {
  readonly mailbox: string;
  readonly for: string | undefined;
  readonly minValidityMs: number;
}

export interface HeldToken {
  readonly record: MailboxRecord;
  readonly set: TokenSet;
}

/** Tokens as one process holds them for many programs. */
export interface HeldTokens {
  /** as `token get`: throws what it throws */
  token(asked: TokenAsked): Promise<HeldToken>;
  /** forgets what nobody has asked for just now; but of a database, which may be away at the next question, what is still valid stays */
  forgetOld(): void;
}

/** How old an answer from memory may be: so soon is seen what other processes have changed. In milliseconds. */
const heldMs = 4_000;

/** `session` must not ask: the one who calls is a program. */
export function heldTokens(session: Session): HeldTokens {
  const { clock } = session.ctx;
  const held = new Map<string, { readonly token: HeldToken; readonly readAt: number }>();
  const asking = new Map<string, Promise<HeldToken>>();

  const fresh = async ({ mailbox, for: product, minValidityMs }: TokenAsked): Promise<HeldToken> => {
    const record = await mailboxArgument(session, mailauth('token get'), mailbox, defined({ for: product }), { needs: 'token' });
    return { record, set: await tokenOf(session, record, { minValidityMs, force: false }) };
  };
  const isOld = (readAt: number): boolean => clock.monotonic() - readAt >= heldMs;

  return {
    async token(asked) {
      const key = JSON.stringify([bareAddress(asked.mailbox).toLowerCase(), asked.for ?? null]);
      const known = held.get(key);
      if (known !== undefined && !isOld(known.readAt) && known.token.set.expiresAt - clock.now() >= asked.minValidityMs) return known.token;
      const question = `${key} ${asked.minValidityMs}`;
      const running = asking.get(question);
      if (running !== undefined) return running;
      // The age of an answer counts from the question: what changes while the store is read may not be in it.
      const readAt = clock.monotonic();
      const answer = fresh(asked).finally(() => asking.delete(question));
      asking.set(question, answer);
      try {
        const token = await answer;
        held.set(key, { token, readAt });
        return token;
      } catch (error) {
        // The database is away: what was read from it is good until it ends, and whether another machine changed it cannot be asked.
        if (isAway(error) && known !== undefined && known.token.set.expiresAt - clock.now() >= asked.minValidityMs) return known.token;
        if (!isAway(error)) held.delete(key);
        throw error;
      }
    },

    forgetOld() {
      for (const [key, { token, readAt }] of held) {
        const isKept = token.record.store === 'postgres' && token.set.expiresAt > clock.now();
        if (isOld(readAt) && !isKept) held.delete(key);
      }
    },
  };
}

const isAway = (error: unknown): boolean => error instanceof MailauthError && error.code === 'database-away';
