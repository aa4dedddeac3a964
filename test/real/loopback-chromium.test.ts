import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { failurePage, successPage } from '../../src/oauth/loopback-pages.ts';
import { inAMinute, type OpenedLoopback, testLoopback } from '../support/loopback.ts';

/** The way back from Microsoft in a real browser, which resolves localhost, asks for a favicon and obeys the policy by itself. */
let browser: Browser;
let context: BrowserContext;
let loopback: OpenedLoopback;

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--no-first-run',
    ],
  });
});
afterAll(() => browser.close());
beforeEach(async () => {
  loopback = await testLoopback();
  context = await browser.newContext({ colorScheme: 'dark' });
});
afterEach(async () => {
  await context.close();
  await loopback.close();
});

const origin = () => loopback.redirectUri;
const success = successPage({ mailbox: 'helpdesk@contoso.example', account: 'anna@contoso.example' });

it('shows the truth at an address without the code, in one clean page', async () => {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  const arriving = page.goto(`${origin()}${loopback.back({ code: '1.AXtopsecret' })}`);
  const { params, respond } = await loopback.answer(inAMinute());
  expect(params.kind === 'code' && params.code.reveal()).toBe('1.AXtopsecret');
  await respond(success);
  await arriving;

  expect(page.url()).toMatch(/^http:\/\/localhost:\d+\/mailauth\/[\w-]+$/);
  expect(await page.title()).toBe('You are signed in · mailauth');
  expect(await page.getByRole('status').textContent()).toMatch(/anna@contoso\.example[\s\S]*helpdesk@contoso\.example/);
  expect(await page.evaluate(() => `referrer:${Reflect.get(Reflect.get(globalThis, 'document'), 'referrer')}`)).toBe('referrer:');
  // The policy let our own style in, and dark is dark.
  expect(await page.locator('body').evaluate((body) => Reflect.get(globalThis, 'getComputedStyle')(body).backgroundColor)).toBe(
    'rgb(15, 18, 22)',
  );
  expect(complaints).toEqual([]);
});

it('shows a denial, escaped, and runs nothing that came along', async () => {
  const page = await context.newPage();
  const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  const arriving = page.goto(`${origin()}${loopback.back({ error: 'access_denied', error_description: hostile })}`);
  const { params, respond } = await loopback.answer(inAMinute());
  expect(params).toMatchObject({ kind: 'error', error: 'access_denied', description: hostile });
  await respond(failurePage({ title: 'You declined', why: hostile, next: [{ text: 'mailauth login', copied: true }] }));
  await arriving;
  expect(await page.getByRole('alert').textContent()).toContain(hostile);
  expect(await page.title()).toBe('You declined · mailauth');
  expect(page.url()).not.toContain('access_denied');
});

it('tells a second tab that the first one counts, while the first still waits', async () => {
  const [first, second] = [await context.newPage(), await context.newPage()];
  const arriving = first.goto(`${origin()}${loopback.back({ code: 'one' })}`);
  const { respond } = await loopback.answer(inAMinute());
  await second.goto(`${origin()}${loopback.back({ code: 'two' })}`);
  expect(await second.getByRole('heading').textContent()).toBe('This sign-in was already answered');
  await respond(success);
  await arriving;
  expect(await first.getByRole('heading').textContent()).toBe('You are signed in');
});

it('a stale tab of another sign-in changes nothing', async () => {
  const page = await context.newPage();
  await page.goto(`${origin()}/?code=old&state=old`);
  expect(await page.getByRole('heading').textContent()).toBe('This is not the answer to the sign-in');
  const arriving = page.goto(`${origin()}${loopback.back()}`);
  const { respond } = await loopback.answer(inAMinute());
  await respond(success);
  await arriving;
  expect(await page.getByRole('heading').textContent()).toBe('You are signed in');
});

it('works with scripts off, on a phone, without sideways scrolling', async () => {
  const phone = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 320, height: 600 }, colorScheme: 'light' });
  const page = await phone.newPage();
  const arriving = page.goto(`${origin()}${loopback.back()}`);
  const { respond } = await loopback.answer(inAMinute());
  await respond(successPage({ mailbox: `${'long'.repeat(30)}@contoso.example`, account: 'anna@contoso.example' }));
  await arriving;
  expect(await page.getByText('You can close this tab').isVisible()).toBe(true);
  const box = await page.locator('main').boundingBox();
  expect(box === null ? Number.POSITIVE_INFINITY : box.x + box.width).toBeLessThanOrEqual(320);
  await phone.close();
});

it('tells the browser when mailauth stops in the middle', async () => {
  const page = await context.newPage();
  const arriving = page.goto(`${origin()}${loopback.back()}`);
  await loopback.answer(inAMinute());
  await loopback.close();
  await arriving;
  expect(await page.getByRole('heading').textContent()).toBe('mailauth stopped before it was finished');
});
