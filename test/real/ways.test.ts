import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Terminal, terminals } from './rigs/tmux.ts';
import { agree, anotherWay, answer, choose, endsClean, escaped, torn, works } from './rigs/typist.ts';

/** A product by each way to register, in a real terminal, from the first question to the sheet (portal and SupportPal: terminal.test.ts). */
const mailbox = 'helpdesk@contoso.example';
const callback = 'https://help.contoso.example/api/auth/oauth2';
const publicId = '11111111-5a4d-4b0c-9a11-c0ffee000001';
const confidentialId = '22222222-5a4d-4b0c-9a11-c0ffee000002';

const { home, open: terminal } = terminals({ browser: true });
const inSandbox = (...path: string[]) => join(home().path, 'sandbox', ...path);
const state = async () => JSON.parse(await readFile(inSandbox('state.json'), 'utf8'));
const registered = async () => (await state()).apps.slice(2);

async function begin(t: Terminal, product: string): Promise<void> {
  await answer(t, 'Which mailbox?', mailbox);
  await choose(t, 'What is this mailbox for?', product);
  await answer(t, 'Who opens this mailbox?');
}
/** Only what must stay whole may be wider than the screen. */
const tornWords = async (t: Terminal) => (await torn(t)).filter((line) => !/https?:\/\/|mailauth |\/sandbox\//.test(line));

it('auto: osTicket says where its Callback Endpoint is, registers, and ends with the sheet', async () => {
  const t = await terminal(['setup', '--sandbox']);
  await begin(t, 'osTicket');
  const shown = await t.until('? Callback Endpoint of osTicket?');
  expect(shown).toMatch(/Copy the Callback Endpoint from osTicket[\s\S]*IdP Config/);
  await answer(t, 'Callback Endpoint of osTicket?', callback);
  await agree(t);
  await works(t);
  await endsClean(t, 0);
  const [app, ...more] = await registered();
  expect(more).toEqual([]);
  expect(await t.text()).toMatch(
    new RegExp(`Callback Endpoint +${escaped(callback)}[\\s\\S]*Client ID +${app.clientId}[\\s\\S]*press "Config" again`, 'i'),
  );
  expect(await tornWords(t)).toEqual([]);
});

it('existing: Kaseya, with an app that is there', async () => {
  const t = await terminal(['setup', '--sandbox']);
  await begin(t, 'Kaseya BMS, Vorex or Pulseway PSA');
  await anotherWay(t, 'It is registered already');
  await answer(t, 'Application (client) ID?', publicId);
  await answer(t, 'Go ahead?');
  await works(t);
  await endsClean(t, 0);
  expect(await t.text()).toMatch(new RegExp(`Application ID +${publicId}[\\s\\S]*Press "Test"`));
  expect(await registered()).toEqual([]);
  expect(await tornWords(t)).toEqual([]);
});

it.each([
  ['Guide me through the portal', 'MSPbots', 'helpdesk@acme.example'],
  ['It is registered already', 'SupportPal', 'helpdesk@contoso.example'],
])('%s: %s with a client secret, by Enter alone, to the end', async (way, product, address) => {
  const t = await terminal(['setup', '--sandbox', '--redirect-uri', callback, '--mailbox', address]);
  await choose(t, 'What is this mailbox for?', product);
  await answer(t, 'Who opens this mailbox?');
  await anotherWay(t, way);
  const ended = '? What next?';
  for (let before = ''; !(await t.text()).includes(ended); ) {
    const now = await t.until(/\? (?:Go ahead\?|Application \(client\) ID\?|Done\?|What next\?)[^\n]*(?:\n[ ❯].*)*\s*(?:\n\n.*)?$/);
    if (now === before) continue;
    before = now;
    await t.press('Enter');
  }
  await works(t);
  await endsClean(t, 0);
  const text = await t.text();
  expect(text).toMatch(new RegExp(`Client ID +${confidentialId}`));
  expect(text).toContain("Client secret of the sandbox's own app stored, it need not be typed");
  expect(text.includes('The sandbox has no portal')).toBe(way.includes('portal'));
});

it('handoff: MSPbots, and on with the command that was printed, to the end', async () => {
  const t = await terminal(['setup', '--sandbox']);
  await begin(t, 'MSPbots');
  await anotherWay(t, 'Another person is the administrator');
  await answer(t, 'Go ahead?');
  await endsClean(t, 0);
  const said = await t.text();
  expect(said).toContain(`${mailbox} waits for an administrator.`);
  expect(await tornWords(t)).toEqual([]);
  const [, printed = ''] = /next: mailauth (setup --resume .*) {3}# .*$/m.exec(said) ?? [];
  expect(printed).toMatch(/--for mspbots --register existing --sandbox$/);

  // What the administrator sends back.
  const file = join(home().path, 'secret.txt');
  const { readySecret } = await state();
  await writeFile(file, `${readySecret}\n`);
  const on = await terminal([...printed.split(' '), '--client-id', confidentialId, '--client-secret-file', file]);
  await answer(on, 'Go ahead?');
  await works(on);
  await endsClean(on, 0);
  const text = await on.text();
  expect(text).toMatch(new RegExp(`Client ID +${confidentialId}[\\s\\S]*must be\\s+"Verified"`));
  expect(text).toMatch(/Redirect URI +https:\/\/app\.mspbots\.ai\/web\/um\/smtp\/redirect/);
  expect(`${text}${await on.raw()}`).not.toContain(readySecret);
  expect(await registered()).toEqual([]);
  expect(await readdir(inSandbox('setups'))).toEqual([]);
});
