import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AuthorizationAnswer, hasState, readAuthorizationAnswer } from './authorization-answer.ts';
import { alreadyAnsweredPage, badRequestPage, contentSecurityPolicy, type ResultPage, stoppedPage } from './loopback-pages.ts';

/** An Entra code is 1 to 2 KB, an error_description at most a few. */
const longestTarget = 16 * 1024;

interface Reply {
  readonly status: number;
  readonly html?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Arrived {
  readonly answer: AuthorizationAnswer;
  /** the other end of the connection that brought it */
  readonly clientPort: number;
}

/**
 * Receives the requests to the listener. It takes one answer and keeps that browser waiting until the result page is known. Every other
 * request gets a page that says why it is not the answer.
 */
export class LoopbackReceiver {
  /** the next answer, and who brought it */
  answered: Promise<Arrived>;
  /** the result page has left for the browser */
  readonly fetched: Promise<void>;
  port = 0;
  readonly #state: string;
  readonly #callbackPath: string;
  /** cannot be guessed, so that another user of this computer does not read who signed in */
  readonly #resultPath: string;
  #settle: (arrived: Arrived) => void = () => undefined;
  #leave: () => void = () => undefined;
  #held: ServerResponse | undefined;
  #result: ResultPage | undefined;
  /** a browser is on its way to the result */
  #sent = false;

  constructor(state: string, callbackPath: string, resultPath: string) {
    this.#state = state;
    this.#callbackPath = callbackPath;
    this.#resultPath = resultPath;
    this.answered = this.#awaited();
    this.fetched = new Promise((resolve) => {
      this.#leave = resolve;
    });
  }

  receive(request: IncomingMessage, response: ServerResponse): void {
    // A client may close its connection at any time; that is not an error.
    response.on('error', () => undefined);
    const reply = this.#judge(request, response);
    if (reply !== 'hold') send(response, reply);
  }

  #awaited(): Promise<Arrived> {
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** The answer was not the one that is waited for: says so to whoever brought it, and takes another one. */
  takeAnother(page: ResultPage): void {
    const held = this.#held;
    this.#held = undefined;
    this.answered = this.#awaited();
    if (isWaiting(held)) send(held, page);
  }

  publish(page: ResultPage): void {
    this.#result = page;
    if (isWaiting(this.#held)) send(this.#held, this.#toResult());
  }

  /** tells the browser that still waits that mailauth stopped; resolves when the page was sent */
  async dismiss(): Promise<void> {
    const held = this.#held;
    if (!isWaiting(held)) return;
    const told = new Promise<void>((resolve) => held.once('close', resolve));
    send(held, stoppedPage());
    await told;
  }

  #judge(request: IncomingMessage, response: ServerResponse): Reply | 'hold' {
    const target = request.url ?? '';
    if (!this.#isForUs(request)) return badRequestPage();
    if (target.length > longestTarget) return { ...badRequestPage(), status: 414 };
    if (!target.startsWith('/')) return badRequestPage();
    if (request.method !== 'GET') return { status: 405, headers: { Allow: 'GET' } };
    // Nobody looks at what a browser loads ahead (Fetch standard, "Sec-Purpose"). It asks again when the person follows the link.
    if (/prefetch|preview/i.test(String(request.headers['sec-purpose'] ?? request.headers.purpose ?? ''))) return { status: 503 };

    const mark = target.indexOf('?');
    const path = mark < 0 ? target : target.slice(0, mark);
    if (path === this.#resultPath && this.#result !== undefined) {
      response.once('finish', () => response.once('close', this.#leave));
      return this.#result;
    }
    if (path === this.#callbackPath) return this.#comeBack(new URLSearchParams(mark < 0 ? '' : target.slice(mark)), response);
    return { status: path === '/favicon.ico' ? 204 : 404 };
  }

  /** A page elsewhere whose name was re-pointed to 127.0.0.1 (DNS rebinding) comes with its own name as Host. */
  #isForUs(request: IncomingMessage): boolean {
    const [host, ...more] = request.headersDistinct.host ?? [];
    if (host === undefined || more.length > 0) return false;
    const names = ['localhost', '127.0.0.1', '[::1]'];
    const own = [...names.map((name) => `${name}:${this.port}`), ...(this.port === 80 ? names : [])];
    return own.includes(host.toLowerCase());
  }

  #comeBack(params: URLSearchParams, response: ServerResponse): Reply | 'hold' {
    if (!hasState(params, this.#state)) return badRequestPage();
    const read = readAuthorizationAnswer(params);
    if (read.kind === 'unreadable') return badRequestPage();
    if (isWaiting(this.#held) || this.#sent) return alreadyAnsweredPage();
    // The first answer, or the same person again after the first tab was closed before it got its result.
    this.#settle({ answer: read.answer, clientPort: response.socket?.remotePort ?? 0 });
    if (this.#result !== undefined) return this.#toResult();
    this.#held = response;
    return 'hold';
  }

  /** A clean address, so that the code leaves the address bar. */
  #toResult(): Reply {
    this.#sent = true;
    return { status: 303, headers: { Location: this.#resultPath } };
  }
}

function isWaiting(response: ServerResponse | undefined): response is ServerResponse {
  return response !== undefined && !response.destroyed && !response.writableEnded;
}

const always = {
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Resource-Policy': 'same-origin',
  Connection: 'close',
};

function send(response: ServerResponse, reply: Reply): void {
  const body = Buffer.from(reply.html ?? '');
  response.writeHead(reply.status, {
    ...always,
    ...reply.headers,
    ...(reply.html === undefined ? {} : { 'Content-Type': 'text/html; charset=utf-8' }),
    ...(reply.status === 204 ? {} : { 'Content-Length': body.length }),
  });
  response.end(body);
}
