import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Network } from '../../../../src/core/context.ts';
import { Interrupted, MailauthError } from '../../../../src/core/errors.ts';
import { shown } from '../../../../src/core/shown.ts';
import { problem } from '../../../../src/errors/problem.ts';
import { createNetwork } from '../../../../src/system/network/network.ts';
import { systemTrustOf } from '../../../../src/system/network/sockets.ts';
import { type Canned, certificate, type HttpsServer, httpsServer, type Received } from '../../../support/https-server.ts';
import { nextOf } from '../../../support/next.ts';

const never = new AbortController().signal;
let tls: { key: string; cert: string };
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  tls = await certificate();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function serve(answer: (request: Received) => Canned | undefined, own = tls): Promise<HttpsServer> {
  const server = await httpsServer(own, answer);
  open.push(server);
  return server;
}

/** A raw TCP server; `onSocket` says what it does. */
async function raw(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  open.push({
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  });
  return (server.address() as AddressInfo).port;
}

/** A CONNECT proxy that carries everything to 127.0.0.1, whatever the name; remembers what it was asked. */
async function proxy(asked: string[], refuse?: string): Promise<number> {
  return raw((socket) => {
    socket.once('data', (chunk: Buffer) => {
      const head = chunk.toString('latin1');
      asked.push(head);
      if (refuse !== undefined) return socket.end(refuse);
      const port = Number(/^CONNECT \S+:(\d+) /.exec(head)?.[1]);
      const upstream = tcpConnect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('close', () => upstream.destroy());
    });
  });
}

const get = (url: string) => ({ method: 'GET' as const, url, timeoutMs: 5000 });

async function failure(work: Promise<unknown>): Promise<MailauthError> {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(MailauthError);
  return error as MailauthError;
}

describe('request', () => {
  it('logs method, address without its query, status; also what got no answer', async () => {
    const server = await serve(() => ({ status: 418, headers: {}, body: {} }));
    const lines: string[] = [];
    const network = createNetwork({ env: {}, ca: [tls.cert], log: (line) => lines.push(line.replace(/\d+ ms$/, 'N ms')) });
    await network.request(get(`${server.origin}/token?code=secret#secret`));
    await failure(
      createNetwork({ env: {}, log: (line) => lines.push(line.replace(/\d+ ms$/, 'N ms')) }).request(get(`${server.origin}/x`)),
    );
    expect(lines).toEqual([`GET ${server.origin}/token: 418, N ms`, `GET ${server.origin}/x: no answer, N ms`]);
  });

  it('sends method, headers and body, and reads status, lower-case headers and text', async () => {
    const server = await serve(() => ({ status: 418, headers: { 'X-Mixed-Case': 'yes' }, body: { a: 'ü' } }));
    const network = createNetwork({ env: {}, ca: [tls.cert] });
    const response = await network.request({
      method: 'POST',
      url: `${server.origin}/path?q=1`,
      headers: { 'content-type': 'text/x-test' },
      body: 'hello',
      timeoutMs: 5000,
    });
    expect(response.status).toBe(418);
    expect(response.headers['x-mixed-case']).toBe('yes');
    expect(response.text).toBe('{"a":"ü"}');
    expect(server.received[0]).toMatchObject({ method: 'POST', path: '/path?q=1', body: 'hello' });
    expect(server.received[0]?.headers['content-type']).toBe('text/x-test');
  });

  it('never follows a redirect', async () => {
    const server = await serve(() => ({ status: 302, headers: { location: 'https://localhost:1/' } }));
    const response = await createNetwork({ env: {}, ca: [tls.cert] }).request(get(server.origin));
    expect([response.status, response.headers.location]).toEqual([302, 'https://localhost:1/']);
  });

  it('trusts an authority only when told, and `trusting` tells it', async () => {
    const server = await serve(() => ({ body: {} }));
    const network = createNetwork({ env: {} });
    const untrusted = await failure(network.request(get(server.origin)));
    expect([untrusted.code, untrusted.exit]).toEqual(['tls-untrusted', 1]);
    expect(untrusted.why).toContain('mailauth test authority');
    expect(nextOf(untrusted).join()).toContain('NODE_EXTRA_CA_CERTS');
    const trusting = network.trusting(tls.cert);
    expect((await trusting.request(get(server.origin))).status).toBe(200);
  });

  it.each<[string, NodeJS.Platform, string | undefined]>([
    ['v22.14.0', 'win32', undefined],
    ['v22.15.0', 'win32', 'NODE_OPTIONS'],
    ['v22.19.0', 'win32', 'NODE_USE_SYSTEM_CA'],
    ['v23.11.0', 'win32', 'NODE_OPTIONS'],
    ['v24.5.0', 'win32', 'NODE_OPTIONS'],
    ['v24.6.0', 'win32', 'NODE_USE_SYSTEM_CA'],
    ['v26.0.0', 'win32', 'NODE_USE_SYSTEM_CA'],
    ['v24.6.0', 'linux', undefined],
  ])('Node.js %s on %s trusts the store of Windows by %s', (version, platform, wanted) => {
    const allowedNodeEnvironmentFlags = new Set(version === 'v22.14.0' ? [] : ['--use-system-ca']);
    const node = { version, platform, env: {}, allowedNodeEnvironmentFlags };
    expect(systemTrustOf(node)).toBe(wanted);
    // One that does so already has no use for the advice. One that is too old for the variable ignores it.
    const withVariable = systemTrustOf({ ...node, env: { NODE_USE_SYSTEM_CA: '1' } });
    expect(withVariable).toBe(wanted === 'NODE_USE_SYSTEM_CA' ? undefined : wanted);
    expect(systemTrustOf({ ...node, env: { NODE_OPTIONS: '--use-system-ca' } })).toBeUndefined();
    const { next } = problem('tls-untrusted', { host: 'login.microsoftonline.com', port: 443, systemTrust: systemTrustOf(node) });
    const first = next[0] === undefined ? '' : shown(next[0], { shell: 'powershell', onWindows: true });
    expect(first.replace(/ {3}#.*/, '')).toBe(
      { NODE_OPTIONS: "$env:NODE_OPTIONS = '--use-system-ca'", NODE_USE_SYSTEM_CA: "$env:NODE_USE_SYSTEM_CA = '1'" }[wanted ?? ''] ??
        'mailauth doctor',
    );
  });

  it('hands libraries one trust for all their connections, NODE_EXTRA_CA_CERTS in it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mailauth-trust-'));
    try {
      const NODE_EXTRA_CA_CERTS = join(folder, 'ca.pem');
      await writeFile(NODE_EXTRA_CA_CERTS, tls.cert);
      const other = (await certificate()).cert;
      const server = await serve(() => ({}));
      const { port } = new URL(server.origin);
      /** as imapflow and nodemailer do it */
      const authorized = ({ secureContext }: Network): Promise<boolean> =>
        new Promise((done) => {
          const options = { host: 'localhost', servername: 'localhost', port: Number(port), rejectUnauthorized: true };
          const socket: TLSSocket = connectTls({ ...options, secureContext: secureContext() }, () => done(socket.authorized));
          socket.on('error', () => done(false));
          open.push({ close: async () => void socket.destroy() });
        });
      const trusting = createNetwork({ env: { NODE_EXTRA_CA_CERTS } }).trusting(other);
      expect(trusting.secureContext()).toBe(trusting.secureContext());
      expect(await authorized(trusting)).toBe(true);
      expect(await authorized(createNetwork({ env: {} }).trusting(other))).toBe(false);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('refuses a certificate for another name, and one that has expired', async () => {
    const other = await certificate(['elsewhere.example']);
    const old = await certificate(['localhost'], new Date('2020-01-02'));
    const a = await serve(() => ({}), other);
    const b = await serve(() => ({}), old);
    expect((await failure(createNetwork({ env: {}, ca: [other.cert] }).request(get(a.origin)))).code).toBe('tls-hostname');
    expect((await failure(createNetwork({ env: {}, ca: [old.cert] }).request(get(b.origin)))).code).toBe('tls-expired');
  });

  it('stops reading at 1 MiB', async () => {
    const server = await serve((request) => ({ body: 'x'.repeat(request.path === '/big' ? 1024 * 1024 + 1 : 1024 * 1024) }));
    const network = createNetwork({ env: {}, ca: [tls.cert] });
    const error = await failure(network.request(get(`${server.origin}/big`)));
    expect([error.code, error.exit]).toEqual(['response-too-large', 1]);
    expect((await network.request(get(`${server.origin}/fits`))).text).toHaveLength(1024 * 1024);
  });

  it('runs out of time, on the headers as on a slow handshake', async () => {
    const server = await serve(() => undefined);
    const silent = await raw(() => undefined);
    const network = createNetwork({ env: {}, ca: [tls.cert] });
    for (const url of [server.origin, `https://localhost:${silent}`]) {
      const error = await failure(network.request({ ...get(url), timeoutMs: 50 }));
      expect([error.code, error.exit]).toEqual(['connect-timeout', 5]);
    }
  });

  it("passes the signal's reason through", async () => {
    const server = await serve(() => undefined);
    const stop = new AbortController();
    const running = createNetwork({ env: {}, ca: [tls.cert] }).request({ ...get(server.origin), signal: stop.signal });
    setTimeout(() => stop.abort(new Interrupted()), 20);
    await expect(running).rejects.toBeInstanceOf(Interrupted);
    await expect(createNetwork({ env: {} }).request({ ...get(server.origin), signal: stop.signal })).rejects.toBeInstanceOf(Interrupted);
  });

  it.each([
    ['nothing listens', async () => 1, 'connect-refused'],
    ['a server that hangs up', () => raw((socket) => socket.destroy()), 'connection-closed'],
    ['a server without TLS', () => raw((socket) => socket.end('220 hello\r\n')), 'tls-failed'],
  ])('%s', async (_, port, code) => {
    const error = await failure(createNetwork({ env: {} }).request(get(`https://localhost:${await port()}`)));
    expect(error.code).toBe(code);
  });
});

describe('through a proxy', () => {
  it('asks for a tunnel with credentials that are shown nowhere', async () => {
    const server = await serve(() => ({ body: { ok: true } }));
    const asked: string[] = [];
    const port = await proxy(asked);
    const network = createNetwork({ env: { https_proxy: `http://me:p%40ss@127.0.0.1:${port}` }, ca: [tls.cert] });
    expect((await network.request(get(server.origin))).text).toBe('{"ok":true}');
    expect(asked[0]).toMatch(new RegExp(`^CONNECT localhost:${server.port} HTTP/1.1\r\n`));
    expect(asked[0]).toContain(`Proxy-Authorization: Basic ${Buffer.from('me:p@ss').toString('base64')}`);
    expect(network.proxyFor('localhost', server.port)).toBe(`http://127.0.0.1:${port}`);
  });

  it('carries raw sockets, whose greeting may come with the answer', async () => {
    const port = await raw((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n* OK ready\r\n'));
    });
    const socket = await createNetwork({ env: { HTTPS_PROXY: `127.0.0.1:${port}` } }).connect('imap.example', 993, never);
    const greeting = await new Promise((read) => socket.once('data', (chunk: Buffer) => read(chunk.toString())));
    socket.destroy();
    expect(greeting).toBe('* OK ready\r\n');
  });

  it('secures a tunnelled socket', async () => {
    const server = await serve(() => ({}));
    const port = await proxy([]);
    const network = createNetwork({ env: { HTTP_PROXY: `http://127.0.0.1:${port}` }, ca: [tls.cert] });
    const secure = await network.secure(await network.connect('localhost', server.port, never), 'localhost', never);
    expect([secure.authorized, secure.getProtocol()]).toEqual([true, 'TLSv1.3']);
    secure.destroy();
  });

  it.each([
    ['HTTP/1.1 407 Proxy Authentication Required\r\n\r\n', 1, /does not accept the name and the password in HTTPS_PROXY \(407\)/],
    ['HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n', 1, /does not accept the name and the password.*401/],
    ['HTTP/1.1 407 no\r\nProxy-Authenticate: Negotiate\r\nproxy-authenticate: NTLM\r\n\r\n', 1, /only negotiate and ntlm/],
    ['HTTP/1.1 403 Forbidden\r\n\r\n', 1, /403/],
    ['HTTP/1.1 503 Busy\r\n\r\n', 5, /503/],
    ['SSH-2.0-OpenSSH_9.2\r\n\r\n', 1, /is not a proxy/],
    ['', 1, /is not a proxy/],
    ['x'.repeat(20_000), 1, /is not a proxy/],
  ])('a proxy that answers %j', async (answer, exit, why) => {
    const port = await proxy([], answer);
    const network = createNetwork({ env: { HTTPS_PROXY: `http://u:hidden@127.0.0.1:${port}` } });
    const error = await failure(network.request(get('https://login.example')));
    expect([error.code, error.exit]).toEqual(['proxy-refused', exit]);
    expect(error.why).toMatch(why);
    expect(JSON.stringify(error) + error.title + error.why + nextOf(error).join()).not.toContain('hidden');
  });

  it('a proxy that says nothing, or answers with a page of its own, is named', async () => {
    const silent = await raw(() => undefined);
    const quiet = createNetwork({ env: { HTTPS_PROXY: `http://127.0.0.1:${silent}` } });
    const late = await failure(quiet.request({ ...get('https://login.example'), timeoutMs: 150 }));
    expect([late.code, late.why]).toEqual(['connect-timeout', expect.stringContaining(`the proxy http://127.0.0.1:${silent}`)]);
    const socket = await failure(quiet.connect('imap.example', 993, AbortSignal.timeout(150)));
    expect([socket.code, socket.title]).toEqual(['connect-timeout', expect.stringContaining(`The proxy (127.0.0.1:${silent})`)]);
    const page = await proxy([], 'HTTP/1.1 200 OK\r\n\r\n<html>Please accept our terms</html>');
    const network = createNetwork({ env: { HTTPS_PROXY: `http://127.0.0.1:${page}` } });
    const error = await failure(network.request(get('https://login.example')));
    expect([error.code, error.why]).toEqual(['tls-failed', expect.stringContaining(`The proxy http://127.0.0.1:${page}`)]);
  });

  it('a proxy that is not there', async () => {
    const error = await failure(createNetwork({ env: { HTTPS_PROXY: 'http://127.0.0.1:1' } }).connect('imap.example', 993, never));
    expect([error.code, error.title]).toEqual(['connect-refused', expect.stringContaining('The proxy')]);
  });
});

describe('raw sockets', () => {
  it('looks names up, leaves addresses alone', async () => {
    const network = createNetwork({ env: {} });
    expect(await network.lookup('127.0.0.1', never)).toEqual(['127.0.0.1']);
    expect((await network.lookup('localhost', never)).some((address) => address === '127.0.0.1' || address === '::1')).toBe(true);
  });

  it('ends with the reason when the signal aborts during the handshake', async () => {
    const port = await raw(() => undefined);
    const network = createNetwork({ env: {} });
    const stop = new AbortController();
    const socket = await network.connect('127.0.0.1', port, stop.signal);
    setTimeout(() => stop.abort(new Interrupted()), 20);
    await expect(network.secure(socket, 'localhost', stop.signal)).rejects.toBeInstanceOf(Interrupted);
    expect(socket.destroyed).toBe(true);
  });

  it('a deadline becomes words', async () => {
    const port = await raw(() => undefined);
    const network = createNetwork({ env: {} });
    const signal = AbortSignal.timeout(40);
    const error = await failure(network.secure(await network.connect('127.0.0.1', port, signal), 'localhost', signal));
    expect(error.code).toBe('connect-timeout');
  });
});

afterAll(() => expect(open).toEqual([]));
