import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Machine, machine, person } from '../support/command-line.ts';
import { countOf, onlyApp, stoppedAt, tenantOf } from '../support/tenant.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const osticket = 'setup --sandbox --yes --for osticket --shared-app --redirect-uri https://help.contoso.example/oauth --mailbox';
const confidential = 'setup --sandbox --yes --no-test --client-type confidential --shared-app --mailbox';
const ada = 'ada@contoso.example';
const bob = 'bob@contoso.example';
const eve = 'eve@contoso.example';

const recordOf = async (mailbox: string) => {
  const folder = join(m.home, 'sandbox', 'mailboxes');
  const name = (await readdir(folder)).find((one) => one.startsWith(`${mailbox}~`)) ?? '';
  return JSON.parse(await readFile(join(folder, name), 'utf8'));
};
const secretEntries = () =>
  [...m.keychain.entries.keys()].filter((name) => name.includes('client-secret')).map((name) => name.split('client-secret/')[1]);
const done = async (words: string, more?: Parameters<Machine['mailauth']>[1]) => {
  const ran = await m.mailauth(words, more);
  if (ran.exit !== 0) throw new Error(`mailauth ${words}: exit ${ran.exit}\n${ran.err}`);
  return ran;
};

describe('--shared-app', () => {
  it('two mailboxes have one app, one service principal, one secret, which is stored once', async () => {
    await done(`${osticket} ${ada}`);
    const app = await onlyApp(m);
    expect(app.name).toBe('mailauth osticket');
    const before = await tenantOf(m);
    const second = await done(`${osticket} ${bob}`);
    expect(second.err).toContain(`Using app ${app.clientId}, as it is`);
    expect(await tenantOf(m)).toEqual(before);
    expect(await countOf(m)).toMatchObject({ apps: 1, servicePrincipals: 1, secrets: 1 });
    expect(secretEntries()).toEqual([`app/${app.clientId}`]);
    const [one, two] = [await recordOf(ada), await recordOf(bob)];
    expect(two.registration).toEqual(one.registration);
    expect(one.registration).toMatchObject({ shared: true, clientId: app.clientId, name: 'mailauth osticket' });
    const shown = await Promise.all([ada, bob].map((box) => done(`secret show ${box} --sandbox --json --reveal`)));
    expect(new Set(shown.map(({ json }) => json().data.clientSecret)).size).toBe(1);
  });

  it('a third with another protocol and another callback adds these and takes nothing away', async () => {
    await done(`${confidential} ${ada} --protocols imap`);
    await done(`${confidential} ${bob} --protocols imap`);
    const before = await onlyApp(m);
    await done(`${confidential} ${eve} --protocols smtp`);
    const after = await onlyApp(m);
    expect(after.secrets).toEqual(before.secrets);
    expect(after.webRedirects).toEqual(expect.arrayContaining(before.webRedirects));
    expect(after.webRedirects).toHaveLength(3);
    const { grants } = await tenantOf(m);
    expect(grants.map(({ scope }) => scope).join(' ')).toMatch(/IMAP.*SMTP|SMTP.*IMAP/);
    for (const box of [ada, bob, eve]) expect((await m.mailauth(`token get ${box} --sandbox --force-refresh`)).exit).toBe(0);
    expect((await recordOf(ada)).protocols).toEqual(['imap']);
  });

  it('other products, other tenants and mailboxes without the flag have apps of their own', async () => {
    await done(`${osticket} ${ada}`);
    await done(`${osticket.replace('osticket', 'custom')} ${bob} --sign-in skip`);
    await done(`${osticket} ada@fabrikam.example`);
    await done(`${osticket.replace('--shared-app ', '')} ${eve}`);
    const names = (await tenantOf(m)).apps.map(({ name }) => name).sort();
    expect(names).toEqual(['mailauth custom', 'mailauth osticket', 'mailauth osticket', `mailauth osticket ${eve}`]);
  });

  it('run again it changes nothing, and without the flag it stays shared', async () => {
    await done(`${osticket} ${ada}`);
    await done(`${osticket} ${bob}`);
    const before = await tenantOf(m);
    for (const words of [`${osticket} ${bob}`, `${osticket.replace('--shared-app ', '')} ${bob}`]) {
      const ran = await done(`${words} --sign-in skip --json`);
      expect(ran.lines().at(-1)?.data).toMatchObject({ alreadySetUp: true });
    }
    expect(await tenantOf(m)).toEqual(before);
  });

  it('a mailbox with an app of its own goes over to the shared one', async () => {
    await done(`${confidential} ${ada}`);
    await done(`${confidential.replace('--shared-app ', '')} ${bob}`);
    expect(await countOf(m)).toMatchObject({ apps: 2 });
    const ran = await done(`${confidential} ${bob}`);
    expect(ran.err).toContain('remains in the tenant');
    const { registration } = await recordOf(ada);
    expect((await recordOf(bob)).registration).toMatchObject({ clientId: registration.clientId, shared: true });
    expect(secretEntries()).toEqual([`app/${registration.clientId}`]);
    expect((await m.mailauth(`token get ${bob} --sandbox --force-refresh`)).exit).toBe(0);
  });

  it('an app that exists, by its client ID: its secret is given once and stored once', async () => {
    const id = '22222222-5a4d-4b0c-9a11-c0ffee000002';
    const set = `setup --sandbox --yes --no-test --shared-app --client-type confidential --client-id ${id} --mailbox`;
    await done(`${set} ${ada}`);
    await done(`${set} ${bob}`);
    expect(secretEntries()).toEqual([`app/${id}`]);
    expect((await m.mailauth(`token get ${ada} --sandbox --force-refresh`)).exit).toBe(0);
  });

  it.each(['portal', 'handoff'])('does not go with --register %s', async (way) => {
    const ran = await m.mailauth(`${osticket} ${ada} --register ${way} --json`);
    expect([ran.exit, ran.lines().at(-1)?.error?.code ?? ran.json().error?.code]).toEqual([2, 'usage']);
  });

  it('two set-ups at the same time end with one app and one secret', async () => {
    await Promise.all([done(`${confidential} ${ada}`), done(`${confidential} ${bob}`)]);
    expect(await countOf(m)).toMatchObject({ apps: 1, servicePrincipals: 1, secrets: 1 });
    expect(secretEntries()).toHaveLength(1);
    const [one, two] = [await recordOf(ada), await recordOf(bob)];
    expect(two.registration.secretKeyId).toBe(one.registration.secretKeyId);
    for (const box of [ada, bob]) expect((await m.mailauth(`token get ${box} --sandbox --force-refresh`)).exit).toBe(0);
  });

  it('stopped after each of its writes, and gone on with by another mailbox: one app, one secret, both work', async () => {
    for (let nth = 1; ; nth += 1) {
      const other = await machine();
      const kept = m;
      m = other;
      try {
        const stop = stoppedAt(nth, (path) => path.includes('/setups/') || path.includes('/mailboxes/'));
        const first = await m.mailauth(`${confidential} ${ada}`, { files: stop.files, signal: stop.signal });
        await done(`${confidential} ${bob}`);
        if (first.exit !== 0) await done(`${confidential} ${ada}`);
        expect(await countOf(m), `after write ${nth}`).toMatchObject({ apps: 1, servicePrincipals: 1, secrets: 1 });
        for (const box of [ada, bob])
          expect((await m.mailauth(`token get ${box} --sandbox --force-refresh`)).exit, `${box} after ${nth}`).toBe(0);
        if (first.exit === 0) break;
      } finally {
        m = kept;
        await other.end();
      }
    }
  }, 150_000);
});

describe('the wizard', () => {
  const offer = 'contoso.example has an app for osTicket already (for ada@contoso.example).';
  const asked = 'setup --sandbox --no-test --for osticket --redirect-uri https://help.contoso.example/oauth --mailbox bob@contoso.example';

  it.each([
    ['the shared one', osticket],
    ['one that was made for one mailbox, which becomes shared', osticket.replace('--shared-app ', '')],
  ])('offers the app that is recorded here: %s', async (_, first) => {
    await done(`${first} ${ada}`);
    const before = await tenantOf(m);
    const { prompts, unasked } = person([[offer, 'take']]);
    const ran = await m.mailauth(asked, { terminal: true, prompts });
    expect([ran.exit, unasked()], ran.err).toEqual([0, []]);
    expect(await tenantOf(m)).toEqual(before);
    const [one, two] = [await recordOf(ada), await recordOf(bob)];
    expect([one.registration.shared, two.registration.shared]).toEqual([true, true]);
    expect(secretEntries()).toEqual([`app/${one.registration.clientId}`]);
    expect((await done(`secret show ${ada} --sandbox --json`)).json().data.stored).toBe(true);
  });

  it('makes another where that is chosen, and asks nobody with --yes', async () => {
    await done(`${osticket} ${ada}`);
    const { prompts, unasked } = person([
      [offer, 'no'],
      ['Create it?', 'stop'],
    ]);
    const ran = await m.mailauth(asked, { terminal: true, prompts });
    expect([ran.exit, unasked()], ran.err).toEqual([1, []]);
    expect(ran.err).toContain('app "mailauth osticket bob@contoso.example"');
    await done(`${osticket.replace('--shared-app ', '')} ${eve}`, { terminal: true, prompts: person([]).prompts });
    expect(await countOf(m)).toMatchObject({ apps: 2 });
  });
});

describe('from a list', () => {
  it('the mailboxes of each tenant and product have one app, and another label is only written', async () => {
    const from = ['setup', '--from', '-', '--for', 'osticket', '--shared-app', '--redirect-uri', 'https://help.contoso.example/oauth'];
    const list = async (label: string) => {
      const text = `mailbox,label\n${ada},${label}\n${bob},Contoso\nada@fabrikam.example,Fabrikam\n`;
      const pieces = async function* () {
        yield text;
      };
      const bytes = async function* () {
        yield Buffer.from(text);
      };
      return m.run([...from, '--sandbox', '--yes', '--json'], { longInput: { isTerminal: false, pieces, bytes } });
    };
    const ran = await list('Contoso');
    expect(ran.exit, ran.out + ran.err).toBe(0);
    expect(await countOf(m)).toMatchObject({ apps: 2, secrets: 2 });
    const before = await tenantOf(m);
    expect((await list('Contoso two')).exit).toBe(0);
    expect([await tenantOf(m), (await recordOf(ada)).label]).toEqual([before, 'Contoso two']);
  });
});

describe('the last one', () => {
  it('logout does not say that the secret goes while others use it', async () => {
    await done(`${osticket} ${ada}`);
    await done(`${osticket} ${bob}`);
    const logout = async (box: string) =>
      (await m.mailauth(`logout ${box} --sandbox`, { terminal: true, prompts: person([['Remove this', true]]).prompts })).err;
    expect(await logout(ada)).not.toContain('client secret');
    expect(await logout(bob)).toContain('client secret');
    expect(secretEntries()).toEqual([]);
  });

  it('--delete-app asks a person before the mailbox goes, also where the app stays', async () => {
    await done(`${osticket} ${ada}`);
    await done(`${osticket} ${bob}`);
    const { prompts, unasked } = person([['Remove this', false]]);
    const ran = await m.mailauth(`logout ${ada} --delete-app --sandbox`, { terminal: true, prompts });
    expect([ran.exit, unasked(), (await recordOf(ada)).mailbox]).toEqual([1, [], ada]);
  });

  it('logout keeps the secret and the app while others use them, and takes them with the last', async () => {
    await done(`${osticket} ${ada}`);
    await done(`${osticket} ${bob}`);
    const app = await onlyApp(m);
    const first = await done(`logout ${ada} --delete-app --sandbox --yes --json`);
    expect(first.json().data).toEqual({
      removed: [{ mailbox: ada, for: 'osticket' }],
      keptApps: [{ clientId: app.clientId, usedBy: [{ mailbox: bob, for: 'osticket' }] }],
    });
    expect(first.err + first.out).toContain(bob);
    expect([(await tenantOf(m)).apps.length, secretEntries()]).toEqual([1, [`app/${app.clientId}`]]);
    expect((await done(`secret show ${bob} --sandbox --json`)).json().data.stored).toBe(true);
    await done(`logout ${bob} --delete-app --sandbox --yes`);
    expect([await countOf(m), secretEntries()]).toEqual([{ apps: 0, servicePrincipals: 0, grants: 0, secrets: 0 }, []]);
  });

  it('the last two that log out at the same time leave neither app nor secret', async () => {
    await done(`${confidential} ${ada}`);
    await done(`${confidential} ${bob}`);
    await Promise.all([ada, bob].map((box) => done(`logout ${box} --delete-app --sandbox --yes`)));
    expect(secretEntries()).toEqual([]);
    expect(await countOf(m)).toMatchObject({ apps: 0, servicePrincipals: 0, grants: 0 });
  });

  it('logout --all --delete-app removes it once', async () => {
    await done(`${osticket} ${ada}`);
    await done(`${osticket} ${bob}`);
    await done('logout --all --delete-app --sandbox --yes');
    expect([(await countOf(m)).apps, secretEntries()]).toEqual([0, []]);
  });

  it('store move moves the secret once, and takes it out of the old store with the last mailbox', async () => {
    await done(`${confidential} ${ada}`);
    await done(`${confidential} ${bob}`);
    const env = { MAILAUTH_KEY_FILE: join(m.home, 'key') };
    await done(`store keygen ${join(m.home, 'key')}`, { env });
    const moved = await done('store move file --sandbox --json', { env });
    expect(moved.json().data.secrets).toBe(3);
    expect(secretEntries()).toEqual([]);
    for (const box of [ada, bob]) expect((await m.mailauth(`token get ${box} --sandbox --force-refresh`, { env })).exit).toBe(0);
  });
});
