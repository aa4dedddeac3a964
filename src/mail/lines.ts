import type { Socket } from 'node:net';
import type { MailHost } from '../core/cloud.ts';
import type { MailauthError } from '../core/errors.ts';
import { networkProblem } from '../errors/network-problem.ts';
import { problem } from '../errors/problem.ts';

/** No mail protocol needs longer lines before the sign-in, and a hostile server must not fill the memory. */
const maxLineBytes = 64 * 1024;
const maxAnswerBytes = 1024 * 1024;

/** Lines from a mail server that may be slow, endless or lying. The socket is read only while a caller waits for a line. */
export interface Lines {
  /** starts a new answer: its lines together may be 1 MiB */
  send(line: string): void;
  /** bytes as they are; resolves when the socket can take more. Rejects as `next` does */
  write(bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** the next line without its end; rejects with a `MailauthError`, or with the signal's reason */
  next(signal: AbortSignal): Promise<string>;
  /** true when the server has sent more than the caller has read */
  hasMore(): boolean;
  /** stops reading from the socket, for the TLS handshake */
  release(): Socket;
}

/** `unreadable` says in the protocol's own words that an answer makes no sense. */
export function readLines(socket: Socket, host: MailHost, unreadable: (what: string) => MailauthError): Lines {
  let buffer: Buffer = Buffer.alloc(0);
  let answerBytes = 0;
  let ended = false;
  let failure: unknown;
  let wake = (): void => {};
  const onReadable = (): void => wake();
  const onEnd = (): void => {
    ended = true;
    wake();
  };
  const onError = (cause: unknown): void => {
    failure = cause;
    onEnd();
  };
  socket.on('readable', onReadable).on('end', onEnd).on('close', onEnd).on('error', onError);

  const pull = (): boolean => {
    const chunk: unknown = socket.read();
    if (!Buffer.isBuffer(chunk)) return false;
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
    return true;
  };

  const takeLine = (): string | undefined => {
    const end = buffer.indexOf(10);
    if (end > maxLineBytes || (end < 0 && buffer.length > maxLineBytes)) throw unreadable('one line is longer than 64 KiB');
    if (end < 0) return undefined;
    answerBytes += end + 1;
    if (answerBytes > maxAnswerBytes) throw unreadable('one answer is longer than 1 MiB');
    const line = buffer.subarray(0, end).toString('utf8');
    buffer = buffer.subarray(end + 1);
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  };

  return {
    send(line) {
      answerBytes = 0;
      if (socket.writable) socket.write(`${line}\r\n`);
    },
    async write(bytes, signal) {
      answerBytes = 0;
      signal.throwIfAborted();
      if (ended || !socket.writable) throw closed(failure, host);
      if (socket.write(bytes)) return;
      let drained = false;
      socket.once('drain', () => {
        drained = true;
        wake();
      });
      while (!drained) {
        if (ended) throw closed(failure, host);
        await woken(signal, (resume) => {
          wake = resume;
        });
      }
    },
    async next(signal) {
      for (;;) {
        signal.throwIfAborted();
        const line = takeLine();
        if (line !== undefined) return line;
        if (pull()) continue;
        if (ended) throw closed(failure, host);
        await woken(signal, (resume) => {
          wake = resume;
        });
      }
    },
    hasMore: () => buffer.length > 0 || pull(),
    release() {
      socket.off('readable', onReadable).off('end', onEnd).off('close', onEnd);
      return socket;
    },
  };
}

function closed(cause: unknown, { host, port }: MailHost): Error {
  const where = { host, port, purpose: 'the mail server' };
  return cause === undefined ? problem('connection-closed', where) : networkProblem(cause, where);
}

/** Resolves when `resume`, which it hands out, is called; rejects with the signal's reason. */
function woken(signal: AbortSignal, handOut: (resume: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    handOut(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
  });
}
