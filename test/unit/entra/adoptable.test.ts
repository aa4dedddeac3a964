import { describe, expect, it } from 'vitest';
import { findAdoptable } from '../../../src/entra/adoptable.ts';
import { registerApp } from '../../../src/entra/registration.ts';
import { connected, FakeGraph, refused, tokenWith } from './fake-graph.ts';
import { plans, tag } from './plans.ts';

const me = { id: 'me', displayName: 'Ada', userPrincipalName: 'ada@contoso.com' };

async function tenant(token = tokenWith({ oid: 'me' })) {
  const fake = new FakeGraph();
  const { deps } = connected(fake, { token });
  const name = "mailauth o'brien";
  await registerApp({ ...deps, keepSecret: async () => undefined }, { ...plans.osticket, displayName: name }, {}, async () => undefined);
  const [app] = fake.apps;
  if (app === undefined) throw new Error('no app');
  Object.assign(app, { owners: [me], keyCredentials: [{}] });
  return { fake, deps, app, name };
}

describe('findAdoptable', () => {
  it('shows everything that the operator must see, plain', async () => {
    const { deps, app, name } = await tenant();
    Object.assign(app, { owners: [{ id: 'x', displayName: 'E\u001b[31mve\u202e', userPrincipalName: null }, me] });
    const [found, ...more] = await findAdoptable(deps, { displayName: name });
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      appId: app.appId,
      displayName: name,
      owners: [
        { objectId: 'x', shown: 'Eve' },
        { objectId: 'me', shown: 'Ada (ada@contoso.com)' },
      ],
      ownedBySignedIn: false,
      redirectUris: plans.osticket.redirectUris,
      credentialCount: 2,
    });
  });

  it('knows who alone owns it', async () => {
    const { deps, name } = await tenant();
    expect((await findAdoptable(deps, { displayName: name }))[0]?.ownedBySignedIn).toBe(true);
    const stranger = await tenant(tokenWith({ oid: 'somebody else' }));
    expect((await findAdoptable(stranger.deps, { displayName: name }))[0]?.ownedBySignedIn).toBe(false);
  });

  it('leaves out this set-up’s own, and what has another name', async () => {
    const { deps, name } = await tenant();
    expect(await findAdoptable(deps, { displayName: name, tag })).toEqual([]);
    expect(await findAdoptable(deps, { displayName: 'mailauth' })).toEqual([]);
  });

  it('still shows an app whose owners may not be read', async () => {
    const { deps, fake, name } = await tenant();
    fake.intercept = (line) => (line.includes('/owners') ? refused(403, 'Authorization_RequestDenied') : undefined);
    expect(await findAdoptable(deps, { displayName: name })).toMatchObject([{ owners: [], ownedBySignedIn: false }]);
  });

  it('says so when applications may not be listed', async () => {
    const { deps, fake, name } = await tenant();
    fake.intercept = () => refused(403, 'Authorization_RequestDenied');
    await expect(findAdoptable(deps, { displayName: name })).rejects.toMatchObject({ code: 'graph-role-missing', exit: 6 });
  });
});
