import { defined } from '../core/defined.ts';
import type { Account } from '../core/mailbox.ts';
import { isGuid } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import type { AccessClaims, IdClaims } from './claims.ts';

export interface Identity {
  readonly claims: IdClaims | undefined;
  /** names the person where the id_token does not */
  readonly accessToken?: AccessClaims;
  readonly mailbox: string;
  /** the licensed user who signs in for the mailbox */
  readonly signInAs?: string | undefined;
  /** the tenant that was asked; `common`, `organizations` and `consumers` stand for many */
  readonly tenantId: string;
  readonly clientId: string;
  /** gets the account that signed in, where another one was wanted */
  readonly seen?: (other: Account) => void;
}

/**
 * Is it the person we wanted? Called before anything is stored. Throws `id-token-foreign`, `account-unknown`,
 * `wrong-tenant` or `wrong-account` (all exit 1). The comparison guards against the wrong browser session, not against
 * Microsoft: what counts for the mail server is the token itself.
 */
export function checkIdentity({ claims, accessToken, mailbox, signInAs, tenantId, clientId, seen }: Identity): Account {
  const audience = claims?.audience;
  if (audience !== undefined && !same(audience, clientId)) throw problem('id-token-foreign', { mailbox, clientId, audience });

  const fallback = accessToken === undefined || accessToken.opaque ? undefined : accessToken;
  const username = claims?.username ?? fallback?.username;
  if (username === undefined || username === '') throw problem('account-unknown', { mailbox });

  const home = claims?.tenantId ?? fallback?.tenantId;
  if (home !== undefined && isTenantId(tenantId) && !same(home, tenantId)) {
    throw problem('wrong-tenant', { mailbox, account: username, tenantId: home, wanted: tenantId });
  }
  const account: Account = { username, ...defined({ objectId: claims?.objectId, tenantId: home }) };
  if (same(username, signInAs ?? mailbox)) return account;
  seen?.(account);
  throw problem('wrong-account', { mailbox, account: username, signInAs });
}

/** Said of a token that was issued for another sign-in than this (OpenID Connect Core section 3.1.3.7, rule 11). */
export const foreignNonce = 'Its id_token does not repeat the nonce of this sign-in.';

const same = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();

/** Only an id can be compared with `tid`; a domain or a word for many tenants cannot. */
const isTenantId = isGuid;
