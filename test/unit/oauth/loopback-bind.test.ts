import { createServer, type Server } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { mailauth } from '../../../src/core/next.ts';
import { type BoundServers, bindLoopback, type Listen } from '../../../src/oauth/loopback-bind.ts';
import { freePort } from '../../support/free-port.ts';

let bound: BoundServers | undefined;
afterEach(() => bound?.close());

const failure = (code: string) => Object.assign(new Error(code), { code });
const really = (server: Server, port: number, host: string) => new Promise<void>((resolve) => server.listen(port, host, resolve));
const bind = (listen: Listen, port?: number) => bindLoopback((_q, s) => s.end(), { port, ipv6: true, again: mailauth('setup') }, listen);

it('a machine without IPv6 works on IPv4 alone', async () => {
  bound = await bind(async (server, port, host) => {
    if (host === '::1') throw failure('EADDRNOTAVAIL');
    await really(server, port, host);
  });
  expect(bound.hosts).toEqual(['127.0.0.1']);
});

it('takes another port when somebody else has it on ::1', async () => {
  const tried: number[] = [];
  bound = await bind(async (server, port, host) => {
    if (host === '::1') tried.push(port);
    if (host === '::1' && tried.length < 3) throw failure('EADDRINUSE');
    if (host === '127.0.0.1') await really(server, port, host);
  });
  expect(tried).toHaveLength(3);
  expect(bound.port).toBe(tried[2]);
  expect(bound.hosts).toEqual(['127.0.0.1', '::1']);
});

it('gives up on ::1 in the end, not on the sign-in', async () => {
  bound = await bind(async (server, port, host) => {
    if (host === '::1') throw failure('EADDRINUSE');
    await really(server, port, host);
  });
  expect(bound.hosts).toEqual(['127.0.0.1']);
});

it('a registered port that somebody else has on ::1 is taken, and 127.0.0.1 is free again', async () => {
  const other = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => other.listen({ port, host: '::1', ipv6Only: true }, resolve));
  const taken = bindLoopback((_q, s) => s.end(), { port, ipv6: true, again: mailauth('setup') });
  await expect(taken).rejects.toMatchObject({ code: 'loopback-port-taken', exit: 1 });
  await new Promise((resolve) => other.close(resolve));
  bound = await bindLoopback((_q, s) => s.end(), { port, ipv6: true, again: mailauth('setup') });
  expect(bound.hosts).toEqual(['127.0.0.1', '::1']);
});

it('only ever asks for loopback addresses', async () => {
  const hosts: string[] = [];
  bound = await bind(async (server, port, host) => {
    hosts.push(host);
    await really(server, port, host);
  });
  expect(hosts).toEqual(['127.0.0.1', '::1']);
});

it.each([
  [undefined, 'EPERM', 'loopback-refused'],
  [undefined, 'EADDRINUSE', 'loopback-refused'],
  [80, 'EACCES', 'loopback-refused'],
  [8400, 'EADDRINUSE', 'loopback-port-taken'],
])('port %s and %s: %s, exit 1', async (port, code, expected) => {
  const refused = bind(async () => {
    throw failure(code);
  }, port);
  await expect(refused).rejects.toMatchObject({ code: expected, exit: 1 });
});
