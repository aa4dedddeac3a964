import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { MailHost } from '../../../src/core/cloud.ts';
import { testPop } from '../../../src/mail/pop.ts';
import type { MailTest } from '../../../src/mail/protocol-test.ts';
import type { ProtocolResult } from '../../../src/mail/result.ts';
import type { StageName } from '../../../src/mail/stages.ts';
import { systemClock } from '../../../src/system/clock-and-random.ts';
import { createNetwork } from '../../../src/system/network/network.ts';
import { adminOf } from '../../support/next.ts';
import { type Authority, authority, type Script, type ScriptedServer, scriptedServer, trustingNetwork } from './imap-server.ts';
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
  signal,
});

type More = Partial<MailTest> & { readonly security?: MailHost['security']; readonly lateIn?: StageName };

async function against(script: Script, { lateIn, ...more }: More = {}): Promise<ProtocolResult> {
  const late = lateIn === undefined ? undefined : deadlineIn(lateIn, 'pop', more.security);
  running = await scriptedServer(more.security ?? 'tls', tls, script);
  const result = await testPop({
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
  capabilities?: readonly string[];
  /** what CAPA offers over TLS, where that differs */
  secured?: readonly string[];
}

/** A POP3 server that says yes, but for the given answers. */
function politely({
  greeting = '+OK ready\r\n',
  answers = {},
  capabilities = ['UIDL', 'SASL PLAIN XOAUTH2'],
  secured = capabilities,
}: Replies = {}): Script {
  const capa = (offered: readonly string[]) => `+OK\r\n${offered.map((c) => `${c}\r\n`).join('')}.\r\n`;
  const normal: Readonly<Record<string, string>> = {
    AUTH: '+ \r\n',
    TOKEN: '+OK signed in\r\n',
    STAT: '+OK 12 3456\r\n',
    STLS: '+OK begin\r\n',
    QUIT: '+OK bye\r\n',
  };
  const replyTo = (line: string, inTls: boolean): [string, string] => {
    const [first = ''] = line.split(' ');
    const name = line === '' ? 'EMPTY' : line === sasl ? 'TOKEN' : first;
    return [name, answers[name] ?? (name === 'CAPA' ? capa(inTls ? secured : capabilities) : normal[name]) ?? '-ERR what?\r\n'];
  };
  return async (peer) => {
    let inTls = false;
    peer.send(greeting);
    for (;;) {
      const [name, reply] = replyTo(await peer.line(), inTls);
      if (reply === 'CLOSE') return;
      if (reply !== 'SILENCE') peer.send(reply);
      if (name === 'QUIT' && reply !== 'SILENCE') return;
      if (name === 'STLS' && reply === normal.STLS) {
        peer.startTls();
        inTls = true;
      }
    }
  };
}

const answer = (answers: Replies['answers'], more: Replies = {}): Script => politely({ ...more, answers: answers ?? {} });
const clear = { capabilities: ['UIDL', 'STLS'], secured: ['SASL XOAUTH2'] };
const heard = (): string => running?.heard.join('') ?? '';

describe('a server that says yes', () => {
  test('gives every stage with its detail, over TLS, and loses no message', async () => {
    const result = await against(politely({ greeting: `+OK hello ${escapes}\r\n` }));
    expect(result.diagnosis).toBeUndefined();
    expect(result.stages.map((s) => `${s.name} ${s.state}`)).toEqual(
      ['token', 'dns', 'connect', 'tls', 'greeting', 'capability', 'auth', 'mailbox', 'quit'].map((name) => `${name} ok`),
    );
    expect(details(result)).toMatchObject({ greeting: 'hello red', capability: 'XOAUTH2 offered', mailbox: '12 messages' });
    expect(running?.heard).toEqual([`CAPA\r\nAUTH XOAUTH2\r\n${sasl}\r\nSTAT\r\nQUIT\r\n`]);
  });

  test('over STLS asks again inside and hears nothing secret before', async () => {
    const result = await against(politely(clear), { security: 'starttls' });
    expect(result.stages.map((s) => `${s.name} ${s.state}`)).toEqual(
      ['token', 'dns', 'connect', 'greeting', 'capability', 'tls', 'auth', 'mailbox', 'quit'].map((name) => `${name} ok`),
    );
    expect(heard()).toMatch(/^CAPA\r\nSTLS\r\n[\s\S]*CAPA\r\nAUTH XOAUTH2\r\n/);
  });
});

describe('before the sign-in', () => {
  const drip: Script = async (peer) => {
    for (const c of '+OK one byte at a time, and never the end of the line, as it goes on') {
      peer.send(c);
      await new Promise((done) => setTimeout(done, 60));
    }
    await peer.hang();
  };
  const endless: Script = async (peer) => {
    peer.send('+OK ready\r\n');
    await peer.line();
    peer.send('+OK\r\n');
    for (let i = 0; i < 40; i++) peer.send('ENDLESS CAPABILITY\r\n'.repeat(2_000));
    await peer.hang();
  };
  const cases: [string, string, Script, More?][] = [
    ['no greeting', 'greeting: mail-stage-timeout 5', (peer) => peer.hang(), { lateIn: 'greeting' }],
    ['half a greeting, then the end', 'greeting: connection-closed 5', async (peer) => peer.send('+OK rea')],
    ['a greeting of a megabyte', 'greeting: pop-protocol 1', politely({ greeting: `+OK ${'x'.repeat(1_048_576)}\r\n` })],
    ['a byte now and then', 'greeting: mail-stage-timeout 5', drip, { lateIn: 'greeting' }],
    [
      'a greeting of a megabyte without an end',
      'greeting: pop-protocol 1',
      (peer) => {
        peer.send('x'.repeat(1_048_576));
        return peer.hang();
      },
    ],
    ['the end at once', 'tls: connection-closed 5', async () => {}],
    ['a greeting of another protocol', 'greeting: pop-protocol 1', politely({ greeting: `* OK ${escapes}\r\n` })],
    ['-ERR', 'greeting: pop-greeting-refused 5', politely({ greeting: `-ERR ${escapes} Connection is closed. 21\r\n` })],
    ['the end at CAPA', 'capability: connection-closed 5', answer({ CAPA: 'CLOSE' })],
    ['half a line of CAPA, then the end', 'capability: connection-closed 5', async (peer) => peer.send('+OK ready\r\n+OK\r\nSASL XOAU')],
    ['silence in CAPA', 'capability: mail-stage-timeout 5', answer({ CAPA: '+OK\r\nUIDL\r\n' }), { lateIn: 'capability' }],
    ['-ERR to CAPA', 'capability: pop-protocol 1', answer({ CAPA: `-ERR ${escapes}\r\n` })],
    ['+ to CAPA', 'capability: pop-protocol 1', answer({ CAPA: `+ ${escapes}\r\n` })],
    ['lines without end', 'capability: pop-protocol 1', endless],
    ['no XOAUTH2', 'capability: pop-no-xoauth2 1', politely({ capabilities: ['SASL PLAIN', `X-${escapes}`] })],
  ];
  test.each(cases)('%s → %s', async (_, expected, script, more) => {
    expect(verdict(await against(script, more))).toBe(expected);
    expect(heard()).not.toContain('AUTH');
  });

  test('an authority that is not ours ends the test before a byte of POP3', async () => {
    expect(verdict(await against(politely(), { ctx: contextOf(createNetwork({ env: {} })) }))).toBe('tls: tls-untrusted 1');
    expect(heard()).not.toContain('CAPA');
  });
});

describe('STLS', () => {
  const cases: [string, string, Script][] = [
    ['is not offered', 'capability: mail-no-starttls 1', politely()],
    ['is refused', 'tls: mail-no-starttls 1', answer({ STLS: `-ERR ${escapes}\r\n` }, clear)],
    ['is followed by bytes in clear', 'tls: mail-starttls-injection 1', answer({ STLS: '+OK begin\r\n+OK x\r\n' }, clear)],
    ['ends in a hang-up', 'tls: connection-closed 5', answer({ STLS: 'CLOSE' }, clear)],
    ['offers no XOAUTH2 inside', 'auth: pop-no-xoauth2 1', politely({ ...clear, secured: ['SASL PLAIN'] })],
  ];
  test.each(cases)('%s → %s', async (_, expected, script) => {
    expect(verdict(await against(script, { security: 'starttls' }))).toBe(expected);
    expect(heard()).not.toContain('AUTH');
  });
});

describe('the sign-in and after', () => {
  const exchange = '-ERR Authentication failure: unknown user name or bad password.\r\n';
  const cases: [string, string, Script, More?][] = [
    ["Exchange's refusal", 'auth: pop-authenticate-failed 4', answer({ TOKEN: exchange })],
    [
      'with escapes and the token',
      'auth: pop-authenticate-failed 4',
      answer({ TOKEN: `-ERR [AUTH] ${escapes} ${token.reveal()} ${sasl}\r\n` }),
    ],
    ['a challenge with JSON', 'auth: pop-authenticate-failed 4', answer({ TOKEN: `+ ${challengeJson}\r\n`, EMPTY: '-ERR [AUTH] no\r\n' })],
    ['a challenge without end', 'auth: pop-protocol 1', answer({ TOKEN: '+ bm8=\r\n', EMPTY: '+ bm8=\r\n' })],
    ['a challenge, then yes', 'auth: pop-protocol 1', answer({ TOKEN: '+ bm8=\r\n', EMPTY: '+OK fine\r\n' })],
    ['the mechanism refused', 'auth: pop-authenticate-failed 4', answer({ AUTH: '-ERR no\r\n' })],
    ['yes before the token', 'auth: pop-protocol 1', answer({ AUTH: '+OK fine\r\n' })],
    ['an answer that is none', 'auth: pop-protocol 1', answer({ TOKEN: `235 ${escapes}\r\n` })],
    ['a line of a megabyte', 'auth: pop-protocol 1', answer({ TOKEN: `+OK ${'x'.repeat(1_048_576)}\r\n` })],
    ['temporary', 'auth: mail-server-busy 5', answer({ TOKEN: '-ERR [SYS/TEMP] later\r\n' })],
    ['in use', 'auth: mail-server-busy 5', answer({ TOKEN: '-ERR [IN-USE] somebody else reads\r\n' })],
    ['too often', 'auth: throttled 5', answer({ TOKEN: '-ERR [LOGIN-DELAY] wait\r\n' })],
    ['throttling', 'auth: throttled 5', answer({ TOKEN: '-ERR Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n' })],
    ['switched off', 'auth: pop-disabled 6', answer({ TOKEN: '-ERR [SYS/PERM] POP3 access is disabled for this account\r\n' })],
    ['the end', 'auth: mail-connection-closed-during-auth 5', answer({ TOKEN: 'CLOSE' })],
    ['silence', 'auth: mail-stage-timeout 5', answer({ TOKEN: 'SILENCE' }), { lateIn: 'auth' }],
    ['not connected', 'mailbox: pop-disabled 6', answer({ STAT: '-ERR User is authenticated but not connected.\r\n' })],
    ['STAT refused', 'mailbox: mailbox-unavailable 6', answer({ STAT: `-ERR ${escapes}\r\n` })],
    ['STAT without a number', 'mailbox: pop-protocol 1', answer({ STAT: '+OK many\r\n' })],
    ['the end at STAT', 'mailbox: connection-closed 5', answer({ STAT: 'CLOSE' })],
    ['silence at QUIT', 'quit: mail-stage-timeout 5', answer({ QUIT: 'SILENCE' }), { lateIn: 'quit' }],
    ['-ERR to QUIT', 'quit: pop-protocol 1', answer({ QUIT: '-ERR some deleted messages not removed\r\n' })],
  ];
  test.each(cases)('%s → %s', async (_, expected, script, more) => {
    expect(verdict(await against(script, more))).toBe(expected);
  });

  test('what the server said is in the detail, with what its challenge said', async () => {
    const result = await against(answer({ TOKEN: `+ ${challengeJson}\r\n`, EMPTY: '-ERR [AUTH] Authentication failed.\r\n' }));
    expect(result.error?.detail.reply).toBe('[AUTH] Authentication failed. · 401red');
    expect(heard()).toContain(`${sasl}\r\n\r\n`);
  });

  test('the switch of the mailbox is the line for the administrator', async () => {
    const off = answer({ STAT: '-ERR User is authenticated but not connected.\r\n' });
    expect(adminOf((await against(off)).diagnosis)).toBe(`Set-CASMailbox -Identity ${user} -PopEnabled $true`);
    await running?.stop();
    expect(adminOf((await against(off, { signInAs: 'kim@contoso.example' })).diagnosis)).toContain('-AccessRights FullAccess');
  });

  test('the token is looked at before the server is blamed', async () => {
    const good = { opaque: false, audience: 'https://outlook.office.com', scopes: ['IMAP.AccessAsUser.All'], username: user };
    const result = await against(answer({ TOKEN: exchange }), { claims: () => good });
    expect(result.error).toMatchObject({ code: 'mail-token-scope', title: 'The token does not contain POP.AccessAsUser.All' });
  });

  test('Ctrl-C in the middle rejects with its reason', async () => {
    const controller = new AbortController();
    const reason = new Error('ctrl-c');
    const script: Script = async (peer) => {
      peer.send('+OK ready\r\n');
      await peer.line();
      controller.abort(reason);
      await peer.hang();
    };
    await expect(against(script, { ctx: contextOf(undefined, controller.signal) })).rejects.toBe(reason);
  });
});
