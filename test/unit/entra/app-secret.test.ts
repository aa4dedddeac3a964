import { describe, expect, it } from 'vitest';
import { addSecret, listSecrets, removeSecret } from '../../../src/entra/app-secret.ts';
import { registerApp } from '../../../src/entra/registration.ts';
import { connected, FakeGraph, refused } from './fake-graph.ts';
import { plans } from './plans.ts';

async function registered(plan: (typeof plans)[keyof typeof plans] = plans.osticket) {
  const fake = new FakeGraph();
  const at = connected(fake);
  const app = await registerApp({ ...at.deps, keepSecret: async () => undefined }, plan, {}, async () => undefined);
  return { fake, ...at, appObjectId: app.appObjectId };
}

describe('secrets for a rotation', () => {
  it('are listed without their values', async () => {
    const { deps, appObjectId } = await registered();
    expect(await listSecrets(deps, { appObjectId })).toEqual({
      isComplete: true,
      secrets: [{ keyId: 'key-6', displayName: `mailauth ${plans.osticket.tag.slice(9)}`, endDateTime: '2027-11-22T03:00:00Z' }],
    });
  });

  it('are added beside the old one, and the old one removed after', async () => {
    const { deps, appObjectId, fake } = await registered();
    const made = await addSecret(deps, { appObjectId, displayName: 'mailauth rotated', months: 6 });
    expect([made.keyId, made.secret.reveal(), made.endDateTime]).toEqual(['key-7', 'value-of-key-7', '2027-05-22T03:00:00Z']);
    expect(String(made.secret)).toBe('[secret]');
    expect(await removeSecret(deps, { appObjectId, keyId: 'key-6' })).toBe('removed');
    expect(await removeSecret(deps, { appObjectId, keyId: 'key-6' })).toBe('already-gone');
    expect(fake.apps[0]?.passwordCredentials.map((one) => one.keyId)).toEqual(['key-7']);
  });

  it('stop at the limit of two with personal accounts, before anything is changed', async () => {
    const { deps, appObjectId, fake } = await registered(plans.supportpal);
    await addSecret(deps, { appObjectId, displayName: 'second', months: 6 });
    const third = addSecret(deps, { appObjectId, displayName: 'third', months: 6 });
    await expect(third).rejects.toMatchObject({ code: 'secret-limit', exit: 6 });
    expect(fake.apps[0]?.passwordCredentials).toHaveLength(2);
    expect((await listSecrets(deps, { appObjectId })).limit).toBe(2);
  });

  it('meet the tenant’s policy with its own words', async () => {
    const { deps, appObjectId, fake } = await registered();
    fake.intercept = (line) => (line.endsWith('/addPassword') ? refused(400, 'CredentialInvalidLifetimeAsPerAppPolicy') : undefined);
    const adding = addSecret(deps, { appObjectId, displayName: 'x', months: 24 });
    await expect(adding).rejects.toMatchObject({ code: 'secret-lifetime-forbidden', exit: 6, title: expect.stringContaining('24') });
  });

  it('are not removed by who may not', async () => {
    const { deps, appObjectId, fake } = await registered();
    fake.intercept = (line) => (line.endsWith('/removePassword') ? refused(403, 'Authorization_RequestDenied') : undefined);
    await expect(removeSecret(deps, { appObjectId, keyId: 'key-6' })).rejects.toMatchObject({ code: 'graph-role-missing', exit: 6 });
  });
});
