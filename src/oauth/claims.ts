import * as z from 'zod/mini';
import { defined } from '../core/defined.ts';
import { Secret } from '../core/secret.ts';
import { plain } from '../core/text.ts';

/** Who signed in, as the id_token says it (OpenID Connect Core section 2; Microsoft's `oid`, `tid`). Texts are plain. */
export interface IdClaims {
  readonly username?: string;
  readonly objectId?: string;
  readonly tenantId?: string;
  readonly audience?: string;
  readonly nonce?: string;
}

/** An access token as far as it can be read. Microsoft may change or encrypt it, and those of personal accounts are not JWTs. */
export type AccessClaims =
  | { readonly opaque: true }
  | {
      readonly opaque: false;
      readonly audience?: string;
      /** `scp`, or `roles` of an app-only token */
      readonly scopes: readonly string[];
      /** an application acts for itself: `idtyp` says so, or there are `roles` and no `scp` */
      readonly appOnly?: true;
      readonly tenantId?: string;
      readonly username?: string;
      readonly objectId?: string;
      readonly appId?: string;
      readonly version?: string;
      /** `wids`: template ids of the person's directory roles; absent when Entra sent none */
      readonly directoryRoles?: readonly string[];
      /** milliseconds since the epoch */
      readonly expiresAt?: number;
    };

const sizeLimit = 64 * 1024;

const text = z.catch(z.optional(z.string()), undefined);
const claimSet = z.object({
  preferred_username: text,
  upn: text,
  email: text,
  unique_name: text,
  oid: text,
  tid: text,
  appid: text,
  azp: text,
  ver: text,
  scp: text,
  idtyp: text,
  aud: z.catch(z.optional(z.union([z.string(), z.array(z.string())])), undefined),
  roles: z.catch(z.optional(z.array(z.string())), undefined),
  wids: z.catch(z.optional(z.array(z.string())), undefined),
  nonce: text,
  exp: z.catch(z.optional(z.number()), undefined),
});
type ClaimSet = z.infer<typeof claimSet>;

/**
 * Decodes only: the token came over TLS straight from the token endpoint, which stands in for its signature
 * (OpenID Connect Core section 3.1.3.7, rule 6). undefined: the text is not a JWT.
 */
export function readIdToken(jwt: string): IdClaims | undefined {
  const claims = decode(jwt);
  if (claims === undefined) return undefined;
  return {
    ...defined({
      username: shown(usernameOf(claims)),
      objectId: shown(claims.oid),
      tenantId: shown(claims.tid),
      audience: shown(audienceOf(claims)),
      nonce: shown(claims.nonce),
    }),
  };
}

/** Never fails. Its result chooses the words of a diagnosis, and may refuse a token; it must never let anybody in. */
export function readAccessToken(token: Secret | string): AccessClaims {
  const claims = decode(token);
  if (claims === undefined) return { opaque: true };
  const scopes = claims.scp === undefined ? (claims.roles ?? []) : claims.scp.split(/\s+/);
  return {
    opaque: false,
    scopes: scopes.filter((scope) => scope !== '').map((scope) => plain(scope, 200)),
    ...(claims.idtyp === 'app' || (claims.scp === undefined && claims.roles !== undefined) ? { appOnly: true } : {}),
    ...defined({
      audience: shown(audienceOf(claims)),
      tenantId: shown(claims.tid),
      username: shown(usernameOf(claims)),
      objectId: shown(claims.oid),
      appId: shown(claims.appid ?? claims.azp),
      version: shown(claims.ver),
      directoryRoles: claims.wids?.map((id) => plain(id.toLowerCase(), 64)),
      expiresAt: claims.exp === undefined ? undefined : claims.exp * 1000,
    }),
  };
}

/** Version 2 tokens name the person in `preferred_username`, version 1 in `upn` or `unique_name`. */
function usernameOf(claims: ClaimSet): string | undefined {
  return [claims.preferred_username, claims.upn, claims.email, claims.unique_name].find((name) => name !== undefined && name !== '');
}

const audienceOf = ({ aud }: ClaimSet): string | undefined => (typeof aud === 'object' ? aud[0] : aud);

const shown = (value: string | undefined): string | undefined => (value === undefined ? undefined : plain(value, 320));

/** The claims of a JWT (RFC 7519 section 3: three base64url parts with dots between). */
function decode(token: Secret | string): ClaimSet | undefined {
  const jwt = token instanceof Secret ? token.reveal() : token;
  if (jwt.length > sizeLimit) return undefined;
  const payload = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(jwt)?.[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const read = claimSet.safeParse(claims);
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}
