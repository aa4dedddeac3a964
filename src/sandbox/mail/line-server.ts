import type { Socket } from 'node:net';
import type { Closable } from '../server/listen.ts';
import { type Certificate, secured, socketServer, tlsServer } from '../server/tls-server.ts';

/** What a session sends: lines without line ends. Then TLS may begin, or the connection may end. */
export interface LineReply {
  readonly lines: readonly string[];
  readonly hangUp?: true;
  readonly startTls?: true;
  /** done before the lines are sent; where it fails, the connection ends without them */
  readonly first?: () => Promise<void>;
}

/** A line as it came, without its end. `too-long`: longer than anything that a client has to send here. */
export type LineInput = { readonly kind: 'line'; readonly line: string } | { readonly kind: 'too-long' };

/** Cuts what arrives into lines. It keeps the beginning of the next line until the rest arrives. */
export type LineReader = (chunk: Buffer) => Iterable<LineInput>;

/** One connection of a protocol whose commands are single lines. It remembers how far the client has come, and does nothing else. */
export interface LineSession {
  readonly greeting: string;
  /** the connection ends after the greeting */
  readonly hangUp?: true;
  answer(line: string): LineReply;
  /** lines are part of a message, and not commands: only CR LF ends them, and they may have any length */
  readonly takesMessage?: () => boolean;
}

interface LineServerOptions {
  readonly tls: Certificate;
  /** TLS from the first byte, or when the session says so */
  readonly security: 'tls' | 'starttls';
  /** reads what was changed since the last connection */
  readonly session: () => Promise<LineSession>;
  /** sent before the connection ends because of a line that is too long */
  readonly tooLong: string;
  /** how lines are cut, if not at each line end; `invite` sends a line that asks the client to go on */
  readonly reader?: (invite: (line: string) => void) => LineReader;
  /** after how long a silent client is left, and what it is told */
  readonly idle?: { readonly limitMs: number; readonly says: string };
}

const idleLimitMs = 10 * 60_000;
/** Exchange tokens make lines of 3 KB. A client has no need to send longer lines than this. */
export const lineLimit = 16_384;

/** The server of IMAP, POP3 or SMTP submission around its sessions. */
export function lineServer(options: LineServerOptions): Closable {
  const greet = async (socket: Socket): Promise<void> => {
    // A client may leave before the session is there.
    socket.on('error', () => socket.destroy());
    const session = await options.session();
    socket.write(`${session.greeting}\r\n`);
    talk(socket, session, options);
    if (session.hangUp) socket.end();
  };
  const welcome = (socket: Socket): void => {
    greet(socket).catch(() => socket.destroy());
  };
  return options.security === 'tls' ? tlsServer(options.tls, welcome) : socketServer(welcome);
}

function talk(socket: Socket, session: LineSession, options: LineServerOptions): void {
  const { tls, tooLong, idle } = options;
  const reader = options.reader ?? (() => plainLines(session.takesMessage));
  const read = reader((line) => socket.write(`${line}\r\n`));
  /** what was answered, in its order */
  let answered: Promise<unknown> = Promise.resolve();
  let waits = false;
  socket.setTimeout(idle?.limitMs ?? idleLimitMs, () => (idle === undefined ? socket.destroy() : socket.end(`${idle.says}\r\n`)));
  socket.on('error', () => socket.destroy());
  const onData = (chunk: Buffer): void => {
    for (const input of read(chunk)) {
      if (socket.writableEnded) return;
      const reply: LineReply = input.kind === 'too-long' ? { lines: [tooLong], hangUp: true } : session.answer(input.line);
      const { first } = reply;
      if (first === undefined && !waits) put(socket, reply);
      else {
        waits = true;
        answered = answered.then(first).then(
          () => put(socket, reply),
          () => socket.destroy(),
        );
      }
      if (reply.startTls) {
        // What a client sent in clear after STARTTLS must be discarded (RFC 3207 section 4.2).
        socket.off('data', onData).setTimeout(0);
        talk(secured(socket, tls), session, options);
        return;
      }
    }
  };
  socket.on('data', onData);
}

function put(socket: Socket, { lines, hangUp }: LineReply): void {
  if (lines.length > 0 && !socket.writableEnded) socket.write(lines.map((line) => `${line}\r\n`).join(''));
  if (hangUp) socket.end();
}

/** Yields a line at a time, because the answer to one decides how the next is read. */
function plainLines(takesMessage: () => boolean = () => false): LineReader {
  let waiting = '';
  const nextLine = (from: number): { readonly input: LineInput; readonly end: number } | undefined => {
    if (takesMessage()) {
      const end = waiting.indexOf('\r\n', from);
      return end < 0 ? undefined : { input: { kind: 'line', line: waiting.slice(from, end) }, end: end + 2 };
    }
    const end = waiting.indexOf('\n', from);
    if ((end < 0 ? waiting.length : end) - from > lineLimit) return { input: { kind: 'too-long' }, end: waiting.length };
    return end < 0 ? undefined : { input: { kind: 'line', line: waiting.slice(from, end).replace(/\r$/, '') }, end: end + 1 };
  };
  return function* (chunk) {
    waiting += chunk.toString('latin1');
    let from = 0;
    for (let next = nextLine(0); next !== undefined; next = nextLine(from)) {
      from = next.end;
      yield next.input;
    }
    waiting = waiting.slice(from);
  };
}
