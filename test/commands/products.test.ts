import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Interrupted } from '../../src/core/errors.ts';
import { azureCli, sharedPassword } from '../../src/sandbox/tenant/directory.ts';
import { type Machine, machine, person, type Ran, type Scripted } from '../support/command-line.ts';
import { checkedJson } from '../support/json-schema.ts';
import { stream } from '../support/json-stream.ts';
import { beside, countOf, onlyApp, secretsOf, tenantOf, writtenBy } from '../support/tenant.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const mailbox = 'helpdesk@contoso.example';
const publicId = '11111111-5a4d-4b0c-9a11-c0ffee000001';
const confidentialId = '22222222-5a4d-4b0c-9a11-c0ffee000002';
const callback = 'https://helpdesk.contoso.example/oauth/callback';
const errorOf = (ran: Ran) => stream(ran.lines()).error;
const nothing = { apps: 0, servicePrincipals: 0, grants: 0, secrets: 0 };
const stateText = () => readFile(join(m.home, 'sandbox', 'state.json'), 'utf8');

interface Field {
  readonly label: string;
  readonly value: string | null;
  readonly secret: boolean;
}
const fieldsOf = (ran: Ran): Record<string, string | null> => {
  const { parts } = stream(ran.lines()).data.sheet;
  return Object.fromEntries(parts.flatMap((part: { fields: Field[] }) => part.fields.map((field) => [field.label, field.value])));
};

/** Each guide with the flags that only the operator knows, and how its app must look in the tenant. */
const guides = [
  {
    name: 'osticket',
    flags: `--redirect-uri ${callback}`,
    app: { webRedirects: [callback], publicRedirects: [], registration: { audience: 'AzureADMyOrg' } },
    secrets: 1,
    fields: ['Callback Endpoint', 'Client ID', 'Client Secret', 'Authorization Endpoint', 'Token Endpoint', 'Scopes'],
  },
  {
    name: 'supportpal',
    flags: `--redirect-uri ${callback}`,
    app: { webRedirects: [callback], registration: { audience: 'AzureADandPersonalMicrosoftAccount' } },
    secrets: 1,
    fields: ['Redirect URI', 'Client ID', 'Client Secret', 'Provider'],
  },
  {
    name: 'kaseya',
    flags: '',
    app: { webRedirects: [], publicRedirects: [], registration: { audience: 'AzureADMultipleOrgs', publicFallback: true } },
    secrets: 0,
    fields: ['Application ID', 'Directory ID', 'Username', 'Password', 'Incoming Mail Server', 'Server Port Number'],
  },
  {
    name: 'mspbots',
    flags: '',
    app: { webRedirects: ['https://app.mspbots.ai/web/um/smtp/redirect'], registration: { audience: 'AzureADMyOrg' } },
    secrets: 1,
    fields: ['Host Name', 'Authorization URL', 'Token URL', 'Client ID', 'Client Secret', 'Username'],
  },
  {
    name: 'custom',
    flags: `--client-type confidential --protocols imap --redirect-uri ${callback} --sign-in skip`,
    app: { webRedirects: [callback], registration: { audience: 'AzureADMyOrg' } },
    secrets: 1,
    fields: ['Client ID', 'Client secret', 'Tenant ID', 'Authorization endpoint', 'Token endpoint', 'Scopes', 'User name'],
  },
] as const;
const words = (...parts: readonly string[]) => parts.filter((part) => part !== '').join(' ');

describe.each(guides)('$name', ({ name, flags, app, secrets, fields }) => {
  const setup = words('setup --sandbox --yes --for', name, flags);

  it('--register auto: the guide’s app, the product’s own form, no secret in sight; again changes nothing', async () => {
    const ran = await m.mailauth(`${setup} --json`);
    expect(ran.exit).toBe(0);
    const made = await onlyApp(m);
    expect(made).toMatchObject(app);
    expect(await countOf(m)).toMatchObject({ apps: 1, servicePrincipals: 1, secrets });
    expect(stream(ran.lines()).data).toMatchObject({ for: name, mailbox, signedIn: false, clientId: made.clientId });
    const sheet = fieldsOf(ran);
    expect(Object.keys(sheet)).toEqual(expect.arrayContaining([...fields]));
    expect(Object.values(sheet)).toContain(made.clientId);
    const kept = secretsOf(m);
    expect(kept).toHaveLength(secrets);
    const everything = ran.out + ran.err + (await writtenBy(m));
    for (const secret of kept) expect(everything).not.toContain(secret);

    const before = await stateText();
    const again = await m.mailauth(`${setup} --json`);
    expect(stream(again.lines())).toMatchObject({ ok: true, data: { alreadySetUp: true } });
    expect(fieldsOf(again)).toEqual(sheet);
    expect(await stateText()).toBe(before);
  });

  it('--register existing: the same form from an app that is there', async () => {
    const id = secrets === 0 ? publicId : confidentialId;
    const ran = await m.mailauth(`${setup} --client-id ${id} --json`);
    expect([ran.exit, stream(ran.lines()).data?.clientId]).toEqual([0, id]);
    expect(Object.keys(fieldsOf(ran))).toEqual(expect.arrayContaining([...fields]));
    expect(await countOf(m)).toEqual(nothing);
    for (const secret of secretsOf(m)) expect(ran.out + (await writtenBy(m))).not.toContain(secret);
  });

  it('--register portal: a person is led through the guide’s screens to the same form', async () => {
    await m.mailauth('setup --sandbox --yes --no-test --register existing --sign-in skip --mailbox other@contoso.example');
    const { readySecret } = JSON.parse(await stateText());
    const id = secrets === 0 ? publicId : confidentialId;
    const asked: string[] = [];
    const answer = (message: string): Scripted[1] => {
      asked.push(message);
      if (message.includes('(client) ID')) return id;
      if (message.includes('Client secret')) return readySecret;
      return true;
    };
    const { prompts } = person([['Go ahead?', 'yes'], ...Array.from({ length: 6 }, (): Scripted => ['Done?', 'done'])]);
    const human = {
      ...prompts,
      text: async (q: { message: string }) => String(answer(q.message)),
      secret: async (q: { message: string }) => String(answer(q.message)),
    };
    const given = name === 'custom' ? `--access delegated --sign-in-as ${mailbox} --audience single` : '';
    const line = words(`setup --sandbox --mailbox ${mailbox} --for ${name} --register portal`, flags, given);
    const ran = await m.mailauth(line, { terminal: true, prompts: human });
    expect([ran.err.slice(ran.exit === 0 ? ran.err.length : 0), ran.exit]).toEqual(['', 0]);
    expect(ran.err).toMatch(/Step 1 of \d/);
    expect(asked.filter((message) => message.includes('(client) ID'))).toHaveLength(1);
    for (const label of fields) expect(ran.out).toContain(label);
    expect(ran.out).toContain(id);
    if (secrets > 0) expect(ran.out + ran.err + (await writtenBy(m))).not.toContain(readySecret);
  });
});

describe('what a product needs', () => {
  it.each(['osticket', 'supportpal'])('%s shows its own redirect URI: exit 3 names --redirect-uri, nothing registered', async (name) => {
    const ran = await m.mailauth(`setup --sandbox --yes --for ${name} --json`);
    expect(errorOf(ran)).toMatchObject({ code: 'answer-missing', exit: 3, detail: { flag: '--redirect-uri' } });
    expect(await countOf(m)).toEqual(nothing);
  });

  it('osTicket’s older plugin gets its implicit tokens, the present one does not', async () => {
    const base = `setup --sandbox --yes --for osticket --redirect-uri ${callback}`;
    expect((await m.mailauth(base)).exit).toBe(0);
    expect((await onlyApp(m)).registration?.implicit).toEqual({ accessToken: false, idToken: false });
    const older = `${base} --variant older-plugin --mailbox old@contoso.example`;
    expect((await m.mailauth(older)).exit).toBe(0);
    const { apps } = await tenantOf(m);
    expect(apps.find((app) => app.name.includes('old@'))?.registration?.implicit).toEqual({ accessToken: true, idToken: true });
    expect((await m.mailauth(`${base} --variant newest`)).exit).toBe(2);
  });

  it('SupportPal’s secret lives 24 months, another’s as asked', async () => {
    const months = async (more: string) => {
      const ran = await m.mailauth(`setup --sandbox --yes --redirect-uri ${callback} --json ${more}`);
      return Math.round((Date.parse(stream(ran.lines()).data.secretExpiresAt) - Date.now()) / (30.44 * 86_400_000));
    };
    expect(await months('--for supportpal')).toBe(24);
    expect(await months('--for osticket --secret-months 6')).toBe(6);
    const status = (await m.mailauth('status --sandbox --json --warn-days 200')).json();
    expect(status).toMatchObject({
      ok: false,
      error: {
        code: 'expires-soon',
        exit: 1,
        title: expect.stringMatching(/ for osticket, client secret: \d+ days left$/),
        next: [`mailauth secret rotate ${mailbox} --for osticket --sandbox`],
      },
    });
  });
});

describe('Kaseya: --sign-in password', () => {
  const kaseya = 'setup --sandbox --yes --for kaseya --protocols imap --sign-in password --json';
  const withPassword = async (password: string, more = '') => {
    const file = join(m.home, 'password.txt');
    await writeFile(file, `${password}\n`);
    const ran = await m.mailauth(words(kaseya, `--password-file ${file}`, more));
    // What is found in the home afterwards, mailauth wrote.
    await rm(file);
    return ran;
  };

  it('proves the product’s own sign-in and the mailbox; password and tokens are kept nowhere', async () => {
    const ran = await withPassword(sharedPassword);
    expect(errorOf(ran)).toBeUndefined();
    expect([ran.exit, stream(ran.lines()).data]).toMatchObject([0, { signedIn: false, tests: [{ protocol: 'imap', ok: true }] }]);
    expect(m.keychain.entries.size).toBe(0);
    expect(ran.out + ran.err + (await writtenBy(m))).not.toContain(sharedPassword);
    expect((await m.mailauth('token get --sandbox')).exit).toBe(4);
  });

  it('a wrong password is exit 1, and is not repeated', async () => {
    const ran = await withPassword('hunter2 but wrong');
    expect(errorOf(ran)).toMatchObject({ exit: 1 });
    expect(errorOf(ran)?.next[0]).toMatch(
      /^mailauth setup --mailbox \S+ --for kaseya --protocols imap --sign-in password .*--password-file -$/,
    );
    expect(ran.out + ran.err + (await writtenBy(m))).not.toContain('hunter2');
  });

  it('after a wrong password, --resume goes on at the password', async () => {
    await withPassword('hunter2 but wrong');
    const file = join(m.home, 'password.txt');
    await writeFile(file, sharedPassword);
    const ran = await m.mailauth(`setup --sandbox --resume --json --password-file ${file}`);
    expect([ran.exit, ran.lines().some((line) => line.type === 'authorization_required' || line.step === 'registration')]).toEqual([
      0,
      false,
    ]);
  });

  it('an account with MFA is exit 6: this product cannot use it', async () => {
    const ran = await withPassword(sharedPassword, '--mailbox mfa@contoso.example');
    expect(errorOf(ran)).toMatchObject({ code: 'product-needs-no-mfa', exit: 6 });
    expect(errorOf(ran)?.title).toContain('Kaseya');
    expect(m.keychain.entries.size).toBe(0);
  });

  it('asks for the password where none was given, and only products that need it may', async () => {
    expect(errorOf(await m.mailauth(kaseya))).toMatchObject({ code: 'answer-missing', exit: 3, detail: { flag: '--password-file' } });
    expect(await tenantOf(m)).toMatchObject({ apps: [] });
    const other = `setup --sandbox --yes --for osticket --redirect-uri ${callback} --sign-in password --json`;
    expect(errorOf(await m.mailauth(other))).toMatchObject({ code: 'password-not-here', exit: 2 });
  });
});

describe('--handover', () => {
  const osticket = `setup --sandbox --yes --for osticket --redirect-uri ${callback}`;
  const file = (name: string) => join(m.home, name);

  it.each(['sheet.md', 'sheet.html', 'sheet.json'])('%s: mode 0600, the product’s fields, the secret masked', async (name) => {
    const ran = await m.mailauth(`${osticket} --handover ${file(name)} --json`);
    expect([ran.exit, stream(ran.lines()).data.handover]).toEqual([0, file(name)]);
    const text = await readFile(file(name), 'utf8');
    expect((await stat(file(name))).mode & 0o777).toBe(0o600);
    for (const part of ['Callback Endpoint', 'Client Secret', (await onlyApp(m)).clientId]) expect(text).toContain(part);
    const [secret = 'none'] = secretsOf(m);
    expect(secret.length).toBeGreaterThan(30);
    expect(text + ran.out).not.toContain(secret);
    if (name.endsWith('.json')) expect(checkedJson(text, 'sheet')).toMatchObject({ for: 'osticket' });
  });

  it.each(['notes.md', 'page.html', 'package.json'])(
    '%s that is no sheet is not written over, also with --yes, and nothing is made',
    async (name) => {
      const own = name.endsWith('.json') ? '{"name":"mine"}' : 'my notes about mailauth\n';
      await writeFile(file(name), own);
      const { exit, lines } = await m.mailauth(`${osticket} --handover ${file(name)} --json`);
      expect([exit, stream(lines()).error]).toMatchObject([
        3,
        { code: 'sheet-place-taken', next: [`mv ${file(name)} ${file(name)}.old`, expect.any(String)] },
      ]);
      expect([await readFile(file(name), 'utf8'), m.keychain.entries.size]).toEqual([own, 0]);
    },
  );

  it('on a finished set-up writes the sheet and changes nothing else; the value only with --reveal', async () => {
    await m.mailauth(osticket);
    const [secret = 'none'] = secretsOf(m);
    const before = [await stateText(), await writtenBy(m), new Map(m.keychain.entries)];
    const at = join(m.home, 'state.json');
    const masked = await m.mailauth(`setup --sandbox --yes --mailbox ${mailbox} --for osticket --handover ${at}`);
    expect(masked.exit).toBe(0);
    expect(masked.out).toContain('nothing was changed');
    expect(masked.out + (await readFile(at, 'utf8'))).not.toContain(secret);
    expect([await stateText(), await writtenBy(m), new Map(m.keychain.entries)]).toEqual(before);
    const shown = await m.mailauth(`setup --sandbox --yes --mailbox ${mailbox} --for osticket --handover ${at} --reveal`);
    expect(shown.exit).toBe(0);
    expect(await readFile(at, 'utf8')).toContain(secret);
    expect((await stat(at)).mode & 0o777).toBe(0o600);
  });

  it.each(['sheet.pdf', 'sheet'])('%s: exit 2 before anything is registered', async (name) => {
    const ran = await m.mailauth(`${osticket} --handover ${file(name)} --json`);
    expect(errorOf(ran)).toMatchObject({ code: 'value-invalid', exit: 2 });
    expect(await countOf(m)).toEqual(nothing);
  });

  it('a name of the tenant cannot bring a script or an escape into the sheet', async () => {
    const hostile = `${callback}?x=<script>alert(1)</script>`;
    const ran = await m.run(['setup', '--sandbox', '--yes', '--for', 'osticket', '--redirect-uri', hostile, '--handover', file('s.html')]);
    if (ran.exit === 0) expect(await readFile(file('s.html'), 'utf8')).not.toContain('<script>alert');
    else expect(ran.exit).toBe(2);
  });
});

describe('a proof before the product catches the redirect itself', () => {
  const proved = `setup --sandbox --yes --for osticket --redirect-uri ${callback} --protocols imap --sign-in browser`;

  it('signs in here, tests, and takes its own redirect away again; no token is kept', async () => {
    const ran = await m.mailauth(`${proved} --json`);
    expect([ran.exit, stream(ran.lines()).data]).toMatchObject([0, { signedIn: false, tests: [{ protocol: 'imap', ok: true }] }]);
    expect((await onlyApp(m)).webRedirects).toEqual([callback]);
    expect([...m.keychain.entries.keys()].filter((key) => key.includes('token'))).toEqual([]);
    expect((await m.mailauth('token get --sandbox')).exit).toBe(4);
  });

  it('a declined consent takes it away, too', async () => {
    const ran = await m.mailauth(`${proved} --json --fault consent-denied`);
    expect(ran.exit).toBeGreaterThan(0);
    expect((await onlyApp(m)).webRedirects).toEqual([callback]);
  });

  it('stopped while it stands there: the next run takes it away', async () => {
    const stop = new AbortController();
    const browser = {
      usable: true,
      async open(url: string) {
        // The mailbox's sign-in, not the administrator's: the tenant is as a crash would leave it.
        if (url.includes(azureCli.clientId)) return { kind: 'failed' as const, why: 'none' };
        stop.abort(new Interrupted());
        return { kind: 'opened' as const };
      },
    };
    expect((await m.mailauth(`${proved} --no-test`, { signal: stop.signal, browser })).exit).toBe(130);
    const left = (await onlyApp(m)).webRedirects;
    expect([left.length, left[0]]).toEqual([2, callback]);
    expect((await m.mailauth('setup --sandbox --yes --resume --sign-in skip')).exit).toBe(0);
    expect((await onlyApp(m)).webRedirects).toEqual([callback]);
    expect(await countOf(m)).toMatchObject({ apps: 1, servicePrincipals: 1, secrets: 1 });
  });
});

describe('handed over without a proof', () => {
  it('--sign-in skip --no-test --register auto ends with 0 once the registration stands', async () => {
    const ran = await m.mailauth('setup --sandbox --yes --sign-in skip --no-test --register auto --json');
    expect([ran.exit, stream(ran.lines()).data]).toMatchObject([0, { signedIn: false, tests: [] }]);
    expect(await countOf(m)).toEqual({ apps: 1, servicePrincipals: 1, grants: 2, secrets: 0 });
  });

  it('a redirect that somebody added for the product stays when the set-up changes the app', async () => {
    const osticket = `setup --sandbox --yes --for osticket --redirect-uri ${callback}`;
    await m.mailauth(`${osticket} --protocols imap`);
    const { registration } = await onlyApp(m);
    const extra = 'https://staging.contoso.example/oauth';
    await beside(m, (graph) =>
      graph.call('PATCH', `/applications/${registration?.objectId}`, { web: { redirectUris: [callback, extra] } }),
    );
    expect((await m.mailauth(`${osticket} --protocols imap,smtp`)).exit).toBe(0);
    expect((await onlyApp(m)).webRedirects).toEqual([callback, extra]);
    expect(await countOf(m)).toMatchObject({ apps: 1, servicePrincipals: 1, secrets: 1 });
  });
});
