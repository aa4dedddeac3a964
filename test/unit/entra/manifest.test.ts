import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { RegistrationPlan } from '../../../src/core/registration-plan.ts';
import { endOf } from '../../../src/entra/app-secret.ts';
import { differences, readApplication } from '../../../src/entra/application.ts';
import { secretName } from '../../../src/entra/ensure-secret.ts';
import { applicationBody, grantBody, passwordBody, permissionIds, servicePrincipalBody } from '../../../src/entra/manifest.ts';
import { plans } from './plans.ts';

const golden = (name: string): unknown => JSON.parse(readFileSync(new URL(`../../golden/graph/${name}.json`, import.meta.url), 'utf8'));
const cases = Object.entries(plans) as [keyof typeof plans, RegistrationPlan][];

/** Everything that a plan sends to Graph, in order. Object ids and the time are fixed. */
function bodies(plan: RegistrationPlan) {
  const spId = 'a5b0c1d2-0000-4000-8000-00000000000a';
  const grant = (resourceSpId: string, scopes: readonly string[]) => grantBody({ clientSpId: spId, resourceSpId, scopes });
  return {
    'POST /applications': applicationBody(plan),
    'POST /servicePrincipals': servicePrincipalBody('c11e0000-0000-4000-8000-00000000000c'),
    'POST /oauth2PermissionGrants': [
      grant('5e000000-0000-4000-8000-000000000001', plan.graphPermissions),
      grant('5e000000-0000-4000-8000-000000000002', plan.exchangePermissions),
    ],
    ...(plan.secretMonths === undefined
      ? {}
      : {
          'POST /applications/{id}/addPassword': passwordBody({
            displayName: secretName(plan.tag),
            endDateTime: endOf(Date.parse('2026-11-22T03:00:00.123Z'), plan.secretMonths),
          }),
        }),
  };
}

describe('what is sent to Graph', () => {
  it.each(cases)('%s is as in its golden file', (name, plan) => {
    expect(JSON.parse(JSON.stringify(bodies(plan)))).toEqual(golden(name));
  });

  it('cuts a name that Entra would refuse, shorter with personal accounts', () => {
    const displayName = `mailauth osticket ${'x'.repeat(200)}@contoso.com`;
    expect(applicationBody({ ...plans.osticket, displayName }).displayName).toHaveLength(120);
    expect(applicationBody({ ...plans.supportpal, displayName }).displayName).toHaveLength(90);
  });

  it('declares the ids that this tenant publishes for Exchange Online', () => {
    const body = applicationBody(plans.mspbots, { 'SMTP.Send': 'another-id' });
    expect(body.requiredResourceAccess[1]?.resourceAccess).toEqual([{ id: 'another-id', type: 'Scope' }]);
  });

  it('refuses a permission that it has no id for', () => {
    expect(() => applicationBody({ ...plans.mspbots, graphPermissions: ['Mail.Raed'] })).toThrow('Mail.Raed');
  });

  it('ends a secret on the last day of a short month', () => {
    expect(endOf(Date.parse('2027-01-31T10:00:00Z'), 1)).toBe('2027-02-28T10:00:00Z');
    expect(endOf(Date.parse('2026-11-22T03:00:00.5Z'), 24)).toBe('2028-11-22T03:00:00Z');
  });
});

describe('differences', () => {
  const asMade = (plan: RegistrationPlan, more: Record<string, unknown> = {}) => {
    const app = readApplication({ id: 'o', appId: 'c', passwordCredentials: [], ...applicationBody(plan), ...more });
    if (app === undefined) throw new Error('no application');
    return app;
  };

  it.each(cases)('%s, as made, needs no change', (_, plan) => {
    expect(differences(asMade(plan), plan)).toBeUndefined();
  });

  it('reads what Graph leaves null as off', () => {
    const app = asMade(plans.osticket, { isFallbackPublicClient: null, api: null });
    expect(differences(app, plans.osticket)).toBeUndefined();
  });

  it('changes one thing only', () => {
    expect(differences(asMade(plans.osticket), plans['osticket-implicit'])).toEqual({
      web: { implicitGrantSettings: { enableAccessTokenIssuance: true, enableIdTokenIssuance: true } },
    });
    expect(differences(asMade(plans.osticket), { ...plans.osticket, displayName: 'other' })).toEqual({ displayName: 'other' });
    expect(differences(asMade(plans.osticket), { ...plans.osticket, audience: 'multi-and-personal' })).toEqual({
      signInAudience: 'AzureADandPersonalMicrosoftAccount',
      api: { requestedAccessTokenVersion: 2 },
    });
  });

  it('keeps what others added', () => {
    const app = asMade(plans.osticket, {
      web: { redirectUris: ['https://other.example/cb'] },
      tags: ['theirs'],
      requiredResourceAccess: [{ resourceAppId: 'theirs', resourceAccess: [{ id: 'x', type: 'Role' }] }],
    });
    const patch = differences(app, plans.osticket);
    expect(patch?.web?.redirectUris).toEqual(['https://other.example/cb', ...plans.osticket.redirectUris]);
    expect(patch?.tags).toEqual(['theirs', plans.osticket.tag]);
    expect(patch?.requiredResourceAccess?.[0]?.resourceAppId).toBe('theirs');
    expect(patch?.requiredResourceAccess).toHaveLength(3);
  });

  it('adds a missing permission beside those of the same resource', () => {
    const patch = differences(asMade(plans.mspbots), { ...plans.mspbots, graphPermissions: ['SMTP.Send', 'User.Read'] });
    expect(patch?.requiredResourceAccess?.[0]?.resourceAccess.map((one) => one.id)).toEqual([
      permissionIds.graph['SMTP.Send'],
      permissionIds.graph['User.Read'],
    ]);
  });

  it('moves a redirect URI that stands under the wrong platform', () => {
    const uris = ['http://localhost:23682/mailauth'];
    const app = asMade(plans['this-computer-confidential'], {
      publicClient: { redirectUris: [...uris, 'http://localhost'] },
      web: { redirectUris: [] },
    });
    const patch = differences(app, plans['this-computer-confidential']);
    expect(patch).toEqual({ publicClient: { redirectUris: ['http://localhost'] }, web: { redirectUris: uris } });
  });

  it('takes nonsense for no application', () => {
    expect(readApplication({ id: 'o' })).toBeUndefined();
    expect(readApplication('page')).toBeUndefined();
  });
});
