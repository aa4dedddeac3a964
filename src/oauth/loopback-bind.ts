import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { errorCode } from '../core/errors.ts';
import type { Command } from '../core/next.ts';
import { problem } from '../errors/problem.ts';

export interface BoundServers {
  readonly port: number;
  /** 127.0.0.1, and ::1 where that was possible */
  readonly hosts: readonly string[];
  /** ends every connection at once; resolves when the port is free again */
  close(): Promise<void>;
}

export type Listen = (server: Server, port: number, host: string) => Promise<void>;

/** Browsers send the cookies of every port of localhost, and a developer may have many: Node's limit of 16 KiB is too small for them. */
const maxHeaderBytes = 64 * 1024;
/**
 * A local program may open connections and send nothing, again and again. Beyond this many, one is closed to make room for the browser: the
 * oldest that has sent nothing at all, because a browser may send the head of its request in two packets.
 */
const maxSilent = 512;
/** The first byte of a TLS connection: a record of type handshake (RFC 8446 section 5.1). */
const tlsHandshake = 0x16;
const slowestRequestMs = 10_000;
const portAttempts = 10;

interface Want {
  readonly port: number | undefined;
  readonly ipv6: boolean;
  readonly again: Command;
  /** a browser that allows https only asked for a TLS connection */
  readonly onTls?: (() => void) | undefined;
}

/**
 * Listens on 127.0.0.1 and, where the machine has it, on ::1 with the same port; never on another interface.
 * `port` undefined takes a free one. Errors: `loopback-port-taken`, `loopback-refused` (both exit 1).
 */
export async function bindLoopback(handler: RequestListener, want: Want, listen: Listen = listenOn): Promise<BoundServers> {
  for (let attempt = 1; ; attempt++) {
    const sockets = new Sockets();
    const four = guardedServer(handler, sockets, want);
    try {
      await listen(four, want.port ?? 0, '127.0.0.1');
    } catch (error) {
      throw refusal(error, want);
    }
    const port = portOf(four);
    if (!want.ipv6) return bound(port, [four], ['127.0.0.1'], sockets);

    const six = guardedServer(handler, sockets, want);
    try {
      await listen(six, port, '::1');
      return bound(port, [four, six], ['127.0.0.1', '::1'], sockets);
    } catch (error) {
      // Another program owns this port on ::1, where browsers look first. It would get the answer.
      const taken = errorCode(error) === 'EADDRINUSE';
      if (!taken || (want.port === undefined && attempt === portAttempts)) return bound(port, [four], ['127.0.0.1'], sockets);
      await closeServer(four);
      if (want.port !== undefined) throw refusal(error, want);
    }
  }
}

/** Open connections, and those of them that have not sent a whole request head yet, oldest first. */
class Sockets {
  readonly open = new Set<Socket>();
  readonly silent = new Set<Socket>();

  add(socket: Socket): void {
    this.open.add(socket);
    this.silent.add(socket);
    socket.once('close', () => {
      this.open.delete(socket);
      this.silent.delete(socket);
    });
    if (this.silent.size > maxSilent) {
      const [oldest, ...others] = this.silent;
      const unspoken = [oldest, ...others].find((one) => one?.bytesRead === 0);
      (unspoken ?? oldest)?.destroy();
    }
  }
}

function guardedServer(handler: RequestListener, sockets: Sockets, { onTls }: Want): Server {
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: slowestRequestMs,
    requestTimeout: slowestRequestMs,
    connectionsCheckingInterval: 1000,
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('request', (request, response) => {
    sockets.silent.delete(request.socket);
    handler(request, response);
  });
  server.on('clientError', (error, socket) => {
    if ('rawPacket' in error && Buffer.isBuffer(error.rawPacket) && error.rawPacket[0] === tlsHandshake) onTls?.();
    if (!socket.writable) return void socket.destroy();
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy());
  });
  return server;
}

function bound(port: number, servers: readonly Server[], hosts: readonly string[], sockets: Sockets): BoundServers {
  return {
    port,
    hosts,
    async close() {
      const closing = servers.map(closeServer);
      // Not closeAllConnections() alone: it forgets connections whose request could not be parsed.
      for (const socket of sockets.open) socket.destroy();
      await Promise.all(closing);
    },
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function listenOn(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, ipv6Only: host === '::1' }, () => {
      server.off('error', reject);
      // Accepting a connection may fail later (out of file descriptors). The wait continues and ends at its deadline.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

function refusal(error: unknown, want: Want) {
  const code = errorCode(error) ?? 'unknown';
  if (code === 'EADDRINUSE' && want.port !== undefined) {
    return problem('loopback-port-taken', { port: want.port, again: want.again }, { cause: error });
  }
  const reason = want.port === undefined ? code : `${code}, port ${want.port}`;
  return problem('loopback-refused', { reason, again: want.again }, { cause: error });
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listening TCP server has a port');
  return address.port;
}
