import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A self-signed certificate for localhost and the loopback addresses; it is its own authority. */
export async function certificate(hosts: readonly string[] = ['localhost'], notAfterDate?: Date): Promise<{ key: string; cert: string }> {
  const { generate } = await import('selfsigned');
  const made = await generate([{ name: 'commonName', value: 'mailauth test authority' }], {
    keyType: 'ec',
    ...(notAfterDate === undefined ? {} : { notBeforeDate: new Date(notAfterDate.getTime() - 86_400_000), notAfterDate }),
    extensions: [
      { name: 'subjectAltName', altNames: [...hosts.map((value) => ({ type: 2 as const, value })), { type: 7 as const, ip: '127.0.0.1' }] },
    ],
  });
  return { key: made.private, cert: made.cert };
}

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Canned {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** an object is sent as JSON */
  readonly body?: unknown;
}

export interface HttpsServer {
  readonly origin: string;
  readonly port: number;
  readonly received: Received[];
  close(): Promise<void>;
}

/** An https server on a free port of 127.0.0.1 that answers with what `answer` returns; undefined leaves the request hanging. */
export async function httpsServer(
  tls: { key: string; cert: string },
  answer: (request: Received, raw: ServerResponse) => Canned | undefined,
): Promise<HttpsServer> {
  const received: Received[] = [];
  const server = createServer(tls, (req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const seen = { method: req.method ?? '', path: req.url ?? '', headers: req.headers, body: Buffer.concat(chunks).toString() };
      received.push(seen);
      const canned = answer(seen, res);
      if (canned === undefined) return;
      const text = typeof canned.body === 'string' ? canned.body : JSON.stringify(canned.body ?? {});
      res.writeHead(canned.status ?? 200, {
        'content-type': typeof canned.body === 'string' ? 'text/html' : 'application/json',
        ...canned.headers,
      });
      res.end(text);
    });
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `https://localhost:${port}`,
    port,
    received,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
