import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Interrupted } from '../../src/core/errors.ts';
import { acceptingBrowser } from '../support/click-through.ts';
import { type How, type Machine, machine, person, type Scripted, whatNext } from '../support/command-line.ts';

/** The end of a set-up: what is left to do in the product, and the menu that stays until the product works. */
let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const mailbox = 'helpdesk@contoso.example';
const callback = 'https://help.contoso.example/api/auth/oauth2';
const setup = (product: string) =>
  `setup --sandbox --mailbox ${mailbox} --for ${product}${['osticket', 'supportpal'].includes(product) ? ` --redirect-uri ${callback}` : ''}`;
const create: Scripted = ['Create it?', 'yes'];
const browser = acceptingBrowser();

async function finished(product: string, script: readonly Scripted[], more: How = {}) {
  const { prompts, unasked } = person([create, ...script]);
  const ran = await m.mailauth(setup(product), { terminal: true, prompts, browser, ...more });
  expect([ran.exit, unasked(), ran.exit === 0 ? '' : ran.err]).toEqual([0, [], '']);
  return ran;
}

const secretOf = async (): Promise<string> => {
  const shown = await m.mailauth(`secret show ${mailbox} --reveal --sandbox --json`);
  return shown.json().data.clientSecret;
};

/** Lines of a terminal of 80 columns, where a line that is too long goes on in the next one. */
const linesSeen = (text: string): number =>
  text
    .replace(/\n$/, '')
    .split('\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours take no room
    .map((line) => Math.max(1, Math.ceil(line.replace(/\u001b\[\d*m/g, '').length / 80)))
    .reduce((sum, lines) => sum + lines, 0);

describe('what is left to do', () => {
  it.each([
    ['this-computer', 8],
    ['osticket', 26],
    ['supportpal', 34],
    ['kaseya', 19],
    ['mspbots', 24],
    ['custom', 30],
  ])('%s: at most %i lines of 80 columns', async (product, limit) => {
    const { exit, out } = await m.mailauth(`${setup(product)} --yes`, { tty: true });
    expect([exit, linesSeen(out) <= limit ? '' : `${linesSeen(out)} lines:\n${out}`]).toEqual([0, '']);
  });

  it('in the order of the form, the secret masked, and nothing that only explains', async () => {
    const { out } = await m.mailauth(`${setup('osticket')} --yes`);
    expect(out).toMatch(
      /✔ helpdesk@contoso\.example is set up[\s\S]*Admin Panel > [\s\S]*Callback Endpoint +https:[\s\S]*Client ID +\S{36}\n +Client Secret +\*{8} [\s\S]*Token Endpoint[\s\S]*1\. Press "Submit"[\s\S]*green success banner/,
    );
    expect(out).not.toMatch(/Renewal|Registered in Entra|Entra calls it/);
    expect(out).toMatch(/next: mailauth secret show helpdesk@contoso\.example --for osticket --reveal --sandbox\n/);
    const whole = await m.mailauth(`${setup('osticket')} --yes --verbose`);
    expect(whole.out).toMatch(/Entra calls it[\s\S]*Renewal[\s\S]*Registered in Entra/);
  });

  it('for this computer: the program that will use the sign-in, once the tests are green', async () => {
    const { out } = await m.mailauth(`${setup('this-computer')} --yes`);
    expect(out).toMatch(
      /next: mailauth export msmtp \S+ --sandbox +# [^\n]+\n +next: mailauth keepalive[^\n]*\n +next: mailauth status [^\n]+\n$/,
    );
    const untested = await m.mailauth(`${setup('this-computer')} --yes --no-test --protocols imap,pop`);
    expect(untested.out).toContain('next: mailauth test all');
  });
});

describe('the menu', () => {
  it('shows the client secret on request, and never on standard output', async () => {
    const ran = await finished('osticket', [
      [whatNext, 'secret'],
      [whatNext, 'works'],
    ]);
    const secret = await secretOf();
    expect([ran.err.includes(secret), ran.out.includes(secret)]).toEqual([true, false]);
  });

  it('copies the values one by one, in the order of the form, and clears the clipboard', async () => {
    const copied: string[] = [];
    const clipboard: How['clipboard'] = {
      usable: true,
      async copy(text) {
        copied.push(text);
        return true;
      },
    };
    const script: readonly Scripted[] = [
      [whatNext, 'copy'],
      ['Client ID is copied: paste it. Copy the next: Client Secret?', true],
      ['Client Secret is copied: paste it. Copy the next: Authorization Endpoint?', true],
      ['Authorization Endpoint is copied: paste it. Copy the next: Token Endpoint?', true],
      ['Token Endpoint is copied: paste it. Clear the clipboard?', true],
      [whatNext, 'works'],
    ];
    const ran = await finished('osticket', script, { clipboard });
    const secret = await secretOf();
    expect(copied).toEqual([
      expect.stringMatching(/^[\da-f-]{36}$/),
      secret,
      expect.stringMatching(/\/oauth2\/v2\.0\/authorize$/),
      expect.stringMatching(/\/oauth2\/v2\.0\/token$/),
      '',
    ]);
    expect(ran.out + ran.err).not.toContain(secret);
  });

  it('opens the sheet: a page of this user alone, without the secret; logout takes it away', async () => {
    const opened: string[] = [];
    const openFile: How['openFile'] = async (path) => {
      opened.push(path);
      return { kind: 'opened' };
    };
    await finished(
      'osticket',
      [
        [whatNext, 'sheet'],
        [whatNext, 'works'],
      ],
      { openFile },
    );
    const [file = ''] = opened;
    expect(file.startsWith(join(m.home, 'sandbox', 'sheets'))).toBe(true);
    const page = await readFile(file, 'utf8');
    expect([page.includes('Registered in Entra'), page.includes(await secretOf())]).toEqual([true, false]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await m.mailauth(`logout ${mailbox} --for osticket --sandbox --yes`);
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('without a browser it names the page', async () => {
    const env = { MAILAUTH_GRAPH_TOKEN: '' };
    const ran = await finished(
      'kaseya',
      [
        [whatNext, 'sheet'],
        [whatNext, 'works'],
      ],
      { env, browser: { ...browser, usable: true }, openFile: async () => ({ kind: 'failed', why: 'none here' }) },
    );
    expect(ran.err).toMatch(/The sheet is a page for any browser: \S+\.html/);
  });

  it("explains the product's error with the values of this set-up, and comes back", async () => {
    const ran = await finished('osticket', [
      [whatNext, 'error'],
      ['The error of osTicket?', 'AADSTS7000215: Invalid client secret provided.'],
      [whatNext, 'error'],
      ['The error of osTicket?', ''],
      [whatNext, 'works'],
    ]);
    expect(ran.err).toContain('AADSTS7000215');
    expect(ran.err).toContain(mailbox);
    expect(ran.err).not.toContain('CLIENT-ID');
  });

  it('offers what there is: no secret for a public client, no clipboard where no program fills it', async () => {
    const offered: string[] = [];
    const { prompts } = person([create]);
    const select: typeof prompts.select = async (q) => {
      if (q.message !== whatNext) return prompts.select(q);
      offered.push(...q.choices.map(({ name }) => name));
      throw new Interrupted();
    };
    const ran = await m.mailauth(setup('kaseya'), { terminal: true, prompts: { ...prompts, select }, browser });
    // Ctrl-C: the set-up is finished.
    expect([ran.exit, ran.err.includes('Stopped.')]).toEqual([0, false]);
    expect(offered).toEqual(['Open the sheet', 'It works', "It does not: paste the product's error"]);
    expect(ran.out).toMatch(/next: \S*mailauth setup/);
  });

  it.each([
    ['--yes', `${setup('osticket')} --yes`, true],
    ['no terminal', `${setup('osticket')} --yes`, false],
    ['--json', `${setup('osticket')} --yes --json`, true],
  ])('does not come with %s', async (_, words, terminal) => {
    const { prompts, asked } = person([]);
    const ran = await m.mailauth(words, { terminal, prompts });
    expect([ran.exit, asked]).toEqual([0, []]);
  });

  it('does not come where nothing was changed, or where this computer keeps the sign-in', async () => {
    const script = person([[whatNext, 'works']]);
    await m.mailauth(`${setup('osticket')} --yes`);
    const again = await m.mailauth(setup('osticket'), { terminal: true, prompts: script.prompts, browser });
    expect([again.exit, script.unasked().length]).toEqual([0, 1]);
  });
});
