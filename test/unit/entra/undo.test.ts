import { describe, expect, it } from 'vitest';
import { registerApp } from '../../../src/entra/registration.ts';
import { deleteApp, lookAtApp } from '../../../src/entra/undo.ts';
import { commands, connected, FakeGraph, refused } from './fake-graph.ts';
import { plans, tag } from './plans.ts';

async function registered() {
  const fake = new FakeGraph();
  const { deps } = connected(fake);
  const app = await registerApp({ ...deps, keepSecret: async () => undefined }, plans.osticket, {}, async () => undefined);
  const made = {
    appObjectId: app.appObjectId,
    grantIds: Object.values(app.grantIds),
    tag,
    ...(app.spObjectId === undefined ? {} : { spObjectId: app.spObjectId }),
  };
  fake.log.length = 0;
  return { fake, deps, made };
}

describe('deleteApp', () => {
  it('takes grants, service principal and app away, in this order, and nothing else', async () => {
    const { fake, deps, made } = await registered();
    fake.sps.push({ id: 'theirs', appId: 'theirs' });
    expect((await lookAtApp(deps, made.appObjectId))?.displayName).toBe(plans.osticket.displayName);
    expect(await deleteApp(deps, made)).toEqual({ grants: ['removed', 'removed'], servicePrincipal: 'removed', application: 'removed' });
    expect(fake.lines().filter((line) => line.startsWith('DELETE'))).toEqual([
      'DELETE /oauth2PermissionGrants/grant-4',
      'DELETE /oauth2PermissionGrants/grant-5',
      'DELETE /servicePrincipals/sp-3',
      'DELETE /applications/app-1',
    ]);
    expect([fake.apps, fake.grants, fake.sps.map((one) => one.id)]).toEqual([[], [], ['sp-graph', 'theirs']]);
  });

  it('an app that was just read is deleted also where a replica does not find it at once', async () => {
    const { fake, deps, made } = await registered();
    const unseen = refused(404, 'Request_ResourceNotFound');
    fake.intercept = (line, nth) => (line.startsWith('DELETE /app') && nth <= 2 ? unseen : undefined);
    expect((await deleteApp(deps, made)).application).toBe('removed');
    expect(fake.apps).toEqual([]);
  });

  it('finds everything gone the second time', async () => {
    const { deps, made } = await registered();
    await deleteApp(deps, made);
    expect(await lookAtApp(deps, made.appObjectId)).toBeUndefined();
    expect(await deleteApp(deps, made)).toEqual({
      grants: ['already-gone', 'already-gone'],
      servicePrincipal: 'already-gone',
      application: 'already-gone',
    });
  });

  it('finishes what was stopped in the middle', async () => {
    const { fake, deps, made } = await registered();
    fake.grants.length = 0;
    fake.apps.length = 0;
    expect(await deleteApp(deps, made)).toEqual({
      grants: ['already-gone', 'already-gone'],
      servicePrincipal: 'removed',
      application: 'already-gone',
    });
  });

  it('touches no app without the mark', async () => {
    const { fake, deps, made } = await registered();
    await expect(deleteApp(deps, { ...made, tag: 'mailauth:another' })).rejects.toMatchObject({ code: 'delete-not-ours', exit: 1 });
    expect([fake.apps.length, fake.grants.length]).toEqual([1, 2]);
  });

  it('says who may, and what is still there', async () => {
    const { fake, deps, made } = await registered();
    fake.intercept = (line) => (line.startsWith('DELETE /app') ? refused(403, 'Authorization_RequestDenied') : undefined);
    const error = await deleteApp(deps, made).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'graph-role-missing', exit: 6, next: expect.arrayContaining([commands.undo]) });
    expect(fake.apps).toHaveLength(1);
  });
});
