import type { Socket } from 'node:net';
import type { Closable } from '../server/listen.ts';
import { type Certificate, secured, socketServer, tlsServer } from '../server/tls-server.ts';

/** What a session wants on the wire: lines without line ends, then perhaps TLS or the end. */
export interface LineReply {
  readonly lines: readonly string[];
  readonly hangUp?: true;
  readonly startTls?: true;
}

/** One connection of a protocol whose commands are single lines; pure apart from its own progress. */
export interface LineSession {
  readonly greeting: string;
  /** ends with its greeting */
  readonly hangUp?: true;
  answer(line: string): LineReply;
}

interface LineServerOptions {
  readonly tls: Certificate;
  /** TLS from the first byte, or when the session says so */
  readonly security: 'tls' | 'starttls';
  readonly session: () => LineSession;
  /** said before the connection ends on a line without end */
  readonly tooLong: string;
}

const idleLimitMs = 10 * 60_000;
/** Exchange tokens make lines of 3 KB; nothing a client sends here needs more than this. */
const lineLimit = 16_384;

/** A server for POP3 and SMTP submission, line by line. */
export function lineServer({ tls, security, session, tooLong }: LineServerOptions): Closable {
  const greet = (socket: Socket): void => {
    const one = session();
    socket.write(`${one.greeting}\r\n`);
    talk(socket, one);
    if (one.hangUp) socket.end();
  };
  const talk = (socket: Socket, one: LineSession): void => {
    let waiting = '';
    const say = (lines: readonly string[]): boolean => socket.write(lines.map((line) => `${line}\r\n`).join(''));
    socket.setTimeout(idleLimitMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    const onData = (chunk: Buffer): void => {
      waiting += chunk.toString('latin1');
      for (let end = waiting.indexOf('\n'); end !== -1 && end <= lineLimit && !socket.writableEnded; end = waiting.indexOf('\n')) {
        const line = waiting.slice(0, end).replace(/\r$/, '');
        waiting = waiting.slice(end + 1);
        const reply = one.answer(line);
        if (reply.lines.length > 0) say(reply.lines);
        if (reply.hangUp) socket.end();
        if (reply.startTls) {
          // What a client sent behind STARTTLS in clear is forgotten (RFC 3207 section 4.2).
          socket.off('data', onData).setTimeout(0);
          talk(secured(socket, tls), one);
          return;
        }
      }
      if (waiting.length > lineLimit && !socket.writableEnded) socket.end(`${tooLong}\r\n`);
    };
    socket.on('data', onData);
  };
  return security === 'tls' ? tlsServer(tls, greet) : socketServer(greet);
}
