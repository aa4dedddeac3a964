import * as z from 'zod/mini';
import { defined } from '../core/defined.ts';
import { Secret } from '../core/secret.ts';
import { type IdClaims, readIdToken } from './claims.ts';
import { grantedScopes } from './scopes.ts';

/** What a token endpoint granted, read from its answer (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3). */
export interface Grant {
  readonly accessToken: Secret;
  readonly refreshToken?: Secret;
  /** who signed in; absent when there was no readable id_token */
  readonly idToken?: IdClaims;
  readonly expiresInSeconds: number;
  /** granted; what was asked for where the answer does not say */
  readonly scopes: readonly string[];
  /** milliseconds since the epoch */
  readonly receivedAt: number;
}

const token = z.string().check(z.minLength(1), z.maxLength(64 * 1024), z.regex(/^[\x21-\x7E]+$/));

const tokenResponse = z.object({
  access_token: token,
  token_type: z.string().check(z.regex(/^bearer$/i)),
  refresh_token: z.optional(token),
  id_token: z.catch(z.optional(token), undefined),
  // Some authorities send it as a string.
  expires_in: z.catch(z.optional(z.union([z.number(), z.string().check(z.regex(/^\d{1,9}$/))])), undefined),
  scope: z.catch(z.optional(z.string()), undefined),
});

/** Ten years in seconds: a longer life is a mistake, and no date can be reckoned from the largest numbers. */
const longestLifetime = 10 * 365 * 86_400;

/** RFC 6749 does not say how long a token lives when the answer names no time. One hour is the life of Microsoft's shortest tokens. */
const lifetimeUnsaid = 3600;

/** undefined: the body is not a token response. `receivedAt` in milliseconds since the epoch. */
export function readGrant(body: unknown, requested: readonly string[], receivedAt: number): Grant | undefined {
  const read = tokenResponse.safeParse(body);
  if (!read.success) return undefined;
  const { access_token, refresh_token, id_token, expires_in, scope } = read.data;
  const idToken = id_token === undefined ? undefined : readIdToken(id_token);
  const seconds = Math.floor(Number(expires_in ?? lifetimeUnsaid));
  return {
    accessToken: new Secret(access_token),
    ...(refresh_token === undefined ? {} : { refreshToken: new Secret(refresh_token) }),
    ...defined({ idToken }),
    expiresInSeconds: seconds >= 0 && seconds <= longestLifetime ? seconds : lifetimeUnsaid,
    scopes: grantedScopes(scope, requested),
    receivedAt,
  };
}
