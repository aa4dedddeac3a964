import * as z from 'zod/mini';
import type { Cloud } from '../core/cloud.ts';
import type { Clock, HttpRequest, HttpResponse, Network, Random } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import { MailauthError } from '../core/errors.ts';
import { type Command, mailauth, type NextStep } from '../core/next.ts';
import type { Secret } from '../core/secret.ts';
import { pauseMs } from '../core/time.ts';
import { problem } from '../errors/problem.ts';
import { type AccessClaims, readAccessToken } from '../oauth/claims.ts';
import { retryAfterSeconds } from '../oauth/token-exchange.ts';
import { challengeIn, type GraphAnswer, type GraphRefusal, graphDetail, judge, refusalOf } from './graph-answer.ts';

export type WaitReason = 'throttled' | 'server-error' | 'connection' | 'replication';

export interface GraphDeps {
  readonly network: Network;
  readonly cloud: Cloud;
  /** the administrator's; sent to `<cloud.graph>` and nowhere else */
  readonly token: Secret;
  /**
   * signs the administrator in once more with the claims that Graph asks for; left out where the token was given. Graph asks once: a second
   * challenge is `graph-claims-refused`
   */
  readonly onChallenge?: (claims: string) => Promise<Secret>;
  /** ways to go on without the administrator's sign-in, for the words of an error */
  readonly otherWays?: readonly NextStep[];
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** of one request */
  readonly timeoutMs: number;
  /** called before each wait, so that the person does not think that mailauth hangs */
  readonly onWait?: (reason: WaitReason, ms: number) => void;
  /** the command that repeats the work, for the words of an error */
  readonly again?: Command;
  /** the limit of all waits for throttling and server errors together; default 90 s */
  readonly maxWaitMs?: number;
}

export interface Graph {
  /** how many requests were sent, repeated ones included */
  readonly calls: number;
  /** the token's claims, for diagnosis */
  readonly claims: AccessClaims;
  get(path: string): Promise<GraphAnswer>;
  /** `done`: looks before a repetition whether the request, whose answer was lost, had done its work; its body is then the answer */
  post(path: string, body: unknown, done?: () => Promise<unknown>): Promise<GraphAnswer>;
  patch(path: string, body: unknown): Promise<GraphAnswer>;
  delete(path: string): Promise<GraphAnswer>;
  /** the `value` arrays of all pages; a refusal is returned as it is */
  list(path: string): Promise<{ readonly kind: 'ok'; readonly items: readonly unknown[] } | GraphRefusal>;
}

const page = z.object({ value: z.array(z.unknown()), '@odata.nextLink': z.optional(z.string()) });
const mostPages = 20;
const firstPauseMs = 1000;
const repeatedAfterCut = 2;

/**
 * Microsoft Graph for the steps of a registration. Throttling (429, 503, 504 with Retry-After) and server errors are waited for, visibly and
 * bounded. Throws `graph-token-refused` (4), `graph-claims-refused` (6), `graph-busy` (5), `graph-unreadable` (5), and the network's problems.
 * No body is ever logged.
 */
export function createGraph(deps: GraphDeps): Graph {
  const base = `${deps.cloud.graph}/v1.0`;
  const { host } = new URL(base);
  const again = deps.again ?? mailauth('setup', { resume: true });
  const wait = waitIn(deps, host, again);
  const answerChallenge = challengeOnce(deps, again);
  let { token } = deps;
  let calls = 0;

  async function ask(method: HttpRequest['method'], url: string, body?: unknown, done?: () => Promise<unknown>): Promise<GraphAnswer> {
    const send = (): Promise<HttpResponse> => {
      calls += 1;
      return deps.network.request(requestOf({ ...deps, token }, method, url, body));
    };
    for (let attempt = 0; ; attempt += 1) {
      const sentWith = token;
      const answer = await tried(send, attempt);
      const claims = answer.kind === 'answered' ? challengeIn(answer.response) : undefined;
      if (answer.kind === 'answered' && claims !== undefined) {
        token = await answerChallenge(claims, sentWith, answer.response);
        continue;
      }
      if (answer.kind === 'answered' && !isBusy(answer.response.status)) return judge(answer.response, host, again);
      await wait(answer, attempt);
      const was = done !== undefined && isUnclear(answer) ? await done() : undefined;
      if (was !== undefined) return { kind: 'ok', status: 200, body: was };
    }
  }

  return {
    get calls() {
      return calls;
    },
    claims: readAccessToken(deps.token),
    get: (path) => ask('GET', base + path),
    post: (path, body, done) => ask('POST', base + path, body, done),
    patch: (path, body) => ask('PATCH', base + path, body),
    delete: (path) => ask('DELETE', base + path),
    list: (path) => allPages((url) => ask('GET', url), base, path),
  };
}

/** The token that answers a challenge: one new sign-in for all requests that were challenged. Throws `graph-claims-refused`. */
function challengeOnce(deps: GraphDeps, again: Command): (claims: string, sentWith: Secret, answer: HttpResponse) => Promise<Secret> {
  let renewal: Promise<Secret> | undefined;
  return (claims, sentWith, answer) => {
    if (deps.onChallenge !== undefined && sentWith === deps.token) {
      renewal ??= deps.onChallenge(claims);
      return renewal;
    }
    const refusal = refusalOf(answer);
    const blanks = { again, otherWays: deps.otherWays ?? [], isGiven: deps.onChallenge === undefined };
    throw problem('graph-claims-refused', blanks, { detail: graphDetail(refusal) });
  };
}

function requestOf(deps: GraphDeps, method: HttpRequest['method'], url: string, body: unknown): HttpRequest {
  const hasBody = body !== undefined;
  return {
    method,
    url,
    headers: {
      authorization: `Bearer ${deps.token.reveal()}`,
      accept: 'application/json',
      'client-request-id': deps.random.uuid(),
      ...defined({ 'content-type': hasBody ? 'application/json' : undefined }),
    },
    ...defined({ body: hasBody ? JSON.stringify(body) : undefined }),
    timeoutMs: deps.timeoutMs,
    signal: deps.signal,
  };
}

/** Waits before a repetition. All waits of one client together are bounded: throws `graph-busy`, or what cut the connection, when they are used up. */
function waitIn(deps: GraphDeps, host: string, again: Command): (answer: Tried, attempt: number) => Promise<void> {
  let waitedMs = 0;
  return async (answer, attempt) => {
    const asked = answer.kind === 'answered' ? retryAfterSeconds(answer.response.headers) : undefined;
    const ms = asked === undefined ? withJitter(pauseMs(attempt, firstPauseMs), deps.random) : Math.max(asked, 1) * 1000;
    if (waitedMs + ms > (deps.maxWaitMs ?? 90_000)) throw giveUp(answer, asked, host, again);
    waitedMs += ms;
    deps.onWait?.(reasonOf(answer), ms);
    await deps.clock.sleep(ms, deps.signal);
  };
}

async function allPages(get: (url: string) => Promise<GraphAnswer>, base: string, path: string): ReturnType<Graph['list']> {
  const { host } = new URL(base);
  const items: unknown[] = [];
  let url = base + path;
  for (let count = 0; count < mostPages; count += 1) {
    const answer = await get(url);
    if (answer.kind === 'refused') return answer;
    const read = page.safeParse(answer.body);
    if (!read.success) throw problem('graph-unreadable', { host, why: 'The answer is not a list.' });
    items.push(...read.data.value);
    const next = read.data['@odata.nextLink'];
    if (next === undefined) return { kind: 'ok', items };
    // The token goes only where it was meant to go, whatever an answer says.
    if (!next.startsWith(`${base}/`)) throw problem('graph-unreadable', { host, why: 'Its next page is on another server.' });
    url = next;
  }
  throw problem('graph-unreadable', { host, why: `The list has more than ${mostPages} pages.` });
}

type Tried = { readonly kind: 'answered'; readonly response: HttpResponse } | { readonly kind: 'cut'; readonly error: MailauthError };

/** A connection that was cut is tried again, a few times. A server that cannot be reached at all is not tried again. */
async function tried(send: () => Promise<HttpResponse>, attempt: number): Promise<Tried> {
  try {
    return { kind: 'answered', response: await send() };
  } catch (error) {
    const cut = error instanceof MailauthError && ['connection-closed', 'connect-timeout', 'http-failed'].includes(error.code);
    if (!cut || attempt >= repeatedAfterCut) throw error;
    return { kind: 'cut', error };
  }
}

/** A server error may pass, except 501 (not implemented). */
const isBusy = (status: number): boolean => status === 429 || (status >= 500 && status !== 501);

/** After 429 nothing was done. After a server error or a cut connection the request may have done its work. */
const isUnclear = (answer: Tried): boolean => answer.kind === 'cut' || answer.response.status !== 429;

function reasonOf(answer: Tried): WaitReason {
  if (answer.kind === 'cut') return 'connection';
  return answer.response.status === 429 ? 'throttled' : 'server-error';
}

function giveUp(answer: Tried, retryAfter: number | undefined, host: string, again: Command): MailauthError {
  if (answer.kind === 'cut') return answer.error;
  const refusal = refusalOf(answer.response);
  return problem('graph-busy', { again, host, status: refusal.status, retryAfter }, { detail: graphDetail(refusal) });
}

/** Adds up to a quarter, so that many clients that were refused together do not come back together. */
function withJitter(ms: number, random: Random): number {
  return Math.round(ms * (1 + (random.bytes(1)[0] ?? 0) / 1024));
}

/** A string inside of `$filter='…'` (OData 4.01 part 2, section 5.1.1.6.1), made fit for a query. */
export const quoted = (value: string): string => encodeURIComponent(`'${value.replaceAll("'", "''")}'`);
