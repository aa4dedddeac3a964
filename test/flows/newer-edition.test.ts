import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemFiles } from '../../src/system/disk/files.ts';
import { type Machine, machine } from '../support/command-line.ts';

const mailbox = 'helpdesk@contoso.example';
const update = 'npm install --global entra-mailauth@latest   # the version that wrote it, or a later one';

/** opens the sealed file that a move would make */
const passphrase = { MAILAUTH_PASSPHRASE: 'a passphrase of this test' };

let pc: Machine;
afterEach(() => pc.end());

const inSandbox = (name: string) => join(pc.home, 'sandbox', name);
const bytesOf = async (name: string) => (await readFile(inSandbox(name))).toString('hex');

/** The same JSON as a later version would write it: with its number, and with a member that nobody knows here. */
async function ofVersion2(name: string): Promise<void> {
  const json: object = JSON.parse(await readFile(inSandbox(name), 'utf8'));
  await writeFile(inSandbox(name), JSON.stringify({ ...json, version: 2, new: true }));
}

/** Every command is refused with these words, and the file stays as it is. */
async function refusesAll(name: string, code: string, commands: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const before = await bytesOf(name);
  for (const command of commands) {
    const ran = await pc.mailauth(`${command} --sandbox --json`, { env });
    const error = ran.lines().at(-1)?.error;
    expect([command, error?.code], ran.out).toEqual([command, code]);
    expect(`${error?.title} ${error?.why}`, command).toMatch(/A newer mailauth wrote .*format [23].*left untouched/s);
    expect(error?.title, command).toContain(name.split('/').at(-1));
    expect(error?.next, command).toEqual([update]);
    expect(await bytesOf(name), command).toBe(before);
  }
}

const ready = (words = '') => `setup --sandbox --yes --no-test${words}`;

it('a mailbox file', async () => {
  pc = await machine();
  await pc.ready(ready());
  const name = `mailboxes/${mailbox}~this-computer.json`;
  await ofVersion2(name);
  const commands = ['status', `token get ${mailbox}`, `test imap ${mailbox}`, `login ${mailbox} --force`, `logout ${mailbox} --yes`];
  await refusesAll(name, 'mailbox-file-broken', [...commands, 'keepalive --renew-after 0 --jitter 0', 'store move file', 'setup --yes']);
});

it('the notes of an interrupted set-up, also where they are to be forgotten', async () => {
  pc = await machine();
  await pc.mailauth(ready(' --fault no-exchange'));
  const [file = ''] = await readdir(inSandbox('setups'));
  const name = `setups/${file}`;
  await ofVersion2(name);
  await refusesAll(name, 'setup-file-broken', ['setup --yes', 'setup --yes --fresh']);
});

it('the notes of a set-up that is finished are not removed with it', async () => {
  pc = await machine();
  await pc.ready(ready());
  const key = { mailbox, for: 'this-computer' };
  for (const [folder, code] of [
    ['setups', 'setup-file-broken'],
    ['exchange', 'exchange-notes-broken'],
    ['rotations', 'written-by-newer'],
  ] as const) {
    const name = `${folder}/${mailbox}~this-computer.json`;
    await systemFiles.writeAtomic(inSandbox(name), JSON.stringify({ version: 2, ...key }));
    await refusesAll(name, code, [`logout ${mailbox} --yes`]);
    await systemFiles.remove(inSandbox(name));
  }
  expect((await pc.mailauth(`token get ${mailbox} --sandbox`)).exit).toBe(0);
});

it('the note of a rotation', async () => {
  pc = await machine();
  await pc.ready(ready(' --for osticket --redirect-uri https://help.contoso.example/cb'));
  const name = `rotations/${mailbox}~osticket.json`;
  await systemFiles.writeAtomic(inSandbox(name), JSON.stringify({ version: 3, id: 7 }));
  await refusesAll(name, 'written-by-newer', [`secret rotate ${mailbox} --yes`]);
});

it('the note of a move between stores', async () => {
  pc = await machine();
  await pc.ready(ready());
  await writeFile(inSandbox('store-move.json'), '{"version":2,"from":["vault"]}');
  await refusesAll('store-move.json', 'written-by-newer', ['store move file'], passphrase);
});

it('what was told to whom: nothing is sent', async () => {
  pc = await machine();
  await pc.ready(ready());
  await writeFile(inSandbox('notices.json'), '{"version":2,"receivers":[]}');
  await refusesAll('notices.json', 'written-by-newer', ['keepalive --jitter 0 --notify-command false']);
});

it('the file with the id of the home', async () => {
  pc = await machine();
  await pc.ready(ready());
  await ofVersion2('home.json');
  await refusesAll('home.json', 'home-file-broken', [`token get ${mailbox}`, `login ${mailbox} --force`, `logout ${mailbox} --yes`]);
});

describe('the sealed file', () => {
  it('is told by its version, which every later one keeps where it is', async () => {
    pc = await machine();
    const env = { MAILAUTH_STORE: 'file', MAILAUTH_KEY_FILE: join(pc.home, 'key') };
    await pc.mailauth(`store keygen ${env.MAILAUTH_KEY_FILE}`);
    expect((await pc.mailauth(ready(), { env })).exit).toBe(0);
    const bytes = await readFile(inSandbox('secrets.sealed'));
    bytes.writeUInt8(2, 8);
    createHash('sha256').update(bytes.subarray(0, 80)).digest().copy(bytes, 80, 0, 8);
    await writeFile(inSandbox('secrets.sealed'), Buffer.concat([bytes, Buffer.from('longer')]));
    const commands = [
      `token get ${mailbox}`,
      `login ${mailbox} --force`,
      `logout ${mailbox} --yes`,
      'store restore --yes',
      'store move keychain',
    ];
    await refusesAll('secrets.sealed', 'sealed-file-newer', [...commands, 'setup --yes --mailbox ada@contoso.example'], env);
  });
});

describe('an entry of the store', () => {
  const entryOf = (part: string): string => [...pc.keychain.entries.keys()].find((name) => name.includes(part)) ?? '';
  const change = (part: string, text: (old: string) => string) => {
    const entry = entryOf(part);
    pc.keychain.entries.set(entry, text(pc.keychain.entries.get(entry) ?? ''));
    return () => pc.keychain.entries.get(entry);
  };
  const refused = async (words: string) => {
    const { error } = (await pc.mailauth(`${words} --sandbox --json`, { env: passphrase })).lines().at(-1) ?? {};
    expect([words, error?.code, error?.exit, error?.next], JSON.stringify(error)).toEqual([words, 'written-by-newer', 7, [update]]);
    expect(error?.why).toMatch(/format \d/);
  };

  it('with a token', async () => {
    pc = await machine();
    await pc.ready(ready());
    const now = change('token/', (old) => JSON.stringify({ ...JSON.parse(old), version: 2 }));
    const before = now();
    for (const words of [`token get ${mailbox}`, `token show ${mailbox}`, `test imap ${mailbox}`, 'keepalive --renew-after 0 --jitter 0'])
      if (words.startsWith('test')) expect((await pc.mailauth(`${words} --sandbox`)).exit).not.toBe(0);
      else await refused(words);
    for (const words of [`login ${mailbox}`, `login ${mailbox} --force`, 'status', 'store move file']) await refused(words);
    expect(now()).toBe(before);
  });

  it('that is cut in parts in another way', async () => {
    pc = await machine();
    await pc.ready(ready());
    const now = change('token/', () => '{"mailauth-split":2,"parts":3}');
    const before = now();
    for (const words of [`token get ${mailbox}`, `login ${mailbox} --force`]) await refused(words);
    expect(now()).toBe(before);
  });

  it('with a client secret: it is not sent to Microsoft, and not replaced', async () => {
    pc = await machine();
    await pc.ready(ready(' --for osticket --redirect-uri https://help.contoso.example/cb'));
    const now = change('client-secret/', (old) => JSON.stringify({ ...JSON.parse(old), version: 3 }));
    const before = now();
    for (const words of [`secret show ${mailbox} --reveal`, `secret rotate ${mailbox} --yes`, 'store move file']) await refused(words);
    expect(now()).toBe(before);
  });

  it('of a mailbox whose file is gone: nobody signs in for what could not be stored', async () => {
    pc = await machine();
    await pc.ready(ready());
    const now = change('token/', (old) => JSON.stringify({ ...JSON.parse(old), version: 2 }));
    const before = now();
    await rm(inSandbox(`mailboxes/${mailbox}~this-computer.json`));
    const ran = await pc.mailauth('setup --sandbox --yes --json');
    expect([ran.lines().at(-1)?.error?.code, ran.lines().filter(({ type }) => type === 'authorization_required')]).toEqual([
      'written-by-newer',
      [],
    ]);
    expect(now()).toBe(before);
  });
});
