import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acceptingBrowser } from '../support/click-through.ts';
import { type How, type Machine, machine, person, type Ran } from '../support/command-line.ts';
import { realNetwork } from '../support/context.ts';
import { stream } from '../support/json-stream.ts';
import { hurried } from '../support/tenant.ts';

const mailbox = 'helpdesk@contoso.example';
const ready = 'setup --sandbox --yes --no-test';
const off = '--fault exchange-switched-off';
let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

/** `mailauth exchange WORDS` in the sandbox, through the web call, agreed to, as JSON. */
const exchange = (words: string, more?: How): Promise<Ran> => m.mailauth(`exchange ${words} --sandbox --through api --yes --json`, more);
const test = (more = ''): Promise<Ran> => m.mailauth(`test --sandbox --json${more === '' ? '' : ` ${more}`}`);
const greens = (ran: Ran) => ran.json().data.results.map((one: { ok: boolean }) => one.ok);
const notes = () => readdir(join(m.home, 'sandbox', 'exchange')).catch(() => []);

describe('exchange', () => {
  beforeEach(() => m.ready(ready));

  it('show: everything is there', async () => {
    const ran = await exchange('show');
    expect([ran.exit, ran.json().data]).toEqual([
      0,
      {
        mailbox,
        kind: 'UserMailbox',
        organization: { smtpAuth: 'on' },
        switches: { imap: 'on', pop: 'on', smtpAuth: 'inherited' },
        rights: { fullAccess: [], sendAs: [] },
        servicePrincipal: null,
        missing: [],
        through: 'api',
      },
    ]);
  });

  it('the rehearsal: three red tests, one command, three green tests, and back', async () => {
    expect(greens(await test(off))).toEqual([false, false, false]);
    const shown = await exchange(`show ${off}`);
    expect([shown.exit, shown.json().error?.code, shown.json().data.missing]).toEqual([
      6,
      'exchange-not-ready',
      [
        { what: 'imap', cmdlet: `Set-CASMailbox -Identity ${mailbox} -ImapEnabled $true` },
        { what: 'pop', cmdlet: `Set-CASMailbox -Identity ${mailbox} -PopEnabled $true` },
        { what: 'smtpAuth', cmdlet: `Set-CASMailbox -Identity ${mailbox} -SmtpClientAuthenticationDisabled $false` },
      ],
    ]);
    const applied = await exchange(`apply ${off}`);
    expect([applied.exit, applied.json().data.changed]).toEqual([
      0,
      [
        { what: 'imap', before: 'off', after: 'on' },
        { what: 'pop', before: 'off', after: 'on' },
        { what: 'smtpAuth', before: 'inherited', after: 'on' },
      ],
    ]);
    expect(greens(await test(off))).toEqual([true, true, true]);
    expect((await exchange(`apply ${off}`)).json().data.changed).toEqual([]);
    const undone = await exchange(`undo ${off}`);
    expect([undone.exit, undone.json().data.restored.length, undone.json().data.left, await notes()]).toEqual([0, 3, [], []]);
    expect((await exchange(`show ${off}`)).json().data.switches).toEqual({ imap: 'off', pop: 'off', smtpAuth: 'inherited' });
    expect(greens(await test(off))).toEqual([false, false, false]);
  });

  it('print contacts nobody: nulls, exit 6, the lines and no command of mailauth', async () => {
    const ran = await m.mailauth('exchange show --sandbox --json');
    expect([ran.exit, ran.json().data]).toEqual([
      6,
      { mailbox, kind: null, organization: null, switches: null, rights: null, servicePrincipal: null, missing: null, through: 'print' },
    ]);
    const { next = [] } = ran.json().error ?? {};
    expect(next).toContain(`Set-CASMailbox -Identity ${mailbox} -SmtpClientAuthenticationDisabled $false`);
    expect(next.some((line) => line.includes('mailauth'))).toBe(false);
    const apply = await m.mailauth('exchange apply --sandbox --yes --json --through print');
    expect([apply.exit, apply.json().data]).toEqual([6, { mailbox, changed: [], through: 'print' }]);
  });

  it('a change is agreed to: exit 3 without a terminal and --yes; another way than the three is exit 2', async () => {
    const ran = await m.mailauth('exchange apply --sandbox --json --through api');
    expect([ran.exit, ran.json().error?.next[0]]).toEqual([3, expect.stringMatching(/^mailauth exchange apply .*--yes/)]);
    expect((await m.mailauth('exchange apply --sandbox --json --through carrier-pigeon')).exit).toBe(2);
  });

  it('undo while Exchange still shows what was there before: it is put back all the same', async () => {
    const lag = '--fault exchange-lag';
    expect((await exchange(`apply ${lag}`, hurried())).json().error?.code).toBe('exchange-not-seen');
    expect((await exchange(`undo ${lag}`, hurried())).json().data.restored).toHaveLength(3);
    expect([(await exchange('show')).json().data.switches, await notes()]).toEqual([
      { imap: 'off', pop: 'off', smtpAuth: 'inherited' },
      [],
    ]);
  });

  it('undo leaves what somebody else changed since', async () => {
    await exchange(`apply ${off}`);
    const file = join(m.home, 'sandbox', 'state.json');
    const state = JSON.parse(await readFile(file, 'utf8'));
    expect(state.exchange.switches[mailbox]).toEqual({ imap: true, pop: true, smtpDisabled: false });
    state.exchange.switches[mailbox] = { imap: true, pop: true, smtpDisabled: true };
    await writeFile(file, JSON.stringify(state));
    const undone = await exchange(`undo ${off}`);
    expect([undone.exit, undone.json().error?.code, undone.json().data.left]).toEqual([
      1,
      'exchange-changed-since',
      [{ what: 'smtpAuth', now: 'off' }],
    ]);
    expect(undone.json().data.restored.map((one: { what: string }) => one.what)).toEqual(['pop', 'imap']);
  });

  it('stops in the middle, says what was changed, and goes on from there', async () => {
    const half = await exchange('apply --fault exchange-switched-off', {
      network: stoppingAt('SmtpClientAuthenticationDisabled'),
    });
    expect([half.exit, half.json().error?.code, half.json().data.changed.length]).toEqual([6, 'exchange-unreadable', 2]);
    expect(half.json().error?.why).toContain('Changed before that: IMAP, POP.');
    expect(half.json().error?.next).toContain(`Set-CASMailbox -Identity ${mailbox} -SmtpClientAuthenticationDisabled $false`);
    const rest = await exchange(`apply ${off}`);
    expect([rest.exit, rest.json().data.changed]).toEqual([0, [{ what: 'smtpAuth', before: 'inherited', after: 'on' }]]);
    expect((await exchange(`undo ${off}`)).json().data.restored.length).toBe(3);
  });

  it('two at once: exit 5', async () => {
    const [one, other] = await Promise.all([exchange(`apply ${off}`), exchange(`apply ${off}`)]);
    expect([one.exit, other.exit].toSorted()).toEqual([0, 5]);
    expect([one, other].find(({ exit }) => exit === 5)?.json().error?.code).toBe('exchange-locked');
  });

  it('a token in MAILAUTH_EXCHANGE_TOKEN takes the place of the sign-in, is never shown, and is refused where it cannot be one', async () => {
    const token = 'eyJhbGciOiJub25lIn0.eyJ1cG4iOiJhZG1pbkBjb250b3NvLmV4YW1wbGUifQ.c2ln';
    const ran = await m.mailauth('exchange show --sandbox --json --verbose', { env: { MAILAUTH_EXCHANGE_TOKEN: token } });
    expect([ran.exit, ran.json().error?.code]).toEqual([4, 'exchange-token-refused']);
    expect(`${ran.out}${ran.err}`).not.toContain(token.slice(0, 20));
    const broken = await m.mailauth('exchange show --sandbox --json', { env: { MAILAUTH_EXCHANGE_TOKEN: 'two words' } });
    expect(broken.json().error?.why).toContain('MAILAUTH_EXCHANGE_TOKEN');
  });

  it('--verbose prints what was asked and answered, and no secret', async () => {
    const ran = await m.mailauth('exchange show --sandbox --through api --yes --verbose');
    expect(ran.err).toContain('Exchange is asked: Get-CASMailbox {"Identity":"helpdesk@contoso.example"}');
    expect(ran.err).toMatch(/Exchange answers 200: .*ImapEnabled/);
    expect(ran.err).not.toMatch(/Bearer|eyJ/);
  });
});

it('a delegate without rights is given both on that mailbox', async () => {
  await m.ready('setup --sandbox --yes --no-test --mailbox shared@contoso.example --sign-in-as bob@contoso.example');
  expect(greens(await test())).toEqual([false, false, false]);
  const applied = await exchange('apply');
  expect([applied.exit, applied.json().data.changed.map((one: { what: string }) => one.what)]).toEqual([0, ['fullAccess', 'sendAs']]);
  const shown = (await exchange('show')).json().data;
  expect([shown.kind, shown.rights.sendAs.includes('bob@contoso.example')]).toEqual(['SharedMailbox', true]);
  expect(greens(await test())).toEqual([true, true, true]);
  expect((await exchange('undo')).exit).toBe(0);
  expect(greens(await test())).toEqual([false, false, false]);
});

it('an app that nobody let in is let in, with its enterprise application', async () => {
  await m.ready('setup --sandbox --yes --no-test --access app-only');
  const lonely = '--fault app-not-granted';
  expect(greens(await test(lonely))).toEqual([false, false, false]);
  const applied = await exchange(`apply ${lonely}`);
  const changed: readonly { what: string; after: string }[] = applied.json().data.changed;
  expect([applied.exit, changed.map(({ what }) => what)]).toEqual([0, ['servicePrincipal', 'fullAccess', 'sendAs']]);
  const shown = (await exchange(`show ${lonely}`)).json().data;
  expect(shown.servicePrincipal.objectId).toBe(changed[0]?.after);
  expect(greens(await test(lonely))).toEqual([true, true, true]);
  expect((await exchange(`undo ${lonely}`)).json().data.restored.length).toBe(3);
  expect(greens(await test(lonely))).toEqual([false, false, false]);
});

it('an app that sends by the role alone: scope and role for this mailbox, in an organisation that was never changed', async () => {
  await m.mailauth('setup --sandbox --yes --no-test --access app-only --protocols smtp --fault app-roles-missing', hurried());
  const applied = await m.mailauth('exchange apply --sandbox --through api --yes --fault exchange-not-customized');
  expect([applied.exit, applied.exit === 0 ? '' : applied.err]).toEqual([0, '']);
  expect(applied.err).toContain('Enable-OrganizationCustomization');
  expect(applied.err).toContain('says that the app may send as this mailbox');
  const undone = await exchange('undo');
  expect(undone.json().data.restored.map((one: { what: string }) => one.what)).toEqual(['roleAssignment', 'managementScope']);
});

it('notes of a newer version, of another mailbox and no notes at all are refused, and nothing is changed', async () => {
  await m.ready(ready);
  await exchange(`apply ${off}`);
  const [name = ''] = await notes();
  const file = join(m.home, 'sandbox', 'exchange', name);
  const own = await readFile(file, 'utf8');
  const broken = [
    [own.replace('"version": 1', '"version": 2'), /has format 2/],
    [own.replace(`"mailbox": "${mailbox}"`, '"mailbox": "bob@contoso.example"'), /about bob@contoso.example/],
    [own.slice(0, 40), /not JSON/],
    [own.replace('"before": "off"', '"before": 7'), /changes.0.before/],
  ] as const;
  for (const [text, why] of broken) {
    await writeFile(file, text);
    for (const name of ['apply', 'undo']) {
      const { error } = (await exchange(`${name} ${off}`)).json();
      expect([error?.code, error?.why]).toEqual(['exchange-notes-broken', expect.stringMatching(why)]);
    }
  }
  await writeFile(file, own);
  expect((await exchange(`undo ${off}`)).json().data.restored).toHaveLength(3);
});

it('an app that Exchange knows by another object id is not called ready', async () => {
  await m.ready('setup --sandbox --yes --no-test --access app-only');
  const lonely = '--fault app-not-granted';
  await exchange(`apply ${lonely}`);
  const file = join(m.home, 'sandbox', 'state.json');
  const state = JSON.parse(await readFile(file, 'utf8'));
  const [known] = state.exchange.principals;
  const other = '00000000-0000-4000-8000-000000000000';
  state.exchange.rights = state.exchange.rights.map((one: object) => ({ ...one, who: other }));
  known.objectId = other;
  await writeFile(file, JSON.stringify(state));
  const shown = (await exchange(`show ${lonely}`)).json();
  expect([shown.error?.code, shown.error?.exit, shown.data.servicePrincipal.objectId]).toEqual(['exchange-principal-wrong', 6, other]);
  const applied = (await exchange(`apply ${lonely}`)).json();
  expect([applied.error?.code, applied.data.changed]).toEqual(['exchange-principal-wrong', []]);
});

it('killed after a change and before it was noted as done: the next run goes on, and undo knows all three', async () => {
  await m.ready(ready);
  const killed = await exchange(`apply ${off}`, { network: dyingAfter('PopEnabled') });
  expect(killed.exit).toBe(1);
  const rest = await exchange(`apply ${off}`);
  expect(rest.json().data.changed.map((one: { what: string }) => one.what)).toEqual(['smtpAuth']);
  expect((await exchange(`undo ${off}`)).json().data.restored.length).toBe(3);
});

it('a red test says how long ago Exchange was changed; logout says what stays there', async () => {
  await m.ready(ready);
  await exchange(`apply ${off}`);
  const red = await m.mailauth('test imap --sandbox --fault imap-auth-failed');
  expect(red.err).toMatch(/Exchange Online was changed \d+ minutes ago/);
  const gone = await m.mailauth(`logout ${mailbox} --sandbox --yes`);
  expect([gone.exit, gone.err]).toEqual([0, expect.stringContaining(`Set-CASMailbox -Identity ${mailbox} -ImapEnabled $false`)]);
  expect(await notes()).toEqual([]);
});

/** The real network, on which this program dies once Exchange has made this change. */
function dyingAfter(parameter: string): NonNullable<How['network']> {
  const wrapped = (network: typeof realNetwork): typeof realNetwork => ({
    ...network,
    trusting: (ca) => wrapped(network.trusting(ca)),
    request: async (request) => {
      const answer = await network.request(request);
      if (request.body?.includes(`"${parameter}":true`) === true) throw new Error('killed');
      return answer;
    },
  });
  return wrapped(realNetwork);
}

/** The real network, on which something answers in Exchange's place from this parameter on. */
function stoppingAt(parameter: string): NonNullable<How['network']> {
  const wrapped = (network: typeof realNetwork): typeof realNetwork => ({
    ...network,
    trusting: (ca) => wrapped(network.trusting(ca)),
    request: async (request) =>
      request.body?.includes(`"${parameter}":false`) === true
        ? { status: 200, headers: {}, text: '<html>Please sign in.</html>' }
        : network.request(request),
  });
  return wrapped(realNetwork);
}

describe('setup', () => {
  const setup = (words: string, more?: How) => m.mailauth(`setup --sandbox ${words}`, more);
  const greensOf = (ran: Ran) => stream(ran.lines()).data.tests.map((one: { ok: boolean }) => one.ok);

  it('--exchange api switches on what is missing, before the tests', async () => {
    const ran = await setup(`--yes --json --exchange api ${off}`);
    expect([ran.exit, greensOf(ran)]).toEqual([0, [true, true, true]]);
    expect((await exchange(`undo ${off}`)).json().data.restored.length).toBe(3);
  });

  it('--yes without a way looks nowhere, and the red tests name exchange apply first', async () => {
    const ran = await setup(`--yes --json ${off}`);
    const { tests } = stream(ran.lines()).data;
    expect([ran.exit, greensOf(ran)]).toEqual([6, [false, false, false]]);
    for (const { diagnosis } of tests) {
      expect(diagnosis.next[0]).toBe(`mailauth exchange apply ${mailbox} --sandbox`);
      expect(diagnosis.admin).toContain('Set-CASMailbox');
    }
  });

  it('a refusal of Exchange does not end the set-up: it is said, with the lines', async () => {
    const ran = await setup('--yes --exchange api --fault exchange-not-admin');
    expect([ran.exit, ran.err]).toEqual([0, expect.stringContaining('is no administrator of Exchange Online')]);
    expect(ran.err).toContain(`Set-CASMailbox -Identity ${mailbox} -ImapEnabled $true`);
  });

  it('on a terminal it asks after a red test, changes, and waits with a bound', async () => {
    const { prompts, unasked } = person([
      ['Go ahead?', 'yes'],
      ['Look into Exchange Online', true],
      ['Change it?', true],
    ]);
    const words = `--mailbox ${mailbox} --for this-computer --register existing --client-type public --client-id 11111111-5a4d-4b0c-9a11-c0ffee000001 ${off}`;
    const browser = acceptingBrowser();
    const ran = await setup(words, { terminal: true, prompts, browser });
    expect([ran.err.includes('second sign-in'), unasked(), ran.exit]).toEqual([true, [], 0]);
  });

  it('on a plain terminal, another administrator is asked about: the script is written, and the mail servers are tried at each answer', async () => {
    const shared = 'shared@contoso.example';
    const { prompts, unasked } = person([
      ['Go ahead?', 'yes'],
      ['Look into Exchange Online', false],
      ['Who changes it?', 'wait'],
      ['Is it changed by now?', true],
      ['Is it changed by now?', false],
    ]);
    const words = `--mailbox ${shared} --sign-in-as bob@contoso.example --for this-computer --register existing --client-type public --client-id 11111111-5a4d-4b0c-9a11-c0ffee000001`;
    const ran = await setup(words, { terminal: true, prompts, browser: acceptingBrowser(), env: { TERM: 'dumb' } });
    expect([unasked(), ran.exit]).toEqual([[], 6]);
    expect(ran.err.match(/IMAP: bob@contoso.example is not/g)).toHaveLength(2);
    expect(ran.err.replace(/\s+/g, ' ')).toContain(`changed it: mailauth test all ${shared} --sandbox`);
    const folder = join(m.home, 'sandbox', 'handoff', `${shared}~this-computer`);
    expect(await readFile(join(folder, '4-exchange-online.ps1'), 'utf8')).toContain('Add-RecipientPermission');
  });
});
