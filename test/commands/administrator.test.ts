import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acceptingBrowser } from '../support/click-through.ts';
import { enter, type Machine, machine, person, type Ran } from '../support/command-line.ts';
import { stream } from '../support/json-stream.ts';
import { beside, countOf } from '../support/tenant.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const mailbox = 'helpdesk@contoso.example';
const errorOf = (ran: Ran) => stream(ran.lines()).error;
/** The words behind `mailauth` of a line that was printed. */
const wordsOf = (line = '') => line.replace(/^.*?mailauth /, '').replace(/ +#.*$/, '');

describe("the administrator's own sign-in is refused", () => {
  it('without a person: the reason, and commands that work as they stand', async () => {
    const ran = await m.mailauth('setup --sandbox --yes --no-test --protocols imap --json --fault admin-policy-blocked');
    const error = errorOf(ran);
    expect([ran.exit, error]).toMatchObject([6, { code: 'admin-sign-in-refused', detail: { aadsts: 53003 } }]);
    expect(error?.title).toContain('Microsoft Azure CLI');
    const [again, handoff, portal, token] = error?.next ?? [];
    expect([again, handoff, portal, token]).toEqual([
      expect.stringMatching(/^mailauth setup --mailbox \S+ --resume --no-test --yes --sandbox +# and sign in with/),
      expect.stringMatching(/^Another person is the administrator: mailauth setup .*--register handoff/),
      expect.stringMatching(/^By hand in the portal: mailauth setup .*--register portal/),
      expect.stringContaining('MAILAUTH_GRAPH_TOKEN'),
    ]);
    expect(error?.next.join()).not.toContain('mailauth login');
    const handed = await m.mailauth(`${wordsOf(handoff)} --json`);
    expect([handed.exit, stream(handed.lines()).data.handoff.files.length > 3]).toEqual([0, true]);
    expect(errorOf(await m.mailauth(`${wordsOf(portal)} --json`))).toMatchObject({ code: 'answer-missing', exit: 3 });
    const resumed = await m.mailauth(`${wordsOf(again)} --register auto --json`);
    expect([resumed.exit, stream(resumed.lines()).data.scopes.join()]).toEqual([0, expect.stringMatching(/IMAP/)]);
    expect((await countOf(m)).apps).toBe(1);
  });

  it('on the page of Microsoft, so that nobody comes back: the same ways, once the time is over', async () => {
    const nobody = { usable: true, open: async () => ({ kind: 'opened' as const }) };
    const ran = await m.mailauth('setup --sandbox --yes --json --timeout 1', { browser: nobody });
    const { code, next = [] } = errorOf(ran) ?? {};
    expect([code, next.some((line) => line.includes('--register handoff')), next.join().includes('mailauth login')]).toEqual([
      'sign-in-timeout',
      true,
      false,
    ]);
  });

  it('on a terminal it asks: another account, then another person', async () => {
    const { prompts, asked, unasked } = person([
      ['Create it?', 'yes'],
      ['How do you want to go on?', enter],
      ['How do you want to go on?', 'handoff'],
      ['Go ahead?', 'yes'],
    ]);
    const seen: string[] = [];
    const words = `setup --sandbox --mailbox ${mailbox} --for this-computer --fault admin-not-assigned`;
    const ran = await m.mailauth(words, { terminal: true, prompts, browser: acceptingBrowser(seen) });
    expect([ran.exit, unasked(), asked.length, seen.length]).toEqual([0, [], 5, 2]);
    expect(ran.err).toContain('not assigned');
    expect(ran.out).toContain('waits for an administrator');
    expect((await readdir(join(m.home, 'sandbox', 'handoff'))).length).toBe(1);
  });

  it('on a terminal a token of another app may take its place', async () => {
    const token = await beside(m, async (graph) => graph.token);
    const { prompts, unasked } = person([
      ['Create it?', 'yes'],
      ['How do you want to go on?', 'token'],
      ['Token for Microsoft Graph?', token],
    ]);
    const words = `setup --sandbox --mailbox ${mailbox} --for this-computer --sign-in skip --no-test --fault admin-app-disabled`;
    const ran = await m.mailauth(words, { terminal: true, prompts, browser: acceptingBrowser() });
    expect([ran.exit, unasked(), (await countOf(m)).apps]).toEqual([0, [], 1]);
  });

  it.each([
    ['secret rotate', 'Certificates & secrets'],
    ['logout --delete-app', 'App registrations > All applications'],
  ])('%s leads on by hand', async (command, words) => {
    await m.ready('setup --sandbox --yes --no-test --client-type confidential');
    const ran = await m.mailauth(`${command} --sandbox --yes --json --fault admin-mfa-needed`);
    expect(ran.json().error).toMatchObject({ code: 'admin-sign-in-refused', exit: 4 });
    const next = ran.json().error?.next.join('\n') ?? '';
    expect([next.includes(words), next.includes('mailauth login'), next.includes('--register')]).toEqual([true, false, false]);
  });
});

describe('Graph asks for a sign-in with more claims', () => {
  it('once: the claims of its header go into one new sign-in of the same account', async () => {
    const seen: string[] = [];
    const words = 'setup --sandbox --yes --no-test --sign-in skip --json --fault graph-claims-challenge';
    const ran = await m.mailauth(words, { browser: acceptingBrowser(seen) });
    expect([ran.exit, (await countOf(m)).apps]).toEqual([0, 1]);
    const [first, second, ...more] = seen.map((url) => new URL(url).searchParams);
    expect([first?.get('claims'), second?.get('claims'), more]).toEqual([
      null,
      '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}',
      [],
    ]);
    expect([second?.get('login_hint'), second?.get('prompt')]).toEqual(['admin@contoso.example', null]);
  });

  it('a token that was given cannot be renewed: it says so', async () => {
    const env = { MAILAUTH_GRAPH_TOKEN: await beside(m, async (graph) => graph.token) };
    const ran = await m.mailauth('setup --sandbox --yes --json --fault graph-claims-challenge', { env });
    expect(errorOf(ran)).toMatchObject({ code: 'graph-claims-refused', exit: 6, why: expect.stringContaining('MAILAUTH_GRAPH_TOKEN') });
  });
});
