import type { Cloud, Tenant } from '../core/cloud.ts';
import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import type { SecretStore } from '../core/stores.ts';
import { problem } from '../errors/problem.ts';
import { credentialOf } from '../oauth/client-certificate.ts';
import { type AppRun, appAt, type OAuthApp } from '../oauth/oauth-app.ts';
import { clientSecretEntry } from '../store/token-entry.ts';
import { refreshRefusal } from './refresh-refusal.ts';

interface AppDeps extends AppRun {
  readonly cloud: Cloud;
  readonly store: SecretStore;
}

/**
 * The app a set-up mailbox signs in with, at the endpoints of the cloud in force. Throws `stored-secret-missing` and,
 * where the cloud is another than the recorded one (a laboratory that moved, the sandbox), what discovery throws.
 */
export async function appOf(record: MailboxRecord, deps: AppDeps): Promise<OAuthApp> {
  const { registration } = record;
  let credential: ReturnType<typeof credentialOf> | undefined;
  if (registration.clientType === 'confidential') {
    const stored = await deps.store.read(clientSecretEntry(record));
    if (stored === undefined) {
      throw problem('stored-secret-missing', { mailbox: record.mailbox, for: record.for, clientId: registration.clientId });
    }
    credential = credentialOf(stored);
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
  return {
    accessToken: grant.accessToken,
    issuedAt: grant.receivedAt,
    expiresAt: grant.receivedAt + grant.expiresInSeconds * 1000,
    scopes: grant.scopes,
    account: old.account,
    refreshToken: grant.refreshToken ?? old.refreshToken,
    refreshTokenIssuedAt: grant.refreshToken === undefined ? (old.refreshTokenIssuedAt ?? old.issuedAt) : grant.receivedAt,
  };
}

/** The next token of an app that acts for itself, with no token before it needed. Throws `stored-secret-missing` and what `appToken` throws. */
export async function freshAppToken(record: MailboxRecord, deps: AppDeps): Promise<TokenSet> {
  const [app, { appToken }] = await Promise.all([appOf(record, deps), import('../oauth/client-credentials.ts')]);
  return appToken(app, record.mailbox);
}
