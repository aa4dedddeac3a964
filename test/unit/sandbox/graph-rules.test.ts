import { describe, expect, it } from 'vitest';
import { applicationBody, permissionIds, resourceIds } from '../../../src/entra/manifest.ts';
import { consentBlocked, consentedKeys, grantTenantWide } from '../../../src/sandbox/entra/consents.ts';
import { readScopes } from '../../../src/sandbox/entra/scope-rules.ts';
import { readApplicationBody } from '../../../src/sandbox/graph/graph-application-body.ts';
import type { GraphCall } from '../../../src/sandbox/graph/graph-call.ts';
import { answerCount, answerList, answerOne } from '../../../src/sandbox/graph/graph-query.ts';
import {
  audienceRefuses,
  declaredScopes,
  findApp,
  preauthorizationRefuses,
  registrationOf,
} from '../../../src/sandbox/tenant/app-objects.ts';
import { administrator, azureCli, effectiveRoles, readyApps } from '../../../src/sandbox/tenant/directory.ts';
import { resources } from '../../../src/sandbox/tenant/microsoft-resources.ts';
import { redirectProblem } from '../../../src/sandbox/tenant/redirects.ts';
import type { App, State } from '../../../src/sandbox/tenant/state-schema.ts';

const app: App = { clientId: 'aaaa', name: 'App', publicRedirects: ['http://localhost'], webRedirects: [], secrets: [] };
const made = (more: Partial<ReturnType<typeof registrationOf>> = {}): App => ({
  ...app,
  registration: { ...registrationOf(app), ...more },
});
const state = (more: Partial<State> = {}): State => ({
  version: 1,
  apps: [made()],
  consents: [],
  codes: [],
  refreshTokens: [],
  deviceCodes: [],
  servicePrincipals: [],
  grants: [],
  roleAssignments: [],
  deletedApps: [],
  domains: {},
  exchange: { switches: {}, rights: [], principals: [], scopes: [], roles: [], customized: false },
  readySecret: 'x',
  ...more,
});

describe('redirect URIs that Entra registers', () => {
  it.each([
    ['http://localhost', 'public'],
    ['http://localhost:23682/mailauth', 'web'],
    ['http://127.0.0.1/x', 'public'],
    ['https://helpdesk.example/callback?x=1', 'web'],
    ['myapp://auth', 'public'],
    ['urn:ietf:wg:oauth:2.0:oob', 'public'],
    ['https://*.contoso.example/x', 'web'],
  ] as const)('%s on %s', (uri, platform) => {
    expect(redirectProblem(uri, platform, false)).toBeUndefined();
  });

  it.each([
    ['http://helpdesk.example/callback', 'web', false, /HTTPS/],
    ['http://[::1]/x', 'public', false, /HTTPS/],
    ['http://localhost.evil.example/', 'web', false, /HTTPS/],
    ['https://helpdesk.example/a(b)', 'web', false, /character/],
    ['https://münchen.example/', 'web', false, /character/],
    ['https://helpdesk.example/#x', 'web', false, /fragment/],
    ['https://user@helpdesk.example/', 'web', false, /user information/],
    ['myapp://auth', 'web', false, /HTTPS/],
    ['callback', 'web', false, /absolute/],
    ['', 'web', false, /absolute/],
    ['https://helpdesk.example/?x=1', 'web', true, /query/],
    ['https://*.contoso.example/', 'web', true, /wildcard/],
    [`https://helpdesk.example/${'x'.repeat(256)}`, 'web', false, /256/],
  ] as const)('not %s on %s', (uri, platform, personal, why) => {
    expect(redirectProblem(uri, platform, personal)).toMatch(why);
  });
});

describe('the body of an application', () => {
  const refusal = (body: unknown): string => {
    const read = readApplicationBody(body, undefined);
    return 'status' in read ? `${read.status} ${read.error?.message}` : 'accepted';
  };
  const graphAccess = (id: string) => ({
    requiredResourceAccess: [{ resourceAppId: resourceIds.graph, resourceAccess: [{ id, type: 'Scope' }] }],
  });

  it('takes what mailauth sends', () => {
    const body = applicationBody({
      displayName: 'mailauth custom helpdesk@contoso.example',
      audience: 'multi-and-personal',
      platform: 'web',
      redirectUris: ['https://helpdesk.example/callback'],
      publicClientFlows: false,
      implicitTokens: true,
      graphPermissions: ['User.Read', 'IMAP.AccessAsUser.All'],
      exchangePermissions: ['SMTP.Send'],
      consent: 'admin',
      tag: 'mailauth:1',
    });
    expect(readApplicationBody(body, undefined)).toMatchObject({
      audience: 'AzureADandPersonalMicrosoftAccount',
      webRedirects: ['https://helpdesk.example/callback'],
      implicit: { accessToken: true, idToken: true },
      tokenVersion: 2,
      tags: ['mailauth:1'],
    });
  });

  it.each([
    [{}, /displayName/],
    [{ displayName: '  ' }, /displayName/],
    [{ displayName: 7 }, /'displayName'/],
    [undefined, /JSON object/],
    [{ displayName: 'x', signInAudience: 'Everybody' }, /'signInAudience'/],
    [{ displayName: 'x', signInAudience: 'AzureADMyOrg', web: { redirectUris: ['http://a.example'] } }, /web\.redirectUris\[0\]/],
    [{ displayName: 'x', signInAudience: 'AzureADMyOrg', web: { redirectUris: 'https://a.example' } }, /web\.redirectUris/],
    [{ displayName: 'x', web: { redirectUris: ['http://localhost'] }, publicClient: { redirectUris: ['http://localhost'] } }, /distinct/],
    [{ displayName: 'x', passwordCredentials: [{ displayName: 'y' }] }, /service actions/],
    [{ displayName: 'x', colour: 'red' }, /Invalid property 'colour'/],
    [{ displayName: 'x', web: { redirectURIs: [] } }, /web\.redirectURIs/],
    [{ displayName: 'x', isFallbackPublicClient: 'yes' }, /isFallbackPublicClient/],
    [{ displayName: 'x', signInAudience: 'PersonalMicrosoftAccount' }, /requestedAccessTokenVersion/],
    [{ displayName: 'x'.repeat(91) }, /90 characters/],
    [{ displayName: 'x', ...graphAccess('00000000-0000-4000-8000-000000000000') }, /does not have/],
    [{ displayName: 'x', ...graphAccess(permissionIds.exchange['SMTP.Send'] ?? '') }, /Microsoft Graph does not have/],
  ])('refuses %j', (body, why) => {
    expect(refusal(body)).toMatch(why);
    expect(refusal(body)).toMatch(/^400 /);
  });

  it('merges a PATCH: collections are replaced, the rest stays', () => {
    const before = readApplicationBody(
      {
        displayName: 'x',
        signInAudience: 'AzureADMyOrg',
        tags: ['a'],
        web: { redirectUris: ['https://a.example/'], implicitGrantSettings: { enableIdTokenIssuance: true } },
      },
      undefined,
    );
    if ('status' in before) throw new Error('refused');
    expect(readApplicationBody({ web: { redirectUris: ['https://b.example/'] } }, before)).toEqual({
      ...before,
      webRedirects: ['https://b.example/'],
    });
  });
});

describe('queries', () => {
  const entity = { set: 'things', type: 'thing', filterable: ['name', 'tags', 'owner'] };
  const rows = [
    { id: '1', name: "O'Hara and Sons", tags: ['mailauth:1', 'x'], owner: null },
    { id: '2', name: 'Other', tags: [], owner: 'me' },
    { id: '3', name: 'Otter', tags: ['x'], owner: 'me' },
  ];
  const call = (query: string, eventual = false) => ({ query: new URLSearchParams(query), eventual }) as GraphCall;
  const ids = (query: string) => {
    const { body, error } = answerList(rows, entity, call(query), 'https://g/things');
    return error?.message ?? (body as { value: { id: string }[] }).value.map((row) => row.id).join();
  };

  it.each([
    ["$filter=name eq 'o''hara and sons'", '1'],
    ["$filter=tags/any(t:t eq 'mailauth:1')", '1'],
    ["$filter=tags/any(t:t eq 'x') and name eq 'Otter'", '3'],
    ["$filter=startswith(name,'ot') and owner eq 'me'", '2,3'],
    ['$filter=owner eq null', '1'],
    ["$filter=name eq 'nobody'", ''],
    ['', '1,2,3'],
  ])('%s finds %j', (query, found) => {
    expect(ids(query)).toBe(found);
  });

  it.each([
    ["$filter=colour eq 'red'", /Unsupported or invalid query filter clause.*colour/],
    ["$filter=name like 'x'", /Invalid filter clause/],
    ["$filter=name eq 'x", /Invalid filter clause/],
    ['$select=id,colour', /Could not find a property named 'colour'/],
    ['$expand=owners', /expand/],
    ['$top=0', /page size/],
  ])('%s is refused', (query, why) => {
    expect(ids(query)).toMatch(why);
  });

  it('selects, counts and pages', () => {
    expect(answerOne(rows[0] ?? {}, entity, call('$select=id')).body).toEqual({ '@odata.context': expect.any(String), id: '1' });
    const first = answerList(rows, entity, call('$top=2&$count=true', true), 'https://g/things').body as Record<string, string>;
    expect(first['@odata.count']).toBe(3);
    expect(ids(new URL(first['@odata.nextLink'] ?? '').search)).toBe('3');
    expect(answerList(rows, entity, call('$count=true'), '').body).not.toHaveProperty('@odata.count');
    expect(answerCount(rows, entity, call("$filter=tags/any(t:t eq 'x')", true)).text).toBe('2');
    expect(answerCount(rows, entity, call('')).status).toBe(400);
  });
});

describe('consent', () => {
  const asked = (text: string) => {
    const read = readScopes(text, 'https://localhost:1/graph');
    if (read.kind !== 'ok') throw new Error(read.kind);
    return read.scopes;
  };
  const imap = asked('https://outlook.office.com/IMAP.AccessAsUser.All');

  it('is blocked for users where Microsoft manages it: IMAP and POP, not SMTP, and not the ready apps', () => {
    expect(consentBlocked('aaaa', [], imap)).toBe(true);
    expect(consentBlocked('aaaa', [], asked('https://outlook.office.com/POP.AccessAsUser.All openid'))).toBe(true);
    expect(consentBlocked('aaaa', [], asked('https://outlook.office.com/SMTP.Send User.Read openid'))).toBe(false);
    expect(consentBlocked('aaaa', [], asked('Application.ReadWrite.All'))).toBe(true);
    expect(consentBlocked('aaaa', effectiveRoles(administrator, undefined), imap)).toBe(false);
    expect(consentBlocked(readyApps.public.clientId, [], imap)).toBe(false);
  });

  it('for all users is one grant for each resource, and a second consent adds to it', () => {
    const now = state();
    let count = 0;
    const how = { now: 0, uuid: () => `id-${++count}` };
    grantTenantWide(now, 'aaaa', asked('openid https://outlook.office.com/SMTP.Send'), how);
    grantTenantWide(now, 'aaaa', imap, how);
    expect(now.servicePrincipals).toHaveLength(1);
    expect(now.grants.map((one) => [one.resourceId, one.scope])).toEqual([
      [resources.graph.objectId, 'openid'],
      [resources.outlook.objectId, 'SMTP.Send IMAP.AccessAsUser.All'],
    ]);
    expect(consentedKeys(now, 'aaaa', 'ada@contoso.example')).toEqual([
      'openid/openid',
      'outlook/SMTP.Send',
      'outlook/IMAP.AccessAsUser.All',
    ]);
    expect(consentedKeys(now, 'bbbb', 'ada@contoso.example')).toEqual([]);
  });

  it("is not needed by Azure CLI, for Graph's .default only", () => {
    const cli = findApp(state(), azureCli.clientId.toUpperCase());
    if (cli === undefined) throw new Error('no Azure CLI');
    expect(preauthorizationRefuses(cli, 'https://graph.microsoft.com/.default offline_access openid')).toBeUndefined();
    expect(preauthorizationRefuses(cli, 'https://localhost:1/graph/.default')).toBeUndefined();
    expect(preauthorizationRefuses(cli, 'https://graph.microsoft.com/User.Read')).toMatchObject({ aadsts: 65002 });
    expect(preauthorizationRefuses(cli, 'https://outlook.office.com/.default')).toMatchObject({ aadsts: 65002 });
    expect(preauthorizationRefuses(app, 'https://graph.microsoft.com/User.Read')).toBeUndefined();
  });
});

it('limits an app to its audience, and .default to what the app declares', () => {
  expect(audienceRefuses(made({ audience: 'AzureADMyOrg' }), 'common')).toMatchObject({ aadsts: 50194 });
  expect(audienceRefuses(made({ audience: 'AzureADMyOrg' }), 'contoso.example')).toBeUndefined();
  expect(audienceRefuses(made({ audience: 'AzureADMultipleOrgs' }), 'organizations')).toBeUndefined();
  expect(audienceRefuses(made({ audience: 'PersonalMicrosoftAccount' }), 'contoso.example')).toMatchObject({ aadsts: 9002331 });
  expect(audienceRefuses(app, 'common')).toBeUndefined();
  const id = permissionIds.exchange['SMTP.Send'] ?? '';
  const one = made({ permissions: [{ resourceAppId: resourceIds.exchange, resourceAccess: [{ id, type: 'Scope' }] }] });
  expect(readScopes('https://outlook.office.com/.default', '', declaredScopes(one))).toMatchObject({ scopes: [{ name: 'SMTP.Send' }] });
});

it('publishes the ids that mailauth checks them against', () => {
  for (const [resource, names] of [
    [resources.graph, permissionIds.graph],
    [resources.outlook, permissionIds.exchange],
  ] as const)
    for (const [name, id] of Object.entries(names)) expect(resource.scopes.find((one) => one.value === name)?.id).toBe(id);
});
