import type { Socket } from 'node:net';
import type { Breakage, ConnectionFault } from './faults/faults-connection.ts';
import type { Closable } from './server/listen.ts';
import { type Certificate, socketServer, tlsServer } from './server/tls-server.ts';
import { makeCertificates } from './tenant/authority.ts';

const name = 'mailauth sandbox authority of a fault';
const dayMs = 86_400_000;
const twoMegabytes = 2 * 1024 * 1024;

/** The certificate of a fault, and the authority that signed it. Undefined if the fault is not about certificates. */
export async function faultyCertificate({ how }: ConnectionFault, now: number): Promise<(Certificate & { ca?: string }) | undefined> {
  switch (how) {
    case 'expired':
      return makeCertificates(now, { leafEnds: now - dayMs / 2, name });
    case 'other-host':
      return makeCertificates(now, { host: 'elsewhere.contoso.example', name });
    case 'untrusted': {
      const { cert, key } = await makeCertificates(now, { name });
      return { cert, key };
    }
    default:
      return undefined;
  }
}

/** A server that misbehaves on each connection. Undefined if this fault leaves the real server at work. */
export function brokenServer(how: Breakage, tls: Certificate): Closable | undefined {
  const act = acts[how];
  if (act === undefined) return undefined;
  return how === 'no-http' || how === 'too-much' ? tlsServer(tls, act) : socketServer(act);
}

const acts: Readonly<Partial<Record<Breakage, (socket: Socket) => void>>> = {
  'no-tls': (socket) => socket.end('* OK ready, and in clear\r\n'),
  closed: (socket) => socket.destroy(),
  // What arrives is read and dropped. Unread, it would hide that the client has closed the connection.
  silent: (socket) => socket.resume(),
  'no-http': (socket) => socket.once('data', () => socket.end('220 this is no web server\r\n')),
  'too-much': (socket) =>
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${twoMegabytes}\r\n\r\n`);
      socket.end(' '.repeat(twoMegabytes));
    }),
};
