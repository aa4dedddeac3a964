import { createHmac } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/system/clock-and-random.ts';
import { shellCommand } from '../../src/system/shell-command.ts';
import { type How, type Machine, machine } from '../support/command-line.ts';
import { checkedJson } from '../support/json-schema.ts';

const day = 86_400_000;
const mailbox = 'helpdesk@contoso.example';
let pc: Machine;
let ends: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  pc = await machine();
  await pc.ready('setup --sandbox --yes --no-test');
});
afterEach(async () => {
  for (const end of ends) await end();
  ends = [];
  await pc.end();
});

const on = (days: number): How => ({
  clock: { ...systemClock, now: () => Date.now() + days * day, sleep: async () => undefined },
  shellCommand: shellCommand({ env: { ...process.env, MAILAUTH_PASSPHRASE: 'hidden words' }, platform: process.platform }),
});

const keepalive = async (flags: readonly string[], more: readonly string[] = [], how: How = on(0)) => {
  const ran = await pc.run(['keepalive', '--sandbox', '--json', '--jitter', '0', ...more, ...flags], how);
  return { exit: ran.exit, err: ran.err, ...ran.json() };
};

/** A receiver on this computer, which answers with `status`. */
async function sink() {
  const requests: { readonly headers: IncomingMessage['headers']; readonly body: string }[] = [];
  const state = { status: 204 };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push({ headers: request.headers, body });
    response.writeHead(state.status).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  ends.push(() => new Promise((done) => server.close(done)));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/hook`, requests, state, events: () => requests.map(({ body }) => checkedJson(body, 'event')) };
}

const red = ['--fault', 'refresh-revoked', '--renew-after', '0'];
const well = ['--renew-after', '0'];

describe('keepalive --notify-url', () => {
  it('says red once, green once, and nothing in between; the body is signed', async () => {
    const { url, requests, events } = await sink();
    const file = join(pc.home, 'secret');
    await writeFile(file, 's3cret\n', { mode: 0o600 });
    const flags = ['--notify-url', url, '--notify-secret-file', file];
    expect((await keepalive(flags)).data.notices).toEqual({ sent: 0, undelivered: [] });
    expect(await keepalive(flags, red)).toMatchObject({ exit: 4, data: { notices: { sent: 1 } } });
    expect((await keepalive(flags, red)).data.notices.sent).toBe(0);
    expect(await keepalive(flags, well)).toMatchObject({ exit: 0, data: { notices: { sent: 1 } } });
    expect((await keepalive(flags, well)).data.notices.sent).toBe(0);
    const common = { schema: 'mailauth-event/1', mailbox, for: 'this-computer', what: 'sign-in' };
    expect(events()).toEqual([
      {
        ...{ ...common, event: 'red', daysLeft: null, code: 'sign-in-expired', title: expect.stringContaining('has ended') },
        next: expect.arrayContaining([`mailauth login ${mailbox} --sandbox`]),
      },
      { ...common, event: 'green', daysLeft: null, code: null, title: `${mailbox} for this-computer works again`, next: [] },
    ]);
    for (const { headers, body } of requests) {
      expect(headers['x-mailauth-signature']).toBe(`sha256=${createHmac('sha256', 's3cret').update(body).digest('hex')}`);
      expect(headers['content-type']).toBe('application/json');
    }
    expect(await readFile(join(pc.home, 'sandbox', 'notices.json'), 'utf8')).not.toContain('127.0.0.1');
  });

  it('sends again what was not taken; the run says so and ends with 5 where all else is well', async () => {
    const { url, state, events } = await sink();
    const flags = ['--notify-url', url];
    await keepalive(flags, red);
    state.status = 503;
    const away = await keepalive(flags, well);
    expect(away).toMatchObject({ exit: 5, error: { code: 'notice-undelivered' } });
    expect(away.data.notices).toEqual({
      sent: 0,
      undelivered: [{ receiver: new URL(url).host, mailbox, for: 'this-computer', why: 'it answered HTTP 503' }],
    });
    state.status = 200;
    expect((await keepalive(flags, well)).data.notices.sent).toBe(1);
    expect(events().map(({ event }) => event)).toEqual(['red', 'green', 'green']);
  });

  it('a red test names the protocol, and another exit code is said anew', async () => {
    const { url, events } = await sink();
    const flags = ['--notify-url', url, '--test', 'imap'];
    await keepalive(flags, ['--fault', 'imap-silent', '--timeout', '1']);
    await keepalive(flags, ['--fault', 'imap-silent', '--timeout', '1']);
    await keepalive(flags, red);
    expect(events().map(({ event, what, code }) => [event, what, code])).toEqual([
      ['red', 'imap', 'mail-stage-timeout'],
      ['red', 'sign-in', 'sign-in-expired'],
    ]);
  });

  it.each([
    ['http://hooks.contoso.com/T0/secret-part', 2],
    ['ftp://localhost/', 2],
    ['nonsense', 2],
  ])('%s is refused before anything is done, without its path', async (url, exit) => {
    const ran = await pc.run(['keepalive', '--sandbox', '--notify-url', url]);
    expect([ran.exit, ran.out]).toEqual([exit, '']);
    expect(ran.err).not.toContain('secret-part');
  });

  it('refuses a secret file that is missing, empty or open to others', async () => {
    const { url } = await sink();
    const file = join(pc.home, 'secret');
    const refused = async () =>
      (await pc.run(['keepalive', '--sandbox', '--json', '--notify-url', url, '--notify-secret-file', file])).json().error?.code;
    expect(await refused()).toBe('value-invalid');
    await writeFile(file, '\n', { mode: 0o600 });
    expect(await refused()).toBe('value-invalid');
    await writeFile(file, 'x');
    await chmod(file, 0o644);
    expect(await refused()).toBe('file-exposed');
  });
});

describe('an end that comes nearer', () => {
  it('is said at 30, 14, 7, 3 and 1 days, once each, and again for the next secret', async () => {
    const own = await machine();
    ends.push(() => own.end());
    await own.ready('setup --sandbox --yes --no-test --for osticket --redirect-uri https://help.contoso.example/callback');
    const { url, events } = await sink();
    const record = (await readdir(join(own.home, 'sandbox', 'mailboxes'))).find((name) => name.endsWith('.json')) ?? '';
    const { registration } = JSON.parse(await readFile(join(own.home, 'sandbox', 'mailboxes', record), 'utf8'));
    const endsIn = (Date.parse(registration.secretExpiresAt) - Date.now()) / day;
    for (const left of [40, 31, 30, 29, 15, 14, 10, 7, 6, 3.5, 3, 2, 1, 0.5]) {
      await own.run(['keepalive', '--sandbox', '--notify-url', url], on(endsIn - left - 0.01));
    }
    expect(events().map(({ event, what, daysLeft }) => [event, what, daysLeft])).toEqual([
      ['ending', 'client secret', 30],
      ['ending', 'client secret', 14],
      ['ending', 'client secret', 7],
      ['ending', 'client secret', 3],
      ['ending', 'client secret', 1],
    ]);
    expect(events()[0].next[0]).toContain('mailauth secret rotate');
    await own.run(['keepalive', '--sandbox', '--notify-url', url], on(endsIn + 1));
    expect(events().at(-1)).toMatchObject({ event: 'red', what: 'client secret', code: 'expires-soon' });
  });
});

describe('keepalive --notify-command', () => {
  it('gets the event on its standard input and none of the secrets; a failure is said with its words and sent again', async () => {
    const seen = join(pc.home, 'seen');
    const flags = ['--notify-command', `cat >> '${seen}'; env | grep -c MAILAUTH_PASSPHRASE >> '${seen}'; exit 0`];
    expect((await keepalive(flags, red)).data.notices.sent).toBe(1);
    const [event = '', count] = (await readFile(seen, 'utf8')).split('\n');
    expect([checkedJson(event, 'event').event, count]).toEqual(['red', '0']);
    const failing = ['--notify-command', "echo 'no network' >&2; exit 3"];
    for (let i = 0; i < 2; i += 1) {
      const { data } = await keepalive(failing, red);
      expect(data.notices.undelivered).toMatchObject([{ receiver: 'the command', why: 'it ended with exit 3: no network' }]);
    }
  });

  it('one that hangs is killed with what it has started', async () => {
    const { data } = await keepalive(['--notify-command', 'sleep 60 & sleep 60', '--timeout', '1'], red);
    expect(data.notices.undelivered[0].why).toBe('it did not end within 1 seconds');
  });
});

describe('keepalive --notify-mail', () => {
  const sent = async (): Promise<readonly string[]> => {
    const folder = join(pc.home, 'sandbox', 'sent');
    await mkdir(folder, { recursive: true });
    const names = (await readdir(folder)).filter((name) => name.endsWith('.eml')).sort();
    return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  };

  it('one mail says what turned red, from another mailbox; the red one is never the sender', async () => {
    await pc.mailauth('setup --sandbox --yes --no-test --mailbox bob@contoso.example');
    const without = await keepalive(['--notify-mail', 'ada@contoso.example'], red);
    expect(without).toMatchObject({ exit: 3, error: { code: 'notify-from-missing' } });
    const flags = ['--notify-mail', 'Ada <ada@contoso.example>', '--notify-from', 'bob@contoso.example'];
    expect((await keepalive(flags, ['--test', 'imap', '--fault', 'imap-auth-failed'])).data.notices).toMatchObject({
      sent: 0,
      undelivered: [{ mailbox: 'bob@contoso.example', why: 'bob@contoso.example is red itself, so it cannot send' }, { mailbox }],
    });
    // Only the help desk is red now: its sign-in is gone.
    const store = await pc.mailauth(`logout ${mailbox} --sandbox --yes`);
    expect(store.exit).toBe(0);
    await pc.mailauth(`setup --sandbox --yes --no-test --mailbox ${mailbox} --sign-in skip`);
    const { data } = await keepalive(flags);
    expect(data.notices.undelivered).toEqual([]);
    expect(await sent()).toHaveLength(data.notices.sent === 0 ? 0 : 1);
  });

  it('the mail can be read, and goes to one address alone', async () => {
    await pc.mailauth('setup --sandbox --yes --no-test --mailbox bob@contoso.example');
    const flags = ['--notify-mail', 'ada@contoso.example', '--notify-from', 'bob@contoso.example'];
    const secrets = pc.keychain.entries;
    for (const [name] of secrets) if (name.includes('helpdesk')) secrets.delete(name);
    const { exit, data } = await keepalive(flags);
    expect([exit, data.notices]).toEqual([4, { sent: 1, undelivered: [] }]);
    const [mail = ''] = await sent();
    const [head = '', body = ''] = mail.split('\r\n\r\n');
    expect(head).toMatch(/^To: ada@contoso\.example\r$/m);
    expect(head).toMatch(/^From: .*bob@contoso\.example/m);
    expect(Buffer.from(body, 'base64').toString()).toContain(`RED  ${mailbox} for this-computer\n`);
    expect((await stat(join(pc.home, 'sandbox', 'notices.json'))).mode & 0o777).toBe(0o600);
  });

  it.each([['no address'], ['a@b.c, d@e.f'], ['']])('"%s" is refused', async (address) => {
    expect((await keepalive(['--notify-mail', address])).exit).toBe(2);
  });
});

describe('notices.json', () => {
  it.each(['', '{', '{"version":1,"receivers":[]}', '[]'])('that holds %j is begun anew, and a note says so', async (text) => {
    const { url } = await sink();
    await keepalive(['--notify-url', url], red);
    await writeFile(join(pc.home, 'sandbox', 'notices.json'), text);
    const ran = await pc.run(['keepalive', '--sandbox', '--jitter', '0', '--notify-url', url, ...red], on(0));
    expect(ran.err).toContain('notices.json cannot be read');
    expect((await keepalive(['--notify-url', url], red)).data.notices.sent).toBe(0);
  });

  it('keeps what other set-ups were told when a run is for one product', async () => {
    const { url } = await sink();
    const flags = ['--notify-url', url];
    await keepalive(flags, red);
    await keepalive([...flags, '--for', 'osticket'], red);
    expect((await keepalive(flags, red)).data.notices.sent).toBe(0);
  });
});
