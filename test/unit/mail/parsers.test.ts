import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MailHost } from '../../../src/core/cloud.ts';
import type { Network } from '../../../src/core/context.ts';
import { MailauthError } from '../../../src/core/errors.ts';
import { Secret } from '../../../src/core/secret.ts';
import { problem } from '../../../src/errors/problem.ts';
import { imapPreflight } from '../../../src/mail/imap-preflight.ts';
import { readLines } from '../../../src/mail/lines.ts';
import { PopRefusal, popSession } from '../../../src/mail/pop-session.ts';
import { smtpPreflight } from '../../../src/mail/smtp-preflight.ts';
import type { StageWork } from '../../../src/mail/stages.ts';
import { systemClock } from '../../../src/system/clock-and-random.ts';

const host: MailHost = { host: 'mail.example', port: 993, security: 'tls' };
const signal = new AbortController().signal;
const unreadable = (what: string) => problem('pop-protocol', { host: host.host, port: host.port, what });

/** A server that sends these pieces and hangs up, whatever it is told. */
function played(pieces: readonly (Buffer | string)[]): Socket {
  const left = pieces.map((piece) => Buffer.from(piece)).filter((piece) => piece.length > 0);
  const duplex = new Duplex({
    read() {
      this.push(left.shift() ?? null);
    },
    write: (_chunk, _encoding, done) => done(),
  });
  const tls = { getProtocol: () => 'TLSv1.3', getPeerCertificate: () => ({}), remoteAddress: '127.0.0.1' };
  return Object.assign(duplex, tls) as unknown as Socket;
}

const networkOf = (socket: Socket): Network =>
  ({
    connect: async () => socket,
    secure: async () => socket as TLSSocket,
    proxyFor: () => undefined,
  }) as unknown as Network;

/** Runs the stages until one fails; what they say, and the failure. */
async function stagesOf(work: readonly StageWork[]): Promise<{ said: readonly string[]; failure: unknown }> {
  const said: string[] = [];
  try {
    for (const one of work) said.push(await one(signal));
    return { said, failure: undefined };
  } catch (failure) {
    return { said, failure };
  }
}

const sent = (error: unknown): string => (error instanceof MailauthError ? JSON.stringify({ ...error, message: error.message }) : '');
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const controls = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]|\\u00[01]/;

/** Lines such as a server could send: protocol words, junk, escape sequences, in any order. */
const words = fc.constantFrom(
  '* OK',
  'm1 OK',
  'm2 OK',
  'm1 NO',
  'm1 BAD',
  '* CAPABILITY',
  'AUTH=XOAUTH2',
  '+',
  '+ ',
  '+OK',
  '-ERR',
  '.',
  'SASL XOAUTH2',
  '220',
  '250-',
  '250 ',
  '250-AUTH XOAUTH2',
  '334 ',
  '421 4.3.2',
  '* BYE',
  '* PREAUTH',
  '\x1b[31m',
  '\x1b]0;t\x07',
  '\u202e',
  '{12}',
  '',
  '[AUTH]',
  '535 5.7.3',
);
const line = fc.array(fc.oneof(words, fc.string({ maxLength: 20 })), { maxLength: 4 }).map((parts) => parts.join(' '));
const bytes = fc.oneof(
  fc.array(line, { maxLength: 12 }).map((lines) => [Buffer.from(lines.map((l) => `${l}\r\n`).join(''))]),
  fc.array(
    fc.uint8Array({ maxLength: 80 }).map((b) => Buffer.from(b)),
    { maxLength: 6 },
  ),
);

describe('the line reader', () => {
  test('gives the same lines however the bytes are cut', async () => {
    const text = fc.array(
      fc.string({ maxLength: 40 }).map((s) => s.replace(/[\r\n]/g, '')),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(400), { maxLength: 10 }), async (lines, cuts) => {
        const whole = Buffer.from(lines.map((l) => `${l}\r\n`).join(''));
        const at = [0, ...cuts.map((c) => c % (whole.length + 1)).sort((a, b) => a - b), whole.length];
        const reader = readLines(played(at.slice(1).map((end, i) => whole.subarray(at[i], end))), host, unreadable);
        const read: string[] = [];
        for (const _ of lines) read.push(await reader.next(signal));
        expect(read).toEqual(lines);
        await expect(reader.next(signal)).rejects.toMatchObject({ code: 'connection-closed' });
      }),
    );
  });
});

describe('whatever a server sends', () => {
  const protocols: readonly [string, (socket: Socket) => readonly StageWork[]][] = [
    ['IMAP', (s) => forStages(imapPreflight(networkOf(s), systemClock, host))],
    ['SMTP', (s) => forStages(smtpPreflight(networkOf(s), systemClock, host))],
    ['POP', (s) => forStages(popSession(networkOf(s), systemClock, host))],
  ];
  const forStages = (p: Record<'connect' | 'tls' | 'greeting' | 'capability', StageWork>) => [p.connect, p.tls, p.greeting, p.capability];

  test.each(protocols)(
    '%s: greeting and capabilities are read, or refused in our own words, without its control characters',
    async (_, stages) => {
      await fc.assert(
        fc.asyncProperty(bytes, async (pieces) => {
          const { said, failure } = await stagesOf(stages(played(pieces)));
          if (failure !== undefined) expect(failure).toBeInstanceOf(MailauthError);
          expect(said.join('')).not.toMatch(controls);
          expect(sent(failure)).not.toMatch(controls);
        }),
      );
    },
  );

  test('POP: any SASL challenge ends in a refusal or an error of ours, and never in a sign-in', async () => {
    const challenge = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.base64String({ maxLength: 80 }),
      fc.json().map((json) => Buffer.from(json).toString('base64')),
      fc.record({ status: fc.anything(), error: fc.string() }).map((o) => Buffer.from(JSON.stringify(o) ?? '').toString('base64')),
    );
    await fc.assert(
      fc.asyncProperty(challenge, fc.constantFrom('-ERR no', '-ERR \x1b[31mno', '+OK', '+ more', ''), async (said, last) => {
        const body = `+OK hi\r\n+OK\r\nSASL XOAUTH2\r\n.\r\n+ \r\n+ ${said.replace(/[\r\n]/g, '')}\r\n${last}\r\n`;
        const pop = popSession(networkOf(played([body])), systemClock, host);
        const { failure } = await stagesOf([pop.connect, pop.tls, pop.greeting, pop.capability]);
        expect(failure).toBeUndefined();
        const ended: unknown = await pop.signIn('a@b.example', new Secret('t'.repeat(40)), signal).then(
          () => 'signed in',
          (cause: unknown) => cause,
        );
        expect(ended instanceof PopRefusal || ended instanceof MailauthError).toBe(true);
        if (ended instanceof PopRefusal) expect(ended.reply).not.toMatch(controls);
      }),
    );
  });
});
