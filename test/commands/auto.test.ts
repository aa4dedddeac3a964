import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeychainFailure } from '../../src/core/keychain-port.ts';
import { enter, type Machine, machine, person, type Ran, whoOpens } from '../support/command-line.ts';
import { MemoryKeychain } from '../support/context.ts';
import { stream } from '../support/json-stream.ts';
import { beside, countOf, hurried, journalWrites, onlyApp, secretsOf, stoppedAt, tenantOf, writtenBy } from '../support/tenant.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const mailbox = 'helpdesk@contoso.example';
const nothing = { apps: 0, servicePrincipals: 0, grants: 0, secrets: 0 };
const publicApp = { apps: 1, servicePrincipals: 1, grants: 2, secrets: 0 };
const errorOf = (ran: Ran) => stream(ran.lines()).error;
const box = (name: string) => join(m.home, 'sandbox', name);
const journalText = async () => {
  const [name = ''] = await readdir(box('setups'));
  return readFile(box(`setups/${name}`), 'utf8');
};

describe('--register auto for this computer', () => {
  it('makes the app of the guide, its service principal and one grant a resource', async () => {
    const ran = await m.mailauth('setup --sandbox --yes --protocols imap --json');
    expect(ran.exit).toBe(0);
    const app = await onlyApp(m);
    expect(stream(ran.lines()).data).toMatchObject({ clientId: app.clientId, signedIn: true, tests: [{ ok: true }] });
    expect(app).toMatchObject({
      name: `mailauth this-computer ${mailbox}`,
      publicRedirects: ['http://localhost'],
      webRedirects: [],
      secrets: [],
      registration: { audience: 'AzureADMyOrg', owner: 'admin@contoso.example' },
    });
    expect(app.registration?.tags).toContainEqual(expect.stringMatching(/^mailauth:[0-9a-f-]{36}$/));
    expect(await countOf(m)).toEqual(publicApp);
    const { grants } = await tenantOf(m);
    expect(grants.map((g) => g.consentType)).toEqual(['AllPrincipals', 'AllPrincipals']);
    expect(grants.map((g) => g.scope).join(' ')).toContain('IMAP.AccessAsUser.All');
  });

  it('needs --yes or a person: exit 3 before any change in the tenant', async () => {
    for (const words of ['setup --sandbox --no-input', 'setup --sandbox --register auto --json']) {
      const ran = await m.mailauth(words);
      expect(ran.exit).toBe(3);
      expect(ran.out + ran.err).toMatch(/mailauth setup .*--mailbox helpdesk@contoso\.example --for this-computer --yes/);
    }
    expect(errorOf(await m.mailauth('setup --sandbox --json'))).toMatchObject({ code: 'needs-yes', exit: 3 });
    expect(await countOf(m)).toEqual(nothing);
    expect(m.keychain.entries.size).toBe(0);
    // Nobody is asked to agree to a change in a tenant that does not exist.
    expect(errorOf(await m.mailauth('setup --sandbox --json --tenant nowhere.example'))).toMatchObject({ code: 'tenant-unknown', exit: 1 });
  });

  it('names the command that agrees to just this change: every flag that was given is in it', async () => {
    const given = ['--name', "It's only IMAP", '--protocols', 'imap', '--consent', 'skip', '--sign-in', 'skip', '--no-test'];
    const ran = await m.run(['setup', '--sandbox', '--mailbox', mailbox, ...given, '--no-input']);
    const [, command = ''] = /^ {2}try: mailauth (.*)$/m.exec(ran.err) ?? [];
    expect([ran.exit, command]).toEqual([
      3,
      `setup --mailbox ${mailbox} --protocols imap --name 'It'\\''s only IMAP' --consent skip --sign-in skip --no-test --no-input --sandbox --for this-computer --yes`,
    ]);
  });

  it('says in a few lines what it will create and as whom, and all of it on request', async () => {
    const { prompts, unasked } = person([
      ['How do you sign in?', enter],
      ['Create it?', 'details'],
      ['Create it?', 'stop'],
    ]);
    const ran = await m.mailauth(`setup --sandbox --mailbox ${mailbox} --for this-computer --register auto`, { terminal: true, prompts });
    expect([ran.exit, unasked()]).toEqual([1, []]);
    expect(ran.err).toMatch(/This creates in the tenant 5a4db0c5.*an application "mailauth this-computer.*consent to them/s);
    expect(ran.err).toMatch(/Microsoft's own "Microsoft Azure\s+CLI"[\s\S]*04b07795-8ddb-461a-bbee-02f9e1bf7b46/);
    expect(await countOf(m)).toEqual(nothing);
  });

  it('takes MAILAUTH_GRAPH_TOKEN instead of an administrator who signs in, and keeps it nowhere', async () => {
    const token = await beside(m, async (graph) => graph.token);
    const env = { MAILAUTH_GRAPH_TOKEN: `${token}\n` };
    const ran = await m.mailauth('setup --sandbox --yes --no-test --json --verbose', { env });
    expect(ran.exit).toBe(0);
    expect(ran.lines().filter((l) => l.type === 'authorization_required')).toHaveLength(1);
    expect(await countOf(m)).toEqual(publicApp);
    expect(ran.out + ran.err + (await writtenBy(m)) + [...m.keychain.entries.values()].join()).not.toContain(token);
  });

  it('a confidential client of this computer gets one fixed port, which its sign-in uses, and keeps it', async () => {
    const words = 'setup --sandbox --yes --no-test --client-type confidential --json';
    const ran = await m.mailauth(words);
    const [registered = '', ...more] = (await onlyApp(m)).webRedirects;
    expect([registered, more]).toEqual([expect.stringMatching(/^http:\/\/localhost:\d+$/), []]);
    const signedIn = ran.lines().findLast((line) => line.type === 'authorization_required')?.url ?? '';
    expect(new URL(signedIn).searchParams.get('redirect_uri')).toBe(registered);
    for (const again of [words, `${words} --redirect-uri http://localhost`])
      expect(stream((await m.mailauth(again)).lines()).data).toMatchObject({ alreadySetUp: true });
    const wider = await m.mailauth(`${words} --protocols imap`);
    expect([wider.exit, (await onlyApp(m)).webRedirects]).toEqual([0, [registered]]);
  });

  it('says whose token it takes in place of a sign-in', async () => {
    const ran = await m.mailauth(`setup --sandbox --mailbox ${mailbox} --yes`, { env: { MAILAUTH_GRAPH_TOKEN: 'abc' } });
    expect([ran.exit, ran.err]).toEqual([4, expect.stringMatching(/The token in MAILAUTH_GRAPH_TOKEN\s+is\s+used/)]);
    expect(ran.err).not.toContain('Azure CLI');
  });

  it('a Graph token that no header can carry is refused before anything is asked', async () => {
    const { waits, ...quick } = hurried();
    for (const token of ['abc\u0001def', 'abc\ndef', 'abc déf']) {
      const ran = await m.mailauth('setup --sandbox --yes --json', { env: { MAILAUTH_GRAPH_TOKEN: token }, ...quick });
      expect(errorOf(ran)).toMatchObject({ code: 'graph-token-refused', exit: 4, why: expect.stringContaining('MAILAUTH_GRAPH_TOKEN') });
      expect(ran.out).not.toContain('def');
    }
    expect([waits, await countOf(m)]).toEqual([[], nothing]);
  });

  it.each(['not-a-token', 'eyJhbGciOiJub25lIn0.e30.'])('a Graph token that Graph refuses (%s): exit 4, nothing made', async (token) => {
    const ran = await m.mailauth('setup --sandbox --yes --json', { env: { MAILAUTH_GRAPH_TOKEN: token } });
    expect(errorOf(ran)).toMatchObject({ code: 'graph-token-refused', exit: 4 });
    expect(ran.out).not.toContain(token);
    expect(await countOf(m)).toEqual(nothing);
  });

  it('a second run changes nothing and asks no administrator', async () => {
    await m.ready('setup --sandbox --yes --no-test');
    const before = await tenantOf(m);
    const again = await m.mailauth('setup --sandbox --yes --json');
    expect(stream(again.lines())).toMatchObject({ ok: true, data: { alreadySetUp: true } });
    expect(again.lines().filter((l) => l.type === 'authorization_required')).toEqual([]);
    expect(await tenantOf(m)).toEqual(before);
    // Another domain of the same tenant is no other answer.
    const named = await m.mailauth('setup --sandbox --no-input --json --tenant contoso.onmicrosoft.example');
    expect(stream(named.lines())).toMatchObject({ ok: true, data: { alreadySetUp: true } });
  });

  it('a client ID that Microsoft does not know: the next run asks for it again, and does not take the app that is set up', async () => {
    await m.ready('setup --sandbox --yes --no-test');
    const unknown = await m.mailauth('setup --sandbox --yes --no-test --json --client-id 99999999-5a4d-4b0c-9a11-c0ffee000009');
    expect(errorOf(unknown)?.code).toBe('client-unknown');
    const [next = ''] = errorOf(unknown)?.next ?? [];
    // The sandbox has an answer of its own to that question: its ready app.
    const ran = await m.mailauth(`${next.replace(/^mailauth | +#.*$/g, '')} --json`);
    expect(stream(ran.lines()).data).toMatchObject({ alreadySetUp: false, clientId: '11111111-5a4d-4b0c-9a11-c0ffee000001' });
  });

  it('other protocols change the app instead of making a second one', async () => {
    await m.ready('setup --sandbox --yes --no-test --protocols imap');
    const { clientId } = await onlyApp(m);
    const again = await m.mailauth('setup --sandbox --yes --no-test --protocols imap,smtp --json');
    expect([again.exit, stream(again.lines()).data.clientId]).toEqual([0, clientId]);
    expect(await countOf(m)).toEqual(publicApp);
    expect((await tenantOf(m)).grants.map((g) => g.scope).join(' ')).toContain('SMTP.Send');
    expect((await m.mailauth('token show --sandbox --json')).json().data.scopes.join()).toContain('SMTP.Send');
  });

  it('an app of the same name from elsewhere is not taken: exit 3, and its two ways on work', async () => {
    const name = `mailauth this-computer ${mailbox}`;
    await beside(m, (graph) => graph.call('POST', '/applications', { displayName: name }), 'ada@contoso.example');
    const ran = await m.mailauth('setup --sandbox --yes --no-test --json');
    expect(errorOf(ran)).toMatchObject({ code: 'app-exists', exit: 3 });
    expect(await countOf(m)).toMatchObject({ apps: 1, servicePrincipals: 0, grants: 0 });
    expect(errorOf(ran)?.next.join()).toContain('--name');
    const beside2 = await m.run(['setup', '--sandbox', '--yes', '--no-test', '--mailbox', mailbox, '--name', `${name} 2`]);
    expect(beside2.exit).toBe(0);
    expect(await countOf(m)).toMatchObject({ apps: 2, servicePrincipals: 1, grants: 2 });
  });

  it('a person is shown whose app it is, and may use it; mailauth never deletes it', async () => {
    const name = `mailauth this-computer ${mailbox}`;
    await beside(m, (graph) => graph.call('POST', '/applications', { displayName: name }), 'ada@contoso.example');
    const { clientId } = await onlyApp(m);
    const { prompts, asked } = person([
      ['Create it?', 'yes'],
      ['What should happen?', clientId],
    ]);
    // A person without a browser on this computer pastes; the sandbox's page is opened by hand, which the Graph token spares here.
    const env = { MAILAUTH_GRAPH_TOKEN: await beside(m, async (graph) => graph.token) };
    const words = `setup --sandbox --mailbox ${mailbox} --for this-computer --register auto --sign-in skip`;
    const ran = await m.mailauth(words, { terminal: true, prompts, env });
    expect([ran.exit, asked]).toEqual([0, [whoOpens, 'Create it?', 'What should happen?']]);
    expect(ran.err).toMatch(/owner +Ada \(ada@contoso\.example\)/);
    expect(ran.err.replace(/\s+/g, ' ')).toContain(`App ${clientId} adopted: settings changed; service principal, consent made`);
    expect(await countOf(m)).toEqual(publicApp);
    const kept = await m.mailauth('logout --delete-app --yes --sandbox --json');
    expect(kept.json()).toMatchObject({ ok: false, error: { code: 'delete-app-refused', exit: 1 } });
    expect(await countOf(m)).toEqual(publicApp);
  });
});

describe('two operators of one tenant', () => {
  it('the second, as the same administrator, uses the first one’s app as it is and takes no secret away', async () => {
    const words = 'setup --sandbox --yes --no-test --client-type confidential --json';
    const first = stream((await m.mailauth(words)).lines()).data;
    // Another computer: it knows nothing of the first one's notes and secrets.
    await rename(box('mailboxes'), box('mailboxes-of-the-first'));
    const keychain = new MemoryKeychain();
    const port = (await onlyApp(m)).webRedirects.map((uri) => `--redirect-uri ${uri}`).join(' ');
    const second = await m.mailauth(`${words} ${port}`, { keychain });
    expect([second.exit, stream(second.lines()).data.clientId]).toEqual([0, first.clientId]);
    expect(await countOf(m)).toEqual({ ...publicApp, secrets: 2 });
    // The one who did not make it may not delete it; the one who did, may.
    expect((await m.mailauth('logout --delete-app --yes --sandbox', { keychain })).exit).toBe(1);
    await rm(box('mailboxes'), { recursive: true });
    await rename(box('mailboxes-of-the-first'), box('mailboxes'));
    expect((await m.mailauth('token get --sandbox --force-refresh')).exit).toBe(0);
    expect((await m.mailauth('logout --delete-app --yes --sandbox')).exit).toBe(0);
    expect(await countOf(m)).toEqual(nothing);
  });
});

it('an app that was deactivated meanwhile: said, and the next step works once it is active again', async () => {
  await m.ready('setup --sandbox --yes --no-test --protocols imap');
  const { registration } = await onlyApp(m);
  const set = (isDisabled: boolean) => beside(m, (graph) => graph.call('PATCH', `/applications/${registration?.objectId}`, { isDisabled }));
  expect((await set(true)).status).toBe(204);
  const words = 'setup --sandbox --yes --no-test --protocols imap,smtp --json';
  const ran = await m.mailauth(words);
  expect(errorOf(ran)).toMatchObject({ code: 'app-switched-off', exit: 6 });
  await set(false);
  const [next = ''] = errorOf(ran)?.next ?? [];
  expect((await m.mailauth(next.replace(/^mailauth | +#.*$/g, ''))).exit).toBe(0);
});

describe('a tenant that refuses', () => {
  it('asks for the service management reference that the tenant demands, keeps it, and names its flag where nobody can be asked', async () => {
    const words = `setup --sandbox --mailbox ${mailbox} --for this-computer --register auto --sign-in skip --fault service-reference`;
    const env = { MAILAUTH_GRAPH_TOKEN: await beside(m, async (graph) => graph.token) };
    const script = await m.mailauth(`${words} --yes --json`, { env });
    expect(errorOf(script)).toMatchObject({ code: 'service-reference-needed', exit: 3 });
    expect(errorOf(script)?.next[0]).toMatch(/^mailauth setup .*--resume .*# .*--service-management-reference$/);
    const { prompts, unasked } = person([
      ['Create it?', 'yes'],
      ['Service management reference?', 'b0e1c2d3-0000-4000-8000-000000000001'],
    ]);
    const { waits, ...quick } = hurried();
    const ran = await m.mailauth(words, { terminal: true, prompts, env, ...quick });
    // The first run may have made the app although it was refused, so it is looked for a while.
    expect(waits).toEqual([2000, 4000, 8000]);
    expect([ran.exit, unasked()]).toEqual([0, []]);
    expect((await onlyApp(m)).registration?.others).toMatchObject({ serviceManagementReference: 'b0e1c2d3-0000-4000-8000-000000000001' });
    // The finished set-up has it, so that another run changes nothing.
    const again = await m.mailauth(`${words} --yes --json`, { env });
    expect(stream(again.lines()).data).toMatchObject({ alreadySetUp: true });
  });

  it('a shorter lifetime, as the error says, completes the app that is there', async () => {
    const words = 'setup --sandbox --yes --no-test --json --client-type confidential --fault secret-lifetime-policy';
    const [first = ''] = errorOf(await m.mailauth(words))?.next ?? [];
    expect(first).toMatch(/--resume.*--secret-months 6|--secret-months 6/);
    const { clientId } = await onlyApp(m);
    // Six months are up to 184 days, and the policy's 180 are 180: one month more or less is the operator's choice.
    const again = await m.mailauth(`${words} --resume --secret-months 3`);
    expect([again.exit, stream(again.lines()).data.clientId]).toEqual([0, clientId]);
    expect(await countOf(m)).toEqual({ ...publicApp, secrets: 1 });
  });
});

describe('stopped anywhere and run again', () => {
  const words = 'setup --sandbox --yes --no-test --client-type confidential';

  it('at each journal step: one app, one service principal, one grant a resource, one secret that is in the store', async () => {
    let steps = 0;
    for (let nth = 1; ; nth += 1) {
      await m.end();
      m = await machine();
      const stop = stoppedAt(nth, journalWrites);
      const stopped = await m.mailauth(`${words} --json`, stop);
      if (stop.written() < nth) break;
      steps += 1;
      expect(stopped.exit).toBe(130);
      const journal = await journalText();
      for (const secret of secretsOf(m)) expect(journal + stopped.out).not.toContain(secret);

      const resumed = await m.mailauth('setup --sandbox --resume --yes --no-test --json', hurried());
      expect([nth, resumed.exit, resumed.exit === 0 ? '' : resumed.out]).toEqual([nth, 0, '']);
      expect([nth, await countOf(m)]).toEqual([nth, { ...publicApp, secrets: 1 }]);
      const shown = (await m.mailauth('secret show --sandbox --reveal --json')).json().data;
      expect((await onlyApp(m)).secrets.map((s) => s.id)).toEqual([shown.secretId]);
      expect(await readdir(box('setups'))).toEqual([]);
      expect([...m.keychain.entries.keys()].filter((key) => key.endsWith('/new'))).toEqual([]);
      expect((await m.mailauth('token get --sandbox --force-refresh')).exit).toBe(0);
    }
    // store, plan, creating, application, service principal, two grants, secret (twice), registration, sign-in
    expect(steps).toBe(11);
  });

  it('a secret that was shown but not stored is swept, not left alive', async () => {
    const setPassword = async (service: string, account: string, password: string) => {
      if (account.includes('client-secret')) throw new KeychainFailure('locked', 'locked in between');
      await m.keychain.setPassword(service, account, password);
    };
    const broken = await m.mailauth(words, { keychain: Object.assign(Object.create(m.keychain), { setPassword }) });
    expect(broken.exit).toBe(7);
    expect((await onlyApp(m)).secrets).toHaveLength(1);
    const [lost] = (await onlyApp(m)).secrets;
    expect((await m.mailauth('setup --sandbox --resume --yes --no-test')).exit).toBe(0);
    const secrets = (await onlyApp(m)).secrets.map((s) => s.id);
    expect(secrets).toHaveLength(1);
    expect(secrets).not.toContain(lost?.id);
  });

  it('--fresh forgets it, and says what remains in the tenant', async () => {
    await m.mailauth(words, stoppedAt(5, journalWrites));
    const { clientId } = await onlyApp(m);
    const ran = await m.mailauth(`setup --sandbox --fresh --yes --no-test --register existing --mailbox ${mailbox}`);
    expect(ran.exit).toBe(0);
    expect(ran.err).toContain(`The app ${clientId} of the set-up that is forgotten remains in the tenant`);
    expect(await countOf(m)).toMatchObject({ apps: 1 });
  });

  it('two products of one mailbox at once, two mailboxes at once: an app for each', async () => {
    const redirect = 'https://helpdesk.contoso.example/oauth';
    const all = await Promise.all([
      m.mailauth('setup --sandbox --yes --no-test --json'),
      m.mailauth(`setup --sandbox --yes --for osticket --redirect-uri ${redirect} --json`),
      m.mailauth('setup --sandbox --yes --no-test --mailbox billing@contoso.example --json'),
    ]);
    expect(all.map((ran) => ran.exit)).toEqual([0, 0, 0]);
    const ids = all.map((ran) => stream(ran.lines()).data.clientId);
    expect(new Set(ids).size).toBe(3);
    expect((await tenantOf(m)).apps.map((app) => app.clientId).sort()).toEqual([...ids].sort());
    expect(await countOf(m)).toEqual({ apps: 3, servicePrincipals: 3, grants: 6, secrets: 1 });
  });
});
