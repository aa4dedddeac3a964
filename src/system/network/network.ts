import { lookup as resolve } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIP, type Socket } from 'node:net';
import { createSecureContext, rootCertificates, type SecureContext, type TLSSocket } from 'node:tls';
import type { Dispatcher } from 'undici';
import type { HttpRequest, HttpResponse, Network } from '../../core/context.ts';
import type { Where } from '../../errors/catalogue/machine/network-errors.ts';
import { problem } from '../../errors/problem.ts';
import { type ProxyAddress, readProxy } from './proxy.ts';
import { guarded, tcp, tls, told } from './sockets.ts';
import { openTunnel } from './tunnel.ts';

const bodyLimit = 1024 * 1024;

export interface NetworkOptions {
  /** HTTPS_PROXY, HTTP_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** PEM, trusted besides Node's own roots */
  readonly ca?: readonly string[];
  /** each exchange: method, address without its query, status, time */
  readonly log?: (line: string) => void;
}

/**
 * HTTP and raw sockets over one way of connecting: the same proxy rules, the same trust, the same words when it fails.
 * undici only speaks HTTP on sockets that were opened here. Nothing idle keeps the process alive.
 */
export function createNetwork({ env, ca = [], log = () => undefined }: NetworkOptions): Network {
  const proxyFor = readProxy(env);
  // To load all of Node's roots beside one more takes 50 ms: once for each authority.
  const trusting = new Map<string, Network>();
  const trust = lazily(() => trustOf(ca, env.NODE_EXTRA_CA_CERTS));

  async function connect(host: string, port: number, signal: AbortSignal): Promise<Socket> {
    const where = { host, port };
    return told(where, signal, async () => {
      const proxy = proxyFor(host, port);
      return proxy === undefined ? tcp(host, port, signal) : throughProxy(proxy, where, signal);
    });
  }

  async function throughProxy(proxy: ProxyAddress, where: Where, signal: AbortSignal): Promise<Socket> {
    const toProxy = { host: proxy.host, port: proxy.port, purpose: 'the proxy' };
    const socket = await told(toProxy, signal, async () => {
      const open = await tcp(proxy.host, proxy.port, signal);
      return proxy.secure ? tls(open, toProxy, signal, trust()) : open;
    });
    return guarded(socket, signal, async () => {
      await openTunnel(socket, proxy, where);
      return socket;
    });
  }

  async function secure(socket: Socket, host: string, signal: AbortSignal): Promise<TLSSocket> {
    return tls(socket, { host, port: socket.remotePort ?? 0 }, signal, trust());
  }

  /** undici goes on connecting for a request that was given up: ended when no request is left. */
  let attempts = new AbortController();
  let running = 0;

  async function request(wanted: HttpRequest): Promise<HttpResponse> {
    const agent = await dispatcher();
    running += 1;
    const since = performance.now();
    const note = (came: string) =>
      log(`${wanted.method} ${wanted.url.replace(/[?#].*/s, '')}: ${came}, ${Math.round(performance.now() - since)} ms`);
    try {
      const answer = await exchange(agent, wanted);
      note(String(answer.status));
      return answer;
    } catch (error) {
      note('no answer');
      throw error;
    } finally {
      running -= 1;
      if (running === 0) {
        attempts.abort(new Error('nobody waits any more'));
        attempts = new AbortController();
      }
    }
  }

  const dispatcher = lazily(async () => {
    const { Agent } = await import('undici');
    return new Agent({
      allowH2: false,
      connect: (options, done) => {
        const host = options.hostname.replace(/^\[|\]$/g, '');
        const port = options.port === '' ? (options.protocol === 'https:' ? 443 : 80) : Number(options.port);
        openForHttp(host, port, options.protocol === 'https:').then(
          (socket) => done(null, socket),
          (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), null),
        );
      },
    });
  });

  async function openForHttp(host: string, port: number, encrypted: boolean): Promise<Socket> {
    const { signal } = attempts;
    const socket = await connect(host, port, signal);
    // The request's own timer holds the process while somebody waits for the answer.
    socket.unref();
    return encrypted ? tls(socket, { host, port }, signal, trust(), ['http/1.1']) : socket;
  }

  return {
    connect,
    secure,
    secureContext: trust,
    request,
    lookup: (host, signal) => addressesOf(host, signal),
    proxyFor: (host, port) => proxyFor(host, port)?.shown,
    trusting(authority) {
      const known = trusting.get(authority);
      if (known !== undefined) return known;
      const made = createNetwork({ env: { ...env, NO_PROXY: '*', no_proxy: '*' }, ca: [...ca, authority], log });
      trusting.set(authority, made);
      return made;
    },
  };
}

async function exchange(dispatcher: Dispatcher, request: HttpRequest): Promise<HttpResponse> {
  const url = new URL(request.url);
  const where = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
  };
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new DOMException('no answer in time', 'TimeoutError')), request.timeoutMs);
  const signal = request.signal === undefined ? deadline.signal : AbortSignal.any([request.signal, deadline.signal]);
  try {
    return await told(where, signal, async () => {
      const sent = dispatcher.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: request.method,
        headers: { ...request.headers },
        body: request.body ?? null,
        signal,
      });
      // While it still connects, undici does not look at the signal.
      const { body, statusCode, headers } = await Promise.race([sent, aborted(signal)]);
      return { status: statusCode, headers: flat(headers), text: await readText(body, where) };
    });
  } finally {
    clearTimeout(timer);
  }
}

async function readText(body: AsyncIterable<Buffer>, where: Where): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    // Leaving the loop destroys the stream, and the connection with it.
    if (size > bodyLimit) throw problem('response-too-large', where);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name.toLowerCase(), value] as const]));
  return Object.fromEntries(lines.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]));
}

async function addressesOf(host: string, signal: AbortSignal): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  return told({ host, port: 0 }, signal, async () => {
    // The resolver cannot be stopped; we only stop waiting for it.
    const found = await Promise.race([resolve(host, { all: true, verbatim: true }), aborted(signal)]);
    return found.map((one) => one.address);
  });
}

/** Never resolves; rejects with the reason. For a race with what cannot be stopped. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Node honours NODE_EXTRA_CA_CERTS by itself only while no list is given; with one, its content must be added by hand. */
function trustOf(ca: readonly string[], extraFile: string | undefined): SecureContext {
  if (ca.length === 0) return createSecureContext({ minVersion: 'TLSv1.2' });
  return createSecureContext({ minVersion: 'TLSv1.2', ca: [...rootCertificates, ...readExtra(extraFile), ...ca] });
}

function readExtra(file: string | undefined): readonly string[] {
  if (file === undefined || file === '') return [];
  try {
    return [readFileSync(file, 'utf8')];
  } catch {
    // Node itself only warns about a file it cannot read.
    return [];
  }
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
