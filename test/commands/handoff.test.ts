import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Machine, machine } from '../support/command-line.ts';

const words = 'setup --sandbox --yes --for supportpal --redirect-uri https://help.contoso.example/cb --register handoff --json';
const confidentialId = '22222222-5a4d-4b0c-9a11-c0ffee000002';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

async function resultOf(argv: string) {
  const ran = await m.mailauth(argv);
  const last = ran.lines().at(-1);
  return { exit: ran.exit, result: last };
}

/** The sandbox has new ports with each command; nothing else may change. */
const textOf = async (path: string) => (await readFile(path, 'utf8')).replaceAll(/localhost:\d+/g, 'localhost');

it('--register handoff writes one folder for the administrator, stops with 0, and changes nothing when run again', async () => {
  const { exit, result } = await resultOf(words);
  expect([exit, result?.ok]).toEqual([0, true]);
  const { folder, files } = result!.data.handoff;
  expect([...files].sort()).toEqual([
    '1-portal-steps.md',
    '2-register-azure-cli.sh',
    '3-register-graph.ps1',
    '4-exchange-online.ps1',
    'README.md',
  ]);
  expect(result?.data.next[0]).toBe(
    'mailauth setup --resume --mailbox helpdesk@contoso.example --for supportpal --register existing --sandbox' +
      '   # on a terminal, it asks for the ID and the client secret that they send back',
  );
  const before = await Promise.all(files.map((name: string) => textOf(join(folder, name))));
  for (const name of files) expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600);
  // The same set-up id in every script: whatever is run, and how often, makes one app.
  const scripts = before.filter((_, i) => /^[23]-/.test(files[i]));
  const [tag] = /mailauth:[0-9a-f-]{36}/.exec(scripts[0]) ?? ['no tag'];
  for (const script of scripts) expect(script).toContain(tag);

  expect((await resultOf(words)).exit).toBe(0);
  expect(await Promise.all(files.map((name: string) => textOf(join(folder, name))))).toEqual(before);
  // Nothing is set up and nothing is in the store before the administrator has answered.
  expect((await m.mailauth('status --sandbox --json')).json().data.mailboxes).toEqual([]);
  expect([...m.keychain.entries.keys()].filter((key) => key.includes('client-secret'))).toEqual([]);
});

it('goes on with what the administrator sends back', async () => {
  await resultOf(words);
  const secret = join(m.home, 'secret.txt');
  const state = JSON.parse(await readFile(join(m.home, 'sandbox', 'state.json'), 'utf8'));
  await import('node:fs/promises').then((fs) => fs.writeFile(secret, `${state.readySecret}\n`));
  const { exit, result } = await resultOf(
    `setup --sandbox --resume --yes --json --mailbox helpdesk@contoso.example --for supportpal --client-id ${confidentialId} --client-secret-file ${secret}`,
  );
  expect([exit, result?.error]).toEqual([0, undefined]);
  expect(result?.data).toMatchObject({ clientId: confidentialId, signedIn: false });
  expect(await readdir(join(m.home, 'sandbox', 'setups'))).toEqual([]);
});
