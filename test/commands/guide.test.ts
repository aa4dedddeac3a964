import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { namedCloud } from '../../src/core/cloud.ts';
import type { MailboxRecord } from '../../src/core/mailbox.ts';
import { products } from '../../src/products/products.ts';
import { mailboxFiles } from '../../src/store/mailbox-file.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import { type Machine, machine } from '../support/command-line.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const record: MailboxRecord = {
  ...{ mailbox: 'helpdesk@contoso.com', for: 'osticket', tenantId: '5f0c3e1a-7d42-4b8e-9a63-1c2d3e4f5a6b', store: 'keychain' },
  cloud: namedCloud('public'),
  endpoints: { issuer: 'https://issuer', authorization: 'https://known.example/v2.0/authorize', token: 'https://known.example/v2.0/token' },
  registration: {
    ...{ clientId: '11111111-2222-3333-4444-555555555555', clientType: 'confidential', madeByMailauth: false },
    redirectUri: 'https://helpdesk.contoso.com/api/auth/oauth2',
  },
  ...{ protocols: ['imap', 'smtp'], scopes: [], createdAt: '2026-11-22T00:00:00.000Z', lastTests: [] },
};
const setUp = (more: Partial<MailboxRecord> = {}) =>
  mailboxFiles({ files: systemFiles, home: m.home }).writeMailbox({ ...record, ...more });

type Step = { title: string; link: string | null; values: { field: string; value: string }[]; press: string[] };
const valuesOf = (steps: readonly Step[]) => Object.fromEntries(steps.flatMap((s) => s.values.map(({ field, value }) => [field, value])));

describe('mailauth guide', () => {
  it('lists the guides', async () => {
    const { exit, out, err } = await m.mailauth('guide');
    expect([exit, err]).toEqual([0, '']);
    for (const { name, title } of products) expect(out).toMatch(new RegExp(`^ {2}${name} +${title}$`, 'm'));
    const { data } = (await m.mailauth('guide --json')).json();
    const counts = data.guides.map((one: { name: string; manualSteps: number | null }) => [one.name, one.manualSteps]);
    expect(counts).toEqual(products.map(({ name, manualSteps }) => [name, manualSteps ?? null]));
    expect(Object.fromEntries(counts)).toMatchObject({
      'this-computer': null,
      osticket: 50,
      supportpal: 56,
      kaseya: 33,
      mspbots: 47,
      custom: null,
    });
    expect((await m.mailauth('guide --format markdown')).out).toMatch(/^- `this-computer`: This computer; /);
  });

  it('offers every product in the help of setup and in the completion', async () => {
    const { out } = await m.mailauth('setup --help');
    const offered = await m.run(['completion', 'complete', '--', 'guide', '']);
    for (const { name } of products)
      expect([out.replace(/\s+/g, ' '), offered.out]).toEqual([expect.stringContaining(name), expect.stringContaining(name)]);
  });

  it.each(products.map(({ name }) => name))('%s: placeholders where nothing is known, as text, Markdown and JSON', async (name) => {
    const { exit, out, err } = await m.mailauth(`guide ${name}`);
    expect([exit, err]).toEqual([0, '']);
    expect(out).toContain('1. ');
    expect(out).toMatch(/\bMAILBOX\b/);
    expect(out).toContain('Entra ID > App registrations > New registration');
    const markdown = (await m.mailauth(`guide ${name} --format markdown`)).out;
    expect(markdown).toMatch(/^# .+\n\n## 1\. /);
    const envelope = (await m.mailauth(`guide ${name} --json`)).json();
    expect(envelope).toMatchObject({ ok: true, command: 'guide', data: { guide: name, mailbox: null, setUp: false } });
    const steps: Step[] = envelope.data.steps;
    expect(steps.length).toBeGreaterThan(3);
    for (const { title } of steps) expect(markdown).toContain(title);
    for (const { values } of steps) for (const { field, value } of values) expect([field, value]).not.toContain('');
  });

  it('fills in the values of a mailbox that is set up, without naming it when there is one', async () => {
    await setUp();
    for (const words of ['guide osticket', 'guide osticket --mailbox Helpdesk@Contoso.com']) {
      const { data } = (await m.mailauth(`${words} --json`)).json();
      expect(data).toMatchObject({ mailbox: 'helpdesk@contoso.com', setUp: true });
      expect(valuesOf(data.steps)).toMatchObject({
        'Client ID': '11111111-2222-3333-4444-555555555555',
        'Callback Endpoint': 'https://helpdesk.contoso.com/api/auth/oauth2',
        'Redirect URI': 'https://helpdesk.contoso.com/api/auth/oauth2',
        'Token Endpoint': 'https://known.example/v2.0/token',
        IMAP: 'outlook.office365.com:993 SSL/TLS',
      });
      const links: string[] = data.steps.flatMap(({ link }: Step) => link ?? []);
      expect(links.at(-1)).toContain('/appId/11111111-2222-3333-4444-555555555555/');
    }
  });

  it('takes the tenant from another set-up of the same mailbox, and nothing else', async () => {
    await setUp({ for: 'this-computer' });
    const { data } = (await m.mailauth('guide kaseya --mailbox helpdesk@contoso.com --json')).json();
    expect(data.setUp).toBe(false);
    expect(valuesOf(data.steps)).toMatchObject({
      'Directory ID': record.tenantId,
      'Application ID': 'CLIENT-ID',
      Username: 'helpdesk@contoso.com',
      'Redirect URI': 'leave it empty',
    });
  });

  it('lets flags win over what is set up', async () => {
    await setUp();
    const { data } = (
      await m.mailauth(
        'guide osticket --json --tenant contoso.com --client-id 99999999-2222-3333-4444-555555555555 --protocols imap ' +
          '--redirect-uri https://other.example/cb --secret-months 24 --name desk --sign-in-as ada@contoso.com --audience multi',
      )
    ).json();
    expect(valuesOf(data.steps)).toMatchObject({
      Name: 'desk',
      'Client ID': '99999999-2222-3333-4444-555555555555',
      'Redirect URI': 'https://other.example/cb',
      'Token Endpoint': 'https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token',
      Expires: '730 days (24 months)',
      Permission: 'IMAP.AccessAsUser.All',
    });
    expect(JSON.stringify(data.steps)).toContain('Sign in as ada@contoso.com');
    expect(JSON.stringify(data.steps)).toContain('Strict Matching');
  });

  it('takes the environment where no flag is given', async () => {
    const env = { MAILAUTH_MAILBOX: 'env@contoso.com', MAILAUTH_TENANT: 'tenant.example', MAILAUTH_CLIENT_ID: '' };
    const { out } = await m.mailauth('guide mspbots', { env });
    expect(out).toContain('MSPbots: env@contoso.com');
    expect(out).toContain('https://login.microsoftonline.com/tenant.example/oauth2/v2.0/token');
    expect(out).toContain('CLIENT-ID');
  });

  it('has the step of the older plugin, and leaves admin consent out for personal accounts', async () => {
    expect((await m.mailauth('guide osticket --variant older-plugin')).out).toContain('tick "Access tokens" and "ID tokens"');
    expect((await m.mailauth('guide osticket')).out).not.toContain('ID tokens');
    expect((await m.mailauth('guide supportpal --mailbox a@outlook.com')).out).not.toContain('Grant admin consent');
  });

  it('works while a mailbox file is broken, and says so', async () => {
    await setUp();
    await writeFile(join(m.home, 'mailboxes', 'b@contoso.com~osticket.json'), '{');
    const { exit, out, err } = await m.mailauth('guide osticket');
    expect(exit).toBe(0);
    expect(out).toContain('helpdesk@contoso.com');
    expect(err).toContain('Left out, because it cannot be read');
  });

  it.each([
    'guide nonsense',
    'guide osticket --format pdf',
    'guide --format pdf',
    'guide osticket --mailbox nobody',
    'guide osticket --client-id 123',
    'guide osticket --protocols nntp',
    'guide osticket --secret-months 99',
    'guide osticket --variant younger-plugin',
    'guide kaseya --variant older-plugin',
    'guide osticket --audience all',
  ])('%s is exit 2', async (words) => {
    const { exit, out, json } = await m.mailauth(`${words} --json`);
    expect(exit).toBe(2);
    expect(json().error?.next[0]).toMatch(/^mailauth /);
    expect(out).not.toContain('undefined');
  });

  it('lets no escape sequence of a flag or the environment through', async () => {
    const hostile = '\u001b[31mred\u202e';
    for (const more of [[], ['--json'], ['--format', 'markdown']]) {
      const { out, err } = await m.run(['guide', 'osticket', '--name', hostile, ...more]);
      expect((out + err).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });

  it.each([
    '--protocols foo',
    '--audience foo',
    '--secret-months 99',
    '--client-id abc',
    '--variant nosuch',
    '--redirect-uri http://x.y/z',
  ])('%s: the command that is advised works', async (flags) => {
    const wrong = await m.mailauth(`guide osticket ${flags} --json`);
    expect(wrong.exit).toBe(2);
    const [next = ''] = wrong.json().error?.next ?? [];
    const right = await m.mailauth(next.replace(/ {3}#.*$/, '').replace(/^mailauth /, ''));
    expect([next, right.exit]).toEqual([next, 0]);
  });
});
