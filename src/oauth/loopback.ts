import type { Clock, Files, Random } from '../core/context.ts';
import { type Command, mailauth } from '../core/next.ts';
import { problem } from '../errors/problem.ts';
import { type AuthorizationAnswer, newState } from './authorization-answer.ts';
import { bindLoopback } from './loopback-bind.ts';
import type { ResultPage } from './loopback-pages.ts';
import { LoopbackReceiver } from './loopback-receiver.ts';
import { isOfAnotherUser } from './other-user.ts';

export type { AuthorizationAnswer } from './authorization-answer.ts';

export interface LoopbackOptions {
  /** as registered: `http://localhost` any free port; `http://localhost/path` any port, that path; `http://localhost:PORT/path` exactly that */
  readonly redirectUri: string;
  readonly random: Random;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** the command that repeats this sign-in, for the error texts */
  readonly again?: Command;
  /** a browser that allows https only came, and cannot be answered */
  readonly onTls?: () => void;
}

export interface LoopbackAnswer {
  readonly params: AuthorizationAnswer;
  /** after the exchange: tells the browser the truth; resolves when the page was fetched or a second has passed, never rejects */
  respond(page: ResultPage): Promise<void>;
  /** it was somebody else: shows why and goes on waiting, so that `answer` can be called again */
  refuse(page: ResultPage): void;
  /** another user of this computer brought it (false where that cannot be known) */
  fromAnotherUser(files: Pick<Files, 'read'>): Promise<boolean>;
}

export interface Loopback {
  /** exactly as to be sent in the request: `http://localhost:41023`, without a slash when the registered one has no path */
  readonly redirectUri: string;
  readonly state: string;
  /**
   * The one answer. Rejects with the signal's reason on abort, `sign-in-timeout` at the deadline (ms since the
   * epoch), `LoopbackClosed` when closed meanwhile.
   */
  answer(deadline: number): Promise<LoopbackAnswer>;
  /** safe to call twice; nothing listens and no connection is left when it resolves */
  close(): Promise<void>;
}

/** `answer` was still waited for when the listener was closed, because another way was quicker. */
export class LoopbackClosed extends Error {
  constructor() {
    super('the loopback listener was closed');
    this.name = 'LoopbackClosed';
  }
}

const lingerMs = 1000;
const longestTimerMs = 2 ** 31 - 1;

/**
 * Waits on this computer for the browser's way back (RFC 8252 section 7.3), `response_mode=query`, GET only.
 * Errors: `loopback-redirect-unusable` (exit 2), `loopback-port-taken`, `loopback-refused` (exit 1).
 */
export async function openLoopback(options: LoopbackOptions): Promise<Loopback> {
  const { clock, random, signal } = options;
  const again = options.again ?? mailauth('setup');
  signal.throwIfAborted();
  const registered = readLoopbackRedirect(options.redirectUri);
  if (registered === undefined) throw problem('loopback-redirect-unusable', { redirectUri: options.redirectUri });

  const state = newState(random);
  const receiver = new LoopbackReceiver(state, registered.path || '/', `/mailauth/${random.bytes(12).toString('base64url')}`);
  const ipv6 = registered.host === 'localhost';
  const want = { port: registered.port, ipv6, again, onTls: options.onTls };
  const bound = await bindLoopback((request, response) => receiver.receive(request, response), want);
  receiver.port = bound.port;

  const openedAt = clock.now();
  const closing = new AbortController();
  let closed: Promise<void> | undefined;

  const shut = async () => {
    closing.abort(new LoopbackClosed());
    await atMost(clock, lingerMs / 4, receiver.dismiss());
    await bound.close();
  };
  const respond = async (page: ResultPage) => {
    receiver.publish(page);
    await atMost(clock, lingerMs, receiver.fetched, [signal, closing.signal]);
    // Ctrl-C: the browser is on its way to the page already, so give it the moment that takes.
    if (signal.aborted) await atMost(clock, lingerMs / 4, receiver.fetched, [closing.signal]);
  };

  if (signal.aborted) {
    await shut();
    signal.throwIfAborted();
  }

  return {
    redirectUri: `http://${registered.host}:${bound.port}${registered.path}`,
    state,
    async answer(deadline) {
      signal.throwIfAborted();
      closing.signal.throwIfAborted();
      const answered = new AbortController();
      const ms = Math.min(Math.max(0, deadline - clock.now()), longestTimerMs);
      const tooLate = clock.sleep(ms, AbortSignal.any([signal, closing.signal, answered.signal])).then(() => {
        throw problem('sign-in-timeout', { seconds: Math.max(0, Math.round((deadline - openedAt) / 1000)), again });
      });
      try {
        const { answer: params, clientPort } = await Promise.race([receiver.answered, tooLate]);
        return {
          params,
          respond,
          refuse: (page) => receiver.takeAnother(page),
          fromAnotherUser: (files) => isOfAnotherUser(files, { serverPort: bound.port, clientPort }),
        };
      } finally {
        answered.abort();
      }
    },
    close() {
      closed ??= shut();
      return closed;
    },
  };
}

/** Waits for an event, but not longer; a signal ends the wait as well. */
async function atMost(clock: Clock, ms: number, event: Promise<void>, signals: readonly AbortSignal[] = []): Promise<void> {
  const over = new AbortController();
  const timer = clock.sleep(ms, AbortSignal.any([over.signal, ...signals])).catch(() => undefined);
  await Promise.race([event, timer]);
  over.abort();
}

/** A registered redirect URI that leads to this computer, taken apart. */
interface LoopbackRedirect {
  readonly host: 'localhost' | '127.0.0.1';
  /** undefined: any free port, since Entra ignores the port of localhost (RFC 8252 section 7.3) */
  readonly port: number | undefined;
  /** as registered, '' when it has none: Entra compares it letter by letter, and answers on '/' */
  readonly path: string;
}

/**
 * Reads `http://localhost[:PORT][/PATH]`, also with 127.0.0.1; undefined for every other address (https, another
 * host, a query, `[::1]`, which Entra does not accept).
 */
function readLoopbackRedirect(redirectUri: string): LoopbackRedirect | undefined {
  const match = /^http:\/\/(localhost|127\.0\.0\.1)(?::(\d{1,5}))?(\/[^?#\s]*)?$/i.exec(redirectUri);
  if (match === null) return undefined;
  const [, host = '', digits, path = ''] = match;
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65535)) return undefined;
  return { host: host === '127.0.0.1' ? '127.0.0.1' : 'localhost', port, path };
}
