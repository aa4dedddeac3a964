// biome-ignore-all lint/suspicious/noControlCharactersInRegex: escapes are what is looked for
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSandbox } from '../../src/sandbox/start-sandbox.ts';
import { resources } from '../../src/sandbox/tenant/microsoft-resources.ts';
import { createNetwork } from '../../src/system/network/network.ts';
import { testContext } from '../support/context.ts';
import { startMailauth } from './rigs/chromium.ts';
import { clickThrough, fetchingBrowser, type Terminal, terminals } from './rigs/tmux.ts';
import { agree, anotherWay, answer, choose, endsClean, escaped, torn, works } from './rigs/typist.ts';

/** The wizard as a person sees it: keys in, a screen out, and the terminal afterwards. */
const mailbox = 'helpdesk@contoso.example';
const readyClientId = '11111111-5a4d-4b0c-9a11-c0ffee000001';

const { home, open: terminal } = terminals();

/** What was reached, then the next commands to copy, each of them for the sandbox; nothing below. */
const lastLines =
  /\n✔ helpdesk@contoso\.example is set up and signed in\.\n {2}next: mailauth export msmtp helpdesk@contoso\.example --sandbox {3}# .*\n {2}next: mailauth keepalive --install --sandbox.*\n {2}next: mailauth status helpdesk@contoso\.example --sandbox\n?$/;

const browser = async () => ({ BROWSER: await fetchingBrowser(home().path) });
const inSandbox = (...path: string[]) => join(home().path, 'sandbox', ...path);
const names = (folder: string) => readdir(inSandbox(folder)).catch(() => []);
const secrets = async () =>
  Object.keys(JSON.parse(await readFile(inSandbox('secrets.json'), 'utf8').catch(() => '{"secrets":{}}')).secrets);
const addressIn = (text: string) => /^http:\/\/localhost:\d+\S+oauth2\/v2\.0\/authorize\?\S+$/m.exec(text)?.[0] ?? '';
const pasteOrWait = 'Paste the address (or wait for the browser):';

/** The browser on the other side of an address that the terminal shows below `heading`; answers where it leads back to. */
async function browserBelow(t: Terminal, heading: string): Promise<string> {
  const below = (text: string) => text.slice(text.lastIndexOf(heading));
  const shown = await t.until(new RegExp(`${escaped(heading)}[\\s\\S]*${escaped(pasteOrWait)}`));
  return clickThrough(addressIn(below(shown)));
}

const whoOpens = 'Who opens this mailbox?';
const noBrowserHere = 'No browser can be opened here. How do you sign in?';
const asAdministrator = 'Sign in as an administrator:';
const asMailbox = `Sign in as ${mailbox}, in a browser, at this address:`;
const state = async () => JSON.parse(await readFile(inSandbox('state.json'), 'utf8'));
/** apps that were registered here, beside the two that the sandbox brings along */
const registered = async () => (await state()).apps.slice(2);

const ownSecret = 'Own8Q~TypedByHandAtTwentyThreeHours_0123';
const ownClientId = '33333333-5a4d-4b0c-9a11-c0ffee000003';

/** An app that the sandbox does not bring along, so that its secret must be typed. */
async function registerApp(): Promise<void> {
  const sandbox = await openSandbox({ ctx: testContext({ network: createNetwork({ env: {} }) }), home: inSandbox() });
  await sandbox.close();
  const state = JSON.parse(await readFile(inSandbox('state.json'), 'utf8'));
  const [, confidential] = state.apps;
  const sha256 = createHash('sha256').update(ownSecret).digest('base64url');
  state.apps.push({ ...confidential, clientId: ownClientId, secrets: [{ ...confidential.secrets[0], sha256 }] });
  // An administrator has consented: users may not, to IMAP and POP.
  const principal = { objectId: '33333333-5a4d-4b0c-9a11-000000000003', appId: ownClientId, createdAt: 0, tags: [], lag: 0 };
  state.servicePrincipals.push(principal);
  const scope = 'IMAP.AccessAsUser.All POP.AccessAsUser.All SMTP.Send';
  const resourceId = resources.outlook.objectId;
  state.grants.push({ id: 'g1', clientId: principal.objectId, resourceId, consentType: 'AllPrincipals', principalId: null, scope });
  await writeFile(inSandbox('state.json'), JSON.stringify(state));
}

describe('the wizard, from the first question to the last line', () => {
  it('with a wrong address first, and the browser somewhere else', async () => {
    const t = await terminal(['setup', '--sandbox']);
    await t.until('? Which mailbox?');
    await t.type('helpdesk@contoso');
    await t.until('"contoso" is not a mail domain; an address looks like helpdesk@contoso.com');
    await t.press('Enter');
    await t.until('> "contoso" is not a mail domain');
    await t.type('.example');
    await t.until(/\? Which mailbox\?.*helpdesk@contoso\.example\s*$/);
    await t.press('Enter');
    await answer(t, 'What is this mailbox for?');
    await answer(t, whoOpens);
    await answer(t, noBrowserHere);
    const summary = await t.until('? Create it?');
    expect(summary).toContain('helpdesk@contoso.example for this computer, tenant contoso.example');
    expect(summary).toContain('consent for everybody: read and send mail (IMAP, POP, SMTP)');
    expect(summary).not.toContain('oauth2/v2.0/token');
    expect(summary).not.toMatch(/\n\n\n/);
    await choose(t, 'Create it?', 'All details');
    await t.until(/- consent to them for the whole organization[\s\S]*\? Create it\?/);
    expect(await t.text()).toContain('oauth2/v2.0/token');
    expect(await torn(t)).toEqual([]);
    await agree(t);
    // Fifteen lines of the screen, and still one address.
    await (await fetch(await browserBelow(t, asAdministrator))).text();
    await t.until('✔ Signed in for Microsoft Graph: admin@contoso.example');
    await (await fetch(await browserBelow(t, asMailbox))).text();
    await endsClean(t, 0);
    const text = await t.text();
    expect(text).not.toMatch(/\n\n\n/);
    expect(await registered()).toHaveLength(1);
    expect(text).toContain('✔ Signed in as helpdesk@contoso.example');
    expect(text).toMatch(/✔ IMAP: signed in at localhost:\d+, INBOX has \d+ messages/);
    expect(text).toMatch(lastLines);
    expect(await torn(t)).toEqual([]);
    expect(await names('setups')).toEqual([]);
  });

  it('through the portal, screen by screen, with an answer pasted from another computer', async () => {
    const t = await terminal(['setup', '--sandbox', '--register', 'portal', '--mailbox', mailbox, '--for', 'this-computer']);
    await answer(t, whoOpens);
    await answer(t, noBrowserHere);
    await answer(t, 'Go ahead?');
    expect(await t.until('? Application (client) ID?')).toMatch(/Step 1 of 3: Register the app/);
    await t.type('11111111');
    await t.until('the Application (client) ID is a GUID');
    await t.press('C-u');
    await answer(t, 'Application (client) ID?', readyClientId);
    await t.until('Step 2 of 3: Add the delegated permissions');
    await t.until('? Done?');
    await t.press('Escape');
    // One screen back, with the ID in its line.
    await t.until(new RegExp(`Step 2 of 3[\\s\\S]*Step 1 of 3[\\s\\S]*Application \\(client\\) ID\\? ${readyClientId}`));
    await t.press('Enter');
    await t.until(/Step 1 of 3[\s\S]*Step 2 of 3[\s\S]*Step 2 of 3[\s\S]*\? Done\?/);
    await t.press('Enter');
    await t.until('Step 3 of 3: Grant admin consent');
    await t.until(/Step 3 of 3[\s\S]*\? Done\?/);
    await t.press('Enter');
    const back = await browserBelow(t, asMailbox);
    expect((await torn(t)).filter((line) => !/^ *https?:\/\//.test(line))).toEqual([]);
    await t.type('what is this');
    await t.press('Enter');
    await t.until(/! .*[\s\S]*\? Paste the address/);
    // As a terminal or a mail wrapped it, without a line break at its end.
    await t.paste(back.replace(/.{70}/g, '$&\n'));
    await t.press('Enter');
    await endsClean(t, 0);
    expect(await t.text()).toContain('helpdesk@contoso.example is set up and signed in.');
    expect(await t.text()).not.toContain('only the first part');
  });
});

describe('who opens the mailbox', () => {
  it('not sure: found out once the administrator has signed in, and the person is asked for; at 44 columns no word is torn', async () => {
    const t = await terminal(['setup', '--sandbox', '--mailbox', 'shared@contoso.example', '--for', 'this-computer'], {
      columns: 44,
      env: await browser(),
    });
    await t.until(`? ${whoOpens}`);
    await t.press('Down', 'Down');
    await t.until('❯ Not sure');
    await t.press('Enter');
    await agree(t);
    await t.until('? Whose account opens it?');
    expect(await registered()).toEqual([]);
    await t.type('ada@contoso.example');
    await t.press('Enter');
    await endsClean(t, 0);
    const text = (await t.text()).replace(/\s+/g, ' ');
    expect(text).toContain('Opened your browser. Sign in there as ada@contoso.example, who has Full Access to shared@contoso.example');
    expect(text).toContain('shared@contoso.example is set up and signed in.');
    expect((await torn(t)).filter((line) => !/mailauth |\/sandbox\/|localhost|[\da-f]{8}-/.test(line))).toEqual([]);
  });
});

describe('a product, from the first question to its hand-over sheet', () => {
  const callback = 'https://support.contoso.example/admin/emailaccount/oauth';
  const products = ['This computer', 'osTicket', 'SupportPal'];

  async function chooseSupportPal(t: Terminal): Promise<void> {
    await answer(t, 'Which mailbox?', mailbox);
    await t.until('? What is this mailbox for?');
    for (const product of products.slice(1)) {
      await t.press('Down');
      await t.until(new RegExp(`❯ ${product}`));
    }
    await t.press('Enter');
    await t.until(/✔ What is this mailbox for\? SupportPal/);
    await answer(t, whoOpens);
  }

  /** The product's form ends the output, and its menu: the product's own words, whole values, no secret, nothing torn. */
  async function showsForm(t: Terminal, clientId: string): Promise<void> {
    const text = await t.text();
    const form = text.slice(text.indexOf('is set up; no sign-in on this computer.'));
    expect(form).toMatch(new RegExp(`Client ID +${clientId}`));
    expect(form).toMatch(/Client Secret +\*{8} /);
    expect(form).toContain('Get Access Token');
    expect(form).not.toContain('Renewal');
    expect(form).toMatch(/✔ What next\? It works\n {2}next: mailauth secret show \S+ --for supportpal --reveal --sandbox/);
    expect(form).toMatch(/next: mailauth setup --mailbox \S+ --for supportpal --handover sheet\.html --sandbox/);
    expect(form).not.toMatch(/\n\n\n/);
    // Values and commands stay whole, so that they can be copied; only they may be wider than the screen.
    expect((await torn(t)).filter((line) => !/https?:\/\/|mailauth /.test(line))).toEqual([]);
  }

  it('--register auto: Stop creates nothing; Yes creates it once', async () => {
    const first = await terminal(['setup', '--sandbox']);
    await chooseSupportPal(first);
    await answer(first, 'Redirect URI of SupportPal?', callback);
    await choose(first, 'Create it?', 'Stop');
    await endsClean(first, 1);
    expect(await registered()).toEqual([]);
    expect(await names('mailboxes')).toEqual([]);

    const again = await terminal(['setup', '--sandbox'], { env: await browser() });
    // What was answered is kept.
    await answer(again, `The set-up of ${mailbox} was interrupted. Go on with it?`);
    await agree(again);
    await works(again);
    await endsClean(again, 0);
    expect(await again.text()).toContain('✔ Signed in for Microsoft Graph: admin@contoso.example');
    const [app, ...more] = await registered();
    expect(more).toEqual([]);
    expect(app).toMatchObject({ webRedirects: [callback], secrets: [{ name: expect.stringMatching(/^mailauth /) }] });
    await showsForm(again, app.clientId);
  });

  it('--register portal: each screen, the secret typed, the same sheet', async () => {
    await registerApp();
    const t = await terminal(['setup', '--sandbox', '--redirect-uri', callback]);
    await chooseSupportPal(t);
    await anotherWay(t, 'Guide me through the portal');
    await answer(t, 'Go ahead?');
    await answer(t, 'Application (client) ID?', ownClientId);
    for (let screen = 2; ; screen += 1) {
      const now = await t.until(new RegExp(`Step ${screen} of \\d+[\\s\\S]*\\? (?:Done\\?|Client secret)`));
      if (/\? Client secret[^\n]*$/.test(now)) break;
      await t.press('Enter');
      await t.until(new RegExp(`Step ${screen} of \\d+[\\s\\S]*✔ Done\\? Done`));
    }
    await t.type(ownSecret);
    await t.until('*'.repeat(ownSecret.length));
    await t.press('Enter');
    await t.until(/\? What next\?|\? Done\?/);
    while (/\? Done\?[^\n]*$/.test(await t.text())) {
      await t.press('Enter');
      await t.until(/\? What next\?|\? Done\?/);
    }
    await works(t);
    await endsClean(t, 0);
    await showsForm(t, ownClientId);
    expect(`${await t.text()}${await t.raw()}`).not.toContain(ownSecret.slice(-6));
  });
});

describe('the menu at the end of a hand-over', () => {
  const setup = ['setup', '--sandbox', '--mailbox', mailbox, '--for', 'osticket', '--sign-in-as', mailbox];
  const callback = ['--redirect-uri', 'https://help.contoso.example/api/auth/oauth2'];

  it('shows the secret, copies each value, explains an error and comes back, until Ctrl-C: exit 0', async () => {
    const xclip = join(home().path, 'xclip');
    await writeFile(xclip, `#!/bin/sh\n{ cat; echo; } >> ${home().path}/copied\n`, { mode: 0o755 });
    const env = { ...(await browser()), DISPLAY: ':7', PATH: `${home().path}:${process.env.PATH}` };
    const t = await terminal([...setup, ...callback], { env });
    await agree(t);
    await t.until('? What next?');
    await t.press('Enter');
    const [, secret = ''] = /Client Secret\n\n(\S+)\n/.exec(await t.until(/Client Secret\n\n\S+[\s\S]*\? What next\?/)) ?? [];
    await t.press('Down');
    await t.until('❯ Copy the values one by one');
    await t.press('Enter');
    for (const field of ['Client ID', 'Client Secret', 'Authorization Endpoint', 'Token Endpoint']) {
      await t.until(`? ${field} is copied: paste it.`);
      await t.press('Enter');
      await t.until(`✔ ${field} is copied: paste it.`);
    }
    await t.until(/✔ Token Endpoint is copied[\s\S]*\? What next\?/);
    const copied = (await readFile(join(home().path, 'copied'), 'utf8')).split('\n');
    expect(copied).toEqual([
      expect.stringMatching(/^[\da-f-]{36}$/),
      secret,
      expect.stringContaining('authorize'),
      expect.stringContaining('token'),
      '',
      '',
    ]);
    await t.press('Up');
    await t.until("❯ It does not: paste the product's error");
    await t.press('Enter');
    await t.until('? The error of osTicket?');
    await t.paste('AADSTS7000215: Invalid client secret provided.\nTrace ID: 1');
    await t.press('Enter');
    await t.until(/AADSTS7000215 ·|client-secret[\s\S]*\? What next\?/);
    await t.press('C-c');
    await endsClean(t, 0);
    expect(await t.text()).not.toContain('Stopped.');
  });

  it('Esc at one of its questions leads back to it, and at the menu out of it: exit 0', async () => {
    const t = await terminal([...setup, ...callback], { env: await browser() });
    await agree(t);
    await t.until('? What next?');
    await t.press('Up');
    await t.until("❯ It does not: paste the product's error");
    await t.press('Enter');
    await t.until('? The error of osTicket?');
    await t.press('Escape');
    await t.until(/✔ What next\? It does not[^\n]*\n\? What next\?/);
    await t.press('Escape');
    await endsClean(t, 0);
    expect(await t.text()).toContain('next: mailauth secret show');
  });

  it.each([44, 80, 120])('at %i columns no word is torn', async (columns) => {
    const t = await terminal([...setup, ...callback], { columns, env: await browser() });
    await agree(t);
    await t.until('? What next?');
    expect((await torn(t)).filter((line) => !/mailauth |:\/\/|\/sandbox\/|^ +Mailbox|[\da-f]{8}-|example"$/.test(line))).toEqual([]);
    await works(t);
    await endsClean(t, 0);
  });
});

describe('no keychain', () => {
  // Nobody answers at this proxy: the set-up ends at its next step.
  const env = () => ({
    HTTPS_PROXY: 'http://127.0.0.1:9',
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere',
    XDG_CONFIG_HOME: join(home().path, 'config'),
  });
  const setup = ['setup', '--mailbox', 'helpdesk@contoso.com', '--for', 'this-computer', '--sign-in-as', 'helpdesk@contoso.com'];
  const where = '? Where should mailauth keep the tokens?';

  it.each([44, 80, 120])('at %i columns: a key file is made where it says', async (columns) => {
    const t = await terminal(setup, { columns, env: env() });
    const asked = await t.until(where);
    expect(asked.replace(/\s+/g, ' ')).toContain('An encrypted file, with a new key file');
    await t.press('Enter');
    await t.until('Secret store works');
    const { id, keyFile } = JSON.parse(await readFile(join(home().path, 'home.json'), 'utf8'));
    expect(keyFile).toBe(join(home().path, 'config', 'mailauth-key', `${id}.key`));
    await t.ended();
    expect((await torn(t)).filter((line) => !/\/config\/|\.key|mailauth |\/secrets\.sealed/.test(line))).toEqual([]);
  });

  it('stop: exit 7 and how to start one', async () => {
    const t = await terminal(setup, { env: env() });
    await t.until(where);
    await t.press('Up');
    await t.until('❯ Stop (shows how to start a keychain)');
    await t.press('Enter');
    await endsClean(t, 7);
    expect(await t.text()).toContain('dbus-run-session');
  });
});

describe('keepalive --install', () => {
  it('shows the files, asks, and tells systemd', async () => {
    const systemctl = join(home().path, 'systemctl');
    await writeFile(systemctl, `#!/bin/sh\necho "$@" >> ${home().path}/told\ncase "$2" in is-*) exit 3;; esac\n`, { mode: 0o755 });
    const env = { PATH: `${home().path}:${process.env.PATH}`, XDG_CONFIG_HOME: join(home().path, 'config') };
    const t = await terminal(['keepalive', '--install'], { env });
    await t.until('? Write these files and start the timer?');
    await t.press('Enter');
    await endsClean(t, 0);
    const told = (await readFile(join(home().path, 'told'), 'utf8')).trimEnd().split('\n');
    expect(told.filter((words) => !words.startsWith('--user is-'))).toEqual([
      '--user show --property=Version',
      '--user daemon-reload',
      '--user enable --now mailauth-keepalive.timer',
    ]);
    expect(await readFile(join(home().path, 'config', 'systemd', 'user', 'mailauth-keepalive.service'), 'utf8')).toContain(
      `"${process.execPath}"`,
    );
  });
});

describe('Ctrl-C', () => {
  it('in the middle of a question: 130, and nothing was begun', async () => {
    const t = await terminal(['setup', '--sandbox']);
    await t.until('? Which mailbox?');
    await t.type('helpdesk@con');
    await t.press('C-c');
    await endsClean(t, 130);
    expect(await t.text()).toContain('Stopped.');
    expect(await names('mailboxes')).toEqual([]);
    expect(await names('setups')).toEqual([]);
    expect(await secrets()).toEqual([]);
  });

  it('while the browser is waited for: 130, no token, and the next set-up goes on', async () => {
    // A browser that opens and in which nobody does anything.
    const t = await terminal(['setup', '--sandbox', '--mailbox', mailbox, '--for', 'this-computer', '--client-id', readyClientId], {
      env: { BROWSER: 'true' },
    });
    await answer(t, whoOpens);
    await answer(t, 'Go ahead?');
    await t.until(/Waiting for you in the browser · 0:0\d of 10:00/);
    await t.press('C-c');
    await endsClean(t, 130);
    expect(await t.text()).toMatch(
      /Your answers and each finished step are kept[\s\S]*next: mailauth setup --mailbox \S+ --resume .*--sandbox/,
    );
    expect(await names('mailboxes')).toEqual([]);
    expect((await secrets()).filter((name) => name.includes('token'))).toEqual([]);

    const again = await terminal(['setup', '--sandbox'], { env: await browser() });
    await answer(again, `The set-up of ${mailbox} was interrupted. Go on with it?`);
    await endsClean(again, 0);
    expect(await again.text()).not.toContain('Which mailbox?');
    expect(await again.text()).toContain('helpdesk@contoso.example is set up and signed in.');
    expect(await names('setups')).toEqual([]);
  });
});

describe('a client secret', () => {
  it('is never seen; its ID is refused with the name of the right column', async () => {
    await registerApp();
    const flags = ['--mailbox', mailbox, '--for', 'this-computer', '--client-id', ownClientId, '--client-type', 'confidential'];
    const t = await terminal(['setup', '--sandbox', ...flags, '--redirect-uri', 'http://localhost:23682/mailauth'], {
      env: await browser(),
    });
    await answer(t, whoOpens);
    await answer(t, 'Go ahead?');
    await t.until('? Client secret (the "Value")?');
    await t.type('0a1b2c3d-1111-2222-3333-444455556666');
    await t.until('this is the Secret ID (a GUID); copy the column "Value" instead');
    await t.press('Enter');
    await t.until('> this is the Secret ID');
    await t.press('C-u');
    await t.type(ownSecret);
    await t.until('*'.repeat(ownSecret.length));
    await t.press('Enter');
    await endsClean(t, 0);
    const everything = `${await t.text()}${await t.raw()}`;
    for (const shown of ['0a1b2c3d', 'Own8Q', 'TypedBy', ownSecret.slice(-6)]) expect(everything).not.toContain(shown);
    expect(everything).toMatch(/client\s+secret\s+works/);
  });
});

describe('setup --yes is a screen, and not a scroll', () => {
  it.each([
    ['this-computer', 25, []],
    ['osticket', 45, ['--redirect-uri', 'https://help.contoso.example/api/auth/oauth2']],
  ] as const)('%s: at most %i lines at 80 columns', async (product, limit, more) => {
    const t = await terminal(['setup', '--sandbox', '--yes', '--mailbox', mailbox, '--for', product, ...more]);
    await endsClean(t, 0);
    const lines = (await t.seen()).trimEnd().split('\n');
    expect(lines.length, lines.join('\n')).toBeLessThanOrEqual(limit);
  });
});

describe('other terminals', () => {
  it('sixty columns: no word is torn, and Stop ends it', async () => {
    const t = await terminal(['setup', '--sandbox', '--mailbox', mailbox, '--for', 'this-computer'], { columns: 60 });
    await answer(t, whoOpens);
    await answer(t, noBrowserHere);
    await choose(t, 'Create it?', 'Stop');
    await endsClean(t, 1);
    // A command to copy stays whole.
    expect((await torn(t)).filter((line) => !line.includes('mailauth '))).toEqual([]);
    expect(await names('mailboxes')).toEqual([]);
    expect(await registered()).toEqual([]);
  });

  it.each([
    { what: 'TERM=dumb', env: { TERM: 'dumb' }, allowed: /^$/ },
    { what: 'NO_COLOR', env: { NO_COLOR: '1' }, allowed: /^\u001b\[(?:2?K|[AJ])$/ },
  ])('$what: no escapes that it cannot bear', async ({ env, allowed }) => {
    const t = await terminal(['setup', '--sandbox', '--yes'], { env: { ...(await browser()), ...env } });
    await endsClean(t, 0);
    for (const [sequence] of (await t.raw()).matchAll(/\u001b(?:\[[0-?]*[ -/]*[@-~]|.)/g)) expect(sequence).toMatch(allowed);
    if (env.TERM === 'dumb') expect(await t.raw()).not.toMatch(/[✔✖…]/);
    expect(await t.text()).toContain('helpdesk@contoso.example is set up and signed in.');
  });

  it('no terminal at all: no escapes, no carriage returns, whole lines', async () => {
    const run = startMailauth(['setup', '--sandbox', '--yes'], { ...home().env, ...(await browser()), TERM: 'xterm-256color' });
    expect(await run.ended).toBe(0);
    expect(run.stdout() + run.stderr()).not.toMatch(/[\u001b\r\u0008]/);
    expect(run.stdout()).toMatch(lastLines);
    expect(run.stderr()).toMatch(/^✔ Signed in as helpdesk@contoso\.example; tokens stored$/m);
  });
});
