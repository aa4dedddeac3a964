import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { launchChromium, newHome, program, startMailauth } from '../real/rigs/chromium.ts';
import { fetchingBrowser, openTerminal, type Terminal } from '../real/rigs/tmux.ts';
import { castOf, svgOf } from './drawing.ts';
import { type Recorder, recorder } from './recorder.ts';
import { steady } from './steady.ts';

// `npm run pictures`: docs/pictures from real runs against the sandbox. Run again without a change of the program, it changes no file.

const folder = join(import.meta.dirname, '../../docs/pictures');
const mailbox = 'helpdesk@contoso.example';

let browser: Browser;
let home: Awaited<ReturnType<typeof newHome>>;
let terminal: Terminal | undefined;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  home = await newHome();
});
afterEach(async () => {
  await terminal?.close();
  terminal = undefined;
  await home.remove();
});

/** `mailauth setup --sandbox` in a terminal, with a keychain and a browser that signs in by itself. */
async function wizard(columns: number, shown: string, ...more: readonly string[]): Promise<Recorder> {
  const rig = join(import.meta.dirname, '../real/rigs/with-keyring.sh');
  terminal = await openTerminal(['setup', '--sandbox', ...more], {
    folder: home.path,
    columns,
    env: { ...home.env, KR_HOME: join(home.path, 'kr'), BROWSER: await fetchingBrowser(home.path) },
    program: `bash '${rig}' '${process.execPath}' '${program}'`,
  });
  const recording = recorder(terminal, shown, columns);
  await recording.answer('Which mailbox?', mailbox);
  return recording;
}

async function keep(name: string, title: string, recording: Recorder, words: string): Promise<void> {
  const last = await recording.end(words);
  const files = {
    [`${name}-light.svg`]: svgOf(last, title, 'light'),
    [`${name}-dark.svg`]: svgOf(last, title, 'dark'),
    [`${name}.cast`]: castOf(recording, title),
  };
  await mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    expect(text.length, file).toBeLessThan(60_000);
    await writeFile(join(folder, file), text);
  }
}

it('a set-up for this computer', async () => {
  const recording = await wizard(88, 'mailauth setup --sandbox');
  await recording.answer('What is this mailbox for?');
  await recording.answer('Who opens this mailbox?');
  await recording.answer('Create it?');
  await keep('setup', 'mailauth sets up a mailbox for this computer, in the sandbox', recording, 'mailauth status');
});

it('a set-up for osTicket, and its sheet', async () => {
  const sheet = join(home.path, 'sheet.html');
  const recording = await wizard(
    116,
    'mailauth setup --sandbox --for osticket --handover sheet.html',
    ...['--for', 'osticket', '--handover', sheet],
  );
  await recording.answer('Who opens this mailbox?');
  await recording.answer('Callback Endpoint of osTicket?', 'https://help.contoso.example/api/auth/oauth2');
  await recording.answer('Create it?');
  await keep('osticket', 'mailauth sets up a mailbox for osTicket, in the sandbox', recording, '? What next?');
  await writeFile(sheet, steady(await readFile(sheet, 'utf8')));
  const page = await browser.newPage({ viewport: { width: 960, height: 860 }, colorScheme: 'light' });
  await page.goto(`file://${sheet}`);
  await shoot(page, 'sheet');
});

it('the pages of a sign-in', async () => {
  const words = ['setup', '--sandbox', '--json', '--mailbox', mailbox, '--register', 'existing', '--timeout', '60'];
  const run = startMailauth(words, { ...home.env, BROWSER: 'true' });
  const { url } = await run.line('authorization_required');
  const page = await browser.newPage({ viewport: { width: 640, height: 640 }, colorScheme: 'light' });
  await page.goto(String(url));
  await shoot(page, 'sign-in');
  await page.getByRole('button', { name: mailbox, exact: true }).click();
  await page.getByRole('button', { name: 'Accept', exact: true }).click();
  await page.getByRole('heading', { name: 'You are signed in' }).waitFor();
  await shoot(page, 'signed-in');
  expect(await run.ended).toBe(0);
});

async function shoot(page: Page, name: string): Promise<void> {
  const picture = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  expect(picture.length, name).toBeLessThan(120_000);
  await writeFile(join(folder, `${name}.png`), picture);
  await page.mouse.move(0, 0);
}
