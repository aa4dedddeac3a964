import { createServer, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { Closable } from './listen.ts';

/** A certificate and its private key, as PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const handshakeTimeoutMs = 10_000;
const contexts = new Map<string, SecureContext>();

/**
 * The server side of TLS on an open connection. Reading a key and a certificate takes longer than everything else that a server does at
 * its start, so it is done once for each certificate, and only when a client connects: most commands use one server of five.
 */
export function secured(raw: Socket, certificate: Certificate): TLSSocket {
  const secureContext = contexts.get(certificate.cert) ?? createSecureContext({ ...certificate, minVersion: 'TLSv1.2' });
  contexts.set(certificate.cert, secureContext);
  return new TLSSocket(raw, { isServer: true, secureContext });
}

/** A server that speaks TLS from the first byte, and hands over each connection once its handshake is done. */
export function tlsServer(certificate: Certificate, onSecure: (socket: TLSSocket) => void): Closable {
  return socketServer((raw) => {
    const socket = secured(raw, certificate);
    socket.setTimeout(handshakeTimeoutMs, () => socket.destroy());
    // A client that does not trust the certificate breaks the handshake off. That is no error of the sandbox.
    socket.on('error', () => socket.destroy());
    socket.once('secure', () => {
      socket.setTimeout(0).removeAllListeners('timeout');
      onSecure(socket);
    });
  });
}

/** A server that knows its connections, so that it can be closed at once. */
export function socketServer(onSocket: (socket: Socket) => void): Closable {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => socket.destroy());
    onSocket(socket);
  });
  return {
    server,
    drop: () => {
      for (const socket of open) socket.destroy();
    },
  };
}
