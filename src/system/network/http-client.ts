import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import type { HttpRequest, HttpResponse } from '../../core/context.ts';
import type { Where } from '../../errors/catalogue/machine/network-words.ts';
import { problem } from '../../errors/problem.ts';
import { told, unlessAborted } from './sockets.ts';

const bodyLimit = 1024 * 1024;

interface HttpOptions {
  /** opens a connection; with TLS when `encrypted` */
  readonly open: (host: string, port: number, encrypted: boolean, signal: AbortSignal) => Promise<Socket>;
  /** the proxy that leads to a host */
  readonly through: (host: string, port: number) => string | undefined;
  /** called for each exchange: method, address without its query, status, time */
  readonly log: (line: string) => void;
}

/** HTTP by undici, which speaks on sockets that `open` made. Nothing idle keeps the process alive. */
export function createHttp({ open, through, log }: HttpOptions): (wanted: HttpRequest) => Promise<HttpResponse> {
  /** undici goes on connecting for a request that was given up, so its attempts end when no request is left. */
  let attempts = new AbortController();
  let running = 0;
  let agent: Promise<Dispatcher> | undefined;

  return async (wanted) => {
    agent ??= agentOn(open, () => attempts.signal);
    const dispatcher = await agent;
    running += 1;
    const since = performance.now();
    const note = (came: string) =>
      log(`${wanted.method} ${wanted.url.replace(/[?#].*/s, '')}: ${came}, ${Math.round(performance.now() - since)} ms`);
    try {
      const answer = await exchange(dispatcher, wanted, through);
      note(String(answer.status));
      return answer;
    } catch (error) {
      note('no answer');
      throw error;
    } finally {
      running -= 1;
      if (running === 0) {
        attempts.abort(new Error('no request is left'));
        attempts = new AbortController();
      }
    }
  };
}

async function agentOn(open: HttpOptions['open'], signal: () => AbortSignal): Promise<Dispatcher> {
  const { Agent } = await import('undici');
  return new Agent({
    allowH2: false,
    connect: (options, done) => {
      const encrypted = options.protocol === 'https:';
      const { host, port } = placeOf(options.hostname, options.port, encrypted);
      open(host, port, encrypted, signal()).then(
        (socket) => {
          // The request's own timer keeps the process alive while the answer is waited for.
          socket.unref();
          done(null, socket);
        },
        (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), null),
      );
    },
  });
}

/** Host and port of an address; an IPv6 address loses its brackets. */
const placeOf = (hostname: string, port: string, encrypted: boolean): Where => ({
  host: hostname.replace(/^\[|\]$/g, ''),
  port: port === '' ? (encrypted ? 443 : 80) : Number(port),
});

async function exchange(dispatcher: Dispatcher, request: HttpRequest, through: HttpOptions['through']): Promise<HttpResponse> {
  const url = new URL(request.url);
  const place = placeOf(url.hostname, url.port, url.protocol === 'https:');
  const where = { ...place, through: through(place.host, place.port) };
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
      // While undici connects it does not look at the signal.
      const { body, statusCode, headers } = await unlessAborted(signal, sent);
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
