import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cloud, namedCloud } from '../../../src/core/cloud.ts';
import type { HttpResponse, Network } from '../../../src/core/context.ts';
import { MailauthError } from '../../../src/core/errors.ts';
import { mailauth } from '../../../src/core/next.ts';
import { discoverTenant, isTenantWord, tenantForMailbox } from '../../../src/entra/discovery.ts';
import { testContext } from '../../support/context.ts';

const id = '11111111-2222-3333-4444-555555555555';
const configuration = (host = 'login.microsoftonline.com', more: Record<string, unknown> = {}) => ({
  issuer: `https://${host}/${id}/v2.0`,
  authorization_endpoint: `https://${host}/${id}/oauth2/v2.0/authorize`,
  token_endpoint: `https://${host}/${id}/oauth2/v2.0/token`,
  tenant_region_scope: 'EU',
  ...more,
});
const refusal = (number: number, error = 'invalid_tenant') => ({ error, error_description: `AADSTS${number}: No.`, error_codes: [number] });

const asked: string[] = [];
function network(answer: Partial<HttpResponse> & { body?: unknown }): Network {
  return {
    ...testContext().network,
    request: async ({ url }) => {
      asked.push(url);
      return { status: answer.status ?? 200, headers: answer.headers ?? {}, text: answer.text ?? JSON.stringify(answer.body) };
    },
  };
}

const discover = (answer: Parameters<typeof network>[0], domainOrId = 'contoso.com', cloud: Cloud = namedCloud('public')) =>
  discoverTenant({ network: network(answer), cloud, domainOrId, timeoutMs: 1000, signal: new AbortController().signal });

describe('discoverTenant', () => {
  it('finds id and endpoints', async () => {
    const tenant = await discover({ body: configuration() }, 'Contoso.com');
    expect(tenant).toEqual({
      id,
      foundBy: 'contoso.com',
      endpoints: {
        issuer: configuration().issuer,
        authorization: configuration().authorization_endpoint,
        token: configuration().token_endpoint,
      },
    });
    expect(asked.at(-1)).toBe('https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration');
  });

  it('takes consumers and organizations for what they are', async () => {
    const many = {
      issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
      authorization_endpoint: 'https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize',
      token_endpoint: 'https://login.microsoftonline.com/organizations/oauth2/v2.0/token',
    };
    expect((await discover({ body: many }, 'organizations')).id).toBe('organizations');
    expect((await discover({ body: many }, 'consumers')).id).toBe('9188040d-6c67-4c5b-b112-36a304b66dad');
  });

  it.each<[string, Parameters<typeof network>[0], string, number]>([
    ['an unknown domain', { status: 400, body: refusal(90002) }, 'tenant-unknown', 1],
    ['a malformed tenant', { status: 400, body: refusal(900023, 'invalid_request') }, 'tenant-unknown', 1],
    ['invalid_tenant without a number', { status: 400, body: { error: 'invalid_tenant' } }, 'tenant-unknown', 1],
    ['throttling', { status: 429, headers: { 'retry-after': '7' }, text: '' }, 'discovery-busy', 5],
    ['a server error', { status: 503, text: '<html>' }, 'discovery-busy', 5],
    ['a captive portal', { text: '<html>Welcome to the hotel</html>' }, 'discovery-unreadable', 1],
    ['a redirect', { status: 302, text: '' }, 'discovery-unreadable', 1],
    ['other JSON', { body: { hello: 1 } }, 'discovery-unreadable', 1],
    ['GCC High by its host', { body: configuration('login.microsoftonline.us') }, 'tenant-other-cloud', 1],
    [
      'GCC High by its scope',
      { body: configuration(undefined, { tenant_region_scope: 'USGov', tenant_region_sub_scope: 'DODCON' }) },
      'tenant-other-cloud',
      1,
    ],
    ['an older tenant of GCC High', { body: configuration(undefined, { tenant_region_scope: 'USG' }) }, 'tenant-other-cloud', 1],
    [
      'v1 endpoints',
      { body: configuration(undefined, { token_endpoint: `https://login.microsoftonline.com/${id}/oauth2/token` }) },
      'endpoints-not-v2',
      1,
    ],
    ['a v1 issuer', { body: configuration(undefined, { issuer: `https://sts.windows.net/${id}/` }) }, 'endpoints-not-v2', 1],
    ['a stranger', { body: configuration('evil.example') }, 'endpoints-foreign', 1],
    [
      'plain http',
      { body: configuration(undefined, { token_endpoint: `http://login.microsoftonline.com/${id}/oauth2/v2.0/token` }) },
      'endpoints-foreign',
      1,
    ],
  ])('%s', async (_, answer, code, exit) => {
    await expect(discover(answer)).rejects.toMatchObject({ code, exit });
  });

  it('names the exact cloud', async () => {
    const dod = configuration('login.microsoftonline.us', { tenant_region_scope: 'USGov', tenant_region_sub_scope: 'DOD' });
    await expect(discover({ body: dod })).rejects.toMatchObject({
      next: [mailauth('setup', { tenant: 'contoso.com', cloud: 'usgov-dod' })],
    });
    await expect(discover({ body: dod }, 'contoso.com', namedCloud('usgov'))).rejects.toMatchObject({ code: 'tenant-other-cloud' });
    expect((await discover({ body: dod }, 'contoso.com', namedCloud('usgov-dod'))).id).toBe(id);
    const gcc = configuration(undefined, { tenant_region_scope: 'NA', tenant_region_sub_scope: 'GCC' });
    expect((await discover({ body: gcc })).id).toBe(id);
    await expect(discover({ body: gcc }, 'contoso.com', namedCloud('china'))).rejects.toMatchObject({
      next: [expect.objectContaining({ flags: expect.objectContaining({ cloud: 'public' }) })],
    });
  });

  it('a page on plain http is for the sandbox only', async () => {
    const lab: Cloud = { ...namedCloud('public'), name: 'lab', login: 'https://localhost:8443' };
    const body = configuration('localhost:8443', { authorization_endpoint: `http://localhost:8080/${id}/oauth2/v2.0/authorize` });
    await expect(discover({ body }, 'contoso.com', lab)).rejects.toMatchObject({ code: 'endpoints-foreign' });
    expect((await discover({ body }, 'contoso.com', { ...lab, name: 'sandbox' })).endpoints.authorization).toMatch(/^http:/);
    const far = { ...body, authorization_endpoint: `http://example.com/${id}/oauth2/v2.0/authorize` };
    await expect(discover({ body: far }, 'contoso.com', { ...lab, name: 'sandbox' })).rejects.toMatchObject({ code: 'endpoints-foreign' });
  });

  it('sends no junk anywhere', async () => {
    const before = asked.length;
    for (const junk of ['', '../common', 'contoso.com/x', 'a b.com', 'contoso', '%2e%2e', 'x?y.com', '-']) {
      expect(isTenantWord(junk)).toBe(false);
      await expect(discover({ body: {} }, junk)).rejects.toMatchObject({ code: 'tenant-malformed', exit: 2 });
    }
    expect(asked).toHaveLength(before);
  });

  it('fails on junk only in its own words', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), fc.integer({ min: 200, max: 599 }), async (text, status) => {
        await expect(discover({ text, status })).rejects.toBeInstanceOf(MailauthError);
      }),
    );
  });
});

it.each([
  ['a@outlook.com', 'consumers'],
  ['a@windowslive.com', 'consumers'],
  ['a@Hotmail.co.uk', 'consumers'],
  ['a@live.nl', 'consumers'],
  ['a@msn.com', 'consumers'],
  ['a@passport.com', 'consumers'],
  ['a@contoso.com', 'contoso.com'],
  ['a@live.contoso.com', 'live.contoso.com'],
  ['a@myoutlook.com', 'myoutlook.com'],
  ['a@contoso.onmicrosoft.com', 'contoso.onmicrosoft.com'],
])('the tenant of %s is looked up by %s', (mailbox, tenant) => expect(tenantForMailbox(mailbox)).toBe(tenant));
