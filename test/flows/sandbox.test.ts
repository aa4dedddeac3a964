import { createHash } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SandboxOptions } from '../../src/sandbox/start-sandbox.ts';
import {
  askToken,
  authorizeAddress,
  signIn,
  type TestSandbox,
  testSandbox,
  tinyLoopback,
  tokensFor,
  verifier,
} from '../support/sandbox.ts';

let ends: (() => Promise<void>)[] = [];
const open = async (more: Partial<SandboxOptions> = {}): Promise<TestSandbox> => {
  const { sandbox, end } = await testSandbox(more);
  ends.push(end);
  return sandbox;
};
const claims = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());

beforeEach(() => {
  ends = [];
});
afterEach(async () => {
  for (const end of ends) await end();
});

describe('sign-in with code and PKCE', () => {
  it('ends with tokens of the shape and size of Entra', async () => {
    const sandbox = await open();
    expect(await sandbox.pagesSeen()).toBe(0);
    const { response, body } = await tokensFor(sandbox, sandbox.network);
    expect(await sandbox.pagesSeen()).toBe(1);
    expect(response.status).toBe(200);
    expect(body).toMatchObject({ token_type: 'Bearer', scope: 'https://outlook.office.com/IMAP.AccessAsUser.All' });
    expect(body.expires_in).toBeGreaterThanOrEqual(3600);
    expect(body.expires_in).toBeLessThan(5400);
    const access: string = body.access_token ?? '';
    expect(access.length).toBeGreaterThan(1500);
    expect(access.length).toBeLessThan(2300);
    expect(claims(access)).toMatchObject({
      aud: 'https://outlook.office.com',
      iss: `https://sts.windows.net/${sandbox.tenant.id}/`,
      upn: 'helpdesk@contoso.example',
      scp: 'IMAP.AccessAsUser.All',
      ver: '1.0',
    });
    expect(claims(body.id_token ?? '')).toMatchObject({
      iss: `${sandbox.cloud.login}/${sandbox.tenant.id}/v2.0`,
      aud: sandbox.ready.public.clientId,
      preferred_username: 'helpdesk@contoso.example',
    });
    expect(body.refresh_token).toMatch(/^1\.A[\w-]{1100,1300}$/);
    expect(JSON.parse(Buffer.from(body.client_info ?? '', 'base64url').toString()).utid).toBe(sandbox.tenant.id);
  });

  it('redeems a code once, with its own redirect and verifier only', async () => {
    const sandbox = await open();
    const { answer, redirectUri } = await signIn(sandbox, sandbox.network);
    expect(answer.get('state')).toBe('the-state');
    const form = { grant_type: 'authorization_code', code: answer.get('code') ?? '', redirect_uri: redirectUri, code_verifier: verifier };
    const codes = async (more: Record<string, string>) => (await askToken(sandbox, sandbox.network, { ...form, ...more })).body.error_codes;
    expect(await codes({ code_verifier: 'w'.repeat(43) })).toEqual([501481]);
    expect(await codes({ redirect_uri: 'http://localhost:1' })).toEqual([500112]);
    expect(await codes({ client_secret: 'x' })).toEqual([700025]);
    expect(await codes({ scope: 'https://outlook.office.com/SMTP.Send https://graph.microsoft.com/User.Read' })).toEqual([28000]);
    const both = await Promise.all([codes({}), codes({})]);
    expect(both).toContainEqual(undefined);
    expect(both).toContainEqual([54005]);
  });

  it('lets a code live for one minute', async () => {
    let ahead = 0;
    const sandbox = await open();
    const later = await sandbox.again({
      ctx: { ...sandbox.ctx, clock: { ...sandbox.ctx.clock, now: () => Date.now() + ahead } },
    });
    const { answer, redirectUri } = await signIn(later, sandbox.network);
    ahead = 61_000;
    const form = { grant_type: 'authorization_code', code: answer.get('code') ?? '', redirect_uri: redirectUri, code_verifier: verifier };
    expect((await askToken(later, sandbox.network, form)).body.error_codes).toEqual([70008]);
  });

  it('wants the secret of the confidential app', async () => {
    const sandbox = await open();
    const { clientId, clientSecret, redirectUri: registered } = sandbox.ready.confidential;
    const { answer, redirectUri } = await signIn(sandbox, sandbox.network, { client_id: clientId, redirect_uri: registered });
    const form = {
      client_id: clientId,
      grant_type: 'authorization_code',
      code: answer.get('code') ?? '',
      redirect_uri: redirectUri,
      code_verifier: verifier,
    };
    expect((await askToken(sandbox, sandbox.network, form)).body.error_codes).toEqual([7000218]);
    const wrong = await askToken(sandbox, sandbox.network, { ...form, client_secret: 'wrong' });
    expect(wrong.response.status).toBe(401);
    expect(wrong.body).toMatchObject({ error: 'invalid_client', error_codes: [7000215] });
    expect((await askToken(sandbox, sandbox.network, { ...form, client_secret: clientSecret.reveal() })).response.status).toBe(200);
    const check = { client_id: clientId, grant_type: 'client_credentials', scope: 'https://outlook.office365.com/.default' };
    expect((await askToken(sandbox, sandbox.network, { ...check, client_secret: clientSecret.reveal() })).response.status).toBe(200);
    expect((await askToken(sandbox, sandbox.network, { ...check, client_secret: 'no' })).body.error_codes).toEqual([7000215]);
  });

  it('satisfies MSAL', async () => {
    const sandbox = await open();
    const { PublicClientApplication } = await import('@azure/msal-node');
    const send = async (method: 'GET' | 'POST', url: string, options?: { headers?: Record<string, string>; body?: string }) => {
      const more = { headers: options?.headers ?? {}, ...(options?.body === undefined ? {} : { body: options.body }) };
      const response = await sandbox.network.request({ method, url, ...more, timeoutMs: 5000 });
      return { status: response.status, headers: { ...response.headers }, body: JSON.parse(response.text) };
    };
    const networkClient = {
      sendGetRequestAsync: (url: string, options?: object) => send('GET', url, options),
      sendPostRequestAsync: (url: string, options?: object) => send('POST', url, options),
    };
    const { clientId } = sandbox.ready.public;
    const authority = `${sandbox.cloud.login}/${sandbox.tenant.id}`;
    const app = new PublicClientApplication({
      auth: { clientId, authority, knownAuthorities: [new URL(authority).host] },
      system: { networkClient },
    });
    const loopback = await tinyLoopback();
    try {
      const scopes = ['https://outlook.office.com/IMAP.AccessAsUser.All'];
      const request = { scopes, redirectUri: loopback.uri };
      const challenge = { codeChallenge: createHash('sha256').update(verifier).digest('base64url'), codeChallengeMethod: 'S256' };
      await sandbox.approve(await app.getAuthCodeUrl({ ...request, ...challenge, loginHint: 'ada@contoso.example' }));
      const result = await app.acquireTokenByCode({ ...request, codeVerifier: verifier, code: loopback.got[0]?.get('code') ?? '' });
      expect(result.account?.username).toBe('ada@contoso.example');
      expect(result.scopes).toEqual(scopes);
      const { account } = result;
      if (account === null) throw new Error('MSAL found no account');
      const refreshed = await app.acquireTokenSilent({ scopes, account, forceRefresh: true });
      expect(refreshed.accessToken).not.toBe(result.accessToken);
    } finally {
      await loopback.close();
    }
  });

  it('names an unknown tenant, and never redirects for a wrong redirect URI or an unknown client', async () => {
    const sandbox = await open();
    const url = `${sandbox.cloud.login}/nowhere.example/v2.0/.well-known/openid-configuration`;
    const unknown = await sandbox.network.request({ method: 'GET', url, timeoutMs: 5000 });
    expect(unknown.status).toBe(400);
    expect(JSON.parse(unknown.text)).toMatchObject({ error: 'invalid_tenant', error_codes: [90002] });
    const approve = async (more: Record<string, string>, as?: string) =>
      sandbox.approve(await authorizeAddress(sandbox.network, sandbox, more), as);
    await expect(approve({ redirect_uri: 'http://localhost:9/other' })).rejects.toMatchObject({ detail: { aadsts: 50011 } });
    await expect(approve({ client_id: '00000000-0000-4000-8000-000000000000' })).rejects.toMatchObject({ detail: { aadsts: 700016 } });
    await expect(approve({}, 'shared@contoso.example')).rejects.toMatchObject({ detail: { aadsts: 50057 } });
    await expect(approve({}, 'me@nowhere.example')).rejects.toMatchObject({ detail: { aadsts: 50034 } });
    await expect(approve({}, 'me@outlook.com')).rejects.toMatchObject({ code: 'sandbox-sign-in-stopped', detail: { aadsts: 50020 } });
  });
});

describe('faults', () => {
  it('consent-denied: Accept leads to a denial', async () => {
    const sandbox = await open({ fault: 'consent-denied' });
    const { answer } = await signIn(sandbox, sandbox.network);
    expect(Object.fromEntries(answer)).toMatchObject({ error: 'access_denied', error_subcode: 'cancel', state: 'the-state' });
    expect(answer.get('error_description')).toMatch(/^AADSTS65004: .* Trace ID: .* Correlation ID: .* Timestamp: /);
    expect(answer.get('code')).toBeNull();
  });

  it('admin-consent-required: the page leads back with AADSTS90094', async () => {
    const sandbox = await open({ fault: 'admin-consent-required' });
    const { answer } = await signIn(sandbox, sandbox.network);
    expect(answer.get('error_description')).toMatch(/^AADSTS90094: /);
  });

  it.each([
    ['code-expired', 400, 70008],
    ['token-unavailable', 503, 90033],
    ['throttled', 429, 90055],
  ])('%s: status %i, AADSTS%i', async (fault, status, aadsts) => {
    const sandbox = await open({ fault });
    const { response, body } = await tokensFor(sandbox, sandbox.network);
    expect(response.status).toBe(status);
    expect(body.error_codes).toEqual([aadsts]);
    expect(response.headers['retry-after']).toBe(fault === 'throttled' ? '5' : undefined);
  });

  it('wrong-scope: everything but IMAP', async () => {
    const sandbox = await open({ fault: 'wrong-scope' });
    const scope = 'https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send';
    const { body } = await tokensFor(sandbox, sandbox.network, { scope });
    expect(body.scope).toBe('https://outlook.office.com/SMTP.Send');
    expect(body.refresh_token).toBeUndefined();
  });
});

describe('state', () => {
  it('keeps tokens and consent between commands, in files of mode 0600', async () => {
    const sandbox = await open();
    const { body } = await tokensFor(sandbox, sandbox.network);
    await sandbox.close();
    for (const file of ['state.json', 'keys.json', 'ca.pem']) expect((await stat(join(sandbox.home, file))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(sandbox.home, 'state.json'), 'utf8')).not.toContain(body.refresh_token);

    const next = await sandbox.again();
    expect(next.ca).toBe(sandbox.ca);
    expect(next.ready.confidential.clientSecret.reveal()).toBe(sandbox.ready.confidential.clientSecret.reveal());
    const form = {
      grant_type: 'refresh_token',
      refresh_token: body.refresh_token ?? '',
      scope: 'https://outlook.office.com/IMAP.AccessAsUser.All',
    };
    const first = await askToken(next, sandbox.network, form);
    const second = await askToken(next, sandbox.network, form);
    expect([first.response.status, second.response.status]).toEqual([200, 200]);
    expect(first.body.refresh_token).not.toBe(body.refresh_token);
    const codes = async (refresh_token: string) => (await askToken(next, sandbox.network, { ...form, refresh_token })).body.error_codes;
    expect(await codes('rubbish')).toEqual([9002313]);
    expect(await codes('1.Abcdef')).toEqual([70000]);
    for (const [fault, aadsts] of [
      ['refresh-revoked', 50173],
      ['refresh-expired', 700082],
    ] as const) {
      const faulty = await sandbox.again({ fault });
      expect((await askToken(faulty, sandbox.network, form)).body.error_codes).toEqual([aadsts]);
    }
  });

  it('ends a refresh token after 90 idle days', async () => {
    const sandbox = await open();
    const { body } = await tokensFor(sandbox, sandbox.network);
    const clock = { ...sandbox.ctx.clock, now: () => Date.now() + 91 * 86_400_000 };
    const later = await sandbox.again({ ctx: { ...sandbox.ctx, clock } });
    const { body: refused } = await askToken(later, sandbox.network, {
      grant_type: 'refresh_token',
      refresh_token: body.refresh_token ?? '',
    });
    expect(refused.error_codes).toEqual([700082]);
  });

  it('sets a broken state file aside and begins again', async () => {
    const sandbox = await open();
    await sandbox.close();
    await writeFile(join(sandbox.home, 'state.json'), '{"version":1,');
    const next = await sandbox.again();
    expect((await tokensFor(next, sandbox.network)).response.status).toBe(200);
    expect((await readdir(sandbox.home)).filter((name) => name.startsWith('state.broken-'))).toHaveLength(1);
  });

  it('allows several sandboxes at once on one home, also at the first start', async () => {
    const sandbox = await open();
    const home = join(sandbox.home, 'fresh');
    const both = await Promise.all([sandbox.again({ home }), sandbox.again({ home }), sandbox.again({ home })]);
    expect(new Set(both.map((one) => one.ca)).size).toBe(1);
    const answers = await Promise.all(both.map((one) => tokensFor(one, sandbox.ctx.network.trusting(one.ca))));
    expect(answers.map((one) => one.response.status)).toEqual([200, 200, 200]);
    const state = JSON.parse(await readFile(join(home, 'state.json'), 'utf8'));
    expect(state.refreshTokens).toHaveLength(3);
  });
});

describe('a running sandbox', () => {
  it('is joined while it answers, is ignored afterwards, and is never joined with a fault', async () => {
    const sandbox = await open({ announce: true });
    const joined = await sandbox.again();
    expect(joined.joined).toBe(true);
    expect(joined.cloud).toEqual(sandbox.cloud);
    expect((await tokensFor(joined, sandbox.network)).response.status).toBe(200);
    expect(await joined.pagesSeen()).toBe(await sandbox.pagesSeen());
    expect((await sandbox.again({ fault: 'throttled' })).joined).toBe(false);

    const announced = await readFile(join(sandbox.home, 'running.json'), 'utf8');
    for (const more of [{}, { fault: 'throttled' }]) {
      await expect(sandbox.again({ announce: true, ...more })).rejects.toMatchObject({
        code: 'sandbox-running',
        title: expect.stringContaining(sandbox.cloud.login),
      });
    }
    expect(await readFile(join(sandbox.home, 'running.json'), 'utf8')).toBe(announced);
    await sandbox.close();
    await expect(readFile(join(sandbox.home, 'running.json'))).rejects.toThrow('ENOENT');
    await writeFile(join(sandbox.home, 'running.json'), announced);
    expect((await sandbox.again()).joined).toBe(false);
  });

  it('says which fixed port is taken', async () => {
    const sandbox = await open();
    const login = Number(new URL(sandbox.cloud.login).port);
    await expect(sandbox.again({ ports: { login } })).rejects.toMatchObject({ code: 'sandbox-port-taken', exit: 1 });
  });
});

describe('pages', () => {
  const hostile = '"><script>alert(1)</script>';
  const get = async (sandbox: TestSandbox, more: Record<string, string>) => {
    const url = await authorizeAddress(sandbox.network, sandbox, more);
    return { url, page: await sandbox.network.request({ method: 'GET', url, timeoutMs: 5000 }) };
  };

  it('escape what comes from outside and run no scripts', async () => {
    const sandbox = await open();
    const { page } = await get(sandbox, { login_hint: hostile, state: hostile, nonce: hostile });
    expect(page.status).toBe(200);
    expect(page.text).toContain('mailauth sandbox - not Microsoft');
    expect(page.text).toContain('&#34;&#62;&#60;script&#62;');
    expect(page.text).not.toContain('<script');
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-.*'; form-action 'self' http:\/\/localhost:9;/,
    );
    const unknown = await get(sandbox, { client_id: hostile });
    expect(unknown.page.status).toBe(400);
    expect(unknown.page.text).not.toContain('<script');
    const redirect = await get(sandbox, { redirect_uri: hostile });
    expect(redirect.page.text).not.toContain('<script');
    expect(redirect.page.headers.location).toBeUndefined();
  });

  it('escape what is typed into "Use another account", and lead back', async () => {
    const sandbox = await open();
    const { url, page } = await get(sandbox, { state: hostile });
    const ticket = /name="ticket" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const post = (path: string, fields: Record<string, string>) =>
      sandbox.network.request({
        method: 'POST',
        url: new URL(path, url).href,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
        timeoutMs: 5000,
      });
    const refused = await post('/sandbox/account', { ticket, account: hostile });
    expect(refused.text).toContain('AADSTS50034');
    expect(refused.text).not.toContain('<script');
    expect((await post('/sandbox/consent', { ticket, decision: 'accept' })).status).toBe(400);
    expect((await post('/sandbox/consent', { ticket: 'guessed', decision: 'accept' })).status).toBe(400);
    const consent = await post('/sandbox/account', { ticket, account: 'ada@contoso.example' });
    expect(consent.text).toContain('Read and write your mail over IMAP');
    const back = await post('/sandbox/consent', { ticket, decision: 'accept' });
    expect(back.status).toBe(302);
    expect(new URL(back.headers.location ?? '').searchParams.get('state')).toBe(hostile);
  });

  it('ask for consent once, and again with prompt=consent', async () => {
    const sandbox = await open();
    await signIn(sandbox, sandbox.network);
    const account = async (more: Record<string, string>) => {
      const { url, page } = await get(sandbox, more);
      const ticket = /name="ticket" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
      const body = new URLSearchParams({ ticket, account: 'helpdesk@contoso.example' }).toString();
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return sandbox.network.request({ method: 'POST', url: new URL('/sandbox/account', url).href, headers, body, timeoutMs: 5000 });
    };
    expect((await account({ prompt: 'select_account' })).status).toBe(302);
    const asked = await account({ prompt: 'consent' });
    expect(asked.status).toBe(200);
    expect(asked.text).toContain('value="accept"');
  });
});
