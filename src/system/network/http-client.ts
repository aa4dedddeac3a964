import { Agent, type ClientRequestArgs, type IncomingMessage, request as startRequest } from 'node:http';
import type { Socket } from 'node:net';
import { type Duplex, PassThrough } from 'node:stream';
import type { HttpRequest, HttpResponse } from '../../core/context.ts';
import type { Where } from '../../errors/catalogue/machine/network-words.ts';
import { problem } from '../../errors/problem.ts';
import { told, unlessAborted } from './sockets.ts';

const bodyLimit = 1024 * 1024;
/** How long a connection is kept for the next request: servers keep theirs for five seconds or more. */
const idleMs = 4_000;

type Open = (host: string, port: number, encrypted: boolean, signal: AbortSignal) => Promise<Socket>;

interface HttpOptions {
  /** opens a connection; with TLS when `encrypted` */
  readonly open: Open;
  /** the proxy that leads to a host */
  readonly through: (host: string, port: number) => string | undefined;
  /** called for each exchange: method, address without its query, status, time */
  readonly log: (line: string) => void;
}

/**
 * HTTP by Node, on sockets that `open` made. Nothing idle keeps the process alive. undici reads HTTP with WebAssembly, for which Node reserves
 * 10 GB of addresses: no request would work under `ulimit -v` or Dovecot's `vsz_limit`.
 */
export function createHttp({ open, through, log }: HttpOptions): (wanted: HttpRequest) => Promise<HttpResponse> {
  /** Node goes on connecting for a request that was given up, so its attempts end when no request is left. */
  let attempts = new AbortController();
  let running = 0;
  const agents = {
    'https:': new SocketAgent((host, port) => open(host, port, true, attempts.signal)),
    'http:': new SocketAgent((host, port) => open(host, port, false, attempts.signal)),
  };

  return async (wanted) => {
    running += 1;
    const since = performance.now();
    const note = (came: string) =>
      log(`${wanted.method} ${wanted.url.replace(/[?#].*/s, '')}: ${came}, ${Math.round(performance.now() - since)} ms`);
    try {
      const answer = await exchange(agents, wanted, through);
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

class SocketAgent extends Agent {
  readonly #open: (host: string, port: number) => Promise<Socket>;

  constructor(open: (host: string, port: number) => Promise<Socket>) {
    super({ keepAlive: true, timeout: idleMs });
    this.#open = open;
  }

  override createConnection(
    { host, port }: ClientRequestArgs,
    done?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    this.#open(host ?? '', Number(port)).then(
      (socket) => {
        // The request's own timer keeps the process alive while the answer is waited for.
        socket.unref();
        done?.(null, socket);
      },
      // Its type wants a stream beside an error, too; Node looks at the error alone.
      (error: Error) => done?.(error, new PassThrough()),
    );
    return undefined;
  }
}

/** Host and port of an address; an IPv6 address loses its brackets. */
const placeOf = (hostname: string, port: string, encrypted: boolean): Where => ({
  host: hostname.replace(/^\[|\]$/g, ''),
  port: port === '' ? (encrypted ? 443 : 80) : Number(port),
});

async function exchange(
  agents: Readonly<Record<'http:' | 'https:', Agent>>,
  wanted: HttpRequest,
  through: HttpOptions['through'],
): Promise<HttpResponse> {
  const url = new URL(wanted.url);
  const encrypted = url.protocol === 'https:';
  const place = placeOf(url.hostname, url.port, encrypted);
  const where = { ...place, through: through(place.host, place.port) };
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new DOMException('no answer in time', 'TimeoutError')), wanted.timeoutMs);
  const signal = wanted.signal === undefined ? deadline.signal : AbortSignal.any([wanted.signal, deadline.signal]);
  try {
    return await told(where, signal, async () => {
      const { method, headers = {}, body } = wanted;
      const sent = startRequest({
        ...place,
        path: `${url.pathname}${url.search}`,
        method,
        // Without it Node would name the port also where it is the usual one.
        headers: { ...headers, host: url.host },
        agent: encrypted ? agents['https:'] : agents['http:'],
        signal,
      });
      const answered = new Promise<IncomingMessage>((resolve, reject) => {
        sent.on('response', resolve).on('error', reject);
      });
      sent.end(body);
      // While Node connects, a request that was given up says nothing.
      const answer = await unlessAborted(signal, answered);
      return { status: answer.statusCode ?? 0, headers: flat(answer.headers), text: await readText(answer, where) };
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
