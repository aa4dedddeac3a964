import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clickingBrowser, jsonLines, launchChromium, newHome, type Run, startMailauth } from './rigs/chromium.ts';

/** A person at the sandbox's pages in a real browser, and the real program that waits for them. */
const mailbox = 'helpdesk@contoso.example';
/** MAILAUTH_TEST_SHOTS=FOLDER keeps pictures of every page for a look */
const shots = process.env.MAILAUTH_TEST_SHOTS;

let browser: Browser;
let home: Awaited<ReturnType<typeof newHome>>;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  home = await newHome();
});
afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()));
  await home?.remove();
});

/** A set-up whose app is there already, so that the mailbox's sign-in is the only one. */
const setup = (...more: string[]) => start('--register', 'existing', ...more);
/** A set-up that registers its app, so that an administrator signs in before the mailbox does. */
const registering = (...more: string[]) => start('--register', 'auto', '--yes', ...more);
const start = (...more: string[]) =>
  startMailauth(['setup', '--sandbox', '--json', '--mailbox', mailbox, '--timeout', '30', ...more], { ...home.env, BROWSER: 'true' });

/** Opens the address that the program printed; `trip` counts from 1, each in a tab of the same browser. */
async function open(run: Run, options: BrowserContextOptions = {}, trip = 1): Promise<Page> {
  const { url } = await run.line('authorization_required', trip);
  const context = await browser.newContext(options);
  contexts.push(context);
  const page = await context.newPage();
  await page.goto(String(url));
  return page;
}

const pick = (page: Page, account = mailbox) => page.getByRole('button', { name: account, exact: true }).click();
const press = (page: Page, name: 'Accept' | 'Cancel') => page.getByRole('button', { name, exact: true }).click();
const heading = (page: Page) => page.getByRole('heading', { level: 1 }).textContent();
const result = (run: Run) => jsonLines(run.stdout()).find((line) => line.type === 'result');
const kept = async (folder: string) => readdir(join(home.path, 'sandbox', folder)).catch(() => []);

async function shoot(page: Page, name: string): Promise<void> {
  if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

/** Nothing runs off the side, and nothing of a form is cut. */
async function fits(page: Page): Promise<boolean> {
  const box = await page.locator('main').boundingBox();
  const width = page.viewportSize()?.width ?? 0;
  return box !== null && box.x >= 0 && box.x + box.width <= width;
}

describe('a person signs in', () => {
  it('from the account picker to the success page, and the program ends with 0', async () => {
    const run = setup();
    const page = await open(run, { colorScheme: 'light' });
    expect(await heading(page)).toBe('Pick an account');
    // The account that mailauth asks for is chosen already, and Enter would go on with it.
    expect(await page.evaluate('document.activeElement.value')).toBe(mailbox);
    await shoot(page, 'account-light');
    await pick(page);
    expect(await heading(page)).toBe('Permissions requested');
    expect(await page.locator('main').textContent()).toContain(mailbox);
    await shoot(page, 'consent-light');
    await press(page, 'Accept');
    expect(await heading(page)).toBe('You are signed in');
    expect(await page.getByRole('status').textContent()).toContain(mailbox);
    await shoot(page, 'success-light');

    // Neither the address bar nor the way back shows a code, a state or a session.
    expect(page.url()).toMatch(/^http:\/\/localhost:\d+\/mailauth\/[\w-]+$/);
    expect(await run.ended).toBe(0);
    expect(result(run)).toMatchObject({ schema: 'mailauth/1', ok: true, command: 'setup', data: { mailbox, signedIn: true } });
    expect(jsonLines(run.stdout()).at(-1)?.type).toBe('result');
    expect(await kept('setups')).toEqual([]);

    const token = startMailauth(['token', 'get', mailbox, '--sandbox'], home.env);
    expect(await token.ended).toBe(0);
    expect(token.stdout()).toMatch(/^ey[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });

  it('with scripts switched off, in the dark, on a telephone', async () => {
    const run = setup('--no-test');
    const page = await open(run, { javaScriptEnabled: false, colorScheme: 'dark', viewport: { width: 320, height: 640 } });
    await shoot(page, 'account-dark-phone');
    expect(await fits(page)).toBe(true);
    await pick(page);
    await shoot(page, 'consent-dark-phone');
    expect(await fits(page)).toBe(true);
    await press(page, 'Accept');
    expect(await heading(page)).toBe('You are signed in');
    await shoot(page, 'success-dark-phone');
    expect(await fits(page)).toBe(true);
    expect(await run.ended).toBe(0);
  });

  it('and is not asked for consent again the next time', async () => {
    const first = setup('--no-test');
    const page = await open(first);
    await pick(page);
    await press(page, 'Accept');
    expect(await first.ended).toBe(0);
    const again = startMailauth(['login', mailbox, '--force', '--sandbox', '--json'], home.env);
    const next = await open(again);
    await pick(next);
    expect(await heading(next)).toBe('You are signed in');
    expect(await again.ended).toBe(0);
  });
});

describe('a person does not sign in', () => {
  it('cancels: the page tells the truth, exit 6, nothing is stored', async () => {
    const run = setup();
    const page = await open(run, { colorScheme: 'dark' });
    await shoot(page, 'account-dark');
    await pick(page);
    await shoot(page, 'consent-dark');
    await press(page, 'Cancel');
    expect(await run.ended).toBe(6);
    await shoot(page, 'cancelled-dark');
    const failure = result(run);
    expect(failure).toMatchObject({ ok: false, error: { exit: 6, detail: { aadsts: 65004 } } });
    expect(await page.getByRole('alert').textContent()).toContain(Reflect.get(Object(failure?.error), 'title'));
    // The mailbox is not known to login yet, and this is the sandbox.
    expect(await page.locator('code').first().textContent()).toBe(`mailauth setup --mailbox ${mailbox} --resume --sandbox`);
    expect(page.url()).not.toMatch(/error|access_denied|state=/);
    expect(await kept('mailboxes')).toEqual([]);
    expect(await tokens()).toBe(0);
  });

  it('takes the wrong account: exit 1, both addresses on the page and in the result, nothing is stored', async () => {
    const run = setup();
    const page = await open(run, { colorScheme: 'light' });
    await pick(page, 'ada@contoso.example');
    await press(page, 'Accept');
    expect(await run.ended).toBe(1);
    await shoot(page, 'wrong-account-light');
    const said = JSON.stringify(result(run)?.error);
    for (const text of [said, (await page.getByRole('alert').textContent()) ?? '']) {
      expect(text).toContain('ada@contoso.example');
      expect(text).toContain(mailbox);
    }
    expect(result(run)).toMatchObject({ ok: false, error: { code: 'wrong-account' } });
    expect(await kept('mailboxes')).toEqual([]);
    expect(await tokens()).toBe(0);
  });

  it('types an account that does not exist, reads so, and goes back to another one', async () => {
    const run = setup();
    const page = await open(run);
    await page.getByLabel('Use another account').fill('nobody@nowhere.example');
    await page.getByRole('button', { name: 'Next' }).click();
    expect(await page.locator('#error').textContent()).toContain('AADSTS50034');
    await shoot(page, 'unknown-account');
    await page.getByRole('link', { name: 'Use another account' }).click();
    await pick(page);
    await press(page, 'Accept');
    expect(await run.ended).toBe(0);
  });

  it('closes the tab: the deadline ends it with exit 4', async () => {
    // The last --timeout counts.
    const run = setup('--timeout', '3');
    const page = await open(run);
    await page.close();
    expect(await run.ended).toBe(4);
    expect(result(run)).toMatchObject({ ok: false, error: { code: 'sign-in-timeout' } });
    expect(await kept('mailboxes')).toEqual([]);
  });
});

describe('an administrator signs in for the registration', () => {
  const administrator = 'admin@contoso.example';
  const apps = async () => JSON.parse(await readFile(join(home.path, 'sandbox', 'state.json'), 'utf8')).apps.slice(2);

  it('and the mailbox afterwards: two pages that cannot be taken for each other', async () => {
    const run = registering();
    const first = await open(run, { colorScheme: 'light' });
    expect(await first.locator('main').textContent()).toContain('Microsoft Azure CLI');
    await shoot(first, 'admin-account-light');
    await pick(first, administrator);
    expect(await heading(first)).toBe('The sign-in has arrived');
    expect(await first.getByRole('status').textContent()).toMatch(/used once and not stored.*Signed in as.*admin@contoso\.example/s);
    expect(first.url()).toMatch(/^http:\/\/localhost:\d+\/mailauth\/[\w-]+$/);
    await shoot(first, 'admin-success-light');

    const second = await open(run, {}, 2);
    await pick(second);
    // An administrator has consented for everybody: the person is asked nothing.
    expect(await heading(second)).toBe('You are signed in');
    expect(await run.ended).toBe(0);
    expect(result(run)).toMatchObject({ ok: true, data: { mailbox, signedIn: true, account: mailbox } });
    expect(await apps()).toHaveLength(1);
    // The administrator's token was never written anywhere.
    expect(await tokens()).toBe(1);
  });

  it('in the dark, on a telephone, with scripts switched off', async () => {
    const run = registering('--for', 'osticket', '--redirect-uri', 'https://help.contoso.example/cb');
    const page = await open(run, { javaScriptEnabled: false, colorScheme: 'dark', viewport: { width: 320, height: 640 } });
    await shoot(page, 'admin-account-dark-phone');
    expect(await fits(page)).toBe(true);
    await pick(page, administrator);
    expect(await heading(page)).toBe('The sign-in has arrived');
    await shoot(page, 'admin-success-dark-phone');
    expect(await fits(page)).toBe(true);
    expect(await run.ended).toBe(0);
    // Nobody signs in to a product's mailbox here.
    expect(result(run)).toMatchObject({ ok: true, data: { signedIn: false } });
    expect(await tokens()).toBe(0);
  });

  it('who is none: exit 6 with the roles that are needed, and nothing is made', async () => {
    const run = registering('--for', 'osticket', '--redirect-uri', 'https://help.contoso.example/cb');
    const page = await open(run);
    await pick(page, 'ada@contoso.example');
    expect(await run.ended).toBe(6);
    const { error } = Object(result(run));
    expect(error).toMatchObject({ exit: 6 });
    expect(JSON.stringify(error)).toMatch(/ada@contoso\.example/);
    expect(JSON.stringify(error)).toMatch(/Application Administrator/);
    expect(await apps()).toEqual([]);
    expect(await kept('mailboxes')).toEqual([]);
    // The sign-in as such worked, and its page says no more than that.
    expect(await heading(page)).toBe('The sign-in has arrived');
    await shoot(page, 'admin-is-none');
  });
});

describe('the tenant lets only administrators consent', () => {
  it('a person gives up at "Need admin approval": exit 6, and the link for the administrator', async () => {
    const made = registering('--for', 'this-computer', '--consent', 'skip', '--sign-in', 'skip', '--no-test');
    await pick(await open(made), 'admin@contoso.example');
    expect(await made.ended).toBe(0);
    const { clientId } = Object(Object(result(made)).data);
    // The app stays in the tenant, as one that somebody else has registered.
    expect(await startMailauth(['logout', mailbox, '--sandbox'], home.env).ended).toBe(0);
    const run = start('--client-id', String(clientId), '--no-test');
    const page = await open(run, { colorScheme: 'light' });
    await pick(page);
    expect(await heading(page)).toBe('Need admin approval');
    await shoot(page, 'need-approval-light');
    await page.getByRole('button', { name: 'Return to the application without granting consent' }).click();
    expect(await run.ended).toBe(6);
    await shoot(page, 'need-approval-returned');
    const failure = JSON.stringify(result(run)?.error);
    expect(failure).toMatch(/90094|65004/);
    expect(failure).toContain(String(clientId));
    expect(await page.getByRole('alert').textContent()).toMatch(/administrator/i);
    expect(await tokens()).toBe(0);
  });
});

describe('BROWSER', () => {
  const yes = (command: string, ...more: string[]) =>
    startMailauth(['setup', '--sandbox', ...more, '--mailbox', mailbox], { ...home.env, BROWSER: command });

  it('is started by mailauth itself and clicks', async () => {
    const { command, pages } = await clickingBrowser(home.path);
    const run = yes(command, '--yes');
    expect(await run.ended).toBe(0);
    expect(run.stderr()).not.toContain('approves each sign-in by itself');
    expect(run.stderr()).toContain('Signed in as helpdesk@contoso.example');
    expect(run.stderr()).toContain('Signed in for Microsoft Graph: admin@contoso.example');
    expect(await pages(2)).toEqual(['The sign-in has arrived', 'You are signed in']);
  });

  it.each([
    { what: 'ends with 3', command: 'exits-3', said: 'ended with code 3' },
    { what: 'does not exist', command: 'no-such-browser-anywhere', said: 'could not be started (ENOENT)' },
  ])('that $what: the address is printed, and the set-up goes on', async ({ command, said }) => {
    const failing = join(home.path, 'exits-3');
    await writeFile(failing, '#!/bin/sh\nexit 3\n', { mode: 0o755 });
    const run = yes(
      command === 'exits-3' ? failing : join(home.path, command),
      '--json',
      '--register',
      'existing',
      '--no-test',
      '--timeout',
      '30',
    );
    const page = await open(run);
    await pick(page);
    await press(page, 'Accept');
    expect(await run.ended).toBe(0);
    expect(run.stdout()).toContain(said);
  });
});

/** How many tokens the sandbox's own store holds (there is no keychain here). */
async function tokens(): Promise<number> {
  const text = await readFile(join(home.path, 'sandbox', 'secrets.json'), 'utf8').catch(() => '{"secrets":{}}');
  return Object.keys(JSON.parse(text).secrets).filter((name) => name.includes('token')).length;
}
