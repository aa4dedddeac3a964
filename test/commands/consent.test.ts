import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Browser } from '../../src/core/context.ts';
import { approve } from '../../src/sandbox/entra/approve.ts';
import { sharedPassword } from '../../src/sandbox/tenant/directory.ts';
import { createNetwork } from '../../src/system/network/network.ts';
import { type How, type Machine, machine, person, type Ran, type Scripted } from '../support/command-line.ts';
import { stream } from '../support/json-stream.ts';
import { visit } from '../support/loopback.ts';
import { beside, countOf, hurried, onlyApp } from '../support/tenant.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const mailbox = 'helpdesk@contoso.example';
const resume = `mailauth setup --mailbox ${mailbox} --resume --no-test --sandbox`;
const resumeAgreed = `mailauth setup --mailbox ${mailbox} --resume --no-test --yes --sandbox`;
const network = createNetwork({ env: {} });
const signal = new AbortController().signal;
/** Without colours and folds. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: ECMA-48 sequences
const flat = (text: string): string => text.replace(/\u001b\[[0-9]*[A-Za-z]/g, '').replace(/\s+/g, ' ');
const setups = () => readdir(join(m.home, 'sandbox', 'setups')).catch(() => []);

/** The person's browser: plays them at the sandbox's pages, on admin-consent pages as `admin`. Keeps what it was sent to. */
function browser(admin = 'admin@contoso.example', more: (url: URL) => Promise<boolean> = async () => false): Browser & { opened: URL[] } {
  const opened: URL[] = [];
  return {
    opened,
    usable: true,
    async open(address) {
      const url = new URL(address);
      opened.push(url);
      if (await more(url)) return { kind: 'opened' };
      await approve({ network, signal }, address, isConsentPage(url) ? admin : undefined, mailbox);
      return { kind: 'opened' };
    },
  };
}
const isConsentPage = (url: URL): boolean => url.pathname.endsWith('/adminconsent');

/** An app of the tenant that nobody has consented to; users may not allow IMAP to it themselves. */
async function foreignApp(): Promise<string> {
  const body = { displayName: 'Helpdesk', publicClient: { redirectUris: ['http://localhost'] }, isFallbackPublicClient: true };
  const made = await beside(m, (graph) => graph.call('POST', '/applications', body));
  return made.body.appId ?? '';
}

/** An administrator opens the link on a computer of their own: accepted, and then a localhost where nobody listens. */
async function acceptAsAdministrator(clientId: string): Promise<void> {
  await beside(m, async (_, sandbox) => {
    const scope = 'https://outlook.office.com/IMAP.AccessAsUser.All offline_access openid profile email';
    const query = new URLSearchParams({ client_id: clientId, scope, redirect_uri: 'http://localhost:9', state: 's' });
    await sandbox
      .approve(`${sandbox.cloud.login}/contoso.example/v2.0/adminconsent?${query}`, 'admin@contoso.example')
      .catch(() => undefined);
  });
}

const existing = (clientId: string) =>
  `setup --sandbox --mailbox ${mailbox} --for this-computer --client-id ${clientId} --protocols imap --no-test`;
const asked = async (words: string, script: readonly Scripted[], more: How = {}): Promise<Ran & { asked: string[] }> => {
  const who = person(script);
  const ran = await m.mailauth(words, { terminal: true, prompts: who.prompts, browser: browser(), ...more });
  expect(who.unasked()).toEqual([]);
  return { ...ran, asked: who.asked };
};

describe('consent that only an administrator can give, where nobody can be asked', () => {
  it('exit 6 with the link and the command that goes on; the next run begins at the sign-in', async () => {
    const clientId = await foreignApp();
    const ran = await m.mailauth(`${existing(clientId)} --json`, { browser: browser() });
    const { error } = stream(ran.lines());
    expect([ran.exit, error]).toMatchObject([6, { code: 'consent-needed', exit: 6, next: [resume], detail: { aadsts: 90094 } }]);
    const link = new URL(/https?:\S+$/.exec(String((error as { admin?: string }).admin))?.[0] ?? '');
    expect([link.protocol, link.pathname.split('/').slice(2).join('/')]).toEqual(['http:', 'v2.0/adminconsent']);
    expect(Object.fromEntries(link.searchParams)).toMatchObject({ client_id: clientId, redirect_uri: 'http://localhost' });
    expect(link.searchParams.get('scope')).toContain('IMAP.AccessAsUser.All');
    expect(await setups()).toHaveLength(1);

    const early = await m.mailauth('setup --sandbox --resume --no-test --json', { browser: browser() });
    expect([early.exit, stream(early.lines()).error?.code]).toEqual([6, 'consent-needed']);

    await acceptAsAdministrator(clientId);
    const again = await m.mailauth('setup --sandbox --resume --no-test --json', { browser: browser() });
    expect([again.exit, stream(again.lines()).data]).toMatchObject([0, { clientId, signedIn: true }]);
    expect(again.lines().filter((line) => line.step === 'registration')).toEqual([]);
    expect(await setups()).toEqual([]);
  });

  it('an app that mailauth made: gone on with without an administrator who signs in, and not made twice', async () => {
    const words = 'setup --sandbox --yes --no-test --protocols imap --consent user --json';
    const ran = await m.mailauth(words);
    expect([ran.exit, stream(ran.lines()).error]).toMatchObject([6, { code: 'consent-needed', next: [resumeAgreed] }]);
    const app = await onlyApp(m);
    await acceptAsAdministrator(app.clientId);
    // Without --yes: nothing is left that needs agreement.
    const again = await m.mailauth('setup --sandbox --resume --no-test --json', { browser: browser() });
    expect([again.exit, stream(again.lines()).data?.clientId]).toEqual([0, app.clientId]);
    expect(again.lines().filter((line) => line.type === 'authorization_required')).toHaveLength(1);
    expect(await countOf(m)).toMatchObject({ apps: 1, servicePrincipals: 1 });
    const kept = await m.mailauth('logout --sandbox --delete-app --yes');
    expect([kept.exit, await countOf(m)]).toMatchObject([0, { apps: 0 }]);
  });

  it('a confidential app keeps its client secret over the wait', async () => {
    const words = 'setup --sandbox --yes --no-test --protocols imap --consent user --client-type confidential';
    expect((await m.mailauth(words)).exit).toBe(6);
    const { clientId, secrets } = await onlyApp(m);
    await acceptAsAdministrator(clientId);
    expect((await m.mailauth('setup --sandbox --resume --yes --no-test')).exit).toBe(0);
    expect((await onlyApp(m)).secrets).toEqual(secrets);
    expect((await m.mailauth('token get --sandbox --force-refresh')).exit).toBe(0);
  });
});

describe('consent that only an administrator can give, in a terminal', () => {
  it('the link whole on a line of its own; waits, and Enter signs in again', async () => {
    const clientId = await foreignApp();
    const who = person([
      ['Go ahead?', 'yes'],
      ['What now?', 'wait'],
      ['Has an administrator accepted?', false],
      ['Has an administrator accepted?', true],
    ]);
    const { confirm } = who.prompts;
    const prompts: typeof who.prompts = {
      ...who.prompts,
      async confirm(q) {
        const yes = await confirm(q);
        if (yes && q.message.startsWith('Has an administrator')) await acceptAsAdministrator(clientId);
        return yes;
      },
    };
    const pages = browser();
    const ran = await m.mailauth(existing(clientId), { terminal: true, prompts, browser: pages });
    expect([ran.exit, who.unasked()]).toEqual([0, []]);
    expect(ran.err).toMatch(/^http:\/\/localhost:\d+\/[0-9a-f-]{36}\/v2\.0\/adminconsent\?\S+$/m);
    expect(flat(ran.err)).toContain('Where Microsoft manages consent, only an administrator can allow IMAP and POP');
    expect(pages.opened).toHaveLength(2);
    expect(flat(ran.err)).toContain('Return to the application without granting consent');
  });

  it('stops, and goes on later without a question', async () => {
    const clientId = await foreignApp();
    const script: Scripted[] = [
      ['Go ahead?', 'yes'],
      ['What now?', 'stop'],
    ];
    const ran = await asked(existing(clientId), script);
    expect(ran.exit).toBe(6);
    expect(flat(ran.err)).toContain(`try: ${resume}`);
    await acceptAsAdministrator(clientId);
    const again = await asked('setup --sandbox --resume --no-test', []);
    expect([again.exit, again.asked]).toEqual([0, []]);
  });

  it('with a Graph token at hand it sees by itself that an administrator has accepted', async () => {
    const patience = hurried();
    const sleep: typeof patience.clock.sleep = async (ms, other) => {
      await patience.clock.sleep(ms, other);
      // Somebody accepts while mailauth looks for the second time.
      if (ms === 5000 && patience.waits.filter((one) => one === 5000).length === 2)
        await acceptAsAdministrator((await onlyApp(m)).clientId);
    };
    const script: Scripted[] = [
      ['Create it?', 'yes'],
      ['What now?', 'wait'],
    ];
    const words = `setup --sandbox --mailbox ${mailbox} --for this-computer --protocols imap --consent user --no-test --register auto`;
    const ran = await asked(words, script, { ...patience, clock: { ...patience.clock, sleep } });
    expect(ran.exit).toBe(0);
    expect(ran.err).toMatch(
      /Waiting for an administrator: Microsoft is asked every 5 s · 0:00 of 10:00.*An administrator has accepted.*Signed in as helpdesk/s,
    );
    expect(patience.waits).toEqual([5000, 5000]);
  });

  it('with a token that may not look, the person is asked after all', async () => {
    const clientId = await foreignApp();
    const script: Scripted[] = [
      ['Go ahead?', 'yes'],
      ['What now?', 'wait'],
      ['Has an administrator accepted?', true],
      ['What now?', 'stop'],
    ];
    const ran = await asked(existing(clientId), script, { ...hurried(), env: { MAILAUTH_GRAPH_TOKEN: 'not-a-token' } });
    expect(ran.exit).toBe(6);
    expect(flat(ran.err)).toContain('does not let this account read it');
  });
});

describe('login of a mailbox whose app nobody has consented to', () => {
  const signedOut = async (): Promise<string> => {
    const clientId = await foreignApp();
    const ran = await m.mailauth(`${existing(clientId)} --sign-in skip --yes --consent skip`);
    expect(ran.exit).toBe(0);
    return clientId;
  };

  it('exit 6 with the same admin-consent link as the set-up, and login as the command that goes on', async () => {
    const clientId = await signedOut();
    const ran = await m.mailauth('login --sandbox --json --no-test', { browser: browser() });
    const { error } = stream(ran.lines());
    expect([ran.exit, error]).toMatchObject([6, { code: 'consent-needed', next: [`mailauth login ${mailbox} --sandbox`] }]);
    const link = new URL(/https?:\S+$/.exec(String((error as { admin?: string }).admin))?.[0] ?? '');
    expect(link.pathname).toMatch(/\/v2\.0\/adminconsent$/);
    expect(Object.fromEntries(link.searchParams)).toMatchObject({ client_id: clientId, redirect_uri: 'http://localhost' });
    expect(await setups()).toEqual([]);
  });

  it('in a terminal it waits until an administrator has accepted', async () => {
    const clientId = await signedOut();
    const who = person([
      ['What now?', 'wait'],
      ['Has an administrator accepted?', true],
    ]);
    const { confirm } = who.prompts;
    const prompts: typeof who.prompts = {
      ...who.prompts,
      async confirm(q) {
        await acceptAsAdministrator(clientId);
        return confirm(q);
      },
    };
    const ran = await m.mailauth('login --sandbox --no-test', { terminal: true, prompts, browser: browser() });
    expect([ran.exit, ran.out, who.unasked()]).toEqual([0, `${mailbox} is signed in as ${mailbox}.\n`, []]);
  });
});

describe('a product that signs in by itself', () => {
  it('proof before the hand-over: the portal is named, and the redirect for the proof does not stay', async () => {
    const redirect = 'https://helpdesk.contoso.example/oauth';
    const words = `setup --sandbox --mailbox ${mailbox} --for osticket --redirect-uri ${redirect} --register auto --sign-in browser`;
    const script: Scripted[] = [
      ['Create it?', 'yes'],
      ['What now?', 'stop'],
    ];
    const ran = await asked(`${words} --consent user --no-test`, script);
    expect(ran.exit).toBe(6);
    const app = await onlyApp(m);
    expect(app.webRedirects).toEqual([redirect]);
    expect(ran.err).toMatch(new RegExp(`^https://\\S+CallAnAPI/appId/${app.clientId}\\S+$`, 'm'));
    expect(flat(ran.err)).toContain('The button there is "Grant admin consent for …"');
    expect(flat(ran.err)).toContain(`try: mailauth setup --mailbox ${mailbox} --for osticket --resume --no-test --sandbox`);
  });

  it('with a password: exit 6, the portal and the command that goes on', async () => {
    const password = join(m.home, 'password.txt');
    await writeFile(password, sharedPassword);
    const words = `setup --sandbox --yes --for kaseya --sign-in password --password-file ${password} --consent user --no-test --json`;
    const ran = await m.mailauth(words);
    const { error } = stream(ran.lines());
    const next = [`mailauth setup --mailbox ${mailbox} --for kaseya --resume --password-file ${password} --no-test --yes --sandbox`];
    expect([ran.exit, error]).toMatchObject([6, { code: 'consent-needed', next, admin: expect.stringContaining('CallAnAPI') }]);
    expect(ran.out + ran.err).not.toContain(sharedPassword);
  });
});

describe('--consent admin with an app that exists', () => {
  const words = (clientId: string) => `${existing(clientId)} --consent admin --json`;
  /** Answers the admin-consent page with these parameters, the right state among them unless they name one. */
  const answering = (parameters: Record<string, string>) =>
    browser(undefined, async (url) => {
      if (!isConsentPage(url)) return false;
      const back = new URL(url.searchParams.get('redirect_uri') ?? '');
      const query = new URLSearchParams({ state: url.searchParams.get('state') ?? '', ...parameters });
      void visit(Number(back.port), `${back.pathname}?${query}`);
      return true;
    });

  it('granted: the page, then the sign-in', async () => {
    const clientId = await foreignApp();
    const pages = browser();
    const ran = await m.mailauth(words(clientId), { browser: pages });
    expect([ran.exit, stream(ran.lines()).data?.signedIn]).toEqual([0, true]);
    expect(pages.opened.map(isConsentPage)).toEqual([true, false]);
    expect(
      ran
        .lines()
        .filter((line) => line.step === 'consent')
        .at(-1)?.state,
    ).toBe('done');
  });

  it('refused to somebody who is no administrator; after one has accepted, the same goes on at the sign-in', async () => {
    const clientId = await foreignApp();
    const ran = await m.mailauth(words(clientId), { browser: browser('ada@contoso.example') });
    expect([ran.exit, stream(ran.lines()).error]).toMatchObject([6, { code: 'consent-needed', next: [resume] }]);
    await acceptAsAdministrator(clientId);
    const pages = browser();
    const again = await m.mailauth('setup --sandbox --resume --no-test --json', { browser: pages });
    expect([again.exit, pages.opened.map(isConsentPage)]).toEqual([0, [false]]);
  });

  it('declined', async () => {
    const ran = await m.mailauth(`${words(await foreignApp())} --fault consent-denied`, { browser: browser() });
    expect([ran.exit, stream(ran.lines()).error]).toMatchObject([6, { code: 'consent-declined', detail: { aadsts: 65004 } }]);
  });

  it.each([
    [
      'an error beside admin_consent=True',
      { admin_consent: 'True', error: 'access_denied', error_subcode: 'cancel' },
      6,
      'consent-declined',
    ],
    ['another tenant', { admin_consent: 'True', tenant: '99999999-2222-4333-8444-555555555555' }, 1, 'consent-other-tenant'],
  ])('%s: exit %3$i, and nobody signs in', async (_, parameters, exit, code) => {
    const pages = answering(parameters);
    const ran = await m.mailauth(words(await foreignApp()), { browser: pages });
    expect([ran.exit, stream(ran.lines()).error?.code]).toEqual([exit, code]);
    expect(pages.opened).toHaveLength(1);
    expect([...m.keychain.entries.keys()].filter((key) => key.includes('token/'))).toEqual([]);
  });

  it('an answer with a foreign state is not heard', async () => {
    const refused: number[] = [];
    const pages = browser(undefined, async (url) => {
      if (!isConsentPage(url)) return false;
      const back = new URL(url.searchParams.get('redirect_uri') ?? '');
      refused.push((await visit(Number(back.port), `${back.pathname}?admin_consent=True&state=${'x'.repeat(43)}`)).status);
      // The right one comes after it.
      return false;
    });
    const ran = await m.mailauth(words(await foreignApp()), { browser: pages });
    expect([ran.exit, refused]).toEqual([0, [400]]);
  });

  it('without a redirect to this computer the portal is the way, and is named', async () => {
    const redirect = 'https://helpdesk.contoso.example/oauth';
    const ran = await m.mailauth(
      `setup --sandbox --yes --mailbox ${mailbox} --for custom --client-id 11111111-5a4d-4b0c-9a11-c0ffee000001 --client-type public --redirect-uri ${redirect} --sign-in skip --consent admin --json`,
    );
    expect(ran.exit).toBe(0);
    expect(ran.out).toContain('API permissions > Grant admin consent');
    expect(ran.lines().filter((line) => line.type === 'authorization_required')).toEqual([]);
  });

  it('with the portal: mailauth opens the page instead of a screen about it', async () => {
    const clientId = await foreignApp();
    const pages = browser();
    const script: Scripted[] = [
      ['Go ahead?', 'yes'],
      ['Application (client) ID', clientId],
      ['Done?', 'done'],
    ];
    const base = `setup --sandbox --mailbox ${mailbox} --for this-computer --register portal --protocols imap --no-test`;
    const ran = await asked(`${base} --consent admin`, script, { browser: pages });
    expect([ran.exit, pages.opened.map(isConsentPage)]).toEqual([0, [true, false]]);
    expect(ran.err).not.toContain('Grant admin consent');
  });
});

describe('--consent user and skip', () => {
  it('a user opens no admin-consent page; SMTP a user may allow', async () => {
    const clientId = await foreignApp();
    const pages = browser();
    const ran = await m.mailauth(`${existing(clientId).replace('imap', 'smtp')} --consent user --json`, { browser: pages });
    expect([ran.exit, pages.opened.map(isConsentPage)]).toEqual([0, [false]]);
  });

  it('the summary says who consents, and why mostly an administrator', async () => {
    const words = `setup --sandbox --mailbox ${mailbox} --for this-computer --register auto`;
    const ran = await asked(words, [
      ['Create it?', 'details'],
      ['Create it?', 'stop'],
    ]);
    expect(ran.err).toContain('consent for everybody: read and send mail (IMAP, POP, SMTP)');
    expect(flat(ran.err)).toContain(
      'by an administrator, once for everybody: where Microsoft manages consent (new tenants, many others), users cannot allow IMAP and POP',
    );
  });
});

describe('somebody who is no administrator', () => {
  it('signs in to register: neither terminal nor page calls them one, and the way on is whole', async () => {
    const answers: string[] = [];
    const pages: Browser = {
      usable: true,
      async open(address) {
        const start = new URL(address);
        await approve({ network: recording(answers), signal }, start.href, 'ada@contoso.example', mailbox);
        return { kind: 'opened' };
      },
    };
    const ran = await m.mailauth(
      'setup --sandbox --mailbox helpdesk@contoso.example --for osticket --redirect-uri https://helpdesk.contoso.example/oauth --sign-in skip --register auto',
      {
        terminal: true,
        prompts: person([
          ['Create it?', 'yes'],
          ['How do you want to go on?', 'stop'],
        ]).prompts,
        browser: pages,
      },
    );
    expect(ran.exit).toBe(6);
    expect(flat(ran.err)).not.toContain('Administrator signed in');
    const page = answers.find((html) => html.includes('The sign-in has arrived')) ?? '';
    expect(page).toContain('asks Microsoft whether this account may make the change');
    expect(flat(ran.err)).toContain(`try: mailauth setup --mailbox ${mailbox} --for osticket --resume --sandbox`);
    expect(flat(ran.err)).toContain(
      `administrator do it: mailauth setup --mailbox ${mailbox} --for osticket --register handoff --redirect-uri `,
    );
  });
});

/** The pages that the browser saw. */
function recording(pages: string[]): typeof network {
  return {
    ...network,
    async request(request) {
      const response = await network.request(request);
      pages.push(response.text);
      return response;
    },
  };
}
