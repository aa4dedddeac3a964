import { defined } from '../core/defined.ts';
import { Exit, type MailauthError } from '../core/errors.ts';
import { mailauth } from '../core/next.ts';
import { allShown, type Surroundings } from '../core/shown.ts';
import { problem } from '../errors/problem.ts';
import { readWhole } from '../session/globals.ts';
import { formatToken, type TokenFormat } from '../tokens/formats.ts';
import type { HeldTokens } from './held-tokens.ts';

export interface AgentRequest {
  readonly method: string;
  /** path and query, as it stands in the request line */
  readonly target: string;
  /** the value of X-Mailauth-Home */
  readonly home: string | undefined;
}

export interface AgentAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface AgentParts {
  readonly tokens: Pick<HeldTokens, 'token'>;
  /** the id of this MAILAUTH_HOME; undefined where nothing was stored in it yet */
  homeId(): Promise<string | undefined>;
  /** `data` of `mailauth status --json` */
  status(): Promise<unknown>;
  readonly surroundings: Surroundings;
  /** any error that is none of the catalogue, as one */
  asProblem(thrown: unknown): Promise<MailauthError>;
}

/** Answers one request; never throws. An error is a problem document (RFC 9457), with the members `title`, `code`, `exit` and `next`. */
export async function answerTo(request: AgentRequest, parts: AgentParts): Promise<AgentAnswer> {
  let here = parts.surroundings;
  try {
    if (request.method !== 'GET') throw problem('agent-method', { method: request.method });
    const { path, query } = readTarget(request.target);
    const mailbox = /^\/token\/([^/]+)$/.exec(path)?.[1];
    if (mailbox === undefined && path !== '/status') throw problem('agent-path', { path });
    await refuseOtherHome(request, parts);
    if (mailbox === undefined) {
      readQuery(query, []);
      return { status: 200, headers: { 'content-type': json }, body: `${JSON.stringify(await parts.status())}\n` };
    }
    // A next step that runs the request again is the command that prints the same.
    here = { ...here, running: mailauth('token get', mailbox) };
    return await tokenAnswer(decoded(mailbox), query, parts);
  } catch (thrown) {
    return problemAnswer(await parts.asProblem(thrown), here);
  }
}

const json = 'application/json';

async function tokenAnswer(mailbox: string, query: URLSearchParams, { tokens }: AgentParts): Promise<AgentAnswer> {
  const asked = readQuery(query, ['format', 'for', 'min_validity']);
  const format = formatOf(asked.format ?? 'raw');
  const minValidityMs =
    asked.min_validity === undefined
      ? 300_000
      : readWhole('min_validity', asked.min_validity, {
          unit: 'seconds',
          minimum: 0,
          example: mailauth('token get', mailbox, { minValidity: 300 }),
        }) * 1000;
  const { record, set } = await tokens.token({ mailbox, for: asked.for, minValidityMs });
  return {
    status: 200,
    headers: { 'content-type': format === 'json' ? json : 'text/plain; charset=utf-8' },
    body: formatToken(set, record, format),
  };
}

const formats: readonly TokenFormat[] = ['raw', 'xoauth2', 'json'];

function formatOf(value: string): TokenFormat {
  const format = formats.find((one) => one === value);
  if (format !== undefined) return format;
  throw problem('value-invalid', {
    what: 'token format',
    value,
    why: `format takes ${formats.join(', ')}.`,
    next: mailauth('agent', { help: true }),
  });
}

/** Where the caller names the home it was made for, no other home may answer. Throws `other-home`. */
async function refuseOtherHome({ home }: AgentRequest, { homeId }: AgentParts): Promise<void> {
  if (home !== undefined && home !== (await homeId())) throw problem('other-home', {});
}

interface Target {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** curl sends a path; a proxy would send an address, of which the path counts (RFC 9112 section 3.2). */
function readTarget(target: string): Target {
  const base = 'http://agent';
  if (!URL.canParse(target, base)) throw problem('agent-path', { path: target });
  const url = new URL(target, base);
  return { path: url.pathname, query: url.searchParams };
}

/** Each parameter at most once, and none that is not known: a word spelled wrongly must not get another token. */
function readQuery(query: URLSearchParams, known: readonly string[]): Readonly<Record<string, string | undefined>> {
  for (const name of new Set(query.keys())) {
    if (!known.includes(name)) throw problem('agent-query', { name, known });
    if (query.getAll(name).length > 1) throw problem('agent-query', { name, known });
  }
  return Object.fromEntries(query);
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    throw problem('agent-path', { path: `/token/${word}` });
  }
}

const statusOf: Readonly<Record<number, number>> = {
  [Exit.usage]: 400,
  [Exit.needsAnswer]: 400,
  [Exit.needsSignIn]: 401,
  [Exit.temporary]: 503,
  [Exit.notAllowed]: 403,
};

const statusOfCode: ReadonlyMap<string, number> = new Map([
  ['agent-path', 404],
  ['agent-method', 405],
  ['other-home', 404],
  // Nothing is set up for what was asked.
  ['mailbox-unknown', 404],
  ['no-mailbox', 404],
  ['product-unknown', 404],
]);

const defaultRetryAfterSeconds = 10;

function problemAnswer(error: MailauthError, here: Surroundings): AgentAnswer {
  const { code, exit, title, next, detail } = error;
  const status = statusOfCode.get(code) ?? statusOf[exit] ?? 500;
  const retryAfter = status === 503 ? String(detail.retryAfterSeconds ?? defaultRetryAfterSeconds) : undefined;
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...defined({ 'retry-after': retryAfter, allow: status === 405 ? 'GET' : undefined }),
    },
    body: `${JSON.stringify({ title, code, exit, next: allShown(next, here) })}\n`,
  };
}
