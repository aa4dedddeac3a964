import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { decodeClientSecret } from '../../src/store/client-secret-entry.ts';
import { type Machine, machine, person, type Scripted } from '../support/command-line.ts';
import { quickClock } from '../support/context.ts';
import { stream } from '../support/json-stream.ts';
import { beside, countOf, hurried, journalWrites, onlyApp, secretsOf, stoppedAt, tenantOf, writtenBy } from '../support/tenant.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const mailbox = 'helpdesk@contoso.example';
const confidentialId = '22222222-5a4d-4b0c-9a11-c0ffee000002';
const here = 'setup --sandbox --yes --no-test --client-type confidential';
const osticket = 'setup --sandbox --yes --for osticket --redirect-uri https://helpdesk.contoso.example/oauth';
const nothing = { apps: 0, servicePrincipals: 0, grants: 0, secrets: 0 };
const setUpAgain = async (words: string) => expect([(await m.mailauth(words)).exit, words]).toEqual([0, words]);
const show = async (more = '') => (await m.mailauth(`secret show --sandbox --json${more}`)).json().data;
const secretIds = async () => (await onlyApp(m)).secrets.map((one) => one.id);
const box = (name: string) => join(m.home, 'sandbox', name);
const stateText = () => readFile(box('state.json'), 'utf8');

/** A secret that somebody else added to the app, beside mailauth. */
const addForeign = async (): Promise<string> => {
  const { registration } = await onlyApp(m);
  const body = { passwordCredential: { displayName: 'the other team' } };
  const { body: made } = await beside(m, (graph) => graph.call('POST', `/applications/${registration?.objectId}/addPassword`, body));
  return made.keyId ?? '';
};

describe('secret show', () => {
  it('tells id and expiry, and the value only with --reveal', async () => {
    await m.ready(here);
    const [value = 'none'] = (await show(' --reveal')).clientSecret === undefined ? [] : [(await show(' --reveal')).clientSecret];
    expect([...m.keychain.entries.values()].map((value) => decodeClientSecret(new Secret(value)).secret.reveal())).toContain(value);
    const data = await show();
    expect(data).toMatchObject({ mailbox, for: 'this-computer', stored: true, rotationOpen: false, secretId: (await secretIds())[0] });
    expect(data.daysLeft).toBeGreaterThan(300);
    expect(Object.keys(data)).not.toContain('clientSecret');
    const text = await m.mailauth('secret show --sandbox --verbose');
    expect(text.out + text.err).not.toContain(value);
    expect(text.out).toContain('********');
    expect((await m.mailauth('secret show --sandbox --reveal')).out).toContain(value);
  });

  it('of a public client there is none: exit 1, for show and rotate', async () => {
    await m.ready('setup --sandbox --yes --no-test');
    for (const words of ['secret show', 'secret rotate --yes', 'secret rotate --finish --yes'])
      expect((await m.mailauth(`${words} --sandbox --json`)).json().error).toMatchObject({ code: 'no-client-secret', exit: 1 });
  });

  it('of a secret that mailauth did not make says so', async () => {
    await m.ready(`${here} --client-id ${confidentialId}`);
    expect(await show()).toMatchObject({ secretId: null, secretExpiresAt: null, daysLeft: null, stored: true });
  });
});

describe('secret rotate', () => {
  it('for this computer: the new one is proven and stored, the old one and only that goes', async () => {
    await m.ready(here);
    const foreign = await addForeign();
    const before = await show(' --reveal');
    const ran = await m.mailauth('secret rotate --sandbox --yes --json --secret-months 6');
    expect([ran.exit, ran.json().data]).toMatchObject([0, { finished: true, for: 'this-computer' }]);
    const after = await show(' --reveal');
    expect(after.secretId).not.toBe(before.secretId);
    expect(after.clientSecret).not.toBe(before.clientSecret);
    expect(after.daysLeft).toBeLessThan(190);
    expect(new Set(await secretIds())).toEqual(new Set([foreign, after.secretId]));
    expect(ran.out + ran.err + (await writtenBy(m))).not.toContain(after.clientSecret);
    expect((await m.mailauth('token get --sandbox --force-refresh')).exit).toBe(0);
  });

  it('for a product both stay until --finish; a second rotation in between is exit 3', async () => {
    await m.ready(osticket);
    const [first] = await secretIds();
    const rotated = (await m.mailauth('secret rotate --sandbox --yes --json')).json().data;
    expect(rotated).toMatchObject({ finished: false, next: expect.arrayContaining([expect.stringContaining('--finish')]) });
    expect(await secretIds()).toEqual([first, rotated.secretId]);
    expect(await show()).toMatchObject({ rotationOpen: true, secretId: rotated.secretId });
    expect((await m.mailauth('secret rotate --sandbox --yes --json')).json().error).toMatchObject({ code: 'rotation-open', exit: 3 });
    expect(await secretIds()).toHaveLength(2);

    // Running the set-up again meanwhile must not sweep what the product still uses.
    expect((await m.mailauth(`${osticket} --protocols imap`)).exit).toBe(0);
    expect(await secretIds()).toEqual([first, rotated.secretId]);
    expect(await show()).toMatchObject({ rotationOpen: true, secretId: rotated.secretId });

    expect((await m.mailauth('secret rotate --finish --sandbox --yes --json')).json().data).toMatchObject({ finished: true });
    expect(await secretIds()).toEqual([rotated.secretId]);
    expect(await show()).toMatchObject({ rotationOpen: false, stored: true });
    const again = await m.mailauth('secret rotate --finish --sandbox --json');
    expect([again.exit, again.json().data]).toMatchObject([0, { finished: true, secretId: rotated.secretId }]);
    expect((await m.mailauth('secret rotate --finish --sandbox')).out).toContain('No rotation is open');
  });

  it('asks first, with No as default; without a person it needs --yes: exit 3, nothing changed', async () => {
    await m.ready(osticket);
    const state = await stateText();
    expect((await m.mailauth('secret rotate --sandbox --json')).json().error).toMatchObject({ code: 'needs-yes', exit: 3 });
    const { prompts } = person([['go on?', false]]);
    expect((await m.mailauth('secret rotate --sandbox', { terminal: true, prompts })).exit).toBe(1);
    expect(await stateText()).toBe(state);
  });

  it.each(['0', '25', 'x'])('--secret-months %s is exit 2', async (months) => {
    await m.ready(osticket);
    expect((await m.mailauth(`secret rotate --sandbox --yes --json --secret-months ${months}`)).json().error).toMatchObject({ exit: 2 });
    expect(await secretIds()).toHaveLength(1);
  });

  it('a new one that Microsoft never accepts: everything is as before', async () => {
    await m.ready(here);
    const before = [await show(' --reveal'), await secretIds(), await writtenBy(m)];
    const ran = await m.mailauth('secret rotate --sandbox --yes --json --fault secret-expired', hurried());
    expect(ran.json().error).toMatchObject({ code: 'client-secret-expired' });
    expect([await show(' --reveal'), await secretIds(), await writtenBy(m)]).toEqual(before);
    expect((await m.mailauth('token get --sandbox --force-refresh')).exit).toBe(0);
  });

  it('waits until the new one is known everywhere', async () => {
    await m.ready(here);
    const patience = hurried();
    const ran = await m.mailauth('secret rotate --sandbox --yes --fault secret-not-replicated', patience);
    expect([ran.exit, patience.waits.length]).toEqual([0, 2]);
    expect(await secretIds()).toHaveLength(1);
  });

  it.each([
    ['secrets-forbidden', 'secrets-forbidden', 6],
    ['secret-lifetime-policy', 'secret-lifetime-forbidden', 6],
  ])('%s: exit 6, nothing changed', async (fault, code, exit) => {
    await m.ready(osticket);
    const before = [await show(' --reveal'), await secretIds()];
    const ran = await m.mailauth(`secret rotate --sandbox --yes --json --fault ${fault}`);
    expect(ran.json().error).toMatchObject({ code, exit });
    expect([await show(' --reveal'), await secretIds()]).toEqual(before);
  });

  it('where Entra allows two secrets and two are there it stops first', async () => {
    await m.ready(osticket.replace('osticket', 'supportpal'));
    await addForeign();
    const before = await stateText();
    const ran = await m.mailauth('secret rotate --sandbox --yes --json');
    expect(ran.json().error).toMatchObject({ code: 'secret-limit', exit: 6 });
    expect(JSON.parse(await stateText()).apps).toEqual(JSON.parse(before).apps);
  });

  it('of an app mailauth did not make: the old secret stays, whoever made it', async () => {
    await m.ready(`${here} --client-id ${confidentialId}`);
    const secretsOfReady = async () =>
      JSON.parse(await stateText()).apps.find((a: { clientId: string }) => a.clientId === confidentialId).secrets;
    const [old] = await secretsOfReady();
    const ran = await m.mailauth('secret rotate --sandbox --yes');
    expect(ran.exit).toBe(0);
    expect(ran.out).toContain('remove it in the portal');
    expect(ran.out).not.toContain('--finish');
    expect(await secretsOfReady()).toHaveLength(2);
    expect(await secretsOfReady()).toContainEqual(old);
    expect((await m.mailauth('token get --sandbox --force-refresh')).exit).toBe(0);
  });
});

describe('logout --delete-app', () => {
  const scripted = async (script: readonly Scripted[], words = 'logout --delete-app --sandbox') => {
    const env = { MAILAUTH_GRAPH_TOKEN: await beside(m, async (graph) => graph.token) };
    const { prompts, asked, unasked } = person(script);
    const ran = await m.mailauth(words, { terminal: true, prompts, env });
    return { ...ran, asked, unasked: unasked() };
  };

  it('asks for the name, then removes exactly what was made, and every local trace', async () => {
    await m.ready(here);
    await beside(m, async (graph) => {
      const { body } = await graph.call('POST', '/applications', { displayName: 'Payroll' });
      await graph.call('POST', '/servicePrincipals', { appId: body.appId });
    });
    const name = `mailauth this-computer ${mailbox}`;
    const ran = await scripted([
      ['Type the app', 'Payroll'],
      ['Type the app', name],
    ]);
    expect([ran.exit, ran.unasked]).toEqual([0, []]);
    expect(ran.asked.join()).toContain(`complaint: type ${name}`);
    const { apps, servicePrincipals, grants, deleted } = await tenantOf(m);
    expect(apps.map((app) => app.name)).toEqual(['Payroll']);
    expect(servicePrincipals.map((sp) => sp.appId)).toEqual(apps.map((app) => app.clientId));
    expect([grants, deleted.map((app) => app.name)]).toEqual([[], [name]]);
    expect(m.keychain.entries.size).toBe(0);
    expect(await readdir(box('mailboxes'))).toEqual([]);
  });

  it('needs --yes or a person: exit 3, nothing removed', async () => {
    await m.ready(here);
    const ran = await m.mailauth('logout --delete-app --sandbox --json');
    expect(ran.json().error).toMatchObject({ code: 'needs-yes', exit: 3 });
    expect(await countOf(m)).toMatchObject({ apps: 1, secrets: 1 });
    expect((await m.mailauth('token get --sandbox')).exit).toBe(0);
  });

  it('where the tenant refuses, the local traces stay, so that it can be tried again', async () => {
    await m.ready(here);
    const ran = await m.mailauth('logout --delete-app --sandbox --yes --json --fault graph-not-admin');
    expect(ran.json().error).toMatchObject({ exit: 6 });
    expect((await m.mailauth('token get --sandbox')).exit).toBe(0);
    expect((await m.mailauth('logout --delete-app --sandbox --yes')).exit).toBe(0);
    expect(await countOf(m)).toEqual(nothing);
  });

  it('is fine when somebody deleted the app already', async () => {
    await m.ready(here);
    const { registration } = await onlyApp(m);
    await beside(m, (graph) => graph.call('DELETE', `/applications/${registration?.objectId}`));
    expect((await m.mailauth('logout --delete-app --sandbox --yes')).exit).toBe(0);
    expect(m.keychain.entries.size).toBe(0);
  });

  it('an app that another mailbox uses is refused, and both go on working', async () => {
    await m.ready('setup --sandbox --yes --no-test');
    const { clientId } = await onlyApp(m);
    await setUpAgain(`setup --sandbox --yes --no-test --mailbox orders@contoso.example --client-id ${clientId}`);
    const ran = await m.mailauth(`logout ${mailbox} --delete-app --sandbox --yes --json`);
    expect(ran.json().error).toMatchObject({ code: 'delete-app-used', exit: 1 });
    expect(ran.json().error?.title).toContain('orders@contoso.example');
    for (const one of [mailbox, 'orders@contoso.example'])
      expect((await m.mailauth(`token get ${one} --sandbox --force-refresh`)).exit).toBe(0);
  });

  it('without the mark of the set-up on it nothing is deleted', async () => {
    await m.ready(here);
    const { registration } = await onlyApp(m);
    await beside(m, (graph) => graph.call('PATCH', `/applications/${registration?.objectId}`, { tags: ['somebody else'] }));
    const ran = await m.mailauth('logout --delete-app --sandbox --yes --json');
    expect(ran.json().error).toMatchObject({ code: 'delete-not-ours', exit: 1 });
    expect(await countOf(m)).toEqual({ apps: 1, servicePrincipals: 1, grants: 2, secrets: 1 });
  });

  it('works for a set-up that was interrupted: no mailbox file, only its notes', async () => {
    for (const nth of [5, 7]) {
      await m.mailauth(here, stoppedAt(nth, journalWrites));
      expect(await countOf(m)).toMatchObject({ apps: 1 });
      expect(await readdir(box('mailboxes')).catch(() => [])).toEqual([]);
      const name = `mailauth this-computer ${mailbox}`;
      const ran = await scripted([['Type the app', name]], `logout ${mailbox} --delete-app --sandbox`);
      expect([nth, ran.exit]).toEqual([nth, 0]);
      expect(await countOf(m)).toEqual(nothing);
      expect(await readdir(box('setups'))).toEqual([]);
      expect([...m.keychain.entries.keys()].filter((key) => key.includes('secret'))).toEqual([]);
    }
  });

  it('of one product leaves the other, finished or interrupted', async () => {
    await m.ready('setup --sandbox --yes --no-test');
    await m.mailauth(osticket, stoppedAt(6, journalWrites));
    expect(await countOf(m)).toMatchObject({ apps: 2 });
    expect((await m.mailauth(`logout ${mailbox} --for this-computer --delete-app --sandbox --yes`)).exit).toBe(0);
    expect((await tenantOf(m)).apps.map((app) => app.name)).toEqual([`mailauth osticket ${mailbox}`]);
    expect((await m.mailauth(`${osticket} --resume`, hurried())).exit).toBe(0);
    expect(await countOf(m)).toMatchObject({ apps: 1, servicePrincipals: 1, secrets: 1 });
    await setUpAgain('setup --sandbox --yes --no-test');
    expect((await m.mailauth(`logout ${mailbox} --for osticket --delete-app --sandbox --yes`)).exit).toBe(0);
    expect((await tenantOf(m)).apps.map((app) => app.name)).toEqual([`mailauth this-computer ${mailbox}`]);
    expect((await m.mailauth('token get --sandbox')).exit).toBe(0);
  });

  it('several interrupted ones: names them instead of deleting all', async () => {
    for (const who of ['a', 'b']) await m.mailauth(`${here} --mailbox ${who}@contoso.example`, stoppedAt(5, journalWrites));
    const ran = await m.mailauth('logout --delete-app --sandbox --yes --json');
    expect(ran.json().error).toMatchObject({ code: 'mailbox-choice', exit: 3 });
    expect(await countOf(m)).toMatchObject({ apps: 2 });
    expect((await m.mailauth('logout b@contoso.example --delete-app --sandbox --yes')).exit).toBe(0);
    expect((await tenantOf(m)).apps.map((app) => app.name)).toEqual(['mailauth this-computer a@contoso.example']);
    expect((await m.mailauth('logout --all --delete-app --sandbox --yes')).exit).toBe(0);
    expect(await countOf(m)).toEqual(nothing);
  });
});

it.each(['secret rotate', 'logout --delete-app'])(
  '%s --json: the address for the administrator is on stderr, stdout is one object',
  async (words) => {
    await m.ready('setup --sandbox --yes --for mspbots');
    const browser = { usable: true, open: async () => ({ kind: 'opened' as const }) };
    for (const more of ['', '--quiet ']) {
      const { exit, err, json } = await m.mailauth(`${words} --sandbox --json --yes ${more}--timeout 1`, { browser, clock: quickClock });
      expect([exit, json().error?.code]).toEqual([4, 'sign-in-timeout']);
      expect(err).toMatch(/^Sign in as an administrator: http:\/\/localhost:\d+\/\S+\/authorize\?client_id=\S+\n/);
    }
  },
);

it('no secret, token or password is in any output or file of all this', async () => {
  const runs = [
    await m.mailauth(`${here} --json --verbose`),
    await m.mailauth(`${osticket} --verbose --handover ${join(m.home, 'sheet.html')}`),
    await m.mailauth(`secret rotate ${mailbox} --for osticket --sandbox --yes --verbose`),
    await m.mailauth(`secret show ${mailbox} --for osticket --sandbox`),
    await m.mailauth('status --sandbox --json'),
    await m.mailauth(`token show ${mailbox} --for this-computer --sandbox --json --verbose`),
  ];
  expect(runs.map((ran) => ran.exit)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(stream((runs[0] ?? (await m.mailauth('x'))).lines()).ok).toBe(true);
  const secrets = secretsOf(m);
  // Two client secrets, an access and a refresh token at least.
  expect(secrets.length).toBeGreaterThanOrEqual(4);
  const everything = runs.map((ran) => ran.out + ran.err).join('\n') + (await writtenBy(m));
  for (const secret of secrets) expect(everything).not.toContain(secret);
  expect(everything).not.toMatch(/eyJ[\w-]{20,}\.eyJ/);
});
