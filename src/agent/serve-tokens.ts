import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { problem } from '../errors/problem.ts';
import type { Session } from '../session/session.ts';
import { asProblem } from '../session/unexpected.ts';
import { readHomeId } from '../store/home.ts';
import { isHandedOver, listenHandedOver, listenPrivately } from '../system/unix-socket.ts';
import { type AgentAnswer, type AgentParts, answerTo } from './answer-request.ts';
import { type HeldTokens, heldTokens } from './held-tokens.ts';
import { renewals } from './renewals.ts';

/** How often every set-up is looked at. In milliseconds. */
const lookMs = 30_000;

/** What a client may take: each of these programs asks one short question. Milliseconds and bytes. */
const limits = {
  connectionsCheckingInterval: 1_000,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 8_192,
} as const;
const mostConnections = 500;

interface AgentRun {
  /** as it was opened: it may ask for a passphrase when the agent starts */
  readonly session: Session;
  /** absolute; not used where systemd has handed over a socket */
  readonly socket: string;
  status(session: Session): Promise<unknown>;
  /** it takes requests from now on */
  announce(socket: string | undefined): void;
}

/**
 * Serves until the command is told to stop, and then throws why. Throws `agent-running`, `agent-folder-open`, `agent-socket-unusable`, and
 * what the disk throws.
 */
export async function serveTokens({ session, socket, status, announce }: AgentRun): Promise<never> {
  const { ctx, home } = session;
  // The ones who ask are programs: a question to a person would leave them waiting.
  const serving: Session = { ...session, ctx: { ...ctx, interactive: false } };
  const tokens = heldTokens(serving);
  const parts: AgentParts = {
    tokens,
    homeId: () => readHomeId(ctx.files, home),
    status: () => status(serving),
    surroundings: ctx.surroundings,
    asProblem: (thrown) => asProblem(thrown, ctx),
  };
  const server = createServer(limits, listener(parts));
  server.maxConnections = mostConnections;
  const stopped = whenAborted(ctx.signal);
  try {
    announce(await listen(server, socket, session));
    void looking(tokens, serving);
    return await stopped;
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

async function looking(tokens: HeldTokens, session: Session): Promise<void> {
  const { ctx } = session;
  const renewDue = renewals(session);
  while (!ctx.signal.aborted) {
    tokens.forgetOld();
    try {
      await renewDue();
    } catch (error) {
      // A disk that fails for a moment must not end what other programs need: the next look tries again.
      if (!ctx.signal.aborted) session.report.note(`The set-ups could not be looked at. ${(await asProblem(error, ctx)).title}`);
    }
    await ctx.clock.sleep(lookMs, ctx.signal).catch(() => undefined);
  }
}

async function whenAborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  throw signal.reason;
}

/** Answers where it listens; undefined: on the socket that systemd has handed over. */
async function listen(server: Server, socket: string, { ctx }: Session): Promise<string | undefined> {
  const outcome = isHandedOver(ctx.env, ctx.pid) ? await listenHandedOver(server) : await listenPrivately(server, socket);
  switch (outcome.kind) {
    case 'listening':
      return socket;
    case 'given-over':
      return undefined;
    case 'running':
      throw problem('agent-running', { socket, otherSocket: join(dirname(socket), 'agent-2.sock') });
    case 'folder-open':
      throw problem('agent-folder-open', { ...outcome, otherSocket: join(outcome.folder, 'mailauth-agent', 'agent.sock') });
    case 'not-a-socket':
      throw problem('agent-socket-unusable', { socket, why: 'There is a file of this name, which is no socket. It was left as it is.' });
    case 'path-long':
      throw problem('agent-socket-unusable', { socket, why: 'Its path is too long for a UNIX socket.' });
    case 'not-unix':
      throw problem('agent-socket-unusable', {
        socket: 'the socket that systemd has handed over',
        why: 'It is no UNIX socket, and tokens are given out on nothing else: ListenStream= must name a path.',
      });
  }
}

function listener(parts: AgentParts): RequestListener {
  return (request, response) => {
    const { method = '', url = '/', headers } = request;
    const home = headers['x-mailauth-home'];
    // What a client sends after its question is not read into memory.
    request.resume();
    void answerTo({ method, target: url, home: Array.isArray(home) ? home.join() : home }, parts).then(
      ({ status, headers: about, body }: AgentAnswer) => {
        response.writeHead(status, { ...about, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' });
        response.end(body);
      },
    );
  };
}
