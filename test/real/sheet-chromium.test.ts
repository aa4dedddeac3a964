import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { products } from '../../src/products/products.ts';
import { sheetOf } from '../../src/products/sheet/sheet.ts';
import { writeSheet } from '../../src/products/sheet/write-sheet.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import { posix } from '../support/next.ts';
import { exampleFacts, theSecret } from '../unit/products/sheet/example.ts';
import { launchChromium } from './rigs/chromium.ts';

// The hand-over sheet as an administrator opens it: a file, in a real browser, on a screen and on paper.

/** MAILAUTH_TEST_SHOTS=FOLDER keeps pictures for a look */
const shots = process.env.MAILAUTH_TEST_SHOTS;
const hostile = `"><script>document.title='owned'</script><img src=x onerror=alert(1)>'&@contoso.com`;

let browser: Browser;
let folder: string;
const pages: Page[] = [];

beforeAll(async () => {
  browser = await launchChromium();
  folder = await mkdtemp(join(tmpdir(), 'mailauth-sheet-'));
});
afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.context().close()));
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

async function sheetFile(name: string, more: Parameters<typeof exampleFacts>[1] = {}, reveal = false): Promise<string> {
  const guide = products.find((one) => one.name === name)!;
  return writeSheet(
    { files: systemFiles },
    join(folder, `${name}-${pages.length}-${reveal}.html`),
    sheetOf(guide, exampleFacts(guide, more), posix),
    reveal,
  );
}

/** Opens the file; answers the page and every address it asked for. */
async function open(file: string, options: BrowserContextOptions = {}): Promise<{ page: Page; asked: string[]; complaints: string[] }> {
  const page = await (await browser.newContext(options)).newPage();
  pages.push(page);
  const asked: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('dialog', (dialog) => complaints.push(dialog.message()));
  await page.goto(pathToFileURL(file).href);
  return { page, asked, complaints };
}

const shoot = async (page: Page, name: string) => {
  if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
};
const fitsWidth = (page: Page) => page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth');

/** Elements that hold more than they show, or that end to the right of the page. */
const cutOff = (page: Page) =>
  page.evaluate<string[]>(`[...document.querySelectorAll('main *')].filter((one) => {
    const hidden = getComputedStyle(one).overflowX !== 'visible' && one.scrollWidth > one.clientWidth;
    return hidden || one.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5;
  }).map((one) => one.outerHTML.slice(0, 90))`);

describe('the sheet in a browser', () => {
  it.each(products.map(({ name }) => name))('%s: light, dark and on a telephone, from one file', async (name) => {
    const file = await sheetFile(name);
    const { page, asked, complaints } = await open(file);
    for (const [look, colorScheme, width] of [
      ['light', 'light', 1200],
      ['dark', 'dark', 1200],
      ['phone-light', 'light', 390],
      ['phone', 'dark', 390],
      ['narrow', 'dark', 340],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 720 });
      expect(await fitsWidth(page)).toBe(true);
      expect(await cutOff(page), look).toEqual([]);
      const back = await page.evaluate<string>('getComputedStyle(document.querySelector("main")).backgroundColor');
      expect(back === 'rgb(255, 255, 255)').toBe(colorScheme === 'light');
      await shoot(page, `sheet-${name}-${look}`);
    }
    expect(asked).toEqual([pathToFileURL(file).href]);
    // A style sheet that the page's own policy refused would be told on the console.
    expect(complaints).toEqual([]);
  });

  it('selects a whole value with one click', async () => {
    const { page } = await open(await sheetFile('osticket'));
    await page.getByText('11111111-2222-3333-4444-555555555555', { exact: true }).first().click();
    expect(await page.evaluate('getSelection().toString()')).toBe('11111111-2222-3333-4444-555555555555');
  });

  it('has a box to tick for each step, and says where the masked secret is shown', async () => {
    const { page } = await open(await sheetFile('osticket'));
    const boxes = page.getByRole('checkbox');
    expect(await boxes.count()).toBe(await page.locator('li').count());
    await page.getByText('Press "Submit"').click();
    expect(await boxes.first().isChecked()).toBe(true);
    await page.getByRole('link', { name: 'How to see it' }).click();
    const command = page.locator('#client-secret:target code');
    expect(await command.textContent()).toBe('mailauth secret show helpdesk@contoso.com --for osticket --reveal');
    await command.click();
    expect(await page.evaluate('getSelection().toString()')).toBe(await command.textContent());
    const revealed = await open(await sheetFile('osticket', {}, true));
    expect(await revealed.page.getByRole('link', { name: 'How to see it' }).count()).toBe(0);
  });

  it('masks the secret, and says so where it is shown', async () => {
    const masked = await sheetFile('osticket');
    expect(await readFile(masked, 'utf8')).not.toContain(theSecret);
    const { page } = await open(await sheetFile('osticket', {}, true));
    expect(await page.getByText(theSecret, { exact: true }).count()).toBe(1);
    expect(await page.getByRole('note').textContent()).toContain('holds the client secret');
    await shoot(page, 'sheet-osticket-revealed');
    expect((await stat(masked)).mode & 0o777).toBe(0o600);
  });

  it('a shared mailbox, with its PowerShell lines', async () => {
    const { page } = await open(await sheetFile('osticket', { mailbox: 'shared@contoso.com', signsIn: 'ada@contoso.com' }));
    expect(await page.locator('pre').textContent()).toContain(
      "Add-MailboxPermission -Identity 'shared@contoso.com' -User 'ada@contoso.com'",
    );
    await shoot(page, 'sheet-shared');
  });

  it('runs nothing that a mailbox, an address or a secret brings along', async () => {
    const { page, asked, complaints } = await open(
      await sheetFile('osticket', { mailbox: hostile, redirectUri: hostile, clientId: hostile, secretId: hostile }),
    );
    expect(await page.title()).toBe(`osTicket: ${hostile}`);
    expect(asked).toHaveLength(1);
    expect(complaints).toEqual([]);
    expect(await page.locator('script, img').count()).toBe(0);
    expect(await fitsWidth(page)).toBe(true);
  });

  it('prints on A4 in light colours, also for a reader in the dark', async () => {
    const { page } = await open(await sheetFile('osticket'), { colorScheme: 'dark' });
    const pdf = await page.pdf({ preferCSSPageSize: true });
    const box = /\/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]/.exec(pdf.toString('latin1'));
    expect(Math.round(Number(box?.[1]))).toBe(595);
    expect(Math.round(Number(box?.[2]))).toBe(842);
    const count = pdf.toString('latin1').match(/\/Type ?\/Page\b(?!s)/g)?.length ?? 0;
    expect(count).toBeGreaterThanOrEqual(1);
    expect(count).toBeLessThanOrEqual(2);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await page.evaluate('getComputedStyle(document.querySelector("main")).color')).toBe('rgb(0, 0, 0)');
    if (shots !== undefined) await page.pdf({ path: join(shots, 'sheet-osticket.pdf'), preferCSSPageSize: true });
  });
});
