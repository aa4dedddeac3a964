import * as z from 'zod/mini';
import type { Cloud } from '../core/cloud.ts';
import type { Clock, HttpRequest, HttpResponse, Network, Random } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import { plain } from '../core/text.ts';
import { graphEntries } from '../errors/catalogue/registration/graph-errors.ts';
import type { Signs } from '../errors/entry/entry.ts';
import { problem } from '../errors/problem.ts';
import { type AccessClaims, readAccessToken } from '../oauth/claims.ts';
import { retryAfterSeconds } from '../oauth/retry-after.ts';

export type WaitReason = 'throttled' | 'server-error' | 'connection' | 'replication';

export interface GraphDeps {
  readonly network: Network;
  readonly cloud: Cloud;
  /** of the administrator; sent to `<cloud.graph>` and nowhere else */
  readonly token: Secret;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** of one request */
  readonly timeoutMs: number;
  /** told before each wait, so that nobody thinks it hangs */
  readonly onWait?: (reason: WaitReason, ms: number) => void;
  /** the command that does it all again, for the words of an error */
  readonly again?: string;
  /** all waits for throttling and server errors together; default 90 s */
  readonly maxWaitMs?: number;
}

export interface GraphOk {
  readonly kind: 'ok';
  readonly status: number;
  readonly body: unknown;
}

/** Graph's error object (learn.microsoft.com/graph/errors). Texts are plain. */
export interface GraphRefusal {
  readonly kind: 'refused';
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** `code`, then those of `details[]` and of the inner errors: the reason often stands only there */
  readonly codes: readonly string[];
  readonly requestId?: string;
}

export type GraphAnswer = GraphOk | GraphRefusal;

export interface Graph {
  /** how many requests were sent, repeated ones included */
  readonly calls: number;
  /** what the token says about itself, for diagnosis */
  readonly claims: AccessClaims;
  get(path: string): Promise<GraphAnswer>;
  /** `done`: looks, before a repetition, whether an answer that was lost had done it; its body is then the answer */
  post(path: string, body: unknown, done?: () => Promise<unknown>): Promise<GraphAnswer>;
  patch(path: string, body: unknown): Promise<GraphAnswer>;
  delete(path: string): Promise<GraphAnswer>;
  /** `value` of all pages; a refusal as it is */
  list(path: string): Promise<{ readonly kind: 'ok'; readonly items: readonly unknown[] } | GraphRefusal>;
}

const page = z.object({ value: z.array(z.unknown()), '@odata.nextLink': z.optional(z.string()) });
const mostPages = 20;
const backoffMs = [1000, 2000, 4000, 8000, 15_000];
const repeatedAfterCut = 2;

/**
 * Microsoft Graph for the steps of a registration. Throttling (429, 503, 504 with Retry-After) and server errors are waited for, visibly and
 * bounded. Throws `graph-token-refused` (4), `graph-busy` (5), `graph-unreadable` (5), and the network's problems. No body is ever logged.
 */
export function createGraph(deps: GraphDeps): Graph {
  const base = `${deps.cloud.graph}/v1.0`;
  const { host } = new URL(base);
  const again = deps.again ?? 'mailauth setup --resume';
  let calls = 0;
  let waitedMs = 0;

  async function send(method: HttpRequest['method'], url: string, body?: unknown): Promise<HttpResponse> {
    calls += 1;
    return deps.network.request({
      method,
      url,
      headers: {
        authorization: `Bearer ${deps.token.reveal()}`,
        accept: 'application/json',
        'client-request-id': deps.random.uuid(),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      timeoutMs: deps.timeoutMs,
      signal: deps.signal,
    });
  }

  async function ask(method: HttpRequest['method'], url: string, body?: unknown, done?: () => Promise<unknown>): Promise<GraphAnswer> {
    for (let attempt = 0; ; attempt += 1) {
      const answer = await tried(() => send(method, url, body), attempt);
      if (answer.kind === 'answered' && !isBusy(answer.response.status)) return judge(answer.response, host, again);
      await wait(answer, attempt);
      const was = done !== undefined && isUnclear(answer) ? await done() : undefined;
      if (was !== undefined) return { kind: 'ok', status: 200, body: was };
    }
  }

  async function wait(answer: Tried, attempt: number): Promise<void> {
    const asked = answer.kind === 'answered' ? retryAfterSeconds(answer.response.headers) : undefined;
    const ms =
      asked === undefined ? withJitter(backoffMs[Math.min(attempt, backoffMs.length - 1)] ?? 0, deps.random) : Math.max(asked, 1) * 1000;
    if (waitedMs + ms > (deps.maxWaitMs ?? 90_000)) throw giveUp(answer, asked, host, again);
    waitedMs += ms;
    deps.onWait?.(reasonOf(answer), ms);
    await deps.clock.sleep(ms, deps.signal);
  }

  async function list(path: string): ReturnType<Graph['list']> {
    const items: unknown[] = [];
    let url = base + path;
    for (let count = 0; count < mostPages; count += 1) {
      const answer = await ask('GET', url);
      if (answer.kind === 'refused') return answer;
      const read = page.safeParse(answer.body);
      if (!read.success) throw problem('graph-unreadable', { host, why: 'The answer is no list.' });
      items.push(...read.data.value);
      const next = read.data['@odata.nextLink'];
      if (next === undefined) return { kind: 'ok', items };
      // The token goes where it was meant to go, whatever an answer says.
      if (!next.startsWith(`${base}/`)) throw problem('graph-unreadable', { host, why: 'Its next page lies on another server.' });
      url = next;
    }
    throw problem('graph-unreadable', { host, why: `The list has more than ${mostPages} pages.` });
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
    list,
  };
}

type Tried = { readonly kind: 'answered'; readonly response: HttpResponse } | { readonly kind: 'cut'; readonly error: MailauthError };

/** A conversation that was cut is tried again, a few times; what cannot be reached at all is not. */
async function tried(send: () => Promise<HttpResponse>, attempt: number): Promise<Tried> {
  try {
    return { kind: 'answered', response: await send() };
  } catch (error) {
    const cut = error instanceof MailauthError && ['connection-closed', 'connect-timeout', 'http-failed'].includes(error.code);
    if (!cut || attempt >= repeatedAfterCut) throw error;
    return { kind: 'cut', error };
  }
}

/** 501 will not be different tomorrow. */
const isBusy = (status: number): boolean => status === 429 || (status >= 500 && status !== 501);

/** Refused by a gate in front (429) nothing was done; after a server error or a cut line nobody knows. */
const isUnclear = (answer: Tried): boolean => answer.kind === 'cut' || answer.response.status !== 429;

function reasonOf(answer: Tried): WaitReason {
  if (answer.kind === 'cut') return 'connection';
  return answer.response.status === 429 ? 'throttled' : 'server-error';
}

function giveUp(answer: Tried, retryAfter: number | undefined, host: string, again: string): MailauthError {
  if (answer.kind === 'cut') return answer.error;
  const refusal = refusalOf(answer.response);
  return problem('graph-busy', { again, host, status: refusal.status, retryAfter }, { detail: graphDetail(refusal) });
}

function judge(response: HttpResponse, host: string, again: string): GraphAnswer {
  const { status } = response;
  if (status >= 200 && status < 300) {
    if (response.text === '') return { kind: 'ok', status, body: undefined };
    const body = parse(response.text);
    if (body === undefined) throw problem('graph-unreadable', { host, why: 'It answered with a page, not with data.' });
    return { kind: 'ok', status, body };
  }
  if (status < 400) throw problem('graph-unreadable', { host, why: 'It leads to another address.' });
  const refusal = refusalOf(response);
  if (status === 401) throw problem('graph-token-refused', { again, why: refusal.message }, { detail: graphDetail(refusal) });
  return refusal;
}

const text = z.catch(z.optional(z.string()), undefined);
const coded = z.catch(z.optional(z.object({ code: text, 'request-id': text })), undefined);
const errorBody = z.object({
  error: z.object({
    code: z.catch(z.string(), ''),
    message: z.catch(z.string(), ''),
    details: z.catch(z.optional(z.array(z.object({ code: text }))), undefined),
    innerError: coded,
    innererror: coded,
  }),
});

function refusalOf(response: HttpResponse): GraphRefusal {
  const read = errorBody.safeParse(parse(response.text));
  const error = read.success ? read.data.error : undefined;
  const inner = error?.innerError ?? error?.innererror;
  const requestId = inner?.['request-id'] ?? response.headers['request-id'] ?? response.headers['x-ms-request-id'];
  const codes = [error?.code, ...(error?.details ?? []).slice(0, 10).map((one) => one.code), inner?.code];
  return {
    kind: 'refused',
    status: response.status,
    code: plain(error?.code ?? '', 80),
    message: plain(error?.message ?? '', 400),
    codes: codes.flatMap((code) => (code === undefined || code === '' ? [] : [plain(code, 80)])),
    ...(requestId === undefined ? {} : { requestId: plain(requestId, 64) }),
  };
}

/** Evidence of a refusal for an error of ours. */
export function graphDetail({ requestId, code, message }: GraphRefusal): { correlationId?: string; reply?: string } {
  const reply = [code, message].filter((part) => part !== '').join(': ');
  return { ...(requestId === undefined ? {} : { correlationId: requestId }), ...(reply === '' ? {} : { reply }) };
}

/** Is this what the catalogue's entry says of itself? Graph names the reason now in a code, now only in the sentence. */
export const means = (refusal: GraphRefusal, code: keyof typeof graphEntries): boolean => {
  const { codes = [], says: sentences = [] }: Signs = graphEntries[code];
  return says(refusal, ...codes, ...sentences.map((one) => (typeof one === 'string' ? one : one.words)));
};

/** Graph names the reason now in a code, now only in the sentence. */
export function says(refusal: GraphRefusal, ...reasons: readonly string[]): boolean {
  return reasons.some((reason) => refusal.codes.includes(reason) || refusal.message.includes(reason));
}

/** A string inside of `$filter='…'` (OData 4.01 part 2, section 5.1.1.6.1), made fit for a query. */
export const quoted = (value: string): string => encodeURIComponent(`'${value.replaceAll("'", "''")}'`);

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Up to a quarter more, so that many who were sent away do not come back together. */
function withJitter(ms: number, random: Random): number {
  return Math.round(ms * (1 + (random.bytes(1)[0] ?? 0) / 1024));
}
