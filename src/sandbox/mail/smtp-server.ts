import { Buffer } from 'node:buffer';
import type { Closable } from '../server/listen.ts';
import type { Service } from '../server/service.ts';
import type { Certificate } from '../server/tls-server.ts';
import { mayUse } from '../tenant/exchange.ts';
import type { State } from '../tenant/state-schema.ts';
import { type LineReply, type LineSession, lineServer } from './line-server.ts';
import { judgeXoauth2, withFault } from './mail-sign-in.ts';

const host = 'SANDBOX0001.contoso.example';
const say = (...lines: string[]): LineReply => ({ lines });
const notSignedIn = say(`530 5.7.57 Client not authenticated to send mail. [${host}]`);
const badSequence = say('503 5.5.1 Bad sequence of commands');
const mostBytes = 157_286_400;

/** The submission server of the sandbox: STARTTLS, XOAUTH2 only. Mail to every recipient is accepted, kept in the sandbox's folder, and delivered to nobody. */
export function smtpServer(service: Service, tls: Certificate): Closable {
  return lineServer({
    tls,
    security: 'starttls',
    session: async () => {
      const state = await service.state.read();
      return withFault('smtp', { fault: service.fault, state }, session(service, state));
    },
    tooLong: '500 5.5.2 Line too long',
  });
}

/** One SMTP connection (RFC 5321, RFC 3207, RFC 4954) with the words of Exchange Online. */
function session(service: Service, state: State): LineSession {
  let secure = false;
  let greeted = false;
  let user: string | undefined;
  let sender: string | undefined;
  let recipients: string[] = [];
  /** reads the next line when it is not a command */
  let pending: ((line: string) => LineReply) | undefined;
  let isMessage = false;

  const forget = (): void => {
    sender = undefined;
    recipients = [];
  };

  const hello = (name: string): LineReply => {
    if (name === '') return say('501 5.5.4 Invalid domain name');
    greeted = true;
    forget();
    const offered = [
      `SIZE ${mostBytes}`,
      'PIPELINING',
      'DSN',
      'ENHANCEDSTATUSCODES',
      secure ? 'AUTH LOGIN XOAUTH2' : 'STARTTLS',
      '8BITMIME',
    ];
    return say(`250-${host} Hello [127.0.0.1]`, ...offered.map((e) => `250-${e}`), '250 SMTPUTF8');
  };

  const signIn = (response: string): LineReply => {
    if (response === '*') return say('501 5.7.0 Authentication cancelled');
    user = judgeXoauth2(service, state, response, 'SMTP.Send');
    return user === undefined ? say(`535 5.7.3 Authentication unsuccessful [${host}]`) : say('235 2.7.0 Authentication successful');
  };

  const authenticate = (rest: string): LineReply => {
    if (!secure) return say('530 5.7.0 Must issue a STARTTLS command first');
    if (user !== undefined) return badSequence;
    const [mechanism = '', response] = rest.split(' ');
    if (mechanism.toUpperCase() === 'LOGIN')
      return say(`535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [${host}]`);
    if (mechanism.toUpperCase() !== 'XOAUTH2') return say('504 5.7.4 Unrecognized authentication type');
    if (response !== undefined) return signIn(response);
    pending = signIn;
    return say('334 ');
  };

  const mailFrom = (rest: string): LineReply => {
    if (user === undefined) return notSignedIn;
    if (sender !== undefined) return badSequence;
    const address = /^FROM: ?<([^<>\s]*)>(?: |$)/i.exec(rest)?.[1];
    if (address === undefined) return say('501 5.1.7 Invalid address');
    if (!mayUse(state, service.fault, user, address, 'SendAs')) {
      return say('550 5.7.60 SMTP; Client does not have permissions to send as this sender');
    }
    sender = address;
    return say('250 2.1.0 Sender OK');
  };

  const data = (): LineReply => {
    if (sender === undefined || recipients.length === 0) return badSequence;
    const lines: string[] = [];
    let bytes = 0;
    const collect = (line: string): LineReply => {
      if (line === '.') return taken(lines, bytes);
      bytes += line.length + 2;
      // A dot at the start was doubled by the client (RFC 5321 section 4.5.2).
      if (bytes <= mostBytes) lines.push(line.startsWith('.') ? line.slice(1) : line);
      pending = collect;
      isMessage = true;
      return say();
    };
    pending = collect;
    isMessage = true;
    return say('354 Start mail input; end with <CRLF>.<CRLF>');
  };

  const taken = (lines: readonly string[], bytes: number): LineReply => {
    const envelope = { user: user ?? '', sender: sender ?? '', recipients: [...recipients] };
    forget();
    if (bytes > mostBytes) return say('552 5.3.4 Message size exceeds fixed maximum message size');
    const id = Buffer.from(service.ctx.random.bytes(8)).toString('hex');
    const message = Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1');
    return {
      ...say(`250 2.0.0 OK <${id}@contoso.example> [Hostname=${host}]`),
      first: () => service.outbox.keep({ via: 'smtp', ...envelope, bytes: message }),
    };
  };

  const recipient = (rest: string): LineReply => {
    if (sender === undefined) return badSequence;
    const address = /^TO: ?<((?:"[^"]*"|[^<>\s@"]+)@[^<>\s@]+)>(?: |$)/i.exec(rest)?.[1];
    if (address === undefined) return say('501 5.1.3 Invalid address');
    recipients.push(Buffer.from(address, 'latin1').toString());
    return say('250 2.1.5 Recipient OK');
  };

  const command = (verb: string, rest: string): LineReply => {
    switch (verb) {
      case 'EHLO':
      case 'HELO':
        return hello(rest);
      case 'QUIT':
        return { lines: ['221 2.0.0 Service closing transmission channel'], hangUp: true };
      case 'NOOP':
        return say('250 2.0.0 OK');
      case 'RSET':
        forget();
        return say('250 2.0.0 Resetting');
      case 'STARTTLS':
        if (secure || !greeted) return badSequence;
        secure = true;
        greeted = false;
        return { lines: ['220 2.0.0 SMTP server ready'], startTls: true };
      case 'AUTH':
        return greeted ? authenticate(rest) : badSequence;
      case 'MAIL':
        return greeted ? mailFrom(rest) : badSequence;
      case 'RCPT':
        return recipient(rest);
      case 'DATA':
        return data();
      default:
        return say('500 5.3.3 Unrecognized command');
    }
  };

  return {
    greeting: `220 ${host} Microsoft ESMTP MAIL Service ready at ${new Date(service.ctx.clock.now()).toUTCString().replace('GMT', '+0000')}`,
    takesMessage: () => isMessage,
    answer(line) {
      if (pending !== undefined) {
        const resume = pending;
        pending = undefined;
        isMessage = false;
        return resume(line);
      }
      const [, verb = '', rest = ''] = /^([A-Za-z]{4,8})(?: (.*))?$/.exec(line) ?? [];
      return command(verb.toUpperCase(), rest);
    },
  };
}
