import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../../src/core/context.ts';
import { differences, readApplication, withKeys } from '../../../src/entra/application.ts';
import { ensureAppRoles } from '../../../src/entra/ensure-service-principal.ts';
import { applicationBody, appRoleAssignmentBody, appRoleIds } from '../../../src/entra/manifest.ts';
import type { RegistrationRun } from '../../../src/entra/registration-run.ts';
import { checkRights } from '../../../src/entra/rights.ts';
import { planRegistration } from '../../../src/products/plan.ts';
import { thisComputer } from '../../../src/products/this-computer.ts';
import { commands, connected, refused } from './fake-graph.ts';

const golden = (name: string): unknown => JSON.parse(readFileSync(new URL(`../../golden/graph/${name}.json`, import.meta.url), 'utf8'));
const answers = {
  name: 'mailauth this-computer helpdesk@contoso.com',
  audience: 'single',
  clientType: 'confidential',
  redirectUri: '',
  protocols: ['smtp', 'imap'],
  secretMonths: 12,
  consent: 'admin',
  access: 'app-only',
} as const;
const setupId = '0b5d7c1e-3f7a-4c58-9a1e-6f2d1c0b9a88';
const certificate = { der: 'MIIB', thumbprint: 'abc', startsAt: '2026-11-22T00:00:00Z', expiresAt: '2027-11-22T00:00:00Z' };
const sha1 = createHash('sha1').update(Buffer.from('MIIB', 'base64')).digest('hex').toUpperCase();
const plan = planRegistration(thisComputer, answers, setupId);
const certified = planRegistration(thisComputer, { ...answers, certificate }, setupId);

describe('what is sent to Graph for an app that acts for itself', () => {
  it.each([
    ['app-only', plan],
    ['app-only-certificate', certified],
  ])('%s is as in its golden file', (name, planned) => {
    const roles = (planned.appRoles ?? []).map((role) => appRoleAssignmentBody('sp-app', 'sp-exchange', appRoleIds[role] ?? ''));
    const bodies = {
      'POST /applications': applicationBody(planned),
      'POST /servicePrincipals/{exchange}/appRoleAssignedTo': roles,
    };
    expect(JSON.parse(JSON.stringify(bodies))).toEqual(golden(name));
    expect(planned.secretMonths).toBe(name === 'app-only' ? 12 : undefined);
  });

  it('declares the ids that this tenant publishes', () => {
    const ids = { 'IMAP.AccessAsApp': 'another', 'SMTP.SendAsApp': 'one more' };
    expect(applicationBody(plan, undefined, ids).requiredResourceAccess[0]?.resourceAccess).toEqual([
      { id: 'another', type: 'Role' },
      { id: 'one more', type: 'Role' },
    ]);
  });

  it('adds a certificate beside those that are there, and only once', () => {
    const theirs = { keyId: 'k1', key: 'OTHER', displayName: 'theirs' };
    const present = (keyCredentials: readonly object[]) =>
      readApplication({ id: 'o', appId: 'a', ...applicationBody(certified), keyCredentials }) ?? expect.fail('no application');
    const patch = differences(present([theirs]), certified);
    expect(patch).toEqual({
      keyCredentials: [theirs, expect.objectContaining({ key: 'MIIB', type: 'AsymmetricX509Cert', usage: 'Verify' })],
    });
    expect(differences(present([theirs, { keyId: 'k2', key: 'MIIB' }]), certified)).toBeUndefined();
  });

  it.each([
    ['by its SHA-1, as Graph answers', { customKeyIdentifier: sha1 }, []],
    ['by its SHA-1 in small letters', { customKeyIdentifier: sha1.toLowerCase() }, []],
    ['by its key, where the one who uploaded it chose another identifier', { customKeyIdentifier: 'MINE' }, ['keyCredentials']],
  ])('a certificate whose key is null in the answer is known %s, and not uploaded again', async (_, more, asked) => {
    const mine = { keyId: 'k2', key: null, displayName: null, ...more };
    const other = { keyId: 'k1', key: null, customKeyIdentifier: 'AB12', displayName: 'theirs' };
    const app = { id: 'o', appId: 'a', ...applicationBody(certified), keyCredentials: [other, mine] };
    const existing = readApplication(app) ?? expect.fail('no application');
    const paths: string[] = [];
    const request = async ({ url }: HttpRequest) => {
      paths.push(url);
      const keyCredentials = [other, { ...mine, key: 'MIIB' }];
      return { status: 200, headers: {}, text: JSON.stringify({ keyCredentials }) };
    };
    const { graph } = connected({ request });
    expect(differences(await withKeys(graph, existing, certified), certified)).toBeUndefined();
    expect(paths.map((path) => path.split('=').at(-1))).toEqual(asked);
    // Another certificate is put beside them, and they go back as they came.
    const renewed = { ...certified, certificate: { ...certificate, der: 'MIIC' } };
    expect(differences(existing, renewed)).toEqual({ keyCredentials: [other, mine, expect.objectContaining({ key: 'MIIC' })] });
  });

  it('needs AppRoleAssignment.ReadWrite.All, said before anything is made', () => {
    const exists = { exists: [], ...commands };
    const claims = (scopes: readonly string[]) => ({ opaque: false, scopes }) as const;
    const delegated = ['Application.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All'];
    expect(() => checkRights(claims(delegated), plan, exists)).toThrow(/AppRoleAssignment\.ReadWrite\.All/);
    expect(() => checkRights(claims(['Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All']), plan, exists)).not.toThrow();
  });
});

describe('the roles are given once', () => {
  const resources = { spIds: { exchange: 'sp-exchange' }, exchangeIds: {}, roleIds: appRoleIds, surprising: [] };
  const there = { resourceId: 'sp-exchange', appRoleId: appRoleIds['IMAP.AccessAsApp'] };

  /** As little of a run as the step uses; `answer`: of each POST. */
  function run(answer: object) {
    const posted: string[] = [];
    const graph = {
      list: async () => ({ kind: 'ok', items: [there] }),
      post: async (_: string, body: { appRoleId: string }) => {
        posted.push(body.appRoleId);
        return answer;
      },
    };
    const untilReplicated = (ask: () => Promise<unknown>) => ask();
    const fail = (_: unknown, what: string) => new Error(what);
    const made = { deps: { graph }, plan, untilReplicated, exists: [], changed: new Set(), fail };
    return { posted, run: made as unknown as RegistrationRun };
  }

  it('those that are there stay', async () => {
    const ok = run({ kind: 'ok', body: {} });
    await ensureAppRoles(ok.run, 'sp-app', resources, false);
    expect([ok.posted, [...ok.run.changed]]).toEqual([[appRoleIds['SMTP.SendAsApp']], ['app-role']]);
  });

  it('one that somebody gave in the meantime is fine, another refusal is not', async () => {
    const { body } = refused(400, 'Request_BadRequest', 'Permission being assigned already exists on the object');
    const twice = run({ kind: 'refused', status: 400, codes: ['Request_BadRequest'], message: body.error.message });
    await expect(ensureAppRoles(twice.run, 'sp-app', resources, true)).resolves.toBeUndefined();
    const denied = run({ kind: 'refused', status: 403, codes: ['Authorization_RequestDenied'], message: 'no' });
    await expect(ensureAppRoles(denied.run, 'sp-app', resources, true)).rejects.toThrow('give the app IMAP.AccessAsApp on Exchange Online');
  });
});
