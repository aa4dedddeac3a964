import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mailauth } from '../../src/core/next.ts';
import type { RegistrationPlan } from '../../src/core/registration-plan.ts';
import { Secret } from '../../src/core/secret.ts';
import { createGraph } from '../../src/entra/graph.ts';
import { permissionIds, resourceIds } from '../../src/entra/manifest.ts';
import { registerApp } from '../../src/entra/registration.ts';
import type { Sandbox, SandboxOptions } from '../../src/sandbox/start-sandbox.ts';
import { azureCli, sharedPassword } from '../../src/sandbox/tenant/directory.ts';
import {
  askToken,
  authorizeAddress,
  mailScope,
  signIn,
  type TestSandbox,
  testSandbox,
  tinyLoopback,
  tokensFor,
  verifier,
} from '../support/sandbox.ts';
import { graphAgainAs, graphAs, graphWith, type SandboxGraph } from '../support/sandbox-graph.ts';

let ends: (() => Promise<void>)[] = [];
const open = async (more: Partial<SandboxOptions> = {}): Promise<TestSandbox> => {
  const { sandbox, end } = await testSandbox(more);
  ends.push(end);
  return sandbox;
};
const asAdmin = async (more: Partial<SandboxOptions> = {}) => {
  const sandbox = await open(more);
  return { sandbox, graph: await (more.fault === undefined ? graphAgainAs : graphAs)(sandbox, sandbox.network) };
};
const claims = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());

beforeEach(() => {
  ends = [];
});
afterEach(async () => {
  for (const end of ends) await end();
});

const outlook = 'https://outlook.office.com/';
const exchangeNames = ['IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send'];
const publicApp = {
  displayName: 'mailauth test',
  signInAudience: 'AzureADMyOrg',
  isFallbackPublicClient: true,
  publicClient: { redirectUris: ['http://localhost'] },
  tags: ['mailauth:1234'],
  requiredResourceAccess: [
    {
      resourceAppId: resourceIds.exchange,
      resourceAccess: exchangeNames.map((name) => ({ id: permissionIds.exchange[name], type: 'Scope' })),
    },
  ],
};
const webApp = {
  displayName: 'mailauth web',
  signInAudience: 'AzureADMyOrg',
  web: { redirectUris: ['http://localhost/mailauth'] },
};

async function create(graph: SandboxGraph, body: object): Promise<{ id: string; appId: string }> {
  const { status, body: made } = await graph.call('POST', '/applications', body);
  expect(status).toBe(201);
  return { id: String(made.id), appId: String(made.appId) };
}

/** Service principal and the two tenant-wide grants, as `mailauth setup` makes them. */
async function consent(graph: SandboxGraph, appId: string): Promise<{ principal: string; statuses: number[] }> {
  const principal = (await graph.call('POST', '/servicePrincipals', { appId })).body.id ?? '';
  const statuses: number[] = [];
  for (const [resource, scope] of [
    [resourceIds.graph, 'openid profile email offline_access User.Read'],
    [resourceIds.exchange, exchangeNames.join(' ')],
  ]) {
    const { body } = await graph.call('GET', `/servicePrincipals(appId='${resource}')?$select=id`);
    const grant = { clientId: principal, consentType: 'AllPrincipals', principalId: null, resourceId: body.id, scope };
    statuses.push((await graph.call('POST', '/oauth2PermissionGrants', grant)).status);
  }
  return { principal, statuses };
}

const tokenOf = async (sandbox: Sandbox, network: TestSandbox['network'], appId: string, more: Record<string, string> = {}) => {
  const { answer, redirectUri } = await signIn(sandbox, network, { client_id: appId, ...more });
  const form = { client_id: appId, grant_type: 'authorization_code', code: answer.get('code') ?? '', redirect_uri: redirectUri };
  return askToken(sandbox, network, { ...form, code_verifier: verifier });
};

describe('the administrator as Azure CLI', () => {
  it('gets a Graph token with the roles, without a consent page', async () => {
    const { sandbox, graph } = await asAdmin();
    expect(claims(graph.token)).toMatchObject({
      aud: 'https://graph.microsoft.com',
      appid: azureCli.clientId,
      upn: 'admin@contoso.example',
      wids: ['62e90394-69f5-4237-9190-012177145e10', 'b79fbf4d-3ef9-4689-8143-76b194e85509'],
    });
    expect(claims(graph.token).scp.split(' ')).toEqual(
      expect.arrayContaining(['Application.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All']),
    );
    const plain = await graphAs(sandbox, sandbox.network, 'ada@contoso.example');
    expect(claims(plain.token).wids).toEqual(['b79fbf4d-3ef9-4689-8143-76b194e85509']);
    expect((await graph.call('GET', '/me/memberOf')).body.value).toMatchObject([{ displayName: 'Global Administrator' }]);
  });

  it('is the account that approve picks without a login_hint, and may ask for .default only', async () => {
    const sandbox = await open();
    const loopback = await tinyLoopback();
    const ask = async (scope: string) =>
      sandbox.approve(
        await authorizeAddress(sandbox.network, sandbox, { client_id: azureCli.clientId, scope, redirect_uri: loopback.uri }),
      );
    try {
      await ask('https://graph.microsoft.com/.default openid');
      const code = loopback.got[0]?.get('code') ?? '';
      const { body } = await askToken(sandbox, sandbox.network, {
        client_id: azureCli.clientId,
        grant_type: 'authorization_code',
        code,
        redirect_uri: loopback.uri,
        code_verifier: verifier,
      });
      expect(claims(body.access_token ?? '').upn).toBe('admin@contoso.example');
      expect(body.scope).toContain('https://graph.microsoft.com/Application.ReadWrite.All');
      expect(body.refresh_token).toBeUndefined();
      await expect(ask('https://graph.microsoft.com/User.Read')).rejects.toMatchObject({ detail: { aadsts: 65002 } });
    } finally {
      await loopback.close();
    }
  });

  it('is required by Graph: 401 for a missing token, a broken one, and one for Outlook', async () => {
    const sandbox = await open();
    const { body } = await tokensFor(sandbox, sandbox.network);
    for (const token of ['', 'rubbish', 'a.b.c', body.access_token ?? '']) {
      const answer = await graphWith(sandbox, sandbox.network, token).call('GET', '/organization');
      expect(answer.status).toBe(401);
      expect(answer.body.error).toMatchObject({ code: 'InvalidAuthenticationToken', innerError: { 'request-id': expect.any(String) } });
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    }
  });
});

describe('applications', () => {
  it('are made, found, changed and deleted', async () => {
    const { graph } = await asAdmin();
    const { id, appId } = await create(graph, publicApp);
    const find = async (query: string) => {
      const { body } = await graph.call('GET', `/applications?${query}`, undefined, { consistencylevel: 'eventual' });
      return body;
    };
    for (const filter of [`appId eq '${appId}'`, "displayName eq 'mailauth test'", "tags/any(t:t eq 'mailauth:1234')"]) {
      expect(await find(`$filter=${encodeURIComponent(filter)}&$select=id,appId&$count=true`)).toMatchObject({
        '@odata.count': 1,
        value: [{ id, appId }],
      });
    }
    expect(
      (await graph.call('PATCH', `/applications(appId='${appId}')`, { displayName: 'other', isFallbackPublicClient: false })).status,
    ).toBe(204);
    expect((await graph.call('GET', `/applications/${id}`)).body).toMatchObject({
      displayName: 'other',
      isFallbackPublicClient: false,
      publicClient: publicApp.publicClient,
      requiredResourceAccess: publicApp.requiredResourceAccess,
      passwordCredentials: [],
    });
    expect((await graph.call('GET', `/applications/${id}/owners`)).body.value).toMatchObject([
      { userPrincipalName: 'admin@contoso.example' },
    ]);
    expect((await graph.call('GET', '/applications/$count', undefined, { consistencylevel: 'eventual' })).text).toBe('3');
    expect((await graph.call('DELETE', `/applications/${id}`)).status).toBe(204);
    expect((await graph.call('GET', `/applications/${id}`)).body.error).toMatchObject({ code: 'Request_ResourceNotFound' });
    expect((await graph.call('GET', '/directory/deletedItems/microsoft.graph.application')).body.value).toMatchObject([{ id }]);
    expect((await graph.call('POST', `/directory/deletedItems/${id}/restore`)).status).toBe(200);
    expect((await graph.call('DELETE', `/applications/${id}`)).status).toBe(204);
    expect((await graph.call('DELETE', `/directory/deletedItems/${id}`)).status).toBe(204);
    expect((await graph.call('GET', `/directory/deletedItems/${id}`)).status).toBe(404);
  });

  it('are refused in the words of Graph', async () => {
    const { sandbox, graph } = await asAdmin();
    const wrong = await graph.call('POST', '/applications', { ...publicApp, publicClient: { redirectUris: ['http://helpdesk.example'] } });
    expect(wrong.status).toBe(400);
    expect(wrong.body.error).toMatchObject({
      code: 'Request_BadRequest',
      message: expect.stringContaining('publicClient.redirectUris[0]'),
    });
    expect((await graph.call('GET', '/users')).status).toBe(400);
    const broken = await sandbox.network.request({
      method: 'POST',
      url: `${sandbox.cloud.graph}/v1.0/applications`,
      headers: { authorization: `Bearer ${graph.token}` },
      body: '{',
      timeoutMs: 5000,
    });
    expect(JSON.parse(broken.text).error.message).toBe('Unable to read JSON request payload.');
    expect((await graph.call('DELETE', `/applications(appId='${sandbox.ready.public.clientId}')`)).status).toBe(400);
  });

  it('belong to their owner: other users may read them, administrators may change them', async () => {
    const { sandbox, graph: admin } = await asAdmin();
    const ada = await graphAgainAs(sandbox, sandbox.network, 'ada@contoso.example');
    const bob = await graphAgainAs(sandbox, sandbox.network, 'bob@contoso.example');
    const { id, appId } = await create(ada, publicApp);
    expect((await ada.call('POST', `/applications/${id}/addPassword`, {})).status).toBe(200);
    expect((await bob.call('GET', `/applications/${id}`)).status).toBe(200);
    const refusal = await bob.call('PATCH', `/applications/${id}`, { displayName: 'mine' });
    expect([refusal.status, refusal.body.error?.code]).toEqual([403, 'Authorization_RequestDenied']);
    expect((await consent(ada, appId)).statuses).toEqual([403, 403]);
    const appAdmin = await graphAgainAs(sandbox, sandbox.network, 'appadmin@contoso.example');
    expect((await appAdmin.call('PATCH', `/applications/${id}`, { displayName: 'ours' })).status).toBe(204);
    expect((await admin.call('GET', `/applications/${id}`)).body.displayName).toBe('ours');
  });

  it('lose nothing when two processes write at once', async () => {
    const { sandbox, graph } = await asAdmin();
    const other = await sandbox.again();
    const there = graphWith(other, sandbox.network, graph.token);
    await Promise.all([1, 2, 3, 4].flatMap((n) => [graph, there].map((one) => create(one, { ...publicApp, displayName: `app ${n}` }))));
    expect((await graph.call('GET', "/applications?$filter=startswith(displayName,'app ')")).body.value).toHaveLength(8);
    const { appId } = await create(graph, publicApp);
    const both = await Promise.all([graph, there].map((one) => one.call('POST', '/servicePrincipals', { appId })));
    expect(both.map((one) => one.status).sort()).toEqual([201, 409]);
  });
});

describe('a registered app', () => {
  it('signs in without a consent page only after an administrator granted consent', async () => {
    const { sandbox, graph } = await asAdmin();
    const { appId } = await create(graph, publicApp);
    const before = await signIn(sandbox, sandbox.network, { client_id: appId, scope: mailScope });
    expect(before.answer.get('error_description')).toMatch(/^AADSTS90094/);
    expect((await consent(graph, appId)).statuses).toEqual([201, 201]);
    const { answer } = await signIn(sandbox, sandbox.network, { client_id: appId, scope: mailScope });
    expect(answer.get('code')).not.toBeNull();
    const { body } = await tokenOf(sandbox, sandbox.network, appId);
    expect(claims(body.access_token ?? '')).toMatchObject({ appid: appId, app_displayname: 'mailauth test', scp: exchangeNames.join(' ') });
    const refresh = { client_id: appId, grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' };
    expect((await askToken(sandbox, sandbox.network, refresh)).response.status).toBe(200);
    const [grant] = (await graph.call('GET', "/oauth2PermissionGrants?$filter=consentType eq 'AllPrincipals'")).body.value ?? [];
    expect(grant).toMatchObject({ consentType: 'AllPrincipals', principalId: null });
  });

  it('loses its tokens with its grants, and everything when the app is deleted', async () => {
    const { sandbox, graph } = await asAdmin();
    const { id, appId } = await create(graph, publicApp);
    const { principal } = await consent(graph, appId);
    const { body } = await tokenOf(sandbox, sandbox.network, appId);
    const refresh = async () =>
      (await askToken(sandbox, sandbox.network, { client_id: appId, grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' }))
        .body.error_codes;
    const query = `/oauth2PermissionGrants?$filter=clientId eq '${principal}' and consentType eq 'AllPrincipals'`;
    const grants = (await graph.call('GET', query)).body.value ?? [];
    expect(grants).toHaveLength(2);
    const mail = grants.find((one) => one.scope?.includes('SMTP'))?.id;
    expect((await graph.call('PATCH', `/oauth2PermissionGrants/${mail}`, { scope: 'SMTP.Send' })).status).toBe(204);
    expect(await refresh()).toEqual([65001]);
    expect((await graph.call('DELETE', `/oauth2PermissionGrants/${mail}`)).status).toBe(204);
    expect((await graph.call('DELETE', `/oauth2PermissionGrants/${mail}`)).status).toBe(404);
    expect((await graph.call('DELETE', `/applications/${id}`)).status).toBe(204);
    expect((await graph.call('GET', query)).body.value).toEqual([]);
    expect((await graph.call('GET', `/servicePrincipals/${principal}`)).status).toBe(404);
    expect(await refresh()).toEqual([700016]);
  });

  it('has secrets that work, expire and can be taken away', async () => {
    const { sandbox, graph } = await asAdmin();
    const { id, appId } = await create(graph, webApp);
    await consent(graph, appId);
    const add = (endDateTime: string) =>
      graph.call('POST', `/applications/${id}/addPassword`, { passwordCredential: { displayName: 'mailauth', endDateTime } });
    const soon = new Date(Date.now() + 60_000).toISOString();
    const { body: secret } = await add(soon);
    expect(secret.secretText).toMatch(/^.{3}8Q~.{34}$/);
    expect(secret.secretText?.slice(0, 3)).toBe(secret.hint);
    expect((await add('2020-01-01T00:00:00Z')).status).toBe(400);
    const shown = await graph.call('GET', `/applications/${id}?$select=passwordCredentials`);
    expect(shown.body.passwordCredentials).toMatchObject([{ keyId: secret.keyId, displayName: 'mailauth', secretText: null }]);
    const check = {
      client_id: appId,
      grant_type: 'client_credentials',
      scope: `${outlook}.default`,
      client_secret: String(secret.secretText),
    };
    expect((await askToken(sandbox, sandbox.network, check)).response.status).toBe(200);
    const later = await sandbox.again({ ctx: { ...sandbox.ctx, clock: { ...sandbox.ctx.clock, now: () => Date.now() + 61_000 } } });
    expect((await askToken(later, sandbox.network, check)).body.error_codes).toEqual([7000222]);
    const { answer, redirectUri } = await signIn(sandbox, sandbox.network, { client_id: appId, redirect_uri: 'http://localhost/mailauth' });
    const form = {
      client_id: appId,
      grant_type: 'authorization_code',
      code: answer.get('code') ?? '',
      redirect_uri: redirectUri,
      code_verifier: verifier,
    };
    expect((await askToken(sandbox, sandbox.network, form)).body.error_codes).toEqual([7000218]);
    expect((await askToken(sandbox, sandbox.network, { ...form, client_secret: check.client_secret })).response.status).toBe(200);
    const remove = () => graph.call('POST', `/applications/${id}/removePassword`, { keyId: secret.keyId });
    expect([(await remove()).status, (await remove()).status]).toEqual([204, 400]);
    expect((await askToken(sandbox, sandbox.network, check)).body.error_codes).toEqual([7000215]);
  });

  it('keeps to its audience and its redirect URIs', async () => {
    const { sandbox, graph } = await asAdmin();
    const { appId } = await create(graph, publicApp);
    const none = await create(graph, { displayName: 'none', signInAudience: 'AzureADMultipleOrgs' });
    const approve = async (tenant: string, clientId: string, redirect = 'http://localhost:9') => {
      const url = (await authorizeAddress(sandbox.network, sandbox, { client_id: clientId, redirect_uri: redirect })).replace(
        sandbox.tenant.id,
        tenant,
      );
      return sandbox.approve(url);
    };
    await expect(approve('common', appId)).rejects.toMatchObject({ detail: { aadsts: 50194 } });
    await expect(approve('contoso.example', appId, 'http://localhost:9/x')).rejects.toMatchObject({ detail: { aadsts: 50011 } });
    await expect(approve('contoso.example', none.appId)).rejects.toMatchObject({ detail: { aadsts: 500113 } });
  });

  it('has one grant for each resource: a second one is 409', async () => {
    const { graph } = await asAdmin();
    const { appId } = await create(graph, publicApp);
    const { principal } = await consent(graph, appId);
    const { body: exchange } = await graph.call('GET', `/servicePrincipals?$filter=appId eq '${resourceIds.exchange}'`);
    const resourceId = exchange.value?.[0]?.id;
    const grant = { clientId: principal, consentType: 'AllPrincipals', principalId: null, resourceId, scope: 'SMTP.Send' };
    const codes = async (more: object) => {
      const { status, body } = await graph.call('POST', '/oauth2PermissionGrants', { ...grant, ...more });
      return [status, body.error?.code];
    };
    expect(await codes({})).toEqual([409, 'Request_MultipleObjectsWithSameKeyValue']);
    expect(await codes({ clientId: appId })).toEqual([404, 'Request_ResourceNotFound']);
    expect(await codes({ scope: 'Nonsense' })).toEqual([400, 'Request_BadRequest']);
    expect(await codes({ consentType: 'Principal' })).toEqual([400, 'Request_BadRequest']);
  });
});

describe("mailauth's own registration", () => {
  const plan: RegistrationPlan = {
    displayName: 'mailauth osticket helpdesk@contoso.example',
    audience: 'single',
    platform: 'web',
    redirectUris: ['https://helpdesk.example/callback', 'http://localhost:23682/mailauth'],
    publicClientFlows: false,
    implicitTokens: false,
    graphPermissions: ['openid', 'profile', 'email', 'offline_access', 'User.Read'],
    exchangePermissions: exchangeNames,
    secretMonths: 12,
    consent: 'admin',
    tag: 'mailauth:5f2c',
  };

  it.each([undefined, 'graph-lag', 'graph-throttled', 'graph-unavailable'])(
    'ends with one app, one secret and two grants (fault: %s)',
    async (fault) => {
      const { sandbox, graph } = await asAdmin(fault === undefined ? {} : { fault });
      const { ctx, cloud, network } = sandbox;
      const clock = { ...ctx.clock, sleep: async () => undefined };
      const commands = {
        resume: mailauth('setup', { resume: true }),
        undo: mailauth('logout', { deleteApp: true }),
        handoff: mailauth('setup', { register: 'handoff' }),
      };
      const secrets: string[] = [];
      const run = () => {
        const shared = { clock, signal: ctx.signal };
        const client = createGraph({ ...shared, network, cloud, token: new Secret(graph.token), random: ctx.random, timeoutMs: 5000 });
        const keepSecret = async (secret: Secret) => void secrets.push(secret.reveal());
        return registerApp(
          { ...shared, graph: client, commands, keepSecret },
          plan,
          known,
          async (progress) => void Object.assign(known, progress),
        );
      };
      const known = {};
      const made = await run();
      expect(made.changed).toEqual(expect.arrayContaining(['application', 'service-principal', 'grant', 'secret']));
      Object.assign(known, { keyIds: [made.secret?.keyId] });
      expect((await run()).changed).toEqual([]);
      const { value = [] } = (await graph.call('GET', "/applications?$filter=tags/any(t:t eq 'mailauth:5f2c')")).body;
      expect(value.map((app) => app.passwordCredentials?.length)).toEqual([1]);
      expect((await graph.call('GET', `/servicePrincipals/${made.spObjectId}/oauth2PermissionGrants`)).body.value).toHaveLength(2);
      const { answer, redirectUri } = await signIn(sandbox, network, {
        client_id: made.appId,
        redirect_uri: 'http://localhost:23682/mailauth',
      });
      expect(answer.get('code')).not.toBeNull();
      const form = {
        client_id: made.appId,
        grant_type: 'authorization_code',
        code: answer.get('code') ?? '',
        redirect_uri: redirectUri,
        code_verifier: verifier,
      };
      expect((await askToken(sandbox, network, { ...form, client_secret: secrets[0] ?? '' })).response.status).toBe(200);
      expect(secrets).toHaveLength(1);
    },
  );
});

describe('admin consent', () => {
  const address = (sandbox: Sandbox, clientId: string, more: Record<string, string> = {}, tenant = 'contoso.example') =>
    `${sandbox.cloud.login}/${tenant}/v2.0/adminconsent?${new URLSearchParams({
      client_id: clientId,
      scope: `${exchangeNames.map((name) => outlook + name).join(' ')} openid offline_access profile`,
      state: 's',
      ...more,
    })}`;
  const visit = async (sandbox: TestSandbox, clientId: string, as?: string, more: Record<string, string> = {}) => {
    const loopback = await tinyLoopback();
    try {
      await sandbox.approve(address(sandbox, clientId, { redirect_uri: loopback.uri, ...more }), as);
      return Object.fromEntries(loopback.got[0] ?? []);
    } finally {
      await loopback.close();
    }
  };

  it('lets every user sign in once it is granted', async () => {
    const { sandbox, graph } = await asAdmin();
    const { appId } = await create(graph, publicApp);
    const answer = await visit(sandbox, appId);
    expect(answer).toMatchObject({ admin_consent: 'True', tenant: sandbox.tenant.id, state: 's' });
    expect(answer.scope).toContain(`${outlook}IMAP.AccessAsUser.All`);
    expect((await tokenOf(sandbox, sandbox.network, appId)).response.status).toBe(200);
    expect((await visit(sandbox, appId, 'appadmin@contoso.example')).error).toBeUndefined();
    expect((await graph.call('GET', '/oauth2PermissionGrants')).body.value).toHaveLength(2);
    const declared = await create(graph, { ...publicApp, displayName: 'declared' });
    expect((await visit(sandbox, declared.appId, undefined, { scope: `${outlook}.default` })).scope?.split(' ')).toHaveLength(3);
  });

  it('shows what is asked for the organization, and Cancel returns both an error and admin_consent', async () => {
    const { sandbox, graph } = await asAdmin();
    const { appId } = await create(graph, publicApp);
    const first = await sandbox.network.request({
      method: 'GET',
      url: address(sandbox, appId, { redirect_uri: 'http://localhost:9' }),
      timeoutMs: 5000,
    });
    const url = first.headers.location ?? '';
    const page = await sandbox.network.request({ method: 'GET', url, timeoutMs: 5000 });
    const ticket = /name="ticket" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    expect(page.text.indexOf('admin@contoso.example')).toBeGreaterThan(0);
    const post = (path: string, fields: Record<string, string>) =>
      sandbox.network.request({
        method: 'POST',
        url: new URL(path, url).href,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ ticket, ...fields }).toString(),
        timeoutMs: 5000,
      });
    expect((await post('/sandbox/consent', { decision: 'accept' })).status).toBe(400);
    const review = await post('/sandbox/account', { account: 'admin@contoso.example' });
    expect(review.text).toContain('Review for your organization');
    expect(review.text).toContain('IMAP.AccessAsUser.All');
    const back = new URL((await post('/sandbox/consent', { decision: 'cancel' })).headers.location ?? '');
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ admin_consent: 'True', error: 'consent_required', state: 's' });
    expect(back.searchParams.get('error_description')).toMatch(/^AADSTS65004/);
    expect((await post('/sandbox/consent', { decision: 'accept' })).status).toBe(400);
    expect((await graph.call('GET', '/oauth2PermissionGrants')).body.value).toEqual([]);
  });

  it('needs an administrator, a tenant and a redirect URI', async () => {
    const { sandbox, graph } = await asAdmin();
    const { appId } = await create(graph, publicApp);
    expect(await visit(sandbox, appId, 'ada@contoso.example')).toMatchObject({ admin_consent: 'True', error: 'access_denied' });
    const none = await create(graph, { displayName: 'none', signInAudience: 'AzureADMyOrg' });
    const shown = (clientId: string, more: Record<string, string>, tenant?: string) =>
      expect(sandbox.approve(address(sandbox, clientId, more, tenant))).rejects;
    const redirect = { redirect_uri: 'http://localhost:9' };
    await shown(none.appId, redirect).toMatchObject({ detail: { aadsts: 500113 } });
    await shown(appId, {}).toMatchObject({ detail: { aadsts: 900971 } });
    await shown(appId, { redirect_uri: 'https://evil.example/' }).toMatchObject({ detail: { aadsts: 50011 } });
    await shown(appId, redirect, 'common').toMatchObject({ detail: { aadsts: 50059 } });
    expect((await graph.call('GET', '/oauth2PermissionGrants')).body.value).toEqual([]);
  });
});

describe('password sign-in', () => {
  it('works for a public client with consent, and gives a reason otherwise', async () => {
    const { sandbox, graph } = await asAdmin();
    const { id, appId } = await create(graph, publicApp);
    const form = {
      client_id: appId,
      grant_type: 'password',
      username: 'helpdesk@contoso.example',
      password: sharedPassword,
      scope: `${mailScope}`,
    };
    const ask = (more: Record<string, string> = {}) => askToken(sandbox, sandbox.network, { ...form, ...more });
    const codes = async (more: Record<string, string> = {}) => (await ask(more)).body.error_codes;
    expect(await codes()).toEqual([65001]);
    await consent(graph, appId);
    const { response, body } = await ask();
    expect(response.status).toBe(200);
    expect(claims(body.access_token ?? '')).toMatchObject({ upn: 'helpdesk@contoso.example', aud: 'https://outlook.office.com' });
    expect(body.refresh_token).toBeDefined();
    expect(await codes({ password: 'wrong' })).toEqual([50126]);
    expect(await codes({ username: 'mfa@contoso.example' })).toEqual([50076]);
    expect(await codes({ username: 'nobody@nowhere.example' })).toEqual([50034]);
    expect(await codes({ username: 'shared@contoso.example' })).toEqual([50057]);
    expect(await codes({ password: '' })).toEqual([900144]);
    expect(await codes({ client_secret: 'x' })).toEqual([700025]);
    await graph.call('PATCH', `/applications/${id}`, { isFallbackPublicClient: false, signInAudience: 'AzureADMultipleOrgs' });
    expect(await codes()).toEqual([7000218]);
    const at = async (tenant: string) => {
      const request = { method: 'POST', url: `${sandbox.cloud.login}/${tenant}/oauth2/v2.0/token`, timeoutMs: 5000 } as const;
      const answer = await sandbox.network.request({ ...request, body: new URLSearchParams(form).toString() });
      return JSON.parse(answer.text).error_codes;
    };
    expect([await at('common'), await at('consumers'), await at('organizations')]).toEqual([[9001023], [9001023], [7000218]]);
  });
});

describe('faults', () => {
  it('graph-lag: two calls of each kind do not find a new app', async () => {
    const { sandbox, graph } = await asAdmin({ fault: 'graph-lag' });
    const { id, appId } = await create(graph, publicApp);
    const seen: unknown[] = [];
    for (let n = 0; n < 3; n++) {
      const { status, body } = await graph.call('POST', '/servicePrincipals', { appId });
      seen.push(status === 400 ? body.error?.details?.[0]?.code : status);
    }
    expect(seen).toEqual(['NoBackingApplicationObject', 'NoBackingApplicationObject', 201]);
    const principal = (await graph.call('GET', `/servicePrincipals(appId='${appId}')`)).body.id;
    const { body: resource } = await graph.call('GET', `/servicePrincipals(appId='${resourceIds.exchange}')`);
    const grant = { clientId: principal, consentType: 'AllPrincipals', principalId: null, resourceId: resource.id, scope: 'SMTP.Send' };
    const thrice = async (path: string, body: object) => {
      const all: number[] = [];
      for (let n = 0; n < 3; n++) all.push((await graph.call('POST', path, body)).status);
      return all;
    };
    expect(await thrice('/oauth2PermissionGrants', grant)).toEqual([404, 404, 201]);
    expect(await thrice(`/applications/${id}/addPassword`, {})).toEqual([404, 404, 200]);
    expect(sandbox.joined).toBe(false);
  });

  it('graph-throttled and graph-unavailable: the first calls of a command', async () => {
    const { graph } = await asAdmin({ fault: 'graph-throttled' });
    const answers = [
      await graph.call('GET', '/organization'),
      await graph.call('GET', '/organization'),
      await graph.call('GET', '/organization'),
    ];
    expect(answers.map((one) => [one.status, one.headers['retry-after']])).toEqual([
      [429, '1'],
      [429, '1'],
      [200, undefined],
    ]);
    const other = await asAdmin({ fault: 'graph-unavailable' });
    expect([
      (await other.graph.call('POST', '/applications', publicApp)).status,
      (await other.graph.call('GET', '/organization')).status,
    ]).toEqual([503, 200]);
  });

  it.each(['client-unknown', 'code-expired', 'admin-consent-required', 'consent-denied'])(
    '%s spares the administrator as Azure CLI',
    async (fault) => {
      const { graph } = await asAdmin({ fault });
      expect((await graph.call('GET', '/organization')).status).toBe(200);
    },
  );

  it('graph-not-admin: the app is made, and its grant is refused', async () => {
    const { sandbox, graph } = await asAdmin({ fault: 'graph-not-admin' });
    expect(claims(graph.token).wids).toHaveLength(1);
    const { appId } = await create(graph, publicApp);
    expect((await consent(graph, appId)).statuses).toEqual([403, 403]);
    const url = `${sandbox.cloud.login}/contoso.example/v2.0/adminconsent?client_id=${appId}&redirect_uri=http%3A%2F%2Flocalhost%3A9&scope=openid`;
    const loopback = await tinyLoopback();
    await sandbox.approve(url.replace('localhost%3A9', encodeURIComponent(new URL(loopback.uri).host)));
    await loopback.close();
    expect(loopback.got[0]?.get('error_description')).toMatch(/^AADSTS90094/);
  });

  it.each([
    ['registration-forbidden', '/applications', 403, 'Authorization_RequestDenied'],
    ['audience-forbidden', '/applications', 400, 'SignInAudienceNotAllowedAsPerAppPolicy'],
    ['secrets-forbidden', 'addPassword', 400, 'CredentialTypeNotAllowedAsPerAppPolicy'],
    ['secret-lifetime-policy', 'addPassword', 400, 'CredentialInvalidLifetimeAsPerAppPolicy'],
  ])('%s: %s answers %i %s', async (fault, path, status, code) => {
    const { graph } = await asAdmin({ fault });
    const adding = path === 'addPassword';
    const at = adding ? `/applications/${(await create(graph, publicApp)).id}/addPassword` : path;
    const answer = await graph.call('POST', at, adding ? {} : { ...publicApp, signInAudience: 'AzureADMultipleOrgs' });
    expect([answer.status, answer.body.error?.code]).toEqual([status, code]);
    const management = (await graph.call('GET', '/policies/defaultAppManagementPolicy')).body;
    const authorization = (await graph.call('GET', '/policies/authorizationPolicy')).body;
    const registration = fault === 'registration-forbidden';
    expect(management.isEnabled).toBe(!registration);
    expect(authorization.defaultUserRolePermissions).toMatchObject({ allowedToCreateApps: !registration });
    if (fault !== 'secret-lifetime-policy') return;
    const short = { passwordCredential: { endDateTime: new Date(Date.now() + 170 * 86_400_000).toISOString() } };
    expect((await graph.call('POST', at, short)).status).toBe(200);
  });

  it('secret-not-replicated: a new secret is refused twice, then works', async () => {
    const { sandbox, graph } = await asAdmin({ fault: 'secret-not-replicated' });
    const { id, appId } = await create(graph, webApp);
    const { body } = await graph.call('POST', `/applications/${id}/addPassword`, {});
    const form = {
      client_id: appId,
      grant_type: 'client_credentials',
      scope: `${outlook}.default`,
      client_secret: String(body.secretText),
    };
    const codes: unknown[] = [];
    for (let n = 0; n < 3; n++) codes.push((await askToken(sandbox, sandbox.network, form)).body.error_codes);
    expect(codes).toEqual([[7000215], [7000215], undefined]);
  });

  it('no-exchange: no service principal, and sign-in says so', async () => {
    const { sandbox, graph } = await asAdmin({ fault: 'no-exchange' });
    expect((await graph.call('GET', `/servicePrincipals(appId='${resourceIds.exchange}')`)).status).toBe(404);
    expect((await graph.call('GET', '/organization')).body.value).toMatchObject([{ assignedPlans: [] }]);
    await expect(sandbox.approve(await authorizeAddress(sandbox.network, sandbox, {}))).rejects.toMatchObject({
      detail: { aadsts: 650052 },
    });
  });
});
