import type { TLSSocket } from 'node:tls';
import type { Closable } from '../server/listen.ts';
import type { Service } from '../server/service.ts';
import { type Certificate, tlsServer } from '../server/tls-server.ts';
import { imapLines } from './imap-lines.ts';
import { imapSession } from './imap-server-session.ts';

const idleLimitMs = 30 * 60_000;

/** The IMAP server of the sandbox: implicit TLS, XOAUTH2 only, a small mailbox for everybody. */
export const imapServer = (service: Service, certificate: Certificate): Closable =>
  tlsServer(certificate, (socket) => talk(service, socket));

function talk(service: Service, socket: TLSSocket): void {
  const session = imapSession(service);
  const say = (lines: readonly string[]) => socket.write(lines.map((line) => `${line}\r\n`).join(''));
  const read = imapLines(() => say(['+ Ready for additional command text.']));
  socket.setTimeout(idleLimitMs, () => socket.end('* BYE Connection is closed. 13\r\n'));
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    for (const input of read(chunk)) {
      if (socket.writableEnded) return;
      if (input.kind === 'too-long') {
        socket.end('* BAD Command line too long.\r\n* BYE Connection closed. 14\r\n');
        return;
      }
      const reply = session.answer(input.line);
      say(reply.lines);
      if (reply.hangUp) socket.end();
    }
  });
  say([session.greeting]);
  if (session.hangUp) socket.end();
}
