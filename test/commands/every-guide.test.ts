import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Prompts } from '../../src/core/prompts-port.ts';
import { products as everyProduct } from '../../src/products/products.ts';
import type { sheetJson } from '../../src/products/sheet/write-sheet.ts';
import { acceptingBrowser } from '../support/click-through.ts';
import { type Machine, machine, person, type Ran, type Scripted } from '../support/command-line.ts';
import { stream } from '../support/json-stream.ts';
import { countOf, secretsOf, writtenBy } from '../support/tenant.ts';

/**
 * Every guide by every way to register, to the finished hand-over, over real sockets: the sheet in its three forms says in the product's
 * own words what to enter, what to press and when to renew; and the same command again changes nothing, in the tenant or on this computer.
 */
const mailbox = 'helpdesk@contoso.example';
const callback = 'https://helpdesk.contoso.example/oauth/callback';
const ready = { public: '11111111-5a4d-4b0c-9a11-c0ffee000001', confidential: '22222222-5a4d-4b0c-9a11-c0ffee000002' };
type Json = ReturnType<typeof sheetJson>;

/** What the wizard ended with, as far as the form needs it. */
interface Known {
  readonly clientId: string;
  readonly tenantId: string;
  readonly endpoints: { readonly authorization: string; readonly token: string };
  readonly scopes: readonly string[];
}

interface Product {
  readonly name: string;
  /** what only the operator knows */
  readonly flags?: string;
  readonly client: keyof typeof ready;
  /** the whole form: the product's names of its fields, and what must stand there; null: masked */
  readonly form: (f: Known, servers: Json['servers']) => Readonly<Record<string, string | null>>;
  readonly press: readonly string[];
  readonly protocols: readonly string[];
  readonly renewal: RegExp;
}

const server = (servers: Json['servers'], protocol: string) => servers.find((one) => one.protocol === protocol);
const mailOf = { IMAP: 'IMAP.AccessAsUser.All', POP: 'POP.AccessAsUser.All', SMTP: 'SMTP.Send' };
const scopes = (...protocols: (keyof typeof mailOf)[]) =>
  [...protocols.map((one) => `https://outlook.office.com/${mailOf[one]}`), 'offline_access', 'openid', 'profile', 'email'].join(' ');

const products: readonly Product[] = [
  {
    name: 'this-computer',
    client: 'public',
    form: () => ({}),
    press: [`mailauth test all ${mailbox} --sandbox`, `mailauth token get ${mailbox} --sandbox`],
    protocols: ['IMAP', 'POP', 'SMTP'],
    renewal: /no client secret\. The sign-in ends after 90 days without use/,
  },
  {
    name: 'osticket',
    flags: `--redirect-uri ${callback}`,
    client: 'confidential',
    form: (f) => ({
      'Callback Endpoint': callback,
      'Client ID': f.clientId,
      'Client Secret': null,
      'Authorization Endpoint': f.endpoints.authorization,
      'Token Endpoint': f.endpoints.token,
      Scopes: scopes('IMAP', 'POP', 'SMTP'),
    }),
    press: ['"Submit"', `Sign in as ${mailbox}, not as yourself`, '"Accept"', 'green success banner', 'tab "Token"'],
    protocols: ['IMAP', 'POP', 'SMTP'],
    renewal: /client secret expires/,
  },
  {
    name: 'supportpal',
    flags: `--redirect-uri ${callback}`,
    client: 'confidential',
    form: (f) => ({
      'Redirect URI': callback,
      'Client ID': f.clientId,
      'Client Secret': null,
      Authentication: 'OAuth',
      Provider: 'Microsoft',
    }),
    press: ['"Save"', '"Get Access Token"', '"Reset Access Token"', '"Validate Authentication"', 'Submit the settings form'],
    protocols: ['IMAP', 'SMTP'],
    renewal: /client secret expires/,
  },
  {
    name: 'kaseya',
    client: 'public',
    form: (f, servers) => ({
      'Incoming Mail Server': server(servers, 'IMAP')?.host ?? '',
      'Server Port Number': String(server(servers, 'IMAP')?.port),
      EncryptionType: 'SSL',
      Username: mailbox,
      Password: `the password of ${mailbox}; mailauth does not keep it`,
      'IMAP settings': 'Yes',
      'Application ID': f.clientId,
      'Directory ID': f.tenantId,
    }),
    press: ['"Save"', '"Test"', 'Basic authentication can be turned off'],
    protocols: ['IMAP', 'POP', 'SMTP'],
    renewal: /password of the mailbox changes or MFA is switched on/,
  },
  {
    name: 'mspbots',
    client: 'confidential',
    form: (f, servers) => ({
      'Host Name': server(servers, 'SMTP')?.host ?? '',
      'Authorization URL': f.endpoints.authorization,
      'Token URL': f.endpoints.token,
      'Redirect URI': 'https://app.mspbots.ai/web/um/smtp/redirect',
      'Client ID': f.clientId,
      'Client Secret': null,
      Username: mailbox,
      'Reply to': mailbox,
      Signature: 'your own words below each message',
    }),
    press: ['"Authorize"', '"Continue"', `sign in as ${mailbox}`, '"Accept"', 'must be "Verified"'],
    protocols: ['SMTP'],
    renewal: /client secret expires/,
  },
  {
    name: 'custom',
    flags: `--client-type confidential --protocols imap,smtp --redirect-uri ${callback} --sign-in skip --audience single --access delegated --sign-in-as ${mailbox}`,
    client: 'confidential',
    form: (f) => ({
      'Client ID': f.clientId,
      'Client secret': null,
      'Tenant ID': f.tenantId,
      'Authorization endpoint': f.endpoints.authorization,
      'Token endpoint': f.endpoints.token,
      'Redirect URI': callback,
      Scopes: scopes('IMAP', 'SMTP'),
      'User name': mailbox,
    }),
    press: [`let the program sign in, and sign in there as ${mailbox}`],
    protocols: ['IMAP', 'SMTP'],
    renewal: /client secret expires/,
  },
];

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const at = (...path: string[]) => join(m.home, ...path);
const setupOf = ({ name, flags = '' }: Product) => `setup --sandbox --mailbox ${mailbox} --for ${name} ${flags}`.trimEnd();
/** the ready app's secret, as the person was given it */
async function readySecret(): Promise<string> {
  await m.ready('setup --sandbox --yes --no-test --register existing --sign-in skip --mailbox other@contoso.example');
  return JSON.parse(await readFile(at('sandbox', 'state.json'), 'utf8')).readySecret;
}
async function secretFile(): Promise<string> {
  const file = at('secret.txt');
  await writeFile(file, `${await readySecret()}\n`);
  return file;
}
/** Somebody at the browser, as its launcher would bring them there. */
const browser = acceptingBrowser();

/** Each way, to a finished set-up. */
const ways: Readonly<Record<string, (product: Product) => Promise<void>>> = {
  async auto(product) {
    const ran = await m.mailauth(`${setupOf(product)} --yes --json`);
    expect([ran.exit, stream(ran.lines()).error]).toEqual([0, undefined]);
    expect(await countOf(m)).toMatchObject({ apps: 1, servicePrincipals: 1, secrets: product.client === 'public' ? 0 : 1 });
  },

  async existing(product) {
    const secret = product.client === 'public' ? '' : ` --client-secret-file ${await secretFile()}`;
    const ran = await m.mailauth(`${setupOf(product)} --yes --json --client-id ${ready[product.client]}${secret}`);
    expect([ran.exit, stream(ran.lines()).error]).toEqual([0, undefined]);
    expect(await countOf(m)).toMatchObject({ apps: 0, secrets: 0 });
  },

  async portal(product) {
    const typed: string[] = [];
    // The sandbox knows the secret of the app that it brings along.
    const text = async ({ message }: { readonly message: string }): Promise<string> => {
      typed.push(message);
      return ready[product.client];
    };
    const never = async () => Promise.reject(new Error('not asked here'));
    const { select } = person([['Go ahead?', 'yes'], ...Array.from({ length: 6 }, (): Scripted => ['Done?', 'done'])]).prompts;
    const prompts: Prompts = { text, secret: text, confirm: never, select, checkbox: never };
    const ran = await m.mailauth(`${setupOf(product)} --register portal`, { terminal: true, prompts, browser });
    expect([ran.exit, ran.exit === 0 ? '' : ran.err]).toEqual([0, '']);
    expect(typed).toEqual(['Application (client) ID?']);
    expect(ran.err).toMatch(/Step 1 of (\d): Register the app[\s\S]*Step \1 of \1:/);
    expect(await countOf(m)).toMatchObject({ apps: 0, secrets: 0 });
  },

  async handoff(product) {
    const secret = product.client === 'public' ? '' : ` --client-secret-file ${await secretFile()}`;
    const handed = await m.mailauth(`${setupOf(product)} --yes --register handoff --json`);
    expect(handed.exit).toBe(0);
    const { next, handoff } = stream(handed.lines()).data;
    expect(handoff.files).toHaveLength(5);
    expect(await countOf(m)).toMatchObject({ apps: 0, secrets: 0 });
    // The administrator's answer, put into the very command that was printed.
    const goOn: string = next[0].replace(/^mailauth /, '').replace(/ {3}#.*/, '');
    const ran = await m.mailauth(`${goOn} --client-id ${ready[product.client]}${secret} --yes --json`);
    expect([ran.exit, stream(ran.lines()).error]).toEqual([0, undefined]);
  },
};

/** Everything that a run could change: the tenant, mailauth's own files, the keychain. Neither of them in clear. */
async function everything(): Promise<string> {
  const all = [await readFile(at('sandbox', 'state.json'), 'utf8'), await writtenBy(m), JSON.stringify([...m.keychain.entries])];
  return all.map((text) => createHash('sha256').update(text).digest('hex')).join(' ');
}

/** Again, with the sheet in all its forms. */
async function sheets(product: Product): Promise<{ last: Ran; json: Json; md: string; html: string }> {
  const sheet = async (ending: string) => {
    const ran = await m.mailauth(`setup --sandbox --yes --json --mailbox ${mailbox} --for ${product.name} --handover ${sheetAt(ending)}`);
    expect([ran.exit, stream(ran.lines()).data?.alreadySetUp]).toEqual([0, true]);
    return { ran, text: await readFile(sheetAt(ending), 'utf8') };
  };
  const [md, html, json] = [await sheet('md'), await sheet('html'), await sheet('json')];
  return { last: json.ran, json: JSON.parse(json.text), md: md.text, html: html.text };
}
const sheetAt = (ending: string) => at(`sheet.${ending}`);

/** Text of a page or of Markdown, without its markup. */
const plainHtml = (html: string) =>
  html
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]+>/g, '')
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
const plainMarkdown = (md: string) => md.replace(/\\(?=[\\`*_[\]<>#|~&!])/g, '');

it('the table has every product', () => {
  expect(products.map(({ name }) => name)).toEqual(everyProduct.map(({ name }) => name));
});

/** All that can be looked up in a sheet of this product. */
function expectForm(product: Product, json: Json, data: Known & { readonly secretExpiresAt: string | null }): void {
  const shown = json.parts.flatMap((part) => part.fields.map(({ label, value }) => [label, value]));
  expect(Object.fromEntries(shown)).toEqual(product.form(data, json.servers));
  expect(json.servers.map(({ protocol, user }) => [protocol, user])).toEqual(product.protocols.map((protocol) => [protocol, mailbox]));
  const pressed = json.parts.flatMap((part) => part.press).join('\n');
  for (const words of product.press) expect(pressed).toContain(words);
  expect(json.renewal).toMatchObject({ at: data.secretExpiresAt, what: expect.stringMatching(product.renewal) });
  expect(json.registered).toContainEqual({ label: 'Application (client) ID', value: data.clientId });
}

/** A form for reading says all that the data says. */
function expectSame(text: string, { parts, servers, renewal }: Json): void {
  const fields = parts.flatMap((part) => part.fields.flatMap(({ label, value, note }) => [label, value, note]));
  const steps = parts.flatMap((part) => [part.where.split(' > ')[0], ...part.press, part.trap]);
  const places = servers.flatMap(({ host, port }) => [host, String(port)]);
  for (const words of [...fields, ...steps, ...places, renewal.what, ...renewal.steps, renewal.at?.slice(0, 10)]) {
    expect(text).toContain(words ?? '');
  }
}

describe.each(products)('$name', (product) => {
  it.each(Object.keys(ways))('--register %s: to the finished hand-over, and again without a change', async (way) => {
    await ways[way]?.(product);
    const before = await everything();
    const { last, json, md, html } = await sheets(product);
    const { data } = stream(last.lines());
    expectForm(product, json, data);
    // The date is known where mailauth made the secret.
    expect(data.secretExpiresAt !== null).toBe(way === 'auto' && product.client === 'confidential');
    expectSame(plainMarkdown(md), json);
    expectSame(plainHtml(html), json);
    const secrets = secretsOf(m);
    expect(secrets.length).toBeGreaterThanOrEqual(product.client === 'confidential' ? 1 : 0);
    for (const secret of secrets) expect(md + html + JSON.stringify(json) + last.out).not.toContain(secret);
    // Only the sheets are new.
    for (const ending of ['md', 'html', 'json']) await rm(sheetAt(ending));
    expect(await everything()).toBe(before);
  });
});
