import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../support/context.ts';

const bin = fileURLToPath(new URL('../../bin/mailauth.js', import.meta.url));
const mailbox = 'helpdesk@contoso.example';

/**
 * Node's own functions write down which names a program looks up and which addresses it connects to. Nothing gets out of this computer: a name
 * of somewhere else has the address of this one, where nobody listens.
 */
const witness = `
  const { appendFileSync } = require('node:fs');
  const net = require('node:net');
  const dns = require('node:dns');
  const here = /^(?:localhost|127\\.0\\.0\\.1|::1|::ffff:127\\.0\\.0\\.1)$/;
  const note = (host) => here.test(host) || appendFileSync(process.env.CONTACTS, host + '\\n');
  const { lookup } = dns;
  const answer = (host) => (note(host), here.test(host) ? host : '127.0.0.1');
  dns.lookup = (host, ...rest) => lookup(answer(host), ...rest);
  const found = dns.promises.lookup;
  dns.promises.lookup = (host, ...rest) => found(answer(host), ...rest);
  const { connect } = net.Socket.prototype;
  net.Socket.prototype.connect = function (...args) {
    const [options] = Array.isArray(args[0]) ? args[0] : args;
    if (typeof options === 'object' && options.path === undefined) {
      note(options.host ?? 'localhost');
      if (!here.test(options.host ?? 'localhost')) options.host = '127.0.0.1';
    }
    return connect.apply(this, args);
  };
  const { fetch } = globalThis;
  globalThis.fetch = (input, ...rest) => (note(new URL(input.url ?? input).hostname), fetch(input, ...rest));
`;

let home = '';
let remove = async () => {};
beforeAll(async () => {
  ({ path: home, remove } = await temporaryFolder());
  await writeFile(join(home, 'witness.cjs'), witness);
});
afterAll(() => remove());

/** Every host but this computer that the program has looked up or connected to. */
async function contactedBy(words: string): Promise<readonly string[]> {
  const contacts = join(home, 'contacts');
  await writeFile(contacts, '');
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    MAILAUTH_HOME: join(home, 'mailauth'),
    CI: '1',
    MAILAUTH_KEY_FILE: join(home, 'key'),
    CONTACTS: contacts,
  };
  const child = spawn(process.execPath, ['--require', join(home, 'witness.cjs'), bin, ...words.split(' ')], { env, stdio: 'ignore' });
  const code = await new Promise((done) => child.once('close', done));
  expect(code, words).not.toBe(null);
  return [...new Set((await readFile(contacts, 'utf8')).split('\n').filter((host) => host !== ''))].sort();
}

it('the sandbox contacts nobody: set up, tested, renewed, looked at, removed', { timeout: 60_000 }, async () => {
  for (const words of [
    'setup --sandbox --yes',
    'token get --sandbox --force-refresh',
    'keepalive --sandbox --jitter 0 --renew-after 0 --test all',
    'status --sandbox --json',
    'doctor --sandbox',
    'explain AADSTS50076',
    'export msmtp --sandbox',
    'guide osticket',
    '--help',
    '--version',
    `logout ${mailbox} --sandbox --yes`,
  ])
    expect([words, await contactedBy(words)]).toEqual([words, []]);
});

it('a set-up asks the sign-in service, and doctor the hosts of the cloud that it names: nobody else', { timeout: 60_000 }, async () => {
  const setUp = 'setup --mailbox box@contoso.com --client-id 11111111-2222-3333-4444-555555555555 --store file --yes --timeout 2';
  await contactedBy(`store keygen ${join(home, 'key')}`);
  expect(await contactedBy(setUp)).toEqual(['login.microsoftonline.com']);
  expect(await contactedBy('doctor --timeout 2')).toEqual([
    'graph.microsoft.com',
    'login.microsoftonline.com',
    'outlook.office365.com',
    'smtp.office365.com',
  ]);
});
