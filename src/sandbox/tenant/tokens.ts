import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import * as z from 'zod/mini';
import type { Context } from '../../core/context.ts';
import { defined } from '../../core/defined.ts';
import { stableGuid, type User } from './directory.ts';

/** Signs and checks the sandbox's tokens (RFC 7519, RS256 of RFC 7518 section 3.3). */
export interface TokenMint {
  /** v1 access token as Exchange Online's: `aud` the resource, `scp` without prefix, about 1.5 to 2 KB */
  accessToken(grant: AccessGrant): string;
  /** v2 id_token (OpenID Connect Core 1.0 section 2) */
  idToken(grant: IdGrant): string;
  /** app-only access token: `roles`, no `scp` */
  appToken(grant: {
    tenantId: string;
    audience: string;
    clientId: string;
    /** object id of its service principal */
    objectId?: string | undefined;
    roles: readonly string[];
    expiresIn: number;
  }): string;
  /** opaque, about 1.2 KB, beginning `1.A` */
  refreshToken(): string;
  /** authorization code, opaque, beginning `1.A` */
  code(): string;
  /** the claims of an access token that we signed and that has not expired, or undefined */
  check(token: string): AccessClaims | undefined;
  /** what the keys endpoint publishes (RFC 7517) */
  readonly publicKeys: unknown;
}

interface AccessGrant {
  readonly user: User;
  /** the one that was signed in to, which is not that of a guest */
  readonly tenantId: string;
  readonly clientId: string;
  readonly appName: string;
  readonly confidential: boolean;
  readonly audience: string;
  /** names without prefix */
  readonly scopes: readonly string[];
  /** the claims that a fault puts in place of the right ones */
  readonly wrong?: Readonly<Record<string, unknown>>;
  /** template ids of the user's directory roles */
  readonly roles?: readonly string[];
  /** seconds */
  readonly expiresIn: number;
}

interface IdGrant {
  readonly user: User;
  readonly tenantId: string;
  readonly clientId: string;
  readonly issuer: string;
  readonly nonce: string | undefined;
  readonly wrong?: Readonly<Record<string, unknown>>;
  readonly expiresIn: number;
}

const claimsSchema = z.object({
  aud: z.string(),
  exp: z.number(),
  nbf: z.number(),
  iss: z.string(),
  tid: z.optional(z.string()),
  scp: z.optional(z.string()),
  acrs: z.optional(z.array(z.string())),
  upn: z.optional(z.string()),
  idtyp: z.optional(z.string()),
  roles: z.optional(z.array(z.string())),
  appid: z.string(),
  oid: z.optional(z.string()),
});
export type AccessClaims = z.infer<typeof claimsSchema>;

/** Entra dates its tokens five minutes back, for clocks that run behind. */
const backdateSeconds = 300;

interface SigningKey {
  readonly key: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: object;
  readonly kid: string;
}

const signingKeys = new Map<string, SigningKey>();

/** Reading an RSA key takes as long as signing with it, so it is done once for each key. */
function readSigningKey(pem: string): SigningKey {
  const known = signingKeys.get(pem);
  if (known !== undefined) return known;
  const key = createPrivateKey(pem);
  const publicKey = createPublicKey(key);
  const jwk = publicKey.export({ format: 'jwk' });
  const kid = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url').slice(0, 27);
  const read = { key, publicKey, jwk, kid };
  signingKeys.set(pem, read);
  return read;
}

export function openMint(ctx: Pick<Context, 'clock' | 'random'>, signingKeyPem: string): TokenMint {
  const { key, publicKey, jwk, kid } = readSigningKey(signingKeyPem);
  const random = (bytes: number) => ctx.random.bytes(bytes).toString('base64url');

  const times = (expiresIn: number) => {
    const now = Math.floor(ctx.clock.now() / 1000);
    return { iat: now - backdateSeconds, nbf: now - backdateSeconds, exp: now + expiresIn };
  };
  const signed = (payload: object) => signJwt(key, { typ: 'JWT', alg: 'RS256', x5t: kid, kid }, payload);

  return {
    accessToken: (grant) => signed({ ...accessClaims(grant, random), ...times(grant.expiresIn), ...grant.wrong }),
    idToken: ({ user, tenantId, clientId, issuer, nonce, expiresIn, wrong }) =>
      signed({
        aud: clientId,
        iss: issuer,
        ...times(expiresIn),
        email: user.address,
        name: user.displayName,
        ...defined({ nonce }),
        oid: user.objectId,
        preferred_username: user.address,
        rh: `1.${random(60)}.`,
        sub: random(32),
        tid: tenantId,
        uti: random(16),
        ver: '2.0',
        ...wrong,
      }),
    appToken: ({ tenantId, audience, clientId, objectId, roles, expiresIn }) =>
      signed({
        aud: audience,
        iss: `https://sts.windows.net/${tenantId}/`,
        ...times(expiresIn),
        aio: random(90),
        appid: clientId,
        appidacr: '1',
        idtyp: 'app',
        oid: objectId ?? stableGuid(`service principal ${clientId}`),
        roles,
        tid: tenantId,
        uti: random(16),
        ver: '1.0',
      }),
    refreshToken: () => `1.A${random(890)}`,
    code: () => `1.A${random(480)}`,
    check: (token) => {
      const claims = openJwt(publicKey, token);
      const now = ctx.clock.now() / 1000;
      return claims !== undefined && claims.exp > now && claims.nbf <= now ? claims : undefined;
    },
    publicKeys: { keys: [{ ...jwk, kid, x5t: kid, use: 'sig', alg: 'RS256', issuer: 'https://sts.windows.net/{tenantid}/' }] },
  };
}

/** `client_info` as MSAL reads it to name the account: base64url of `{uid, utid}`. */
export function clientInfo(user: User, tenantId: string): string {
  return Buffer.from(JSON.stringify({ uid: user.objectId, utid: tenantId })).toString('base64url');
}

// The order and the filler follow a real token for Exchange Online, so that mailauth meets the shape and size that Microsoft sends.
function accessClaims(grant: AccessGrant, random: (bytes: number) => string): object {
  const { user, tenantId } = grant;
  const [given = user.displayName, family = 'Contoso'] = user.displayName.split(' ');
  return {
    aud: grant.audience,
    iss: `https://sts.windows.net/${tenantId}/`,
    acct: 0,
    acr: '1',
    aio: random(96),
    amr: ['pwd', 'mfa'],
    app_displayname: grant.appName,
    appid: grant.clientId,
    appidacr: grant.confidential ? '1' : '0',
    enfpolids: [],
    family_name: family,
    given_name: given,
    ipaddr: '203.0.113.42',
    login_hint: `O.${random(72)}`,
    name: user.displayName,
    oid: user.objectId,
    puid: `1003${stableGuid(`puid ${user.address}`).replaceAll('-', '').slice(0, 12).toUpperCase()}`,
    rh: `1.${random(60)}.`,
    scp: grant.scopes.join(' '),
    sid: stableGuid(`sid ${user.address}`),
    signin_state: ['kmsi'],
    sub: random(32),
    tid: tenantId,
    unique_name: user.address,
    upn: user.address,
    uti: random(16),
    ver: '1.0',
    // The last id is that of every plain member.
    wids: [...(grant.roles ?? []), 'b79fbf4d-3ef9-4689-8143-76b194e85509'],
    xms_ftd: random(42),
    xms_idrel: '1 2',
    xms_sub_fct: '2 3',
  };
}

function signJwt(key: KeyObject, header: object, payload: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = `${part(header)}.${part(payload)}`;
  return `${body}.${sign('sha256', Buffer.from(body), key).toString('base64url')}`;
}

function openJwt(publicKey: KeyObject, token: string): AccessClaims | undefined {
  const [header, payload, signature, ...rest] = token.split('.');
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) return undefined;
  // The algorithm is ours, whatever the header claims (RFC 8725 section 3.1).
  if (!verify('sha256', Buffer.from(`${header}.${payload}`), publicKey, Buffer.from(signature, 'base64url'))) return undefined;
  try {
    const read = claimsSchema.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}
