import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readClientCertificate } from '../../src/oauth/client-certificate.ts';
import { opensslCertificate, type TestCertificate } from '../support/certificate.ts';
import { acceptingBrowser } from '../support/click-through.ts';
import { enter, type Machine, machine, person } from '../support/command-line.ts';
import { stream } from '../support/json-stream.ts';
import { countOf, hurried, journalWrites, onlyApp, stoppedAt, tenantOf, writtenBy } from '../support/tenant.ts';

let m: Machine;
let pair: TestCertificate;
beforeAll(async () => {
  pair = await opensslCertificate();
});
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const mailbox = 'helpdesk@contoso.example';
const ready = '22222222-5a4d-4b0c-9a11-c0ffee000002';
const auto = 'setup --sandbox --yes --access app-only';
/** An administrator in a browser; nobody else signs in. */
const browser = acceptingBrowser();
const servicePrincipal = async () => (await tenantOf(m)).servicePrincipals[0]?.objectId ?? 'none';

describe('setup --access app-only --register auto', () => {
  it('makes an app with roles in place of delegated permissions, a secret, no redirect, and tests with its own token', async () => {
    const ran = await m.mailauth(`${auto} --json`);
    expect([ran.exit, ran.exit === 0 ? '' : ran.out]).toEqual([0, '']);
    const app = await onlyApp(m);
    expect(app).toMatchObject({ publicRedirects: [], webRedirects: [], secrets: [{}], registration: { publicFallback: false } });
    expect(app.registration?.permissions).toEqual([
      {
        resourceAppId: '00000002-0000-0ff1-ce00-000000000000',
        resourceAccess: [
          { id: '5e5addcd-3e8d-4e90-baf5-964efab2b20a', type: 'Role' },
          { id: 'cb842b43-da6e-4506-86fe-bb12199c656d', type: 'Role' },
          { id: '7146a1f0-8703-45b3-9eae-527a64c00995', type: 'Role' },
        ],
      },
    ]);
    expect(await countOf(m)).toEqual({ apps: 1, servicePrincipals: 1, grants: 0, secrets: 1 });
    const { data } = stream(ran.lines());
    expect(data).toMatchObject({
      access: 'app-only',
      signedIn: true,
      scopes: ['https://outlook.office365.com/.default'],
      tests: [{ ok: true }, { ok: true }, { ok: true }],
    });
    const sp = await servicePrincipal();
    expect(data.exchange.lines).toEqual([
      `New-ServicePrincipal -AppId ${app.clientId} -ObjectId ${sp} -DisplayName mailauth`,
      `Add-MailboxPermission -Identity ${mailbox} -User ${sp} -AccessRights FullAccess`,
      `Add-RecipientPermission -Identity ${mailbox} -Trustee ${sp} -AccessRights SendAs -Confirm:$false`,
      `Set-CASMailbox -Identity ${mailbox} -ImapEnabled $true`,
      `Set-CASMailbox -Identity ${mailbox} -PopEnabled $true`,
      `Set-CASMailbox -Identity ${mailbox} -SmtpClientAuthenticationDisabled $false`,
    ]);
    expect(sp).not.toBe(app.registration?.objectId);
    expect(ran.lines().filter((line) => line.type === 'authorization_required')).toHaveLength(1);
  });

  it('a second run changes nothing; other protocols add a role to the same app', async () => {
    await m.mailauth(`${auto} --protocols imap --no-test`);
    const again = await m.mailauth('setup --sandbox --yes --json');
    expect(stream(again.lines())).toMatchObject({ ok: true, data: { alreadySetUp: true, access: 'app-only' } });
    const { clientId } = await onlyApp(m);
    const wider = await m.mailauth('setup --sandbox --yes --no-test --protocols imap,smtp --json');
    expect([wider.exit, stream(wider.lines()).data.clientId]).toEqual([0, clientId]);
    expect(await countOf(m)).toEqual({ apps: 1, servicePrincipals: 1, grants: 0, secrets: 1 });
    expect((await m.mailauth('token show --sandbox --json')).json().data).toMatchObject({
      access: 'app-only',
      scopes: ['IMAP.AccessAsApp', 'SMTP.SendAsApp'],
      refreshable: true,
      refreshTokenIdleDeadline: null,
    });
  });

  it('with a certificate: its public half goes on the app, its key into the store and nowhere else', async () => {
    const [cert, key] = [join(m.home, 'cert.pem'), join(m.home, 'key.pem')];
    await writeFile(cert, pair.certificate);
    await writeFile(key, pair.key);
    const ran = await m.mailauth(`${auto} --protocols imap --certificate ${cert} --certificate-key-file ${key} --json`);
    expect([ran.exit, ran.exit === 0 ? '' : ran.out]).toEqual([0, '']);
    const read = readClientCertificate(pair.certificate + pair.key, Date.now());
    const { thumbprint = '', expiresAt = '' } = typeof read === 'string' ? {} : read;
    const app = await onlyApp(m);
    expect([app.secrets, app.certificates]).toMatchObject([[], [{ thumbprint }]]);
    await writeFile(key, '');
    expect(ran.out + ran.err + (await writtenBy(m))).not.toContain('PRIVATE KEY');
    expect(ran.out).toContain(`Others can read or change ${key}: chmod 600 ${key}`);
    const status = await m.mailauth('status --sandbox --json --warn-days 40');
    expect([status.exit, status.json().data.mailboxes[0]]).toMatchObject([
      1,
      { secretExpiresAt: expiresAt, certificateThumbprint: thumbprint },
    ]);
    const renewal = expect.stringMatching(/^mailauth setup --mailbox \S+ --for this-computer --access app-only --certificate /);
    for (const command of ['status', 'keepalive --jitter 0']) {
      const { title, next } = (await m.mailauth(`${command} --sandbox --json --warn-days 40`)).json().error ?? {};
      expect([title, next]).toEqual([
        expect.stringMatching(/, certificate: \d+ days left$/),
        [renewal, expect.stringContaining('cert.pem')],
      ]);
    }
    expect(await m.mailauth('token get --sandbox --force-refresh')).toMatchObject({ exit: 0, out: expect.stringMatching(/^eyJ\S+\n$/) });
    const shown = await m.mailauth('secret show --sandbox --reveal');
    expect([shown.exit, shown.out]).toEqual([0, expect.stringContaining('never shown')]);
    const { fingerprint, fingerprint256 } = new X509Certificate(pair.certificate);
    const [sha1, sha256] = [fingerprint, fingerprint256].map((print) => print.replaceAll(':', ''));
    expect([shown.out.includes(`SHA-1 ${sha1}`), shown.out.includes(`SHA-256 ${sha256}`)]).toEqual([true, true]);
    const refused = (await m.mailauth('token get --sandbox --force-refresh --json --fault certificate-refused')).json().error;
    expect(refused?.next.join()).toMatch(new RegExp(`Thumbprint ${sha1} \\(SHA-1\\).*SHA-256, it is ${sha256}`));
    expect((await m.mailauth('secret rotate --sandbox --yes --json')).json().error).toMatchObject({
      code: 'certificate-not-rotated',
      exit: 1,
    });
    const again = await m.mailauth('setup --sandbox --yes --protocols imap,pop --no-test');
    expect([again.exit, (await onlyApp(m)).certificates?.length]).toEqual([0, 1]);
  });

  it('with a certificate, stopped after the app was made: --resume does not upload it again', async () => {
    const cert = join(m.home, 'both.pem');
    await writeFile(cert, pair.certificate + pair.key, { mode: 0o600 });
    const words = `${auto} --protocols imap --no-test`;
    const stopped = await m.mailauth(`${words} --certificate ${cert}`, stoppedAt(5, journalWrites));
    expect([stopped.exit, (await onlyApp(m)).certificates?.length]).toEqual([130, 1]);
    const resumed = await m.mailauth('setup --sandbox --resume --yes --no-test --json');
    expect([resumed.exit, (await onlyApp(m)).certificates?.length]).toEqual([0, 1]);
    expect(resumed.out).not.toContain('settings changed');
  });

  it('no administrator granted consent: exit 6 with what to send them, and --resume goes on', async () => {
    const ran = await m.mailauth(`${auto} --protocols imap --json --fault app-roles-missing`, hurried());
    expect(stream(ran.lines()).error).toMatchObject({ code: 'app-role-missing', exit: 6 });
    expect((await m.mailauth('setup --resume --sandbox --yes --json')).exit).toBe(0);
    expect(await countOf(m)).toMatchObject({ apps: 1, secrets: 1 });
  });

  it('waits for an Exchange administrator where a person is there, and leaves the tests out on No', async () => {
    const { prompts, unasked } = person([
      ['Create it?', 'yes'],
      ['Look into Exchange Online', false],
      ['Were these lines run?', false],
    ]);
    const ran = await m.mailauth(`setup --sandbox --mailbox ${mailbox} --for this-computer --access app-only --protocols smtp`, {
      terminal: true,
      prompts,
      browser,
    });
    expect([ran.exit, unasked()]).toEqual([0, []]);
    expect(ran.err).toContain('consent for the app itself: send mail (SMTP)');
    expect(ran.err).toContain(`-ObjectId ${await servicePrincipal()}`);
    expect(ran.out).toMatch(
      /New-ManagementRoleAssignment -Name mailauth-[0-9a-f]{8}-helpdesk@contoso.example -Role 'Application SMTP.SendAsApp'/,
    );
  });
});

describe('setup --access app-only with an app that is there', () => {
  it('takes the client secret, asks nobody to sign in, and finds the object id in the token', async () => {
    const ran = await m.mailauth(`${auto} --client-id ${ready} --client-type confidential --protocols imap --json`);
    expect([ran.exit, ran.exit === 0 ? '' : ran.out]).toEqual([0, '']);
    expect(ran.lines().filter((line) => line.type === 'authorization_required')).toEqual([]);
    expect(stream(ran.lines()).data.exchange.lines[0]).toMatch(/^New-ServicePrincipal -AppId 22222222\S+ -ObjectId [0-9a-f-]{36} /);
  });

  it('custom: asked on whose behalf, in two lines that say when', async () => {
    const { prompts, unasked } = person([
      ['On whose behalf', 'app-only'],
      ['Application (client) ID?', ready],
      ['Which protocols?', ['imap']],
      ['Go ahead?', 'yes'],
      ['Look into Exchange Online', false],
      ['Were these lines run?', enter],
    ]);
    const ran = await m.mailauth(`setup --sandbox --mailbox ${mailbox} --for custom --register existing`, { terminal: true, prompts });
    expect([ran.exit, unasked(), ran.exit === 0 ? '' : ran.err]).toEqual([0, [], '']);
    expect(ran.out).toContain('the app has a token of its own');
  });
});

describe('what app-only access does not go with: exit 2 before anything is touched', () => {
  it.each([
    [`--for osticket`, 'app-only-not-here', /signs in as a person/],
    [`--client-type public`, 'usage', /cannot show who it is/],
    [`--sign-in browser`, 'usage', /no person signs in/],
    [`--sign-in-as ada@contoso.example`, 'usage', /no person signs in/],
    [`--tenant consumers`, 'app-only-personal', /Personal accounts/],
    [`--certificate /nowhere/cert.pem`, 'certificate-unusable', /No usable certificate/],
    [`--certificate-key-file /nowhere/key.pem`, 'usage', /needs --certificate/],
  ])('%s', async (words, code, title) => {
    const error = stream((await m.mailauth(`${auto} ${words} --json`)).lines()).error;
    expect(error).toMatchObject({ code, exit: 2, title: expect.stringMatching(title) });
    expect(await countOf(m)).toMatchObject({ apps: 0 });
  });

  it('a certificate for delegated access, and an unknown kind', async () => {
    for (const words of ['--certificate cert.pem', '--access both']) {
      expect((await m.mailauth(`setup --sandbox --yes ${words}`)).exit).toBe(2);
    }
  });
});

describe('a mailbox with app-only access afterwards', () => {
  beforeEach(async () => {
    await m.mailauth(`${auto} --client-id ${ready} --client-type confidential --no-test`);
  });

  it('token get renews with the secret, login fetches a new token, keepalive proves it each time', async () => {
    const token = async (words = '') => (await m.mailauth(`token get --sandbox ${words}`.trim())).out;
    const first = await token();
    expect(await token()).toBe(first);
    const second = await token('--force-refresh');
    expect(second).not.toBe(first);
    const login = await m.mailauth('login --sandbox --json');
    expect(stream(login.lines())).toMatchObject({
      ok: true,
      data: { access: 'app-only', account: ready, tests: [{ ok: true }, { ok: true }, { ok: true }] },
    });
    expect((await m.mailauth('login --sandbox --fault imap-auth-failed')).exit).not.toBe(0);
    expect(await token()).not.toBe(second);
    const kept = await m.mailauth('keepalive --sandbox --jitter 0 --json');
    expect(kept.json().data.mailboxes).toMatchObject([{ state: 'renewed', refreshTokenIdleDeadline: null }]);
    expect((await m.mailauth('login --sandbox --sign-in paste --json')).exit).toBe(2);
  });

  it('a secret that Microsoft refuses is told by keepalive; logout leaves nothing', async () => {
    const ran = await m.mailauth('keepalive --sandbox --jitter 0 --json --fault secret-expired');
    expect(ran.json().data.mailboxes).toMatchObject([{ state: 'failed', error: { code: 'stored-secret-expired' } }]);
    expect((await m.mailauth('logout --sandbox')).exit).toBe(0);
    expect(m.keychain.entries.size).toBe(0);
  });

  it.each([
    ['imap', 'app-not-granted', 'FullAccess'],
    ['imap', 'imap-not-connected', 'FullAccess'],
    ['pop', 'pop-disabled', 'FullAccess'],
    ['smtp', 'app-not-granted', 'SendAs'],
  ])('%s under %s: the lines for Exchange with the object id filled in', async (protocol, fault, right) => {
    const ran = await m.mailauth(`test ${protocol} --sandbox --json --fault ${fault}`);
    expect(ran.json().error).toMatchObject({ code: 'mail-app-only', exit: 6 });
    const text = (await m.mailauth(`test ${protocol} --sandbox --fault ${fault}`)).err.replaceAll(/\s+/g, ' ');
    expect(text).toMatch(new RegExp(`New-ServicePrincipal -AppId ${ready} -ObjectId [0-9a-f-]{36} .*${right}`));
    expect(text).not.toContain('ENTERPRISE-APP-OBJECT-ID');
  });
});

describe('a handoff', () => {
  it('has the portal steps and the Exchange script, and goes on with the ID', async () => {
    const ran = await m.mailauth(`${auto} --register handoff --json`);
    const { folder, files } = stream(ran.lines()).data.handoff;
    expect(files).toEqual(['README.md', '1-portal-steps.md', '4-exchange-online.ps1']);
    const script = await readFile(join(folder, '4-exchange-online.ps1'), 'utf8');
    expect(script).toMatch(/\[guid\] \$EnterpriseObjectId[\s\S]*New-ServicePrincipal -AppId "\$ClientId" -ObjectId \$app[\s\S]*FullAccess/);
    expect(await readFile(join(folder, '1-portal-steps.md'), 'utf8')).toContain('IMAP.AccessAsApp');
    const secret = join(m.home, 'secret.txt');
    const { readySecret } = JSON.parse(await readFile(join(m.home, 'sandbox', 'state.json'), 'utf8'));
    await writeFile(secret, readySecret);
    const done = await m.mailauth(`setup --resume --sandbox --yes --client-id ${ready} --client-secret-file ${secret} --json`);
    expect([done.exit, stream(done.lines()).data]).toMatchObject([0, { access: 'app-only', signedIn: true }]);
  });
});
