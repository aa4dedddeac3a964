import { describe, expect, it } from 'vitest';
import type { RegistrationPlan } from '../../../src/core/registration-plan.ts';
import { applicationBody } from '../../../src/entra/manifest.ts';
import { registerApp } from '../../../src/entra/registration.ts';
import type { KnownRegistration, RegistrationProgress } from '../../../src/entra/registration-run.ts';
import { connected, FakeGraph, tokenWith } from './fake-graph.ts';
import { plans, tag } from './plans.ts';

interface Kept {
  readonly keyId: string;
  readonly value: string;
}

async function register(
  fake: FakeGraph,
  plan: RegistrationPlan,
  known: KnownRegistration = {},
  more: Parameters<typeof connected>[1] = {},
) {
  const at = connected(fake, more);
  const kept: Kept[] = [];
  const recorded: RegistrationProgress[] = [];
  const keepSecret = async (secret: { reveal(): string }, { keyId }: { keyId: string }) => {
    kept.push({ keyId, value: secret.reveal() });
  };
  const done = await registerApp({ ...at.deps, keepSecret }, plan, known, async (progress) => {
    recorded.push(progress);
  });
  return { ...at, done, kept, recorded };
}

const knownFrom = (recorded: readonly RegistrationProgress[]): KnownRegistration =>
  Object.assign({}, ...recorded.map(({ step: _, ...ids }) => ids)) as KnownRegistration;

describe('registerApp', () => {
  it('makes application, service principal, both grants and the secret, each recorded, in eight calls', async () => {
    const fake = new FakeGraph();
    const { done, kept, recorded, graph } = await register(fake, plans.osticket);
    expect(fake.lines()).toEqual([
      'GET /applications',
      "GET /servicePrincipals(appId='00000003-0000-0000-c000-000000000000')",
      "GET /servicePrincipals(appId='00000002-0000-0ff1-ce00-000000000000')",
      'POST /applications',
      'POST /servicePrincipals',
      'POST /oauth2PermissionGrants',
      'POST /oauth2PermissionGrants',
      'POST /applications/app-1/addPassword',
    ]);
    expect(graph.calls).toBe(8);
    expect(fake.log[3]?.body).toEqual(JSON.parse(JSON.stringify(applicationBody(plans.osticket))));
    expect(fake.grants.map(({ clientId, resourceId, scope }) => [clientId, resourceId, scope])).toEqual([
      [done.spObjectId, 'sp-graph', plans.osticket.graphPermissions.join(' ')],
      [done.spObjectId, 'sp-exchange', plans.osticket.exchangePermissions.join(' ')],
    ]);
    expect(recorded).toEqual([
      { step: 'creating' },
      { step: 'application', appObjectId: 'app-1', appId: 'client-2' },
      { step: 'service-principal', spObjectId: 'sp-3' },
      { step: 'grant', resource: 'graph', grantId: 'grant-4' },
      { step: 'grant', resource: 'exchange', grantId: 'grant-5' },
      { step: 'secret', keyId: 'key-6', endDateTime: '2027-11-22T03:00:00Z' },
    ]);
    expect(kept).toEqual([{ keyId: 'key-6', value: 'value-of-key-6' }]);
    expect(done).toMatchObject({
      appId: 'client-2',
      grantIds: { graph: 'grant-4', exchange: 'grant-5' },
      secret: { keyId: 'key-6' },
      changed: ['application', 'service-principal', 'grant', 'secret'],
      surprising: [],
    });
  });

  it('changes nothing the second time', async () => {
    const fake = new FakeGraph();
    const first = await register(fake, plans.osticket);
    const before = structuredClone([fake.apps, fake.sps, fake.grants]);
    const again = await register(fake, plans.osticket, { ...knownFrom(first.recorded), keyIds: ['key-6'] });
    expect(again.done.changed).toEqual([]);
    expect(again.done).toMatchObject({ appId: 'client-2', secret: { keyId: 'key-6', endDateTime: '2027-11-22T03:00:00Z' } });
    expect([fake.apps, fake.sps, fake.grants]).toEqual(before);
    expect(again.kept).toEqual([]);
  });

  it('finds its app by the tag alone, and never one of the same name', async () => {
    const fake = new FakeGraph();
    await register(fake, { ...plans['this-computer-public'], tag: 'mailauth:somebody-else' });
    const own = await register(fake, plans['this-computer-public']);
    expect(fake.apps).toHaveLength(2);
    const again = await register(fake, plans['this-computer-public']);
    expect(again.done.appId).toBe(own.done.appId);
    expect(fake.apps).toHaveLength(2);
  });

  it('does not guess when the tag was copied', async () => {
    const fake = new FakeGraph();
    await register(fake, plans['this-computer-public']);
    fake.apps.push({ ...structuredClone(fake.apps[0]!), id: 'copy', appId: 'copied-client' });
    await expect(register(fake, plans['this-computer-public'])).rejects.toMatchObject({ code: 'registration-ambiguous', exit: 1 });
  });

  it('begins anew when its app was deleted', async () => {
    const fake = new FakeGraph();
    const first = await register(fake, plans['this-computer-public']);
    fake.apps.length = 0;
    fake.sps.length = 1;
    const again = await register(fake, plans['this-computer-public'], knownFrom(first.recorded));
    expect(again.done.appObjectId).not.toBe(first.done.appObjectId);
    expect(again.waits.map(([, ms]) => ms)).toEqual([2000, 4000, 8000]);
  });

  it('changes only what differs', async () => {
    const fake = new FakeGraph();
    const first = await register(fake, plans.osticket);
    fake.log.length = 0;
    const known = { ...knownFrom(first.recorded), keyIds: ['key-6'] };
    const again = await register(fake, plans['osticket-implicit'], known);
    expect(again.done.changed).toEqual(['application-changed']);
    expect(fake.log.filter((one) => !one.line.startsWith('GET'))).toEqual([
      {
        line: 'PATCH /applications/app-1',
        body: { web: { implicitGrantSettings: { enableAccessTokenIssuance: true, enableIdTokenIssuance: true } } },
      },
    ]);
  });

  it('widens a grant and takes nothing from it', async () => {
    const fake = new FakeGraph();
    const first = await register(fake, plans.mspbots);
    fake.grants[0]!.scope = 'Theirs.Read';
    const again = await register(fake, plans.mspbots, { ...knownFrom(first.recorded), keyIds: ['key-6'] });
    expect(fake.grants[0]?.scope).toBe('Theirs.Read SMTP.Send');
    expect(again.done.changed).toEqual(['grant']);
  });

  it('leaves consent and secret out where the plan does', async () => {
    const fake = new FakeGraph();
    const { done, kept } = await register(fake, { ...plans['this-computer-public'], consent: 'user' });
    expect([fake.grants, kept, done.grantIds, done.secret]).toEqual([[], [], {}, undefined]);
    expect(done.spObjectId).toBeDefined();
  });

  it('makes no service principal for personal accounts only', async () => {
    const fake = new FakeGraph();
    const plan: RegistrationPlan = { ...plans['this-computer-public'], audience: 'personal', consent: 'user', exchangePermissions: [] };
    const { done } = await register(fake, plan);
    expect([done.spObjectId, fake.sps.length]).toEqual([undefined, 1]);
  });

  it('declares the ids of this tenant, and says that they are other ones', async () => {
    const fake = new FakeGraph();
    fake.exchangeScopes['SMTP.Send'] = 'another-id';
    const { done } = await register(fake, plans.mspbots);
    expect(done.surprising).toEqual(['SMTP.Send']);
    expect(JSON.stringify(fake.apps[0])).toContain('another-id');
  });

  it('waits for replication, visibly', async () => {
    const fake = new FakeGraph();
    fake.lag = { ...fake.lag, principal: 3, application: 2 };
    const { waits } = await register(fake, plans.osticket);
    expect(waits).toEqual([2000, 4000, 8000, 2000, 4000].map((ms) => ['replication', ms]));
    expect([fake.apps.length, fake.sps.length, fake.apps[0]?.passwordCredentials.length]).toEqual([1, 2, 1]);
  });

  it('waits for replication in the 403 variant too', async () => {
    const fake = new FakeGraph();
    const words = 'When using this permission, the backing application of the service principal being created must in the local tenant';
    fake.intercept = (line, nth) =>
      line === 'POST /servicePrincipals' && nth === 1
        ? { status: 403, body: { error: { code: 'Authorization_RequestDenied', message: words } } }
        : undefined;
    expect((await register(fake, plans.osticket)).waits).toEqual([['replication', 2000]]);
  });

  it.each([['cut' as const], [{ status: 503 }], [{ status: 504 }]])('a lost answer makes no second thing: %j', async (how) => {
    for (const victim of [
      'POST /applications',
      'POST /servicePrincipals',
      'POST /oauth2PermissionGrants',
      'POST /applications/app-1/addPassword',
    ]) {
      const fake = new FakeGraph();
      fake.lag.tag = 1;
      fake.lose = (line, nth) => (line === victim && nth === 1 ? how : undefined);
      const { done, kept } = await register(fake, plans.osticket);
      expect([victim, fake.apps.length, fake.sps.length, fake.grants.length]).toEqual([victim, 1, 2, 2]);
      expect(fake.apps[0]?.passwordCredentials.map((one) => one.keyId)).toEqual(kept.map((one) => one.keyId));
      expect(done.secret?.keyId).toBe(kept[0]?.keyId);
    }
  });

  it('replaces a secret that has expired, and one whose value is lost', async () => {
    const fake = new FakeGraph();
    const first = await register(fake, plans.osticket);
    fake.apps[0]!.passwordCredentials[0]!.endDateTime = '2026-01-01T00:00:00Z';
    const second = await register(fake, plans.osticket, { ...knownFrom(first.recorded), keyIds: ['key-6'] });
    expect(second.kept).toHaveLength(1);
    const third = await register(fake, plans.osticket, { ...knownFrom(first.recorded), keyIds: [] });
    expect(fake.apps[0]?.passwordCredentials.map((one) => one.keyId)).toEqual(third.kept.map((one) => one.keyId));
    expect(third.done.changed).toEqual(['orphan-secret', 'secret']);
  });

  it('never touches secrets of other people', async () => {
    const fake = new FakeGraph();
    const first = await register(fake, plans['this-computer-public']);
    const theirs = [
      { keyId: 'theirs', displayName: 'Password uploaded on Sat', endDateTime: '2030-01-01T00:00:00Z' },
      { keyId: 'other setup', displayName: 'mailauth 99999999-0000-4000-8000-000000000000', endDateTime: '2030-01-01T00:00:00Z' },
    ];
    fake.apps[0]!.passwordCredentials.push(...theirs);
    await register(fake, { ...plans['this-computer-public'], secretMonths: 6 }, knownFrom(first.recorded));
    expect(fake.apps[0]?.passwordCredentials.slice(0, 2)).toEqual(theirs);
    expect(fake.apps[0]?.passwordCredentials).toHaveLength(3);
  });

  it('stops before a third secret of an app with personal accounts', async () => {
    const fake = new FakeGraph();
    const first = await register(fake, { ...plans.supportpal });
    fake.apps[0]!.passwordCredentials.splice(0, 1);
    const theirs = (keyId: string) => ({ keyId, displayName: 'theirs', endDateTime: '2030-01-01T00:00:00Z' });
    fake.apps[0]!.passwordCredentials.push(theirs('a'), theirs('b'));
    await expect(register(fake, plans.supportpal, knownFrom(first.recorded))).rejects.toMatchObject({ code: 'secret-limit', exit: 6 });
    expect(fake.apps[0]?.passwordCredentials).toHaveLength(2);
  });

  it('two set-ups at once on one tenant do not meet', async () => {
    const fake = new FakeGraph();
    const [one, two] = await Promise.all([
      register(fake, plans.osticket),
      register(fake, { ...plans.supportpal, tag: `${tag.slice(0, -1)}9` }),
    ]);
    expect(one.done.appId).not.toBe(two.done.appId);
    expect([fake.apps.length, fake.sps.length, fake.grants.length]).toEqual([2, 3, 4]);
    for (const { done, kept } of [one, two]) {
      const app = fake.apps.find((candidate) => candidate.id === done.appObjectId);
      expect(app?.passwordCredentials.map((cred) => cred.keyId)).toEqual(kept.map((cred) => cred.keyId));
    }
  });

  it('says the token of an administrator to nobody', async () => {
    const { recorded, done } = await register(
      new FakeGraph(),
      plans.osticket,
      {},
      { token: tokenWith({ scp: 'Application.ReadWrite.All DelegatedPermissionGrant.ReadWrite.All' }) },
    );
    expect(JSON.stringify([recorded, done])).not.toMatch(/Bearer|value-of|\.x/);
  });
});
