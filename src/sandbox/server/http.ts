import type { IncomingMessage, RequestListener } from 'node:http';

/** A request with its whole body. A handler turns it into a reply, so that a test needs no socket. */
export interface SandboxRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** path and query as they came */
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface SandboxReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type SandboxHandler = (request: SandboxRequest) => Promise<SandboxReply>;

const bodyLimit = 64 * 1024;
/** A message to Graph (learn.microsoft.com/graph/api/user-sendmail). */
const mailLimit = 4 * 1024 * 1024;

/** Answers in JSON, never cached (RFC 6749 section 5.1). */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): SandboxReply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', pragma: 'no-cache', ...headers },
    body: JSON.stringify(body),
  };
}

/** A segment of a path without its percent-encoding. A segment whose encoding is not valid stays as it is. */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Node's listener for a handler: reads the body up to 64 KiB, a message up to 4 MiB, and answers 500 when the handler throws, and hands on what it threw. */
export function listener(handler: SandboxHandler, onFailure: (error: unknown) => void): RequestListener {
  return (incoming, outgoing) => {
    const answer = async (): Promise<SandboxReply> => {
      const body = await readBody(incoming, /\/sendMail$/i.test(incoming.url ?? '') ? mailLimit : bodyLimit);
      if (body === undefined)
        return json(413, { error: 'invalid_request', error_description: 'Request body too large.' }, { connection: 'close' });
      const url = URL.canParse(incoming.url ?? '/', 'http://localhost') ? new URL(incoming.url ?? '/', 'http://localhost') : undefined;
      if (url === undefined) return json(400, { error: 'invalid_request', error_description: 'Bad address.' });
      return handler({
        method: incoming.method ?? 'GET',
        path: url.pathname,
        query: url.searchParams,
        target: `${url.pathname}${url.search}`,
        headers: incoming.headers,
        body,
      });
    };
    answer()
      .catch((error: unknown) => {
        onFailure(error);
        return json(500, { error: 'server_error', error_description: 'The sandbox could not answer.' });
      })
      .then((reply) => {
        outgoing.writeHead(reply.status, { ...reply.headers, 'content-length': Buffer.byteLength(reply.body) });
        outgoing.end(incoming.method === 'HEAD' ? undefined : reply.body);
      })
      // The client has closed the connection.
      .catch(() => outgoing.destroy());
  };
}

async function readBody(incoming: IncomingMessage, limit: number): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of incoming) {
    const bytes = Buffer.from(part);
    size += bytes.length;
    if (size > limit) return undefined;
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString('utf8');
}
