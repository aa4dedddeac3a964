import { createServer as createTcp, type Socket } from 'node:net';
import { createSecureContext, createServer as createTls, type SecureContext, TLSSocket } from 'node:tls';
import type { Closable } from '../listen.ts';

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
  readonly tls: { readonly cert: string; readonly key: string };
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
  const open = new Set<Socket>();
  let context: SecureContext | undefined;
  const upgrade = (raw: Socket): TLSSocket => {
    // Made when first needed: a sandbox that nobody sends through starts without it.
    context ??= createSecureContext({ ...tls, minVersion: 'TLSv1.2' });
    return new TLSSocket(raw, { isServer: true, secureContext: context });
  };
  const greet = (socket: Socket): void => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
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
          talk(upgrade(socket), one);
          return;
        }
      }
      if (waiting.length > lineLimit && !socket.writableEnded) socket.end(`${tooLong}\r\n`);
    };
    socket.on('data', onData);
  };
  const server = security === 'tls' ? createTls({ ...tls, minVersion: 'TLSv1.2', handshakeTimeout: 10_000 }, greet) : createTcp(greet);
  // A client that does not trust us breaks the handshake off: its business, not an error of ours.
  server.on('tlsClientError', () => undefined);
  return {
    server,
    drop: () => {
      for (const socket of open) socket.destroy();
    },
  };
}
