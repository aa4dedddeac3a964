import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Machine, machine } from '../support/command-line.ts';
import { onlyApp, stoppedAt, tenantOf } from '../support/tenant.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const ada = 'ada@contoso.example';
const bob = 'bob@contoso.example';
const here = 'setup --sandbox --yes --no-test --client-type confidential --shared-app --mailbox';
const osticket = 'setup --sandbox --yes --for osticket --shared-app --redirect-uri https://help.contoso.example/oauth --mailbox';
const rotate = 'secret rotate --sandbox --yes --json';

const folder = () => join(m.home, 'sandbox', 'mailboxes');
const change = async (mailbox: string, how: (record: { registration: Record<string, unknown> }) => void) => {
  const name = (await readdir(folder())).find((one) => one.startsWith(`${mailbox}~`)) ?? '';
  const record = JSON.parse(await readFile(join(folder(), name), 'utf8'));
  how(record);
  await writeFile(join(folder(), name), JSON.stringify(record));
};
const registrationOf = async (mailbox: string) => {
  const name = (await readdir(folder())).find((one) => one.startsWith(`${mailbox}~`)) ?? '';
  return JSON.parse(await readFile(join(folder(), name), 'utf8')).registration;
};
const secretIds = async () => (await onlyApp(m)).secrets.map(({ id }) => id);
const clientId = async () => (await onlyApp(m)).clientId;
const works = async () => Promise.all([ada, bob].map(async (box) => (await m.mailauth(`token get ${box} --sandbox --force-refresh`)).exit));
const notes = () => readdir(join(m.home, 'sandbox', 'rotations')).catch(() => []);
/** Microsoft takes the sign-in of this mailbox no more. */
const lose = (mailbox: string) => {
  for (const [name, value] of m.keychain.entries)
    if (name.includes(`token/this-computer/${mailbox}`))
      m.keychain.entries.set(name, value.replace(/"refreshToken":"[^"]+"/, '"refreshToken":"gone"'));
};

describe('secret rotate of an app that two mailboxes share', () => {
  it.each([
    ['--app', async () => `--app ${await clientId()}`],
    ['--ending', async () => '--ending 400'],
  ])('%s: one new secret for both, each proven before the old one goes', async (_, flags) => {
    await m.ready(`${here} ${ada}`, `${here} ${bob}`);
    const [old] = await secretIds();
    const ran = await m.mailauth(`${rotate} ${await flags()}`);
    expect(ran.exit, ran.err).toBe(0);
    const [now, ...more] = await secretIds();
    expect([now === old, more]).toEqual([false, []]);
    expect(ran.json().data.apps).toEqual([
      {
        clientId: await clientId(),
        tenantId: expect.any(String),
        mailboxes: [ada, bob],
        secretId: now,
        secretExpiresAt: expect.stringMatching(/Z$/),
        finished: true,
        ok: true,
        exit: 0,
        next: [expect.stringContaining('secret show')],
      },
    ]);
    for (const box of [ada, bob]) {
      expect(await registrationOf(box)).toMatchObject({ secretKeyId: now, secretExpiresAt: ran.json().data.apps[0].secretExpiresAt });
      expect(await registrationOf(box)).not.toHaveProperty('oldSecretKeyId');
    }
    expect([await works(), await notes()]).toEqual([[0, 0], []]);
  });

  it('by one of its mailboxes: says that it is for all of them, and is', async () => {
    await m.ready(`${here} ${ada}`, `${here} ${bob}`);
    const ran = await m.mailauth(`secret rotate ${bob} --sandbox --yes`);
    expect([ran.exit, ran.err]).toEqual([0, expect.stringContaining('is that of 2 mailboxes (ada@contoso.example, bob@contoso.example)')]);
    expect((await registrationOf(ada)).secretKeyId).toBe((await registrationOf(bob)).secretKeyId);
    expect([(await secretIds()).length, await works()]).toEqual([1, [0, 0]]);
  });

  it('one of them is red: the old secret stays, it is said, and the next run goes on', async () => {
    await m.ready(`${here} ${ada}`, `${here} ${bob}`);
    const [old] = await secretIds();
    const lost = [...m.keychain.entries];
    lose(bob);
    const ran = await m.mailauth(`${rotate} --app ${await clientId()}`);
    const [app] = ran.json().data.apps;
    expect([ran.exit, ran.json().error?.code]).toEqual([4, 'rotation-red']);
    expect(ran.json().error?.why).toContain(bob);
    expect(app).toMatchObject({ finished: false, ok: false, exit: 4, code: 'rotation-red' });
    expect(await secretIds()).toEqual([old, app.secretId]);
    for (const box of [ada, bob]) expect(await registrationOf(box)).toMatchObject({ secretKeyId: app.secretId, oldSecretKeyId: old });
    // Ada works on; Bob signs in again.
    expect(await works()).toEqual([0, 4]);
    for (const [name, value] of lost) if (name.includes(`token/this-computer/${bob}`)) m.keychain.entries.set(name, value);
    const again = await m.mailauth(`${rotate} --app ${app.clientId}`);
    expect([again.exit, again.json().data.apps[0].finished], again.err).toEqual([0, true]);
    expect([await secretIds(), await works()]).toEqual([[app.secretId], [0, 0]]);
  });

  it('stopped after each of its writes: the next run completes it and makes no third secret', async () => {
    for (let nth = 1; ; nth += 1) {
      const kept = m;
      m = await machine();
      try {
        await m.ready(`${here} ${ada}`, `${here} ${bob}`);
        const [old] = await secretIds();
        const stop = stoppedAt(nth, (path) => path.includes('/rotations/') || path.includes('/mailboxes/'));
        const first = await m.mailauth(`${rotate} --app ${await clientId()}`, { files: stop.files, signal: stop.signal });
        expect(await works(), `after write ${nth}`).toEqual([0, 0]);
        const second = first.exit === 0 ? first : await m.mailauth(`${rotate} --app ${await clientId()}`);
        expect(second.exit, `after write ${nth}: ${second.err}`).toBe(0);
        const ids = await secretIds();
        expect([ids.length, ids.includes(old ?? ''), await works(), await notes()], `after write ${nth}`).toEqual([1, false, [0, 0], []]);
        if (first.exit === 0) break;
      } finally {
        await m.end();
        m = kept;
      }
    }
  }, 150_000);

  it('of a product: both secrets work until --finish, and --ending names what is not finished and does not repeat it', async () => {
    await m.ready(`${osticket} ${ada}`, `${osticket} ${bob}`);
    for (const box of [ada, bob])
      await change(box, ({ registration }) => (registration.secretExpiresAt = new Date(Date.now() + 5 * 86_400_000).toISOString()));
    const [old] = await secretIds();
    const ran = await m.mailauth(`${rotate} --ending 30`);
    const [app] = ran.json().data.apps;
    expect([ran.exit, app.finished, app.ok], ran.err).toEqual([0, false, true]);
    expect(app.next.join()).toContain(`secret rotate --app ${app.clientId} --finish`);
    expect(await secretIds()).toEqual([old, app.secretId]);

    const again = await m.mailauth(`${rotate} --ending 30`);
    expect([again.exit, again.json().data.apps]).toEqual([
      0,
      [expect.objectContaining({ clientId: app.clientId, finished: false, ok: true, code: 'rotation-open' })],
    ]);
    const asked = await m.mailauth(`${rotate} --app ${app.clientId}`);
    expect([asked.exit, asked.json().error?.code, asked.json().data.apps[0].code]).toEqual([3, 'rotation-open', 'rotation-open']);
    expect(await secretIds()).toEqual([old, app.secretId]);

    const finished = await m.mailauth(`${rotate} --app ${app.clientId} --finish`);
    expect([finished.exit, finished.json().data.apps[0].finished], finished.err).toEqual([0, true]);
    expect(await secretIds()).toEqual([app.secretId]);
    expect((await m.mailauth(`${rotate} --ending 30`)).json().data.apps).toEqual([]);
  });

  it('an app of one mailbox by --app, and one sign-in a tenant for several', async () => {
    await m.ready(`${here} ${ada}`, `${here.replace('--shared-app ', '')} ${bob}`, `${here} ada@fabrikam.example`);
    const ran = await m.mailauth(`${rotate} --ending 400`);
    expect(ran.exit, ran.err).toBe(0);
    expect(
      ran
        .json()
        .data.apps.map(({ mailboxes }: { mailboxes: readonly string[] }) => mailboxes.join())
        .sort(),
    ).toEqual([ada, 'ada@fabrikam.example', bob].sort());
    expect(ran.err.match(/Sign in as an administrator:/g)).toHaveLength(2);
    const own = (await tenantOf(m)).apps.find(({ name }) => name.includes(bob));
    const alone = await m.mailauth(`${rotate} --app ${own?.clientId}`);
    expect([alone.exit, alone.json().data.apps[0].mailboxes]).toEqual([0, [bob]]);
  });

  it('one app that fails does not stop the others', async () => {
    await m.ready(`${here} ${ada}`, `${here.replace('--shared-app ', '')} ${bob}`);
    for (const name of m.keychain.entries.keys()) if (name.includes('client-secret/app/')) m.keychain.entries.delete(name);
    const ran = await m.mailauth(`${rotate} --ending 400`);
    const apps: readonly { mailboxes: readonly string[]; ok: boolean; code?: string }[] = ran.json().data.apps;
    expect([ran.exit, apps.find(({ ok }) => !ok)]).toMatchObject([4, { mailboxes: [ada], code: 'stored-secret-missing' }]);
    expect(apps.find(({ ok }) => ok)).toMatchObject({ mailboxes: [bob] });
  });

  it.each([
    [`${rotate} --app 11111111-2222-3333-4444-555555555555`, 4, 'app-unknown'],
    [`${rotate} --app 11111111-2222-3333-4444-555555555555 --ending 3`, 2, 'usage'],
    [`${rotate} --app helpdesk`, 2, 'usage'],
    [`${rotate} --ending 30 --finish`, 2, 'usage'],
    [`${rotate} ${ada} --ending 30`, 2, 'usage'],
    [`${rotate} --ending soon`, 2, 'value-invalid'],
    ['secret rotate --sandbox --json --ending 400', 3, 'needs-yes'],
  ])('%s: exit %i', async (words, exit, code) => {
    await m.ready(`${here} ${ada}`, `${here} ${bob}`);
    const ran = await m.mailauth(words);
    expect([ran.exit, ran.json().error?.code]).toEqual([exit, code]);
    expect(await secretIds()).toHaveLength(1);
  });

  it.each([
    ['--ending', async () => '--ending 400'],
    ['--app', async () => `--app ${await clientId()}`],
    ['a mailbox', async () => ada],
  ])('without a person: with %s the next command has --yes, and the months that were asked for', async (_, which) => {
    await m.ready(`${here} ${ada}`, `${here} ${bob}`);
    const ran = await m.mailauth(`secret rotate --sandbox --json --secret-months 3 ${await which()}`);
    const [next] = ran.json().error?.next ?? [];
    expect([ran.exit, next?.includes('--secret-months 3'), next?.includes('--yes')]).toEqual([3, true, true]);
  });
});
