import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { MailHost } from '../../../src/core/cloud.ts';
import type { ProtocolResult } from '../../../src/mail/result.ts';
import { type SmtpTest, testSmtp } from '../../../src/mail/smtp.ts';
import type { StageName } from '../../../src/mail/stages.ts';
import { systemClock, systemRandom } from '../../../src/system/clock-and-random.ts';
import { createNetwork } from '../../../src/system/network/network.ts';
import { adminOf, nextOf } from '../../support/next.ts';
import { type Authority, authority, type Peer, type Script, type ScriptedServer, scriptedServer, trustingNetwork } from './imap-server.ts';
import { challengeJson, deadlineIn, details, escapes, expectClean, sasl, token, user, verdict } from './verdict.ts';

let tls: Authority;
let running: ScriptedServer | undefined;

beforeAll(async () => {
  tls = await authority();
});

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

const contextOf = (network = trustingNetwork(tls), signal = new AbortController().signal) => ({
  network,
  clock: systemClock,
  random: systemRandom,
  signal,
});

type More = Partial<SmtpTest> & { readonly security?: MailHost['security']; readonly lateIn?: StageName };

async function against(script: Script, { lateIn, ...more }: More = {}): Promise<ProtocolResult> {
  const security = more.security ?? 'tls';
  const late = lateIn === undefined ? undefined : deadlineIn(lateIn, 'smtp', more.security);
  running = await scriptedServer(security, tls, script);
  const result = await testSmtp({
    ctx: contextOf(),
    host: running.host,
    mailbox: user,
    user,
    token: async () => token,
    timeoutMs: 5_000,
    ...(late === undefined ? {} : { ctx: { ...contextOf(), clock: late.clock }, onStage: late.onStage }),
    ...more,
  });
  expectClean(result);
  return result;
}

interface Replies {
  greeting?: string;
  /** by the command's first word, `TOKEN` for the line with the token, `EMPTY` for an empty one; `CLOSE` hangs up, `SILENCE` says nothing */
  answers?: Readonly<Record<string, string>>;
  extensions?: readonly string[];
  /** what EHLO offers over TLS, where that differs */
  secured?: readonly string[];
}

/** A submission server that says yes, but for the given answers. */
function politely({
  greeting = '220 ready\r\n',
  answers = {},
  extensions = ['AUTH LOGIN XOAUTH2'],
  secured = extensions,
}: Replies = {}): Script {
  const ehlo = (offered: readonly string[]) => ['hello', ...offered].map((e, i) => `250${i < offered.length ? '-' : ' '}${e}\r\n`).join('');
  const normal: Readonly<Record<string, string>> = {
    AUTH: '334 \r\n',
    TOKEN: '235 2.7.0 signed in\r\n',
    MAIL: '250 2.1.0 ok\r\n',
    RSET: '250 2.0.0 ok\r\n',
    RCPT: '250 2.1.5 ok\r\n',
    DATA: '354 go on\r\n',
    '.': '250 2.0.0 OK <queued-as-7>\r\n',
    QUIT: '221 2.0.0 bye\r\n',
    STARTTLS: '220 2.0.0 begin\r\n',
  };
  const replyTo = (line: string, inTls: boolean): string => {
    const [first = ''] = line.split(' ');
    const name = line === '' ? 'EMPTY' : line === sasl ? 'TOKEN' : first;
    return answers[name] ?? (name === 'EHLO' ? ehlo(inTls ? secured : extensions) : normal[name]) ?? '500 what?\r\n';
  };
  return async (peer) => {
    let inTls = false;
    peer.send(greeting);
    for (;;) {
      const reply = replyTo(await peer.line(), inTls);
      if (reply !== 'CLOSE' && reply !== 'SILENCE') peer.send(reply);
      if (/^(?:CLOSE|221|421)/.test(reply)) return;
      if (reply.startsWith('354')) {
        await bodyOf(peer);
        const end = replyTo('.', inTls);
        if (end === 'CLOSE') return;
        peer.send(end);
      }
      if (reply !== normal.STARTTLS) continue;
      peer.startTls();
      inTls = true;
    }
  };
}

/** Reads a message up to its lone dot. */
async function bodyOf(peer: Peer): Promise<void> {
  while ((await peer.line()) !== '.');
}

const answer = (answers: Replies['answers'], more: Replies = {}): Script => politely({ ...more, answers: answers ?? {} });
const clear = { extensions: ['SIZE 1000', 'STARTTLS'], secured: ['AUTH XOAUTH2'] };
const heard = (): string => running?.heard.join('') ?? '';

/** Polite to the preflight, then something else for nodemailer. */
const then =
  (second: Script): Script =>
  (peer, connection) =>
    connection === 0 ? politely()(peer, 0) : second(peer, connection);

describe('a server that says yes', () => {
  test('gives every stage with its detail, over TLS, and gets no mail', async () => {
    const result = await against(politely({ greeting: `220-hello ${escapes}\r\n220 there\r\n` }));
    expect(result.diagnosis).toBeUndefined();
    expect(result.ok).toBe(true);
    expect(result.stages.map((s) => `${s.name} ${s.state}`)).toEqual([
      ...['token ok', 'dns ok', 'connect ok', 'tls ok', 'greeting ok', 'capability ok', 'auth ok', 'mailbox ok'],
      ...['send skipped', 'quit ok'],
    ]);
    expect(details(result)).toMatchObject({
      greeting: 'hello red there',
      capability: 'XOAUTH2 offered',
      auth: `signed in as ${user}`,
      mailbox: `may send as ${user}`,
    });
    expect(running?.heard[0]).toBe('EHLO [127.0.0.1]\r\nQUIT\r\n');
    expect(running?.heard[1]).toBe(`EHLO [127.0.0.1]\r\nAUTH XOAUTH2\r\n${sasl}\r\nMAIL FROM:<${user}>\r\nRSET\r\nQUIT\r\n`);
  });

  test('over STARTTLS has the handshake after the capabilities and hears nothing secret before', async () => {
    const result = await against(politely(clear), { security: 'starttls' });
    expect(result.stages.map((s) => `${s.name} ${s.state}`)).toEqual([
      ...['token ok', 'dns ok', 'connect ok', 'greeting ok', 'capability ok', 'tls ok', 'auth ok', 'mailbox ok'],
      ...['send skipped', 'quit ok'],
    ]);
    expect(running?.heard).toHaveLength(2);
    for (const one of running?.heard ?? []) expect(one.indexOf('STARTTLS')).toBeLessThan(one.lastIndexOf('EHLO'));
  });

  test('with --send-to gets one message and its id is told', async () => {
    const sendTo = 'ada@contoso.example';
    const result = await against(politely(), { sendTo });
    expect(result.ok).toBe(true);
    const [, id] =
      /^Message-ID (<[^>]+@contoso\.example>) to ada@contoso\.example: 250 2\.0\.0 OK <queued-as-7>$/.exec(details(result).send ?? '') ??
      [];
    expect(id).toBeDefined();
    expect(heard().split(`Message-ID: ${id}\r\n`)).toHaveLength(2);
    expect(heard().match(/RCPT TO:<ada@contoso\.example>/g)).toHaveLength(1);
    expect(heard()).toMatch(/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r$/m);
  });

  test('through a proxy, on both connections', async () => {
    const tunnels: string[] = [];
    const ends: Duplex[] = [];
    const proxy = createServer().on('connect', (request, client) => {
      tunnels.push(`${request.url} ${request.headers['proxy-authorization']}`);
      const target = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
      ends.push(client, target);
      client.pipe(target).on('error', () => client.destroy());
      target.pipe(client).on('error', () => target.destroy());
    });
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
    const address = proxy.address();
    const port = address === null || typeof address === 'string' ? 0 : address.port;
    try {
      const network = createNetwork({ env: { HTTPS_PROXY: `http://kim:pa55@127.0.0.1:${port}` }, ca: [tls.cert] });
      const result = await against(politely(clear), { ctx: contextOf(network), security: 'starttls' });
      expect(result.ok).toBe(true);
      expect(tunnels).toEqual(Array(2).fill(`localhost:${running?.host.port} Basic ${Buffer.from('kim:pa55').toString('base64')}`));
      expect(JSON.stringify(result)).not.toContain('pa55');
    } finally {
      for (const one of ends) one.destroy();
      await new Promise((done) => proxy.close(done));
    }
  });
});

describe('before the sign-in', () => {
  const drip: Script = async (peer) => {
    for (const c of '220 one byte at a time, and never the end of the line, as it goes on') {
      peer.send(c);
      await new Promise((done) => setTimeout(done, 60));
    }
    await peer.hang();
  };
  const endless: Script = async (peer) => {
    peer.send('220 ready\r\n');
    await peer.line();
    for (let i = 0; i < 40; i++) peer.send('250-ENDLESS EXTENSION\r\n'.repeat(2_000));
    await peer.hang();
  };
  const cases: [string, string, Script, More?][] = [
    ['no greeting', 'greeting: mail-stage-timeout 5', (peer) => peer.hang(), { lateIn: 'greeting' }],
    ['half a greeting, then the end', 'greeting: connection-closed 5', async (peer) => peer.send('220 rea')],
    ['a greeting of a megabyte', 'greeting: smtp-protocol 1', politely({ greeting: `220 ${'x'.repeat(1_048_576)}\r\n` })],
    ['a byte now and then', 'greeting: mail-stage-timeout 5', drip, { lateIn: 'greeting' }],
    [
      'a greeting of a megabyte without an end',
      'greeting: smtp-protocol 1',
      (peer) => {
        peer.send('x'.repeat(1_048_576));
        return peer.hang();
      },
    ],
    ['the end at once', 'tls: connection-closed 5', async () => {}],
    ['a greeting of another protocol', 'greeting: smtp-protocol 1', politely({ greeting: `+OK ${escapes}\r\n` })],
    ['a greeting with two codes', 'greeting: smtp-protocol 1', politely({ greeting: '220-hello\r\n554 no\r\n' })],
    ['421', 'greeting: smtp-greeting-refused 5', politely({ greeting: `421 4.3.2 ${escapes} later\r\n` })],
    ['554', 'greeting: smtp-greeting-refused 5', politely({ greeting: '554 go away\r\n' })],
    ['the end at EHLO', 'capability: connection-closed 5', answer({ EHLO: 'CLOSE' })],
    ['half a line of EHLO, then the end', 'capability: connection-closed 5', async (peer) => peer.send('220 ready\r\n250-AUTH XOAU')],
    ['334 at the wrong moment', 'capability: smtp-protocol 1', answer({ EHLO: `334 ${escapes}\r\n` })],
    ['silence at EHLO', 'capability: mail-stage-timeout 5', answer({ EHLO: 'SILENCE' }), { lateIn: 'capability' }],
    ['EHLO refused', 'capability: smtp-protocol 1', answer({ EHLO: `502 ${escapes}\r\n` })],
    ['EHLO later', 'capability: smtp-greeting-refused 5', answer({ EHLO: '421 later\r\n' })],
    ['an answer that is none', 'capability: smtp-protocol 1', answer({ EHLO: `${escapes}\r\n` })],
    ['lines without end', 'capability: smtp-protocol 1', endless],
    ['no XOAUTH2', 'capability: smtp-no-xoauth2 1', politely({ extensions: ['AUTH LOGIN PLAIN', `X-${escapes}`] })],
  ];
  test.each(cases)('%s → %s', async (_, expected, script, more) => {
    expect(verdict(await against(script, more))).toBe(expected);
    expect(heard()).not.toContain('AUTH ');
  });

  test('an authority that is not ours ends the test before a byte of SMTP', async () => {
    expect(verdict(await against(politely(), { ctx: contextOf(createNetwork({ env: {} })) }))).toBe('tls: tls-untrusted 1');
    expect(heard()).not.toContain('EHLO');
  });

  test.each([
    ['a user with a control character', { user: 'a@b.example\x01auth=Bearer x' }],
    ['a mailbox that ends the envelope', { mailbox: 'a@b.example>\r\nRCPT TO:<x@y.example' }],
    ['a recipient that ends the envelope', { sendTo: 'a@b.example>\r\nDATA' }],
  ])('%s goes nowhere', async (_, more) => {
    expect(verdict(await against(politely(), more))).toBe('token: mail-user-name 2');
    expect(running?.heard).toHaveLength(0);
  });
});

describe('STARTTLS', () => {
  const first = politely(clear);
  const second =
    (other: Script): Script =>
    (peer, connection) =>
      (connection === 0 ? first : other)(peer, connection);
  const cases: [string, string, Script][] = [
    ['is not offered', 'capability: mail-no-starttls 1', politely()],
    ['is refused', 'tls: mail-no-starttls 1', answer({ STARTTLS: `454 4.7.0 ${escapes}\r\n` }, clear)],
    ['is followed by bytes in clear', 'tls: mail-starttls-injection 1', answer({ STARTTLS: '220 begin\r\n250 AUTH XOAUTH2\r\n' }, clear)],
    ['ends in a hang-up', 'tls: connection-closed 5', answer({ STARTTLS: 'CLOSE' }, clear)],
    ['offers no XOAUTH2 inside', 'auth: smtp-no-xoauth2 1', politely({ ...clear, secured: ['AUTH LOGIN'] })],
    ['taken away from the second connection', 'auth: mail-no-starttls 1', second(answer({ STARTTLS: '502 what?\r\n' }))],
    ['injected on the second connection', 'auth: mail-starttls-injection 1', second(answer({ STARTTLS: '220 begin\r\n250 x\r\n' }, clear))],
    ['cut on the second connection', 'auth: mail-connection-closed-during-auth 5', second(answer({ STARTTLS: 'CLOSE' }, clear))],
  ];
  test.each(cases)('%s → %s', async (_, expected, script) => {
    expect(verdict(await against(script, { security: 'starttls' }))).toBe(expected);
    expect(heard()).not.toContain('AUTH XOAUTH2\r\n');
    expect(heard()).not.toContain(sasl);
  });
});

describe('the sign-in and after', () => {
  const disabled = (what: string) =>
    `535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the ${what}. Visit x\r\n`;
  const cases: [string, string, Script, More?][] = [
    ['535', 'auth: smtp-authenticate-failed 4', answer({ TOKEN: '535 5.7.3 Authentication unsuccessful [HOST]\r\n' })],
    [
      '535 with escapes and the token',
      'auth: smtp-authenticate-failed 4',
      answer({ TOKEN: `535 5.7.3 ${escapes} ${token.reveal()} ${sasl}\r\n` }),
    ],
    ['a challenge with JSON', 'auth: smtp-authenticate-failed 4', answer({ TOKEN: `334 ${challengeJson}\r\n`, EMPTY: '535 5.7.8 no\r\n' })],
    ['the mechanism refused', 'auth: smtp-no-xoauth2 1', answer({ AUTH: '504 5.7.4 Unrecognized authentication type\r\n' })],
    ['a line too long', 'auth: smtp-protocol 1', answer({ TOKEN: '500 5.5.2 Line too long\r\n' })],
    ['switched off for the tenant', 'auth: smtp-auth-disabled 6', answer({ TOKEN: disabled('Tenant') })],
    ['switched off for the mailbox', 'auth: smtp-auth-disabled 6', answer({ TOKEN: disabled('Mailbox') })],
    [
      'basic authentication',
      'auth: smtp-basic-auth 6',
      answer({ TOKEN: '535 5.7.139 Authentication unsuccessful, basic authentication is disabled.\r\n' }),
    ],
    [
      'criteria, over two lines',
      'auth: smtp-sign-in-blocked 6',
      answer({
        TOKEN: '535-5.7.139 Authentication unsuccessful, the request did not\r\n535 5.7.139 meet the criteria to be authenticated\r\n',
      }),
    ],
    ['454', 'auth: mail-server-busy 5', answer({ TOKEN: '454 4.7.0 Temporary authentication failure\r\n' })],
    ['421', 'auth: mail-server-busy 5', answer({ TOKEN: '421 4.3.2 Service not available\r\n' })],
    ['432', 'auth: smtp-throttled 5', answer({ TOKEN: '432 4.3.2 Concurrent connections limit exceeded\r\n' })],
    ['the end', 'auth: mail-connection-closed-during-auth 5', answer({ TOKEN: 'CLOSE' })],
    ['silence', 'auth: mail-stage-timeout 5', answer({ TOKEN: 'SILENCE' }), { lateIn: 'auth' }],
    ['an answer that is none', 'auth: smtp-protocol 1', answer({ TOKEN: `+OK ${escapes}\r\n` })],
    ['a line of two megabytes', 'auth: smtp-protocol 1', answer({ TOKEN: `235 ${'x'.repeat(2_097_152)}` })],
    ['a hang-up of the second connection', 'auth: mail-connection-closed-during-auth 5', then(async () => {})],
    [
      '421 to the second connection',
      'auth: smtp-throttled 5',
      then(politely({ greeting: '421 4.7.0 Too many concurrent connections\r\n' })),
    ],
    ['554 to the second connection', 'auth: smtp-greeting-refused 5', then(politely({ greeting: '554 no\r\n' }))],
    ['not signed in after all', 'mailbox: smtp-not-signed-in 4', answer({ MAIL: '530 5.7.57 Client not authenticated to send mail\r\n' })],
    ['the sender refused', 'mailbox: smtp-send-as-denied 6', answer({ MAIL: '550 5.7.60 SMTP; Client does not have permissions\r\n' })],
    [
      'blocked for spam',
      'mailbox: smtp-sender-restricted 6',
      answer({ MAIL: `550 5.1.8 Access denied, ${escapes} bad outbound sender\r\n` }),
    ],
    ['451 4.7.500', 'mailbox: smtp-throttled 5', answer({ MAIL: '451 4.7.500 Server busy. Please try again later\r\n' })],
    ['the end at MAIL FROM', 'mailbox: connection-closed 5', answer({ MAIL: 'CLOSE' })],
    ['silence at RSET', 'mailbox: mail-stage-timeout 5', answer({ RSET: 'SILENCE' }), { lateIn: 'mailbox' }],
    ['silence at QUIT', 'quit: mail-stage-timeout 5', then(answer({ QUIT: 'SILENCE' })), { lateIn: 'quit' }],
  ];
  test.each(cases)('%s → %s', async (_, expected, script, more) => {
    expect(verdict(await against(script, more))).toBe(expected);
    // One connection signs in, and tries once.
    expect(heard().split(sasl).length - 1).toBeLessThanOrEqual(1);
  });

  const sending: [string, string, Replies['answers']][] = [
    ['the recipient refused', 'send: smtp-recipient-refused 1', { RCPT: '550 5.1.10 Recipient not found\r\n' }],
    ['greylisted', 'send: mail-server-busy 5', { RCPT: '451 4.3.0 later\r\n' }],
    ['refused at the end', 'send: smtp-send-as-denied 6', { '.': '554 5.2.252 SendAsDenied; a not allowed to send as b\r\n' }],
    ['quota', 'send: smtp-throttled 5', { '.': "554 5.2.2 the sender's submission quota was exceeded\r\n" }],
    ['the end in the message', 'send: connection-closed 5', { '.': 'CLOSE' }],
  ];
  test.each(sending)('--send-to: %s → %s', async (_, expected, answers) => {
    expect(verdict(await against(answer(answers), { sendTo: 'ada@contoso.example' }))).toBe(expected);
  });

  test('what the server said is in the detail, without its escapes', async () => {
    const result = await against(answer({ TOKEN: `535-5.7.3 Authentication ${escapes}\r\n535 5.7.3 unsuccessful [HOST]\r\n` }));
    expect(result.error?.detail.reply).toBe('535-5.7.3 Authentication red unsuccessful [HOST]');
  });

  test('the switch of the mailbox is the line for the administrator', async () => {
    const result = await against(answer({ TOKEN: disabled('Tenant') }));
    expect(adminOf(result.diagnosis)).toBe(`Set-CASMailbox -Identity ${user} -SmtpClientAuthenticationDisabled $false`);
    expect(nextOf(result.diagnosis).slice(0, 2)).toEqual([`mailauth exchange apply ${user}`, `mailauth test smtp ${user}`]);
  });

  test('the token is looked at before the server is blamed', async () => {
    const refused = answer({ TOKEN: '535 5.7.3 Authentication unsuccessful\r\n' });
    const good = {
      opaque: false,
      audience: 'https://outlook.office.com',
      scopes: ['SMTP.Send'],
      expiresAt: Date.now() + 60_000,
      username: user,
    };
    const withClaims = async (claims: object, more: Partial<SmtpTest> = {}) =>
      (await against(refused, { claims: () => ({ ...good, ...claims }), ...more })).error?.code;
    expect(await withClaims({ scopes: ['IMAP.AccessAsUser.All'] })).toBe('mail-token-scope');
    await running?.stop();
    expect(await withClaims({ username: 'kim@contoso.example' })).toBe('mail-token-user');
    await running?.stop();
    expect(await withClaims({ username: 'kim@contoso.example' }, { signInAs: 'kim@contoso.example' })).toBe('smtp-send-as-denied');
  });

  test('Ctrl-C in the middle rejects with its reason and leaves no connection', async () => {
    const controller = new AbortController();
    const reason = new Error('ctrl-c');
    let hungUp: () => void = () => {};
    const gone = new Promise<void>((done) => {
      hungUp = done;
    });
    const script: Script = then(async (peer) => {
      peer.send('220 ready\r\n');
      await peer.line();
      controller.abort(reason);
      await peer.line().catch(hungUp);
    });
    await expect(against(script, { ctx: contextOf(undefined, controller.signal) })).rejects.toBe(reason);
    await gone;
  });
});
