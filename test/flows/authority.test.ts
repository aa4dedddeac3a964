import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { namedCloud } from '../../src/core/cloud.ts';
import type { MailboxRecord, TokenSet } from '../../src/core/mailbox.ts';
import { Secret } from '../../src/core/secret.ts';
import { authorityOf } from '../../src/core/sign-in-authority.ts';
import { encodeClientSecret } from '../../src/store/client-secret-entry.ts';
import { clientSecretEntry, decodeTokenSet, tokenEntry } from '../../src/store/token-entry.ts';
import { type Machine, machine } from '../support/command-line.ts';
import type { Canned, Received } from '../support/https-server.ts';
import {
  accessToken,
  emptied,
  jwt,
  type Lab,
  labClient,
  labMailbox,
  labRecord,
  labRefreshToken,
  labStore,
  labTenant,
  openLab,
  signInAt,
} from '../support/lab.ts';

const secret = 'The~client.secret_of-the-lab';
let m: Machine;
let lab: Lab;
let foreign: Lab;
let answer: (request: Received) => Canned;
let foreignFile = '';

const idToken = (claims: Readonly<Record<string, unknown>> = {}) =>
  jwt({ aud: labClient, tid: labTenant, preferred_username: labMailbox, sub: 's', ...claims });
const granted = (more: Readonly<Record<string, unknown>> = {}): Canned => ({
  body: {
    token_type: 'Bearer',
    access_token: accessToken({ fresh: 1 }),
    refresh_token: 'the-next-refresh-token',
    id_token: idToken(),
    expires_in: 3600,
    ...more,
  },
});
/** What a service of somebody else would say. */
const forged = ({ path }: Received): Canned =>
  path.includes('openid-configuration')
    ? {
        body: {
          issuer: `${foreign.cloud.login}/${labTenant}/v2.0`,
          authorization_endpoint: `${foreign.cloud.login}/${labTenant}/oauth2/v2.0/authorize`,
          token_endpoint: `${foreign.cloud.login}/${labTenant}/oauth2/v2.0/token`,
        },
      }
    : granted({ access_token: 'forged' });

beforeAll(async () => {
  [m, lab, foreign] = await Promise.all([machine(), openLab((request) => answer(request)), openLab((request) => forged(request))]);
  foreignFile = join(m.home, 'foreign.json');
});
afterAll(() => Promise.all([m.end(), lab.server.close(), foreign.server.close()]));
beforeEach(async () => {
  await emptied(m);
  await writeFile(foreignFile, JSON.stringify({ ...foreign.cloud, name: 'elsewhere' }));
  lab.server.received.length = 0;
  foreign.server.received.length = 0;
  answer = () => granted();
});

const run = (words: string, env: Record<string, string> = {}) => m.mailauth(words, { network: lab.network, env });
const storedNow = async (record: MailboxRecord) => {
  const value = await (await labStore(m)).read(tokenEntry(record));
  return value === undefined ? undefined : decodeTokenSet(value, record);
};
const get = `token get ${labMailbox}`;

describe('a stored sign-in goes only to what it belongs to', () => {
  const sending = [
    get,
    `${get} --force-refresh`,
    `test imap ${labMailbox}`,
    'test all --all-mailboxes',
    'keepalive --renew-after 0 --jitter 0',
    `login ${labMailbox}`,
    `login ${labMailbox} --force`,
  ];

  it.each(sending)('%s: a cloud file of somebody else, as a flag and as a variable, gets nothing', async (words) => {
    const record = labRecord(lab.cloud);
    await signInAt(m, record);
    for (const ran of [
      await run(`${words} --json --cloud-file ${foreignFile}`),
      await run(`${words} --json`, { MAILAUTH_CLOUD_FILE: foreignFile }),
    ]) {
      expect([ran.exit, ran.out.includes('"authority-changed"')]).toEqual([4, true]);
      expect(ran.out).toContain(lab.cloud.login);
      expect(ran.out).toContain(foreign.cloud.login);
    }
    expect([foreign.server.received, lab.server.received]).toEqual([[], []]);
    expect((await storedNow(record))?.refreshToken?.reveal()).toBe(labRefreshToken);
  });

  it.each([
    ['--cloud china', {}],
    ['', { MAILAUTH_CLOUD: 'china' }],
  ])('another of Microsoft’s clouds (%s %o): exit 4, and the next step that it prints works', async (flag, env: Record<string, string>) => {
    await signInAt(m, labRecord(namedCloud('public')));
    const { exit, err } = await run(`${get} ${flag}`.trim(), env);
    expect([exit, err.includes('login.partner.microsoftonline.cn'), err.includes('login.microsoftonline.com')]).toEqual([4, true, true]);
    const next = /try: mailauth (.*?)(?: {3}#|\n)/.exec(err)?.[1] ?? '';
    expect(next).toBe(`${get} --cloud public`);
    expect((await run(next, env)).exit).toBe(0);
  });

  it.each<[string, TokenSet['account']]>([
    ['by its name', { username: 'mallory@evil.example' }],
    ['by its object id, under the same name', { username: labMailbox, objectId: '99999999-0000-0000-0000-000000000001' }],
  ])('an entry of another account than the mailbox file says, told %s: nothing is handed out or sent', async (_, other) => {
    const own = { username: labMailbox, tenantId: labTenant, objectId: '99999999-0000-0000-0000-000000000000' };
    const record = labRecord(lab.cloud, { account: own });
    await signInAt(m, record, { account: other });
    for (const words of [get, `${get} --force-refresh`, `test imap ${labMailbox}`, 'keepalive --renew-after 0 --jitter 0']) {
      const { exit, out, json } = await run(`${words} --json`);
      expect([words, exit, json().error?.code, out.includes('eyJ')]).toEqual([words, 4, 'account-changed', false]);
      expect(json().error?.next[0]).toMatch(/^mailauth login box@contoso.example .*--force/);
    }
    expect(lab.server.received).toEqual([]);
    // Somebody who was renamed is the same person, and a name in other letters is the same name.
    await signInAt(m, record, { account: { ...own, username: 'renamed@contoso.example' } });
    expect((await run(get)).exit).toBe(0);
    await signInAt(m, record, { account: { username: labMailbox.toUpperCase(), tenantId: labTenant } });
    expect((await run(get)).exit).toBe(0);
  });

  it('a DoD cloud has the login of GCC High and other mail hosts', async () => {
    await signInAt(m, labRecord(namedCloud('usgov')));
    expect((await run(`${get} --cloud usgov`)).exit).toBe(0);
    expect((await run(`${get} --cloud usgov-dod --json`)).json().error?.code).toBe('authority-changed');
  });

  it.each<[string, (record: MailboxRecord) => MailboxRecord]>([
    ['login and endpoints', (r) => ({ ...labRecord(foreign.cloud), cloud: { ...foreign.cloud, name: r.cloud.name } })],
    ['the mail host', (r) => ({ ...r, cloud: { ...r.cloud, imap: { ...r.cloud.imap, host: 'mail.evil.example' } } })],
    ['the mail port', (r) => ({ ...r, cloud: { ...r.cloud, smtp: { ...r.cloud.smtp, port: 2525 } } })],
    ['Graph', (r) => ({ ...r, cloud: { ...r.cloud, graph: 'https://graph.evil.example' } })],
    ['the tenant', (r) => ({ ...r, tenantId: '99999999-2222-3333-4444-555555555555' })],
    ['the app', (r) => ({ ...r, registration: { ...r.registration, clientId: '99999999-2222-3333-4444-555555555555' } })],
    [
      'the name of the cloud, to sandbox',
      (r) => ({ ...labRecord(foreign.cloud), cloud: { ...foreign.cloud, name: 'sandbox' }, for: r.for }),
    ],
  ])('a mailbox file in which somebody changed %s', async (_, change) => {
    const record = labRecord(lab.cloud);
    const file = await signInAt(m, record);
    await writeFile(file, JSON.stringify({ version: 1, ...change(record) }));
    for (const words of [get, `${get} --force-refresh`, `test imap ${labMailbox}`, 'keepalive --renew-after 0 --jitter 0']) {
      const { exit, json } = await run(`${words} --json`);
      expect([words, exit, json().error?.code]).toEqual([words, 4, 'authority-changed']);
      expect(json().error?.next[0]).toMatch(/^mailauth setup --mailbox box@contoso.example --for this-computer/);
    }
    expect([foreign.server.received, lab.server.received]).toEqual([[], []]);
    const status = (await run('status --json')).json();
    expect([status.ok, status.data.mailboxes[0].signedIn]).toEqual([true, true]);
    expect((await run(`logout ${labMailbox}`)).exit).toBe(0);
    expect(await storedNow(record)).toBeUndefined();
  });

  it('setup with another cloud signs in there anew and sends nothing stored', async () => {
    await signInAt(m, labRecord(lab.cloud));
    const words = `setup --mailbox ${labMailbox} --for this-computer --client-id ${labClient} --yes --no-input --sign-in device --no-test --json`;
    await run(`${words} --cloud-file ${foreignFile}`);
    expect(foreign.server.received.length).toBeGreaterThan(0);
    expect(foreign.heard()).not.toContain(labRefreshToken);
  });

  it('stays with its own cloud, as a file, without a word', async () => {
    const record = labRecord(lab.cloud);
    await signInAt(m, record);
    const file = join(m.home, 'lab.json');
    await writeFile(file, JSON.stringify(lab.cloud));
    expect(await run(`${get} --force-refresh --cloud-file ${file}`)).toMatchObject({ exit: 0, err: '' });
    expect((await storedNow(record))?.authority).toEqual(authorityOf(lab.cloud, { tenantId: labTenant, clientId: labClient }));
    await rm(file);
  });
});

describe('a client secret is bound as the tokens are', () => {
  const confidential = (cloud = lab.cloud): MailboxRecord => {
    const record = labRecord(cloud);
    return { ...record, registration: { ...record.registration, clientType: 'confidential' } };
  };
  const hold = async (record: MailboxRecord, value: Secret) => (await labStore(m)).write(clientSecretEntry(record), value);
  const bound = (record: MailboxRecord) =>
    encodeClientSecret(new Secret(secret), authorityOf(record.cloud, { tenantId: labTenant, clientId: labClient }));

  it('goes to its own cloud, and secret show reads it', async () => {
    const record = confidential();
    await signInAt(m, record);
    await hold(record, bound(record));
    expect((await run(`${get} --force-refresh`)).exit).toBe(0);
    expect(new URLSearchParams(lab.heard()).get('client_secret')).toBe(secret);
    expect((await run(`secret show ${labMailbox} --reveal --json`)).json().data.clientSecret).toBe(secret);
  });

  it('goes nowhere else, with app-only access either', async () => {
    const record: MailboxRecord = { ...confidential(), access: 'app-only' };
    await signInAt(m, record);
    await hold(record, bound(record));
    for (const words of [`${get} --force-refresh`, `login ${labMailbox}`, `secret rotate ${labMailbox} --yes`, 'keepalive --jitter 0']) {
      const { exit, out } = await run(`${words} --json --cloud-file ${foreignFile}`);
      expect([words, exit, out.includes('authority-changed')]).toEqual([words, 4, true]);
    }
    expect([foreign.server.received, lab.server.received]).toEqual([[], []]);
  });

  it('one of the first edition is taken over beside a token that agrees, and goes nowhere without one', async () => {
    const record = confidential(namedCloud('public'));
    await signInAt(m, record, { isFirstEdition: true });
    await hold(record, new Secret(secret));
    expect((await run(get)).exit).toBe(0);
    const app: MailboxRecord = { ...confidential(), access: 'app-only' };
    await emptied(m);
    await signInAt(m, app);
    await (await labStore(m)).remove(tokenEntry(app));
    await hold(app, new Secret(secret));
    const { exit, json } = await run(`login ${labMailbox} --json`).then((ran) => ({ exit: ran.exit, json: () => ran.lines().at(-1) }));
    expect([exit, json()?.error?.code]).toEqual([4, 'authority-unknown']);
    expect(lab.server.received).toEqual([]);
  });
});

describe('an entry of the first edition', () => {
  it('is taken over where its file agrees with the token and its login is Microsoft’s', async () => {
    await signInAt(m, labRecord(namedCloud('public')), { isFirstEdition: true });
    expect((await run(get)).exit).toBe(0);
    expect((await run(`${get} --cloud china --json`)).json().error?.code).toBe('authority-changed');
  });

  it('is taken over where the cloud file in force describes its login, and bound by the next refresh', async () => {
    const record = labRecord(lab.cloud);
    await signInAt(m, record, { isFirstEdition: true });
    const file = join(m.home, 'lab.json');
    await writeFile(file, JSON.stringify(lab.cloud));
    expect((await run(`${get} --force-refresh --cloud-file ${file}`)).exit).toBe(0);
    expect((await storedNow(record))?.authority?.login).toBe(lab.cloud.login);
    expect((await run(`${get} --force-refresh`)).exit).toBe(0);
    await rm(file);
  });

  it.each<[string, () => MailboxRecord, string | undefined]>([
    ['a login that nobody vouches for', () => labRecord(lab.cloud), undefined],
    ['another app in the token', () => labRecord(namedCloud('public')), accessToken({ appid: 'another' })],
    ['another tenant in the token', () => labRecord(namedCloud('public')), accessToken({ tid: 'another' })],
    ['a token that cannot be read', () => labRecord(namedCloud('public')), 'opaque'],
    ['a mail host that is not Microsoft’s', () => labRecord({ ...namedCloud('public'), imap: lab.cloud.imap }), undefined],
  ])('%s: exit 4, sign in again', async (_, record, token) => {
    await signInAt(m, record(), { isFirstEdition: true, ...(token === undefined ? {} : { accessToken: new Secret(token) }) });
    for (const words of [get, `${get} --force-refresh`, `test imap ${labMailbox}`]) {
      const { exit, json } = await run(`${words} --json`);
      expect([exit, json().error?.code]).toEqual([4, 'authority-unknown']);
      expect(json().error?.next).toEqual([`mailauth login ${labMailbox} --for this-computer --force`]);
    }
    expect(lab.server.received).toEqual([]);
  });
});

describe('the answer to a refresh is compared with who signed in', () => {
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['another tenant', { id_token: idToken({ tid: '99999999-2222-3333-4444-555555555555' }) }],
    ['another account', { id_token: idToken({ preferred_username: 'mallory@evil.example' }) }],
    ['another app', { id_token: idToken({ aud: '99999999-2222-3333-4444-555555555555' }) }],
    ['another tenant, told by the access token alone', { id_token: undefined, access_token: accessToken({ tid: 'another' }) }],
  ])('%s: refused, not stored, not printed', async (_, more) => {
    const record = labRecord(lab.cloud);
    const file = await signInAt(m, record);
    const before = await readFile(file, 'utf8');
    answer = () => granted(more);
    const { exit, json, out } = await run(`${get} --force-refresh --json`);
    expect([exit, json().error?.code]).toEqual([4, 'refresh-foreign']);
    expect(out).not.toContain(accessToken({ fresh: 1 }));
    expect((await storedNow(record))?.refreshToken?.reveal()).toBe(labRefreshToken);
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('another object id, whatever the name; and a new name of the same one', async () => {
    const record = labRecord(lab.cloud);
    const account = { username: labMailbox, tenantId: labTenant, objectId: 'one' };
    await signInAt(m, record, { account });
    answer = () => granted({ id_token: idToken({ oid: 'two' }) });
    expect((await run(`${get} --force-refresh --json`)).json().error?.code).toBe('refresh-foreign');
    answer = () => granted({ id_token: idToken({ oid: 'one', preferred_username: 'renamed@contoso.example' }) });
    expect((await run(`${get} --force-refresh`)).exit).toBe(0);
  });
});
