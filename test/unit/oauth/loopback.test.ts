import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { connect as tls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/core/context.ts';
import { Interrupted, MailauthError } from '../../../src/core/errors.ts';
import { mailauth } from '../../../src/core/next.ts';
import { LoopbackClosed, type LoopbackOptions } from '../../../src/oauth/loopback.ts';
import { failurePage, successPage } from '../../../src/oauth/loopback-pages.ts';
import { systemClock } from '../../../src/system/clock-and-random.ts';
import { freePort } from '../../support/free-port.ts';
import { inAMinute, type OpenedLoopback, rawExchange, testLoopback, visit } from '../../support/loopback.ts';
import { nextOf } from '../../support/next.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(overrides: Partial<LoopbackOptions> = {}): Promise<OpenedLoopback> {
  const loopback = await testLoopback(overrides);
  cleanups.push(() => loopback.close());
  return loopback;
}

async function occupy(port: number, host: string): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen({ port, host, ipv6Only: host === '::1' }, resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

const page = successPage({ mailbox: 'helpdesk@contoso.example', account: 'anna@contoso.example' });

/** a clock on which every timer is due at once */
const hurriedClock: Clock = { ...systemClock, sleep: async (_ms, signal) => signal?.throwIfAborted() };

describe('the address', () => {
  it('is any free port without a slash when the registered one has no path', async () => {
    const loopback = await open();
    expect(loopback.redirectUri).toBe(`http://localhost:${loopback.port}`);
    expect(loopback.port).toBeGreaterThan(1023);
    expect(Buffer.from(loopback.state, 'base64url')).toHaveLength(32);
  });

  it.each([
    ['http://localhost/', '/'],
    ['http://localhost/mailauth', '/mailauth'],
    ['http://localhost/Call/Back', '/Call/Back'],
  ])('keeps the path of %s to the letter', async (redirectUri, path) => {
    const loopback = await open({ redirectUri });
    expect(loopback.redirectUri).toBe(`http://localhost:${loopback.port}${path}`);
    expect((await visit(loopback.port, path)).status).toBe(400);
    expect((await visit(loopback.port, `${path}x`)).status).toBe(404);
  });

  it('is exactly the registered port, and free again after close', async () => {
    const port = await freePort();
    const first = await open({ redirectUri: `http://localhost:${port}/mailauth` });
    expect(first.redirectUri).toBe(`http://localhost:${port}/mailauth`);
    await first.close();
    const second = await open({ redirectUri: `http://localhost:${port}/mailauth` });
    expect(second.port).toBe(port);
  });

  it('is refused with exit 1 when the exact port is taken', async () => {
    const port = await occupy(0, '127.0.0.1');
    const error = await testLoopback({ redirectUri: `http://localhost:${port}/x`, again: mailauth('login', 'a@b.example') }).catch(
      (e) => e,
    );
    expect(error).toBeInstanceOf(MailauthError);
    expect(error).toMatchObject({ code: 'loopback-port-taken', exit: 1 });
    expect(error.title).toContain(String(port));
    expect(nextOf(error)[0]).toBe('mailauth login a@b.example --sign-in paste');
  });

  it('is taken when somebody else has the exact port on ::1 alone: a browser may ask there first', async () => {
    const port = await freePort();
    await occupy(port, '::1');
    await expect(open({ redirectUri: `http://localhost:${port}` })).rejects.toMatchObject({ code: 'loopback-port-taken', exit: 1 });
  });

  it.each([
    'https://localhost',
    'http://example.com',
    'http://localhost?x=1',
    'http://[::1]',
    'http://localhost:0',
    'http://localhost.evil.example',
    '',
  ])('refuses to catch %s', async (redirectUri) => {
    await expect(testLoopback({ redirectUri })).rejects.toMatchObject({ code: 'loopback-redirect-unusable', exit: 2 });
  });

  it('answers on ::1 as well, and for http://127.0.0.1 only on that', async () => {
    const both = await open();
    expect((await visit(both.port, '/', { address: '::1', host: `[::1]:${both.port}` })).status).toBe(400);
    const four = await open({ redirectUri: 'http://127.0.0.1' });
    expect(four.redirectUri).toBe(`http://127.0.0.1:${four.port}`);
    await expect(visit(four.port, '/', { address: '::1' })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('the answer', () => {
  it('is the code, held until the truth is known, then shown at an address without it', async () => {
    const loopback = await open();
    const browser = visit(loopback.port, loopback.back({ code: '0.AXsecret', session_state: 'x' }));
    const answer = await loopback.answer(inAMinute());
    expect(answer.params.kind === 'code' && answer.params.code.reveal()).toBe('0.AXsecret');
    expect(JSON.stringify(answer.params)).not.toContain('AXsecret');

    const responded = answer.respond(page);
    const redirect = await browser;
    expect(redirect.status).toBe(303);
    const location = String(redirect.headers.location);
    expect(location).toMatch(/^\/mailauth\/[\w-]{16}$/);
    const shown = await visit(loopback.port, location);
    await responded;
    expect(shown.status).toBe(200);
    expect(shown.body).toContain('anna@contoso.example');
    expect((await visit(loopback.port, location)).body).toBe(shown.body);
  });

  it('carries the headers that keep the page to itself', async () => {
    const loopback = await open();
    const { headers } = await visit(loopback.port, '/');
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'content-type': 'text/html; charset=utf-8',
      connection: 'close',
    });
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/]+=*'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'$/,
    );
  });

  it('is the denial, with texts as they came but limited', async () => {
    const loopback = await open();
    const description = `AADSTS65004: <b>declined</b> ${'x'.repeat(6000)}`;
    const browser = visit(
      loopback.port,
      loopback.back({ error: 'access_denied', error_description: description, error_subcode: 'cancel', error_uri: 'https://e.example' }),
    );
    const { params, respond } = await loopback.answer(inAMinute());
    expect(params).toEqual({
      kind: 'error',
      error: 'access_denied',
      description: description.slice(0, 4000),
      subcode: 'cancel',
      uri: 'https://e.example',
    });
    const responded = respond(failurePage({ title: 'Denied <script>', next: [{ text: 'mailauth login', copied: true }] }));
    const shown = await visit(loopback.port, String((await browser).headers.location));
    await responded;
    expect(shown.status).toBe(400);
    expect(shown.body).toContain('Denied &#60;script&#62;');
  });

  it('may come before anybody waits for it', async () => {
    const loopback = await open();
    const browser = visit(loopback.port, loopback.back());
    await systemClock.sleep(50);
    const { params, respond } = await loopback.answer(inAMinute());
    expect(params.kind).toBe('code');
    void respond(page);
    expect((await browser).status).toBe(303);
  });

  const wrong: [string, (state: string) => string][] = [
    ['no parameters', () => '/'],
    ['no state', () => '/?code=c'],
    ['an empty state', () => '/?code=c&state='],
    ['a wrong state of the same length', (s) => `/?code=c&state=${s.slice(0, -1)}${s.endsWith('A') ? 'B' : 'A'}`],
    ['a state that only begins like ours', (s) => `/?code=c&state=${s}x`],
    ['the state twice', (s) => `/?code=c&state=${s}&state=${s}`],
    ['the code twice', (s) => `/?code=c&code=d&state=${s}`],
    ['code and error', (s) => `/?code=c&error=access_denied&state=${s}`],
    ['the error twice', (s) => `/?error=a&error=b&state=${s}`],
    ['an empty code', (s) => `/?code=&state=${s}`],
    ['a code with control characters', (s) => `/?code=a%0d%0ab&state=${s}`],
    ['a code of 9 KB', (s) => `/?code=${'x'.repeat(9000)}&state=${s}`],
  ];
  it.each(wrong)('is not %s: 400, and the wait goes on', async (_name, path) => {
    const loopback = await open();
    const waiting = loopback.answer(inAMinute());
    const refused = await visit(loopback.port, path(loopback.state));
    expect(refused.status).toBe(400);
    expect(refused.body).toContain('still waits');
    const browser = visit(loopback.port, loopback.back({ code: 'right' }));
    const { params, respond } = await waiting;
    expect(params.kind === 'code' && params.code.reveal()).toBe('right');
    void respond(page);
    await browser;
  });
});

describe('everybody else', () => {
  it.each([
    ['GET', '/favicon.ico', 204],
    ['GET', '/favicon.ico?x', 204],
    ['GET', '/robots.txt', 404],
    ['GET', '/mailauth/done', 404],
    ['GET', '//localhost/', 404],
    ['HEAD', '/', 405],
    ['OPTIONS', '/', 405],
    ['PUT', '/', 405],
  ])('%s %s is %i', async (method, path, status) => {
    const loopback = await open();
    expect((await visit(loopback.port, path, { method })).status).toBe(status);
  });

  it('POST with a valid answer is 405 and ends nothing', async () => {
    const loopback = await open();
    const waiting = loopback.answer(inAMinute());
    const refused = await visit(loopback.port, loopback.back({ code: 'posted' }), { method: 'POST' });
    expect(refused.status).toBe(405);
    expect(refused.headers.allow).toBe('GET');
    const browser = visit(loopback.port, loopback.back({ code: 'got' }));
    const { params, respond } = await waiting;
    expect(params.kind === 'code' && params.code.reveal()).toBe('got');
    void respond(page);
    await browser;
  });

  it.each(['evil.example', 'localhost', 'localhost:1', 'localhost.evil.example', '127.0.0.1.nip.example', '0.0.0.0'])(
    'Host %s is refused (DNS rebinding)',
    async (host) => {
      const loopback = await open();
      const refused = await visit(loopback.port, loopback.back(), {
        host: host.includes(':') ? host : host.replace('0.0.0.0', `0.0.0.0:${loopback.port}`),
      });
      expect(refused.status).toBe(400);
    },
  );

  it.each(['localhost', 'LOCALHOST', '127.0.0.1', '[::1]'])('Host %s with our port is ours', async (name) => {
    const loopback = await open();
    expect((await visit(loopback.port, '/favicon.ico', { host: `${name}:${loopback.port}` })).status).toBe(204);
  });

  it.each([
    ['no Host', (port: number) => `GET /favicon.ico HTTP/1.0\r\n\r\n${port}`],
    ['two Hosts', (port: number) => `GET /favicon.ico HTTP/1.1\r\nHost: localhost:${port}\r\nHost: evil\r\n\r\n`],
    ['an absolute target', (port: number) => `GET http://localhost:${port}/favicon.ico HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`],
    ['garbage', () => '\u0016\u0003\u0001\u0002 hello\r\n\r\n'],
  ])('%s is 400', async (_name, bytes) => {
    const loopback = await open();
    expect(await rawExchange(loopback.port, bytes(loopback.port))).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('a target or a head beyond every browser is refused', async () => {
    const loopback = await open();
    expect((await visit(loopback.port, `/?${'x'.repeat(17_000)}`)).status).toBe(414);
    const head = `GET / HTTP/1.1\r\nHost: localhost:${loopback.port}\r\nCookie: ${'x'.repeat(70_000)}\r\n\r\n`;
    expect(await rawExchange(loopback.port, head)).not.toMatch(/200/);
    expect((await visit(loopback.port, '/favicon.ico')).status).toBe(204);
  });

  it('many silent connections do not keep the browser out', async () => {
    const loopback = await open();
    const silent = Array.from({ length: 120 }, () => connect(loopback.port, '127.0.0.1'));
    for (const socket of silent) {
      socket.on('error', () => undefined);
      socket.write('GET / HTTP/1.1\r\nX-Slow: ');
      cleanups.push(() => socket.destroy());
    }
    await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once(socket.connecting ? 'connect' : 'close', resolve))));
    const browser = visit(loopback.port, loopback.back());
    const { respond } = await loopback.answer(inAMinute());
    const responded = respond(page);
    const shown = await visit(loopback.port, String((await browser).headers.location));
    await responded;
    expect(shown.status).toBe(200);
  });
});

describe('connections that are no request of a person', () => {
  it('200 that are opened again and again do not starve a browser that sends its head in two packets', async () => {
    const loopback = await open();
    let looping = true;
    const loop = (): void => {
      const socket = connect(loopback.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.on('close', () => looping && setTimeout(loop, 1));
      cleanups.push(() => socket.destroy());
    };
    cleanups.push(() => {
      looping = false;
    });
    for (let count = 0; count < 200; count++) loop();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const served = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const socket = connect(loopback.port, '127.0.0.1');
        const answered = new Promise<string>((resolve) => {
          let text = '';
          socket.on('data', (chunk) => {
            text += String(chunk);
          });
          socket.on('error', () => undefined).on('close', () => resolve(text));
        });
        socket.write('GET /favicon.ico HTTP/1.1\r\nHost: ');
        await new Promise((resolve) => setTimeout(resolve, 30));
        socket.write(`localhost:${loopback.port}\r\n\r\n`);
        return (await answered).startsWith('HTTP/1.1 204');
      }),
    );
    expect(served.filter(Boolean)).toHaveLength(40);
  });

  it('beyond the most that may be silent, those that sent nothing go first', async () => {
    const loopback = await open();
    const browser = connect(loopback.port, '127.0.0.1');
    cleanups.push(() => browser.destroy());
    browser.write('GET /favicon.ico HTTP/1.1\r\nHost: ');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const flood = Array.from({ length: 700 }, () => connect(loopback.port, '127.0.0.1').on('error', () => undefined));
    cleanups.push(() => {
      for (const socket of flood) socket.destroy();
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const answered = new Promise((resolve) => browser.once('data', resolve));
    browser.write(`localhost:${loopback.port}\r\n\r\n`);
    expect(String(await answered)).toMatch(/^HTTP\/1\.1 204/);
  });

  it.each([{ 'sec-purpose': 'prefetch' }, { 'sec-purpose': 'prefetch;prerender' }, { purpose: 'prefetch' }])(
    '%j is not the answer',
    async (headers) => {
      const loopback = await open();
      expect((await visit(loopback.port, loopback.back({ code: 'ahead' }), { headers })).status).toBe(503);
      const browser = visit(loopback.port, loopback.back({ code: 'followed' }));
      const { params, respond } = await loopback.answer(inAMinute());
      expect(params.kind === 'code' && params.code.reveal()).toBe('followed');
      const responded = respond(page);
      await visit(loopback.port, String((await browser).headers.location));
      await responded;
    },
  );

  it('a TLS handshake is told, and anything else that cannot be read is not', async () => {
    let told = 0;
    const loopback = await open({ onTls: () => told++ });
    await rawExchange(loopback.port, 'nonsense\r\n\r\n');
    expect(told).toBe(0);
    await new Promise((resolve) =>
      tls({ port: loopback.port, host: '127.0.0.1' })
        .on('error', () => undefined)
        .on('close', resolve),
    );
    expect(told).toBe(1);
  });
});

describe('several tabs', () => {
  it('a second one is told that the first counts, before and after the result', async () => {
    const loopback = await open();
    const first = visit(loopback.port, loopback.back({ code: 'one' }));
    const { params, respond } = await loopback.answer(inAMinute());
    const second = await visit(loopback.port, loopback.back({ code: 'two' }));
    expect(second.status).toBe(409);
    expect(second.body).toContain('already answered');
    expect(params.kind === 'code' && params.code.reveal()).toBe('one');
    const responded = respond(page);
    const { headers } = await first;
    expect((await visit(loopback.port, loopback.back({ code: 'three' }))).status).toBe(409);
    await visit(loopback.port, String(headers.location));
    await responded;
  });

  it('one that went away gives its place to the next, the answer stays the first', async () => {
    const loopback = await open();
    const leaving = new AbortController();
    const first = visit(loopback.port, loopback.back({ code: 'one' }), { signal: leaving.signal }).catch(() => 'gone');
    const { params, respond } = await loopback.answer(inAMinute());
    leaving.abort();
    expect(await first).toBe('gone');
    await systemClock.sleep(50);
    const again = visit(loopback.port, loopback.back({ code: 'one' }));
    await systemClock.sleep(50);
    const responded = respond(page);
    const redirect = await again;
    expect(redirect.status).toBe(303);
    expect(params.kind === 'code' && params.code.reveal()).toBe('one');
    await visit(loopback.port, String(redirect.headers.location));
    await responded;
  });

  it('respond ends by itself when nobody fetches the page', async () => {
    const loopback = await open({ clock: hurriedClock });
    const browser = visit(loopback.port, loopback.back());
    // The hurried clock would end the wait: let the answer arrive first.
    await systemClock.sleep(100);
    const { respond } = await loopback.answer(inAMinute());
    await respond(page);
    expect((await browser).status).toBe(303);
  });
});

describe('the end', () => {
  it('deadline: exit 4, with what to try', async () => {
    const loopback = await open({ again: mailauth('login', 'a@b.example') });
    const error = await loopback.answer(Date.now() - 1).catch((e) => e);
    expect(error).toMatchObject({ code: 'sign-in-timeout', exit: 4 });
    expect(nextOf(error)).toEqual([
      'mailauth login a@b.example --timeout 1800',
      'If the browser is on another computer: mailauth login a@b.example --sign-in paste',
    ]);
  });

  it("abort: the signal's reason, while waiting and before", async () => {
    const stop = new AbortController();
    const loopback = await open({ signal: stop.signal });
    const waiting = loopback.answer(inAMinute());
    const reason = new Interrupted();
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(loopback.answer(inAMinute())).rejects.toBe(reason);
    await expect(testLoopback({ signal: stop.signal })).rejects.toBe(reason);
  });

  it('abort ends respond, but a browser on its way still gets the page', async () => {
    const stop = new AbortController();
    const loopback = await open({ signal: stop.signal });
    const browser = visit(loopback.port, loopback.back());
    const { respond } = await loopback.answer(inAMinute());
    stop.abort(new Interrupted());
    const responded = respond(failurePage({ title: 'Stopped', next: [] }));
    const shown = await visit(loopback.port, String((await browser).headers.location));
    expect(shown.body).toContain('<h1>Stopped</h1>');
    await expect(responded).resolves.toBeUndefined();
  });

  it('close settles the wait, tells a held browser, drops the others and frees the port', async () => {
    const loopback = await open();
    const waiting = loopback.answer(inAMinute()).catch((e) => e);
    const idle = connect(loopback.port, '127.0.0.1');
    const dropped = new Promise((resolve) => idle.once('close', resolve));
    idle.on('error', () => undefined);
    await new Promise((resolve) => idle.once('connect', resolve));
    await loopback.close();
    expect(await waiting).toBeInstanceOf(LoopbackClosed);
    await dropped;
    await expect(visit(loopback.port, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(loopback.answer(inAMinute())).rejects.toBeInstanceOf(LoopbackClosed);
    await loopback.close();
  });

  it('close in the middle of the exchange tells the browser', async () => {
    const loopback = await open();
    const browser = visit(loopback.port, loopback.back());
    await loopback.answer(inAMinute());
    await loopback.close();
    const told = await browser;
    expect(told.status).toBe(503);
    expect(told.body).toContain('stopped');
  });
});
