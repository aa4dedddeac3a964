import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { MailHost } from '../../../src/core/cloud.ts';
import { MailauthError } from '../../../src/core/errors.ts';
import { type Letter, submit, type Taken } from '../../../src/sending/submission.ts';
import { asSysExit } from '../../../src/sending/sysexits.ts';
import { systemClock } from '../../../src/system/clock-and-random.ts';
import { type Authority, authority, type Peer, type ScriptedServer, scriptedServer, trustingNetwork } from '../mail/imap-server.ts';
import { token, user } from '../mail/verdict.ts';

let tls: Authority;
let running: ScriptedServer | undefined;
beforeAll(async () => {
  tls = await authority();
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

const all = ['SIZE 100000', '8BITMIME', 'SMTPUTF8', 'AUTH XOAUTH2'];
const normal: Readonly<Record<string, string>> = {
  STARTTLS: '220 go',
  AUTH: '334 ',
  MAIL: '250 ok',
  RCPT: '250 ok',
  DATA: '354 go',
  '.': '250 2.0.0 OK',
  QUIT: '221 bye',
};

interface Server {
  readonly offers?: readonly string[];
  /** by the command's first word, or the whole line; `CLOSE` hangs up, `SILENCE` says nothing */
  readonly says?: Readonly<Record<string, string>>;
  readonly security?: MailHost['security'];
}

/** What the server heard of the message, between 354 and the dot. */
let message: string[] = [];

async function hear(peer: Peer, end = '250 2.0.0 OK'): Promise<string> {
  message = [];
  for (let next = await peer.line(); next !== '.'; next = await peer.line()) message.push(next);
  if (end !== 'CLOSE' && end !== 'SILENCE') peer.send(`${end}\r\n`);
  return end;
}

async function talk(peer: Peer, { offers = all, says = {} }: Server, isSecure: boolean): Promise<void> {
  const extensions = isSecure ? offers : ['STARTTLS'];
  for (;;) {
    const line = await peer.line();
    const [verb = ''] = line.split(' ');
    const ehlo = ['250-hello', ...extensions.map((one, i) => `250${i < extensions.length - 1 ? '-' : ' '}${one}`)].join('\r\n');
    const reply = says[line] ?? says[verb] ?? (verb === 'EHLO' ? ehlo : normal[verb]) ?? '235 ok';
    if (reply === 'CLOSE') return;
    if (reply !== 'SILENCE') peer.send(`${reply}\r\n`);
    if (reply.startsWith('354') && (await hear(peer, says['.'])) === 'CLOSE') return;
    if (verb === 'STARTTLS' && reply.startsWith('220')) {
      peer.startTls();
      return talk(peer, { offers, says }, true);
    }
  }
}

async function submitted(letter: Partial<Letter> = {}, server: Server = {}): Promise<Taken> {
  const { security = 'starttls' } = server;
  running = await scriptedServer(security, tls, async (peer) => {
    peer.send('220-hello\r\n220 there\r\n');
    await talk(peer, server, security === 'tls');
  });
  const { host, port } = running.host;
  return submit(
    { sender: user, recipients: ['ada@x.y'], bytes: Buffer.from('Subject: x\r\n\r\nhello\r\n'), ...letter },
    {
      ctx: { network: trustingNetwork(tls), clock: systemClock, signal: new AbortController().signal },
      host: running.host,
      user,
      token,
      timeoutMs: 2_000,
      answerMs: 300,
      attempt: { mailbox: user, user, protocol: 'smtp', host, port, tokenLength: token.length },
    },
  );
}

async function refusal(letter: Partial<Letter>, server: Server): Promise<string> {
  const error: unknown = await submitted(letter, server).then(
    () => 'taken',
    (cause: unknown) => cause,
  );
  if (!(error instanceof MailauthError)) return String(error);
  expect(JSON.stringify(error)).not.toContain(token.reveal());
  return `${error.code} ${asSysExit(error).exit}`;
}

const commands = () => (running?.heard.join('') ?? '').split('\r\n').filter((line) => /^(?:MAIL|RCPT)/.test(line));

describe('a submission', () => {
  it.each(['tls', 'starttls'] as const)('over %s hands the message over, its dots doubled', async (security) => {
    const bytes = Buffer.from('Subject: x\r\n\r\n.\r\n..\r\nx.\r\n');
    expect(await submitted({ bytes, recipients: ['ada@x.y', 'bob@x.y'] }, { security })).toEqual({
      accepted: ['ada@x.y', 'bob@x.y'],
      refused: [],
      reply: '250 2.0.0 OK',
    });
    expect(message).toEqual(['Subject: x', '', '..', '...', 'x.']);
  });

  it('tells the server what the message needs of it', async () => {
    await submitted({ bytes: Buffer.from('Subject: \xe9\r\n\r\n', 'latin1'), recipients: ['jürgen@x.y'], sender: '' });
    expect(Buffer.from(commands().join('\n'), 'latin1').toString('latin1')).toMatch(
      /^MAIL FROM:<> SIZE=14 BODY=8BITMIME SMTPUTF8\nRCPT TO:<j/,
    );
  });

  it('says nothing that the server does not offer', async () => {
    await submitted({}, { offers: ['AUTH XOAUTH2'] });
    expect(commands()).toEqual([`MAIL FROM:<${user}>`, 'RCPT TO:<ada@x.y>']);
  });

  it.each<[string, Partial<Letter>, Server, string]>([
    ['8 bits, and no 8BITMIME', { bytes: Buffer.from([233, 13, 10]) }, { offers: ['AUTH XOAUTH2'] }, 'send-extension-missing 69'],
    ['an address that is not ASCII, and no SMTPUTF8', { recipients: ['ü@x.y'] }, { offers: ['AUTH XOAUTH2'] }, 'send-extension-missing 69'],
    ['larger than SIZE', { bytes: Buffer.alloc(200_000, 97) }, {}, 'send-too-large 65'],
    ['no XOAUTH2', {}, { offers: ['AUTH LOGIN'] }, 'smtp-no-xoauth2 69'],
    [
      'the sender',
      {},
      { says: { MAIL: '550 5.7.60 SMTP; Client does not have permissions to send as this sender' } },
      'smtp-send-as-denied 77',
    ],
    ['the only recipient', {}, { says: { RCPT: '550 5.1.1 unknown' } }, 'send-recipients-refused 67'],
    [
      'a recipient for now',
      { recipients: ['a@x.y', 'b@x.y'] },
      { says: { 'RCPT TO:<b@x.y>': '450 4.2.1 busy' } },
      'send-recipients-later 75',
    ],
    ['DATA', {}, { says: { DATA: '554 5.5.1 no valid recipients' } }, 'smtp-not-accepted 69'],
    ['the message for its content', {}, { says: { '.': '554 5.6.0 bad content' } }, 'smtp-not-accepted 65'],
    ['the message for its size', {}, { says: { '.': '552 5.3.4 Message size exceeds fixed maximum message size' } }, 'smtp-too-large 65'],
    ['the message for now', {}, { says: { '.': '451 4.7.0 later' } }, 'mail-server-busy 75'],
    ['the connection, and ends it', {}, { says: { EHLO: '421 4.3.2 not now' } }, 'smtp-greeting-refused 75'],
    ['by hanging up before the message', {}, { says: { DATA: 'CLOSE' } }, 'connection-closed 75'],
    ['by silence before the message', {}, { says: { MAIL: 'SILENCE' } }, 'mail-stage-timeout 75'],
    ['by hanging up after the message', {}, { says: { '.': 'CLOSE' } }, 'send-answer-lost 75'],
    ['by silence after the message', {}, { says: { '.': 'SILENCE' } }, 'send-answer-lost 75'],
    ['by nonsense after the message', {}, { says: { '.': 'hello?' } }, 'send-answer-lost 75'],
  ])('is refused: %s', async (_, letter, server, expected) => {
    expect(await refusal(letter, server)).toBe(expected);
  });

  it('is over when the server has the message, whatever becomes of the goodbye', async () => {
    for (const QUIT of ['CLOSE', 'SILENCE', '500 what?']) expect((await submitted({}, { says: { QUIT } })).accepted).toEqual(['ada@x.y']);
  });

  it('sends nothing where one recipient is refused for now', async () => {
    message = [];
    await refusal({ recipients: ['a@x.y', 'b@x.y'] }, { says: { 'RCPT TO:<b@x.y>': '450 4.2.1 busy' } });
    expect([message, running?.heard.join('').includes('DATA')]).toEqual([[], false]);
  });

  it('sends to the others where one is refused for good', async () => {
    const { accepted, refused } = await submitted({ recipients: ['a@x.y', 'b@x.y'] }, { says: { 'RCPT TO:<a@x.y>': '550 5.1.1 unknown' } });
    expect([accepted, refused]).toEqual([['b@x.y'], [{ recipient: 'a@x.y', reply: '550 5.1.1 unknown' }]]);
  });
});
