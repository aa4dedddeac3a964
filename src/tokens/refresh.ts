import type { Tenant } from '../core/cloud.ts';
import { defined } from '../core/defined.ts';
import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import { authorityOf } from '../core/sign-in-authority.ts';
import type { SecretStore } from '../core/stores.ts';
import { isGuid } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { readAccessToken } from '../oauth/claims.ts';
import { credentialOf } from '../oauth/client-certificate.ts';
import type { Grant } from '../oauth/grant.ts';
import { type AppRun, appAt, type OAuthApp } from '../oauth/oauth-app.ts';
import { decodeClientSecret } from '../store/client-secret-entry.ts';
import { clientSecretEntry } from '../store/token-entry.ts';
import { boundSecret, type InForce } from './bound.ts';
import { refreshRefusal } from './refresh-refusal.ts';

interface AppDeps extends AppRun, InForce {
  readonly store: SecretStore;
}

/**
 * The app a set-up mailbox signs in with, at the endpoints of the cloud in force. Throws `stored-secret-missing`, `authority-changed`,
 * `authority-unknown` (all 4) and, where the cloud is another than the recorded one (the sandbox), what discovery throws.
 */
export async function appOf(record: MailboxRecord, deps: AppDeps): Promise<OAuthApp> {
  const { registration } = record;
  let credential: ReturnType<typeof credentialOf> | undefined;
  if (registration.clientType === 'confidential') {
    const stored = await deps.store.read(clientSecretEntry(record));
    if (stored === undefined) {
      throw problem('stored-secret-missing', { mailbox: record.mailbox, for: record.for, clientId: registration.clientId });
    }
    credential = credentialOf(await boundSecret(record, decodeClientSecret(stored), deps.store, deps));
  }
  const { cloud } = deps;
  const endpoints = cloud.login === record.cloud.login ? record.endpoints : (await rediscover(record, deps)).endpoints;
  return { ...(await appAt({ ...record, cloud, endpoints }, deps)), ...credential };
}

async function rediscover(record: MailboxRecord, deps: AppDeps): Promise<Tenant> {
  const { discoverTenant } = await import('../entra/discovery.ts');
  return discoverTenant({
    network: await deps.network(),
    cloud: deps.cloud,
    domainOrId: record.tenantId,
    timeoutMs: deps.stepTimeoutMs,
    signal: deps.ctx.signal,
  });
}

/**
 * A new token set for an old one. Microsoft answers with a new refresh token; where it does not, the old one stays. An app that acts for
 * itself has none: it asks with its secret or certificate again.
 */
export async function refreshed(record: MailboxRecord, old: TokenSet, deps: AppDeps): Promise<TokenSet> {
  const refused = (error: unknown): never => {
    throw refreshRefusal(error, record);
  };
  if (record.access === 'app-only') return freshAppToken(record, deps).catch(refused);
  if (old.refreshToken === undefined) throw problem('not-refreshable', { mailbox: record.mailbox });
  const [app, { redeemRefreshToken }] = await Promise.all([appOf(record, deps), import('../oauth/msal.ts')]);
  const request = { refreshToken: old.refreshToken, scopes: [...record.scopes], mailbox: record.mailbox };
  const grant = await redeemRefreshToken(app, request).catch(refused);
  refuseOther(record, old, grant);
  return {
    accessToken: grant.accessToken,
    issuedAt: grant.receivedAt,
    expiresAt: grant.receivedAt + grant.expiresInSeconds * 1000,
    scopes: grant.scopes,
    account: old.account,
    authority: authorityOf(app.cloud, app),
    ...defined({ graph: old.graph }),
    refreshToken: grant.refreshToken ?? old.refreshToken,
    refreshTokenIssuedAt: grant.refreshToken === undefined ? (old.refreshTokenIssuedAt ?? old.issuedAt) : grant.receivedAt,
  };
}

/** The next token of an app that acts for itself, with no token before it needed. Throws `stored-secret-missing` and what `appToken` throws. */
export async function freshAppToken(record: MailboxRecord, deps: AppDeps): Promise<TokenSet> {
  const [app, { appToken }] = await Promise.all([appOf(record, deps), import('../oauth/client-credentials.ts')]);
  const set = await appToken(app, record.mailbox);
  refuseOther(record, set, set);
  return set;
}

/**
 * Is the answer to a refresh for whom it was asked? By the id_token, or by the access token where there is none and it can be read: what a
 * service gives for another account, tenant or app gets neither into the store nor out to a mail server. Throws `refresh-foreign` (4).
 */
function refuseOther(record: MailboxRecord, { account }: Pick<TokenSet, 'account'>, grant: Pick<Grant, 'accessToken' | 'idToken'>): void {
  const access = readAccessToken(grant.accessToken);
  const got = grant.idToken ?? (access.opaque ? {} : { ...access, audience: access.appId });
  const tenantId = account.tenantId ?? (isGuid(record.tenantId) ? record.tenantId : undefined);
  const pairs = [
    ['app', record.registration.clientId, got.audience],
    ['tenant', tenantId, got.tenantId],
    // A name may change: it tells only where there are no two ids to compare.
    account.objectId !== undefined && got.objectId !== undefined
      ? (['account', account.objectId, got.objectId] as const)
      : (['account', account.username, grant.idToken?.username] as const),
  ] as const;
  for (const [what, wanted, found] of pairs) {
    if (wanted === undefined || found === undefined || found.toLowerCase() === wanted.toLowerCase()) continue;
    throw problem('refresh-foreign', { mailbox: record.mailbox, for: record.for, what, wanted, got: found });
  }
}
