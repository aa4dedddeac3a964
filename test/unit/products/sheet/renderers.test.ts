import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeCell } from '../../../../src/core/markdown.ts';
import { productNamed, products } from '../../../../src/products/products.ts';
import { sheetOf } from '../../../../src/products/sheet/sheet.ts';
import { renderSheetHtml } from '../../../../src/products/sheet/sheet-html.ts';
import { renderSheetText } from '../../../../src/products/sheet/sheet-text.ts';
import { renderSheetJson, renderSheetMarkdown, sheetJson, sheetRenderer, writeSheet } from '../../../../src/products/sheet/write-sheet.ts';
import { systemFiles } from '../../../../src/system/disk/files.ts';
import { themeFor } from '../../../../src/ui/theme.ts';
import { temporaryFolder, testContext } from '../../../support/context.ts';
import { posix } from '../../../support/next.ts';
import { exampleFacts, theSecret } from './example.ts';

const ctx = testContext();
const theme = themeFor(ctx, ctx.out, true);
const sheet = (name = 'osticket', more: Parameters<typeof exampleFacts>[1] = {}) => {
  const product = productNamed(name)!;
  return sheetOf(product, exampleFacts(product, more), posix);
};
const asText = (made: ReturnType<typeof sheet>, reveal: { reveal: boolean }) => renderSheetText(made, { theme, columns: 80, ...reveal });
const renderers = { text: asText, markdown: renderSheetMarkdown, html: renderSheetHtml, json: renderSheetJson };

describe.each(Object.entries(renderers))('%s', (format, render) => {
  it.each(products)('$name: every field with its value, the secret masked', (product) => {
    const made = sheetOf(product, exampleFacts(product), posix);
    const rendered = render(made, { reveal: false });
    for (const { label } of made.parts.flatMap((part) => part.fields)) expect(rendered).toContain(label);
    expect(rendered).toContain('11111111-2222-3333-4444-555555555555');
    expect(rendered).not.toContain(theSecret);
    expect(rendered.endsWith('\n')).toBe(true);
  });

  it('prints the secret when it is asked to, once', () => {
    expect(render(sheet(), { reveal: true }).split(theSecret)).toHaveLength(2);
  });

  it('does not make up a secret that is not at hand', () => {
    const { clientSecret: _, ...facts } = exampleFacts(productNamed('osticket')!);
    const rendered = render(sheetOf(productNamed('osticket')!, facts, posix), { reveal: true });
    if (format === 'json')
      expect(JSON.parse(rendered).parts[0].fields[2]).toMatchObject({ label: 'Client Secret', value: null, secret: true });
    else expect(rendered).toContain('in the secret store');
  });
});

describe('on a screen', () => {
  it('reads like this', () => {
    expect(asText(sheet('mspbots'), { reveal: false })).toMatchInlineSnapshot(`
      "MSPbots: helpdesk@contoso.com

      Fill in MSPbots
        MSPbots: Settings > System > Outgoing Mail > Add > OAuth2
        Host Name          smtp.office365.com
                           If MSPbots asks for a port: 587 with STARTTLS. MSPbots'
                           guide points to the redirect URI here by mistake.
        Authorization URL  https://login.microsoftonline.com/5f0c3e1a-7d42-4b8e-9a63-1c2d3e4f5a6b/oauth2/v2.0/authorize
        Token URL          https://login.microsoftonline.com/5f0c3e1a-7d42-4b8e-9a63-1c2d3e4f5a6b/oauth2/v2.0/token
        Redirect URI       https://app.mspbots.ai/web/um/smtp/redirect
                           compare: MSPbots fills this in.
        Client ID          11111111-2222-3333-4444-555555555555
                           The Application (client) ID, not the Secret ID, although
                           the guide reads like that.
        Client Secret      ********  (masked: --reveal shows it)
                           The secret's "Value", not its "Secret ID".
        Username           helpdesk@contoso.com
                           A mailbox with a licence of its own.
        Reply to           helpdesk@contoso.com
                           your choice: Or any address that should get the answers.
        Signature          your own words below each message
                           your choice
        ! SMTP AUTH must be switched on for the mailbox, also with OAuth. Otherwise
          the server answers 535 5.7.139.
        Then:
         1. Press "Authorize"
         2. In the pop-up, press "Continue"
         3. On Microsoft's page, sign in as helpdesk@contoso.com: enter the password
            and press "Sign In"
         4. Press "Accept"
         5. Refresh the mailbox list: the status must be "Verified". If it is "Not
            Verified", go through this form again

      Mail servers
        SMTP  smtp.office365.com  587    STARTTLS  helpdesk@contoso.com,
                                                   OAuth 2.0 (XOAUTH2)

      Renewal
        The client secret expires on 2027-11-22. From that day on, no mail is read or
        sent.
         1. mailauth secret rotate helpdesk@contoso.com --for mspbots
         2. Put the new value into "Client Secret" (MSPbots: Settings > System >
            Outgoing Mail > Add > OAuth2) and repeat the steps that follow it there
         3. mailauth secret rotate helpdesk@contoso.com --for mspbots --finish

      Registered in Entra
        Name                     mailauth mspbots helpdesk@contoso.com
        Application (client) ID  11111111-2222-3333-4444-555555555555
        Directory (tenant) ID    5f0c3e1a-7d42-4b8e-9a63-1c2d3e4f5a6b
        Supported account types  Single tenant only (formerly: Accounts in this
                                 organizational directory only)
        Platform                 Web
        Redirect URI             https://app.mspbots.ai/web/um/smtp/redirect
        Delegated permissions    SMTP.Send
        Secret ID                99999999-8888-7777-6666-555555555555
        In the portal            https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/Overview/appId/11111111-2222-3333-4444-555555555555/isMSAApp~/false
      "
    `);
  });
});

describe('as JSON', () => {
  it('a masked secret is null, not asterisks that somebody pastes', () => {
    const { fields } = sheetJson(sheet(), { reveal: false }).parts[0]!;
    expect(fields[2]).toEqual({ label: 'Client Secret', value: null, secret: true, how: 'enter', note: expect.any(String) });
    expect(fields[1]).toMatchObject({ label: 'Client ID', value: '11111111-2222-3333-4444-555555555555', secret: false });
    expect(JSON.stringify(sheetJson(sheet(), { reveal: false }))).not.toContain('*');
  });
});

describe('as Markdown', () => {
  const cellsOf = (line: string) => line.split(/(?<!\\)\|/).length;

  it('no value breaks out of its cell or becomes markup', () => {
    const hostile = 'a|b`c``d<img src=x>[x](javascript:1)*e*_f_#@contoso.com';
    const text = renderSheetMarkdown(sheet('osticket', { mailbox: hostile, clientId: hostile, redirectUri: hostile }), { reveal: false });
    const lines = text.split('\n');
    let width = 0;
    for (const [i, line] of lines.entries()) {
      if (!line.startsWith('|')) continue;
      if (!lines[i - 1]?.startsWith('|')) width = cellsOf(line);
      expect(cellsOf(line)).toBe(width);
    }
    // Outside of code, every character that begins markup has its backslash.
    const prose = text.replaceAll(/(`+)[^`](?:.*?[^`])?\1(?!`)/g, '');
    expect(prose).not.toMatch(/(?<!\\)<img|(?<!\\)\[x|(?<!\\)\*e/);
    expect(text).toContain('```a\\|b`c``d<img');
  });

  it('a value with backticks, or with a backslash before a pipe, stays whole', () => {
    expect(codeCell('a\\|b')).toBe('a\\\\\\|b');
    const text = renderSheetMarkdown(sheet('custom', { clientType: 'confidential', clientId: '`x`' }), { reveal: true });
    expect(text).toContain('| Client ID | `` `x` `` |');
  });
});

describe('as HTML', () => {
  const hostile = `"><script>alert(1)</script>'&<style>*{display:none}</style>@contoso.com`;

  it('is one file without scripts or anything from elsewhere', () => {
    for (const product of products) {
      const html = renderSheetHtml(sheetOf(product, exampleFacts(product), posix), { reveal: false });
      expect(html).not.toMatch(/<script|<link|<img|<iframe|\bsrc=|@import|url\(|\bon\w+=/i);
      expect(html).toContain(`content="default-src 'none'; style-src 'sha256-`);
    }
  });

  it('escapes what comes from outside', () => {
    const facts = {
      mailbox: hostile,
      signsIn: hostile.replace('alert', 'open'),
      clientId: hostile,
      redirectUri: hostile,
      appName: hostile,
    };
    const html = renderSheetHtml(sheet('osticket', { ...facts, secretId: hostile, secretExpiresAt: hostile, writtenAt: hostile }), {
      reveal: true,
    });
    expect(html).not.toContain('<script');
    expect(html.match(/<style>/g)).toHaveLength(1);
    expect(html).toContain('&#60;script&#62;alert(1)');
  });

  it('links to the portal only where it is https', () => {
    const cloud = { ...exampleFacts(productNamed('custom')!).cloud, portal: 'javascript:alert(1)//' };
    expect(renderSheetHtml(sheet('osticket', { cloud }), { reveal: false })).not.toMatch(/href="(?!#)/);
    expect(renderSheetHtml(sheet(), { reveal: false })).toContain('href="https://entra.microsoft.com/#view/');
  });

  it('warns when the secret is inside, and only then', () => {
    expect(renderSheetHtml(sheet(), { reveal: true })).toContain('holds the client secret');
    expect(renderSheetHtml(sheet(), { reveal: false })).not.toContain('holds the client secret');
    expect(renderSheetHtml(sheet('kaseya'), { reveal: true })).not.toContain('holds the client secret');
  });
});

describe('into a file', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(() => folder.remove());

  it.each([
    ['sheet.md', /^# osTicket/],
    ['sheet.html', /^<!doctype html>/],
    ['SHEET.HTML', /^<!doctype html>/],
    ['sheet.json', /^\{/],
  ])('%s, for its owner alone', async (name, begins) => {
    const path = await writeSheet({ files: systemFiles }, join(folder.path, name), sheet(), false);
    expect(path).toBe(join(folder.path, name));
    expect(await readFile(path, 'utf8')).toMatch(begins);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it.each(['sheet.pdf', 'sheet', 'sheet.md.bak', '.html'])('%s is exit 2, before anything is written', async (name) => {
    expect(() => sheetRenderer(name)).toThrow(expect.objectContaining({ code: 'value-invalid', exit: 2 }));
    await expect(writeSheet({ files: systemFiles }, join(folder.path, name), sheet(), false)).rejects.toMatchObject({ exit: 2 });
    await expect(stat(join(folder.path, name))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
