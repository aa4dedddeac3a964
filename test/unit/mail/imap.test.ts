import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { MailHost } from '../../../src/core/cloud.ts';
import { Secret } from '../../../src/core/secret.ts';
import { problem } from '../../../src/errors/problem.ts';
import { testImap } from '../../../src/mail/imap.ts';
import type { MailTest } from '../../../src/mail/protocol-test.ts';
import type { ProtocolResult } from '../../../src/mail/result.ts';
import type { StageName } from '../../../src/mail/stages.ts';
import { systemClock } from '../../../src/system/clock-and-random.ts';
import { createNetwork } from '../../../src/system/network/network.ts';
import { xoauth2 } from '../../../src/tokens/sasl.ts';
import { nextOf } from '../../support/next.ts';
import {
  type Authority,
  authority,
  politely,
  type Replies,
  type Script,
  type ScriptedServer,
  scriptedServer,
  trustingNetwork,
} from './imap-server.ts';
import { deadlineIn } from './verdict.ts';

const user = 'helpdesk@contoso.example';
const token = new Secret(`eyJ0eXAiOiJKV1QifQ.${'c2VjcmV0'.repeat(40)}.c2lnbmF0dXJl`);
const sasl = xoauth2(user, token).reveal();
const escapes = '\x1b[31mred\x1b]0;title\x07\u202e';

let tls: Authority;
let running: ScriptedServer | undefined;

beforeAll(async () => {
  tls = await authority();
});

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

type More = Partial<MailTest> & { readonly security?: MailHost['security']; readonly lateIn?: StageName };

async function against(script: Script, { lateIn, ...more }: More = {}): Promise<ProtocolResult> {
  const late = lateIn === undefined ? undefined : deadlineIn(lateIn, 'imap', more.security);
  running = await scriptedServer(more.security ?? 'tls', tls, script);
  const result = await testImap({
    ctx: { network: trustingNetwork(tls), clock: systemClock, signal: new AbortController().signal },
    host: running.host,
    mailbox: user,
    user,
    token: async () => token,
    timeoutMs: 5_000,
    ...(late === undefined
      ? {}
      : {
          ctx: { network: trustingNetwork(tls), signal: new AbortController().signal, clock: late.clock },
          onStage: late.onStage,
        }),
    ...more,
  });
  const shown = JSON.stringify(result) + JSON.stringify(result.error) + String(result.error?.stack) + String(result.error?.cause);
  expect(shown).not.toContain(token.reveal().slice(20, 40));
  expect(shown).not.toContain(sasl.slice(40, 60));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(JSON.stringify(result)).not.toMatch(/\\u001b|\x1b|\\u202e|\u202e/);
  return result;
}

/** `auth: imap-authenticate-failed 4`, and that everything before is ok and everything behind skipped. */
function verdict(result: ProtocolResult): string {
  const at = result.stages.findIndex((s) => s.state === 'failed');
  expect(result.stages.slice(0, at).every((s) => s.state === 'ok')).toBe(true);
  expect(result.stages.slice(at + 1).every((s) => s.state === 'skipped')).toBe(true);
  expect(result.ok).toBe(false);
  expect(result.diagnosis?.code).toBe(result.error?.code);
  expect(result.diagnosis?.next.length).toBeGreaterThan(0);
  return `${result.stages[at]?.name}: ${result.error?.code} ${result.error?.exit}`;
}

const answer = (answers: Replies['answers'], more: Replies = {}): Script => politely({ ...more, answers: answers ?? {} });

function createProxy(tunnel: (request: IncomingMessage, client: Duplex) => void) {
  const server = createServer().on('connect', tunnel);
  return {
    listen: () =>
      new Promise<number>((done) => {
        server.listen(0, '127.0.0.1', () => {
          const address = server.address();
          done(address === null || typeof address === 'string' ? 0 : address.port);
        });
      }),
    stop: () => new Promise((done) => server.close(done)),
  };
}

/** Polite to the preflight, then something else for imapflow. */
const then =
  (second: Script): Script =>
  (peer, connection) =>
    connection === 0 ? politely()(peer, 0) : second(peer, connection);

describe('a server that says yes', () => {
  test('gives every stage with its detail, over TLS', async () => {
    const result = await against(politely({ greeting: `* OK hello ${escapes}\r\n` }));
    expect(result.ok).toBe(true);
    const details = Object.fromEntries(result.stages.map((s) => [s.name, s.detail]));
    expect(result.stages.map((s) => s.name)).toEqual([
      'token',
      'dns',
      'connect',
      'tls',
      'greeting',
      'capability',
      'auth',
      'mailbox',
      'quit',
    ]);
    expect(result.stages.every((s) => s.state === 'ok' && Number.isInteger(s.ms))).toBe(true);
    expect(details).toMatchObject({
      greeting: 'hello red',
      capability: 'XOAUTH2 offered',
      auth: `signed in as ${user}`,
      mailbox: '12 messages',
    });
    expect(details.tls).toMatch(/^TLSv1\.3, certificate of localhost by localhost, valid until \d{4}-\d\d-\d\d \(\d+ days\)$/);
    expect(result).toMatchObject({ mailbox: user, protocol: 'imap', host: 'localhost', user });
    expect('diagnosis' in result).toBe(false);
  });

  test('is asked to EXAMINE, never to SELECT, and gets exactly the XOAUTH2 response', async () => {
    await against(politely());
    expect(running?.heard[1]).toContain(`AUTHENTICATE XOAUTH2 ${sasl}\r\n`);
    expect(running?.heard[1]).toContain('EXAMINE INBOX');
    expect(running?.heard.join('')).not.toContain('SELECT');
    expect(running?.heard[0]).toMatch(/CAPABILITY\r\n.*LOGOUT\r\n$/s);
  });

  test('over STARTTLS has the handshake after the capabilities and hears nothing secret before', async () => {
    const result = await against(politely({ capabilities: 'IMAP4rev1 STARTTLS AUTH=XOAUTH2 SASL-IR NAMESPACE' }), { security: 'starttls' });
    expect(result.stages.map((s) => `${s.name} ${s.state}`)).toEqual(
      ['token', 'dns', 'connect', 'greeting', 'capability', 'tls', 'auth', 'mailbox', 'quit'].map((name) => `${name} ok`),
    );
    expect(result.stages.find((s) => s.name === 'mailbox')?.detail).toBe('12 messages');
  });
});

test('through a proxy that wants a password, on both connections', async () => {
  const tunnels: string[] = [];
  const proxy = createProxy((request, client) => {
    tunnels.push(`${request.url} ${request.headers['proxy-authorization']}`);
    const target = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
    client.pipe(target).on('error', () => client.destroy());
    target.pipe(client).on('error', () => target.destroy());
  });
  const port = await proxy.listen();
  try {
    const env = { HTTPS_PROXY: `http://kim:pa55@127.0.0.1:${port}` };
    const ctx = { network: createNetwork({ env, ca: [tls.cert] }), clock: systemClock, signal: new AbortController().signal };
    const result = await against(politely(), { ctx });
    expect(result.ok).toBe(true);
    expect(tunnels).toEqual(Array(2).fill(`localhost:${running?.host.port} Basic ${Buffer.from('kim:pa55').toString('base64')}`));
    expect(result.stages[1]?.detail).toBe(`left to the proxy 127.0.0.1:${port}`);
    expect(JSON.stringify(result)).not.toContain('pa55');
  } finally {
    await proxy.stop();
  }
});

describe('before the sign-in', () => {
  const drip: Script = async (peer) => {
    for (const c of '* OK one byte at a time, and never the end of the line, as it goes on') {
      peer.send(c);
      await new Promise((done) => setTimeout(done, 60));
    }
    await peer.hang();
  };
  const endless: Script = async (peer) => {
    peer.send('* OK ready\r\n');
    await peer.command();
    for (let i = 0; i < 40; i++) peer.send('* 1 EXISTS of nothing\r\n'.repeat(2_000));
    await peer.hang();
  };
  const cases: [string, string, Script, More?][] = [
    ['no greeting', 'greeting: mail-stage-timeout 5', (peer) => peer.hang(), { lateIn: 'greeting' }],
    ['half a greeting, then the end', 'greeting: connection-closed 5', async (peer) => peer.send('* OK rea')],
    ['a byte now and then', 'greeting: mail-stage-timeout 5', drip, { lateIn: 'greeting' }],
    ['a greeting of a megabyte', 'greeting: imap-protocol 1', politely({ greeting: `* OK ${'x'.repeat(1_048_576)}\r\n` })],
    [
      'a greeting of a megabyte without an end',
      'greeting: imap-protocol 1',
      (peer) => {
        peer.send('x'.repeat(1_048_576));
        return peer.hang();
      },
    ],
    ['a greeting of another protocol', 'greeting: imap-protocol 1', politely({ greeting: `220 ${escapes} ESMTP\r\n` })],
    ['BYE', 'greeting: imap-greeting-refused 5', politely({ greeting: `* BYE ${escapes} too busy\r\n` })],
    ['NO', 'greeting: imap-greeting-refused 5', politely({ greeting: '* NO go away\r\n' })],
    ['PREAUTH', 'greeting: imap-protocol 1', politely({ greeting: '* PREAUTH welcome\r\n' })],
    ['the end at once', 'tls: connection-closed 5', async () => {}],
    ['the end at CAPABILITY', 'capability: connection-closed 5', answer({ CAPABILITY: 'CLOSE' })],
    ['half a line of CAPABILITY, then the end', 'capability: connection-closed 5', async (peer) => peer.send('* OK ready\r\n* CAPABI')],
    ['silence at CAPABILITY', 'capability: mail-stage-timeout 5', answer({ CAPABILITY: 'SILENCE' }), { lateIn: 'capability' }],
    ['BYE at CAPABILITY', 'capability: connection-closed 5', answer({ CAPABILITY: `* BYE ${escapes}\r\n` })],
    ['NO to CAPABILITY', 'capability: imap-protocol 1', answer({ CAPABILITY: `TAG NO ${escapes}\r\n` })],
    ['OK without capabilities', 'capability: imap-protocol 1', answer({ CAPABILITY: 'TAG OK fine\r\n' })],
    ['a wrong tag', 'capability: imap-protocol 1', answer({ CAPABILITY: '* CAPABILITY AUTH=XOAUTH2\r\nzz OK fine\r\n' })],
    ['+ at the wrong moment', 'capability: imap-protocol 1', answer({ CAPABILITY: `+ more ${escapes}\r\n` })],
    ['lines without end', 'capability: imap-protocol 1', endless],
    ['no XOAUTH2', 'capability: imap-no-xoauth2 1', politely({ capabilities: `IMAP4rev1 AUTH=PLAIN ${escapes}` })],
  ];
  test.each(cases)('%s → %s', async (_, expected, script, more) => {
    expect(verdict(await against(script, more))).toBe(expected);
    expect(running?.heard.join('')).not.toContain('AUTHENTICATE');
  });

  test('a port where nobody listens', async () => {
    const gone = await scriptedServer('tls', tls, politely());
    await gone.stop();
    expect(verdict(await against(politely(), { host: gone.host }))).toBe('connect: connect-refused 5');
  });

  test('an authority that is not ours ends the test before a byte of IMAP', async () => {
    const ctx = { network: createNetwork({ env: {} }), clock: systemClock, signal: new AbortController().signal };
    expect(verdict(await against(politely(), { ctx }))).toBe('tls: tls-untrusted 1');
    expect(running?.heard).toHaveLength(1);
  });

  test('an HTTPS_PROXY that makes no sense', async () => {
    const network = createNetwork({ env: { HTTPS_PROXY: 'socks5://proxy' } });
    const ctx = { network, clock: systemClock, signal: new AbortController().signal };
    expect(verdict(await against(politely(), { ctx }))).toBe('dns: proxy-broken 1');
  });

  test('no token: its own error, and nobody is called', async () => {
    const none = problem('mail-token-expired', { mailbox: user, user, protocol: 'imap', host: 'x', port: 1, expiredAt: 'yesterday' });
    expect(verdict(await against(politely(), { token: () => Promise.reject(none) }))).toBe('token: mail-token-expired 4');
    expect(running?.heard).toHaveLength(0);
  });

  test('a user name with a control character goes nowhere', async () => {
    expect(verdict(await against(politely(), { user: 'a@b.example\x01auth=Bearer x' }))).toBe('token: mail-user-name 2');
    expect(running?.heard).toHaveLength(0);
  });
});

describe('STARTTLS', () => {
  const capabilities = 'IMAP4rev1 STARTTLS AUTH=XOAUTH2 SASL-IR NAMESPACE';
  const clear = { capabilities: 'IMAP4rev1 AUTH=XOAUTH2' };
  const cases: [string, string, Script][] = [
    ['is not offered', 'capability: mail-no-starttls 1', politely(clear)],
    ['is refused', 'tls: mail-no-starttls 1', answer({ STARTTLS: `TAG NO ${escapes}\r\n` }, { capabilities })],
    [
      'is followed by bytes in clear',
      'tls: mail-starttls-injection 1',
      answer({ STARTTLS: 'TAG OK begin\r\n* CAPABILITY AUTH=PLAIN\r\n' }, { capabilities }),
    ],
    ['ends in a hang-up', 'tls: connection-closed 5', answer({ STARTTLS: 'CLOSE' }, { capabilities })],
  ];
  test.each(cases)('%s → %s', async (_, expected, script) => {
    expect(verdict(await against(script, { security: 'starttls' }))).toBe(expected);
    expect(running?.heard.join('')).not.toContain('AUTHENTICATE');
  });

  test('taken away from the second connection → no token in clear', async () => {
    const script: Script = (peer, connection) => politely(connection === 0 ? { capabilities } : clear)(peer, connection);
    expect(verdict(await against(script, { security: 'starttls' }))).toBe('auth: mail-no-starttls 1');
    expect(running?.heard.join('')).not.toContain('AUTHENTICATE');
  });

  test('with bytes in clear on the second connection → no token', async () => {
    const honest = politely({ capabilities });
    const injecting = answer({ STARTTLS: 'TAG OK begin\r\n* OK injected\r\n' }, { capabilities });
    const script: Script = (peer, connection) => (connection === 0 ? honest : injecting)(peer, connection);
    expect(verdict(await against(script, { security: 'starttls' }))).toBe('auth: mail-starttls-injection 1');
    expect(running?.heard.join('')).not.toContain('AUTHENTICATE');
  });
});

describe('the sign-in and after', () => {
  const json = Buffer.from(JSON.stringify({ status: `401${escapes}`, schemes: 'bearer', scope: 'mail' })).toString('base64');
  const challenge: Script = then(async (peer) => {
    peer.send('* OK ready\r\n');
    for (;;) {
      const { tag, words } = await peer.command();
      if (words === 'CAPABILITY') peer.send(`* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR\r\n${tag} OK\r\n`);
      else {
        peer.send(`+ ${json}\r\n`);
        await peer.line();
        peer.send(`${tag} NO [AUTHENTICATIONFAILED] Authentication failed.\r\n`);
      }
    }
  });
  const cases: [string, string, Script, More?][] = [
    ['NO', 'auth: imap-authenticate-failed 4', answer({ AUTHENTICATE: 'TAG NO AUTHENTICATE failed.\r\n' })],
    [
      'NO with escapes and the token itself',
      'auth: imap-authenticate-failed 4',
      answer({ AUTHENTICATE: `TAG NO ${escapes} ${token.reveal()} ${sasl}\r\n` }),
    ],
    ['a challenge with JSON', 'auth: imap-authenticate-failed 4', challenge],
    ['the end', 'auth: mail-connection-closed-during-auth 5', answer({ AUTHENTICATE: 'CLOSE' })],
    ['silence', 'auth: mail-stage-timeout 5', answer({ AUTHENTICATE: 'SILENCE' }), { lateIn: 'auth' }],
    ['a wrong tag', 'auth: imap-protocol 1', answer({ AUTHENTICATE: 'zz OK fine\r\n' })],
    ['a line of a megabyte', 'auth: imap-protocol 1', answer({ AUTHENTICATE: `* OK ${'x'.repeat(1_048_576)}\r\n` })],
    [
      'throttling',
      'auth: throttled 5',
      answer({ AUTHENTICATE: 'TAG BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n' }),
    ],
    [
      'temporary trouble',
      'auth: mail-server-busy 5',
      answer({ AUTHENTICATE: 'TAG NO [UNAVAILABLE] Temporary authentication failure.\r\n' }),
    ],
    ['basic authentication', 'auth: imap-basic-auth-disabled 6', answer({ AUTHENTICATE: 'TAG NO Basic authentication is disabled.\r\n' })],
    ['a hang-up of the second connection', 'auth: mail-connection-closed-during-auth 5', then(async () => {})],
    ['BYE to the second connection', 'auth: throttled 5', then(politely({ greeting: '* BYE Too many concurrent connections\r\n' }))],
    ['not connected', 'auth: imap-not-connected 6', answer({ NAMESPACE: 'TAG BAD User is authenticated but not connected.\r\n' })],
    [
      'not connected, then BYE',
      'auth: imap-not-connected 6',
      answer({
        AUTHENTICATE: 'TAG OK done\r\n',
        NAMESPACE: 'TAG BAD User is authenticated but not connected.\r\n* BYE Connection closed. 14\r\n',
      }),
    ],
    ['NO to the INBOX', 'mailbox: mailbox-unavailable 6', answer({ EXAMINE: `TAG NO ${escapes} no such mailbox\r\n` })],
    [
      'not connected at the INBOX',
      'mailbox: imap-not-connected 6',
      answer({ EXAMINE: 'TAG BAD User is authenticated but not connected.\r\n' }),
    ],
    ['the end at the INBOX', 'mailbox: connection-closed 5', answer({ EXAMINE: 'CLOSE' })],
    ['silence at the INBOX', 'mailbox: mail-stage-timeout 5', answer({ EXAMINE: 'SILENCE' }), { lateIn: 'mailbox' }],
    ['silence at LOGOUT', 'quit: mail-stage-timeout 5', then(answer({ LOGOUT: 'SILENCE' })), { lateIn: 'quit' }],
  ];
  test.each(cases)('%s → %s', async (_, expected, script, more) => {
    expect(verdict(await against(script, more))).toBe(expected);
  });

  test('what the server said is in the detail, without its escapes', async () => {
    const result = await against(answer({ AUTHENTICATE: `TAG NO AUTHENTICATE ${escapes} failed.\r\n` }));
    expect(result.error?.detail.reply).toContain('failed.');
    expect(result.stages.find((s) => s.name === 'auth')?.detail).toContain('AUTHENTICATE red failed.');
  });

  test('throttling names the pause and does not wait it out', async () => {
    const said = 'TAG BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n';
    const result = await against(answer({ AUTHENTICATE: said }));
    expect(nextOf(result.diagnosis)[0]).toBe(`sleep 93; mailauth test imap ${user}`);
  });

  test('Ctrl-C in the middle rejects with its reason and leaves no connection', async () => {
    const controller = new AbortController();
    const reason = new Error('ctrl-c');
    const ctx = { network: trustingNetwork(tls), clock: systemClock, signal: controller.signal };
    let hungUp: () => void = () => {};
    const gone = new Promise<void>((done) => {
      hungUp = done;
    });
    const script: Script = then(async (peer) => {
      peer.send('* OK ready\r\n');
      await peer.line();
      controller.abort(reason);
      await peer.line().catch(hungUp);
    });
    await expect(against(script, { ctx })).rejects.toBe(reason);
    await gone;
  });
});
