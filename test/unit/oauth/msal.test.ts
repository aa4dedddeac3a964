import { createHash } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { namedCloud } from '../../../src/core/cloud.ts';
import type { Network } from '../../../src/core/context.ts';
import { Interrupted } from '../../../src/core/errors.ts';
import { Secret } from '../../../src/core/secret.ts';
import { checkClient } from '../../../src/entra/client-check.ts';
import { discoverTenant } from '../../../src/entra/discovery.ts';
import { authorizationUrl, newPkce, redeemCode, redeemRefreshToken } from '../../../src/oauth/msal.ts';
import type { OAuthApp } from '../../../src/oauth/oauth-app.ts';
import { systemRandom } from '../../../src/system/clock-and-random.ts';
import { createNetwork } from '../../../src/system/network/network.ts';
import { type Canned, certificate, type HttpsServer, httpsServer } from '../../support/https-server.ts';

const tenantId = '11111111-2222-3333-4444-555555555555';
const clientId = 'aaaaaaaa-1111-2222-3333-444444444444';
const scopes = ['https://outlook.office.com/IMAP.AccessAsUser.All', 'offline_access', 'openid', 'profile', 'email'];
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const idToken = `${part({ alg: 'RS256' })}.${part({ aud: clientId, preferred_username: 'anna@contoso.com', oid: 'o', tid: tenantId, sub: 's', nonce: 'the-nonce' })}.sig`;
const granted = {
  token_type: 'Bearer',
  scope: 'https://outlook.office.com/IMAP.AccessAsUser.All',
  expires_in: '4711',
  access_token: 'at-secret',
  refresh_token: 'rt-secret',
  id_token: idToken,
};
const refused = (number: number, error: string) => ({
  error,
  error_description: `AADSTS${number}: No. Trace ID: x`,
  error_codes: [number],
});

let tls: { key: string; cert: string };
let server: HttpsServer;
let network: Network;
let answer: () => Canned | undefined;

beforeAll(async () => {
  tls = await certificate();
  server = await httpsServer(tls, () => answer());
  // To load Node's roots beside one more takes 50 ms, so all tests share it.
  network = createNetwork({ env: {}, ca: [tls.cert] });
  return () => server.close();
});
afterEach(() => {
  server.received.length = 0;
});

function app(more: Partial<OAuthApp> = {}): OAuthApp {
  const base = `${server.origin}/${tenantId}`;
  return {
    cloud: { ...namedCloud('public'), name: 'lab', login: server.origin },
    tenantId,
    endpoints: { issuer: `${base}/v2.0`, authorization: `${base}/oauth2/v2.0/authorize`, token: `${base}/oauth2/v2.0/token` },
    clientId,
    network,
    clock: { now: () => 1000, monotonic: () => 0, sleep: async () => undefined },
    timeoutMs: 5000,
    signal: new AbortController().signal,
    ...more,
  };
}

const code = () => ({
  code: new Secret('the-code'),
  redirectUri: 'http://localhost:1234',
  nonce: 'the-nonce',
  scopes,
  codeVerifier: new Secret('v'.repeat(43)),
  mailbox: 'anna@contoso.com',
});
const form = () => new URLSearchParams(server.received[0]?.body);

describe('the authorization address', () => {
  it('is code + S256 + query, made without a request', async () => {
    const { verifier, challenge } = newPkce(systemRandom);
    expect(challenge).toBe(createHash('sha256').update(verifier.reveal()).digest('base64url'));
    const url = new URL(
      await authorizationUrl(app(), {
        redirectUri: 'http://localhost:1234',
        scopes,
        state: 'st',
        codeChallenge: challenge,
        nonce: 'the-nonce',
        loginHint: 'anna@contoso.com',
      }),
    );
    expect(`${url.origin}${url.pathname}`).toBe(app().endpoints.authorization);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      client_id: clientId,
      response_type: 'code',
      response_mode: 'query',
      redirect_uri: 'http://localhost:1234',
      state: 'st',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      login_hint: 'anna@contoso.com',
    });
    expect(new Set(url.searchParams.get('scope')?.split(' '))).toEqual(new Set(scopes));
    expect(server.received).toEqual([]);
  });

  it("works for Microsoft's own host and for the sandbox's plain page", async () => {
    const login = 'https://login.microsoftonline.com';
    const request = {
      redirectUri: 'http://localhost',
      scopes,
      state: 's',
      codeChallenge: 'c',
      nonce: 'the-nonce',
      prompt: 'select_account' as const,
    };
    const real = app({
      cloud: namedCloud('public'),
      endpoints: {
        issuer: `${login}/${tenantId}/v2.0`,
        authorization: `${login}/${tenantId}/oauth2/v2.0/authorize`,
        token: `${login}/${tenantId}/oauth2/v2.0/token`,
      },
    });
    const url = await authorizationUrl(real, request);
    expect(url).toMatch(new RegExp(`^${login}/${tenantId}/oauth2/v2.0/authorize\\?`));
    expect(new URL(url).searchParams.get('prompt')).toBe('select_account');
    const sandbox = app({ endpoints: { ...app().endpoints, authorization: `http://localhost:8080/${tenantId}/oauth2/v2.0/authorize` } });
    expect(await authorizationUrl(sandbox, request)).toMatch(/^http:\/\/localhost:8080\//);
  });
});

describe('redeeming', () => {
  it('a code, as a public client', async () => {
    answer = () => ({ body: granted });
    const grant = await redeemCode(app(), code());
    expect(grant.accessToken.reveal()).toBe('at-secret');
    expect(grant.refreshToken?.reveal()).toBe('rt-secret');
    expect(grant).toMatchObject({
      expiresInSeconds: 4711,
      receivedAt: 1000,
      scopes: [granted.scope],
      idToken: { username: 'anna@contoso.com', audience: clientId },
    });
    expect(Object.fromEntries(form())).toMatchObject({
      grant_type: 'authorization_code',
      code: 'the-code',
      redirect_uri: 'http://localhost:1234',
      code_verifier: 'v'.repeat(43),
    });
    expect(form().has('client_secret')).toBe(false);
    expect(form().get('scope')).not.toMatch(/graph/i);
    expect(server.received).toHaveLength(1);
  });

  it.each([
    ['of another sign-in', 'another'],
    ['of none', undefined],
  ])('an id_token with the nonce %s is refused', async (_, nonce) => {
    const id_token = `${part({ alg: 'RS256' })}.${part({ aud: clientId, preferred_username: 'anna@contoso.com', tid: tenantId, sub: 's', nonce })}.sig`;
    answer = () => ({ body: { ...granted, id_token } });
    await expect(redeemCode(app(), code())).rejects.toMatchObject({ code: 'answer-foreign', exit: 1 });
  });

  it('a code, as a confidential client', async () => {
    answer = () => ({ body: granted });
    await redeemCode(app({ clientSecret: new Secret('s&=+') }), code());
    expect(form().get('client_secret')).toBe('s&=+');
  });

  it('a refresh token; an answer without scope grants what was asked', async () => {
    answer = () => ({ body: { access_token: 'a', token_type: 'Bearer', expires_in: 10 } });
    const grant = await redeemRefreshToken(app(), { refreshToken: new Secret('old'), scopes });
    expect(grant).toMatchObject({ expiresInSeconds: 10, scopes });
    expect([grant.refreshToken, grant.idToken]).toEqual([undefined, undefined]);
    expect(Object.fromEntries(form())).toMatchObject({ grant_type: 'refresh_token', refresh_token: 'old', client_id: clientId });
  });

  it.each<[string, Canned, string, number]>([
    ['an expired sign-in', { status: 400, body: refused(700082, 'invalid_grant') }, 'sign-in-expired', 4],
    ['a wrong secret', { status: 401, body: refused(7000215, 'invalid_client') }, 'client-secret-wrong', 1],
    ['missing consent', { status: 400, body: refused(65001, 'invalid_grant') }, 'consent-needed', 6],
    ['throttling', { status: 429, headers: { 'retry-after': '3' }, body: { error: 'temporarily_unavailable' } }, 'entra-busy', 5],
    ['a bad gateway', { status: 502, body: '<html>bad</html>' }, 'entra-busy', 5],
    ['a page', { body: '<html>hotel</html>' }, 'token-answer-unreadable', 1],
    ['no token', { body: { token_type: 'Bearer' } }, 'token-answer-unreadable', 1],
    ['a token with a line break', { body: { ...granted, access_token: 'a\r\nb' } }, 'token-answer-unreadable', 1],
  ])('%s', async (_, canned, expected, exit) => {
    answer = () => canned;
    await expect(redeemCode(app(), code())).rejects.toMatchObject({ code: expected, exit });
    // MSAL remembers throttled requests within one app object; ours is new each time.
    answer = () => ({ body: granted });
    expect((await redeemCode(app(), code())).accessToken.reveal()).toBe('at-secret');
  });

  it("keeps the network's own words, and Ctrl-C", async () => {
    await expect(redeemCode(app({ network: createNetwork({ env: {} }) }), code())).rejects.toMatchObject({ code: 'tls-untrusted' });
    answer = () => undefined;
    await expect(redeemCode(app({ timeoutMs: 50 }), code())).rejects.toMatchObject({ code: 'connect-timeout', exit: 5 });
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Interrupted()), 20);
    await expect(redeemCode(app({ signal: stop.signal }), code())).rejects.toBeInstanceOf(Interrupted);
  });

  it('no error carries a secret', async () => {
    answer = () => ({ status: 400, body: refused(9002313, 'invalid_request') });
    const error = await redeemCode(app({ clientSecret: new Secret('hush') }), code()).catch((e: unknown) => e);
    const { inspect } = await import('node:util');
    expect(inspect(error, { depth: 10 })).not.toMatch(/hush|the-code|vvvv/);
  });
});

describe('checkClient', () => {
  it.each<[string, Canned, string]>([
    ['a token', { body: granted }, 'ok'],
    ['a refused placeholder', { status: 400, body: refused(9002313, 'invalid_grant') }, 'unclear'],
    ['a missing role', { status: 400, body: refused(501051, 'invalid_grant') }, 'unclear'],
    ['a bad day', { status: 503, body: '' }, 'unanswered'],
  ])('%s: %s', async (_, canned, kind) => {
    answer = () => canned;
    expect(await checkClient(app())).toEqual({ kind });
  });

  it('believes what Entra says about client and secret', async () => {
    answer = () => ({ status: 400, body: refused(700016, 'unauthorized_client') });
    await expect(checkClient({ ...app(), mailbox: 'a@b.c' })).rejects.toMatchObject({ code: 'client-unknown', exit: 1 });
    expect(form().get('grant_type')).toBe('refresh_token');
    server.received.length = 0;
    answer = () => ({ status: 401, body: refused(7000215, 'invalid_client') });
    await expect(checkClient(app({ clientSecret: new Secret('id') }))).rejects.toMatchObject({ code: 'client-secret-wrong' });
    expect(Object.fromEntries(form())).toMatchObject({
      grant_type: 'client_credentials',
      client_secret: 'id',
      scope: 'https://outlook.office.com/.default',
    });
  });

  it('goes on without a network, stops with Ctrl-C', async () => {
    expect(await checkClient(app({ network: createNetwork({ env: {} }) }))).toEqual({ kind: 'unanswered' });
    const stop = new AbortController();
    stop.abort(new Interrupted());
    await expect(checkClient(app({ signal: stop.signal }))).rejects.toBeInstanceOf(Interrupted);
  });
});

it('the chain over real https: discovery, then the code', async () => {
  const { cloud, endpoints, network, signal } = app();
  answer = () =>
    server.received.length === 1
      ? { body: { issuer: endpoints.issuer, authorization_endpoint: endpoints.authorization, token_endpoint: endpoints.token } }
      : { body: granted };
  const tenant = await discoverTenant({ network, cloud, domainOrId: 'contoso.com', timeoutMs: 5000, signal });
  expect(tenant).toMatchObject({ id: tenantId, endpoints });
  expect((await redeemCode(app({ endpoints: tenant.endpoints }), code())).idToken?.tenantId).toBe(tenantId);
});
