import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { namedCloud } from '../../../src/core/cloud.ts';
import { MailauthError } from '../../../src/core/errors.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createGraph } from '../../../src/entra/graph.ts';
import { says } from '../../../src/entra/graph-answer.ts';
import { problem } from '../../../src/errors/problem.ts';
import { createNetwork } from '../../../src/system/network/network.ts';
import { type Canned, certificate, type HttpsServer, httpsServer } from '../../support/https-server.ts';
import { connected, fakeClock, refused } from './fake-graph.ts';

/** Answers one after the other; the last for ever. */
const scripted = (...answers: (Canned | Error)[]) => {
  let at = 0;
  const urls: string[] = [];
  const { graph, waits, clock } = connected({
    request: async ({ url, method }) => {
      urls.push(`${method} ${url}`);
      const answer = answers[Math.min(at, answers.length - 1)] ?? {};
      at += 1;
      if (answer instanceof Error) throw answer;
      const { status = 200, headers = {}, body = {} } = answer;
      return { status, headers, text: typeof body === 'string' ? body : JSON.stringify(body) };
    },
  });
  return { graph, waits, clock, urls };
};
const busy = (status: number, retryAfter?: string): Canned => ({
  ...refused(status, 'TooManyRequests'),
  headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
});
const cut = () => problem('connection-closed', { host: 'graph.microsoft.com', port: 443 });
const caught = async (promise: Promise<unknown>): Promise<MailauthError> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof MailauthError)) throw new Error(`no MailauthError but ${String(error)}`);
  return error;
};

describe('waiting', () => {
  it.each([
    ['429 with seconds', busy(429, '7'), ['throttled', 7000]],
    ['429 with a fraction of a second', busy(429, '2.3'), ['throttled', 3000]],
    ['429 with nothing', busy(429), ['throttled', 1000]],
    ['429 with zero', busy(429, '0'), ['throttled', 1000]],
    ['429 with a date', busy(429, 'Sun, 22 Nov 2026 03:00:00 GMT'), ['throttled', 1000]],
    ['503', busy(503, '4'), ['server-error', 4000]],
    ['504', busy(504), ['server-error', 1000]],
    ['500', busy(500), ['server-error', 1000]],
    ['a connection that is cut', cut(), ['connection', 1000]],
  ])('%s', async (_, first, wait) => {
    const { graph, waits, clock } = scripted(first, { body: { id: 'x' } });
    expect(await graph.get('/organization')).toEqual({ kind: 'ok', status: 200, body: { id: 'x' } });
    expect(waits).toEqual([wait]);
    expect(clock.slept).toEqual([wait[1]]);
    expect(graph.calls).toBe(2);
  });

  it('backs off, and gives up within its bound', async () => {
    const { graph, waits } = scripted(busy(503));
    const error = await caught(graph.get('/organization'));
    expect([error.code, error.exit, error.detail.correlationId]).toEqual(['graph-busy', 5, 'req-1']);
    expect(waits.map(([, ms]) => ms)).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000, 15_000, 15_000, 15_000]);
  });

  it('has one bound for all calls together', async () => {
    const { graph } = scripted(busy(429, '50'), {}, busy(429, '50'));
    await graph.get('/one');
    expect((await caught(graph.get('/two'))).title).toContain('too busy');
  });

  it('does not even begin to wait longer than it may', async () => {
    const { graph, clock } = scripted(busy(429, '3600'));
    const error = await caught(graph.get('/organization'));
    expect(error.why).toContain('3600');
    expect(clock.slept).toEqual([]);
  });

  it('tries a cut connection three times, what cannot be reached once', async () => {
    const cuts = scripted(cut());
    expect((await caught(cuts.graph.get('/x'))).code).toBe('connection-closed');
    expect(cuts.graph.calls).toBe(3);
    const unknown = scripted(problem('dns-failed', { host: 'graph.microsoft.com', port: 443 }));
    expect((await caught(unknown.graph.get('/x'))).code).toBe('dns-failed');
    expect(unknown.graph.calls).toBe(1);
  });

  it('does not wait for what will never be (501)', async () => {
    const { graph, clock } = scripted(refused(501, 'notImplemented'));
    expect(await graph.get('/x')).toMatchObject({ kind: 'refused', status: 501, code: 'notImplemented' });
    expect(clock.slept).toEqual([]);
  });

  it('looks whether a lost POST was done, and only then', async () => {
    for (const [first, asked] of [
      [busy(503), true],
      [cut(), true],
      [busy(429), false],
    ] as const) {
      const { graph, urls } = scripted(first, { status: 201, body: { id: 'second' } });
      const answer = await graph.post('/applications', {}, async () => ({ id: 'first' }));
      expect(answer).toMatchObject({ kind: 'ok', body: { id: asked ? 'first' : 'second' } });
      expect(urls).toHaveLength(asked ? 1 : 2);
    }
  });
});

describe('answers', () => {
  it('a refusal is a value with every code that it names', async () => {
    const { graph } = scripted({
      status: 400,
      body: {
        error: {
          code: 'Request_BadRequest',
          message: 'No.\u001b[31m',
          details: [{ code: 'Why' }],
          innerError: { 'request-id': 'r', code: 'Deep' },
        },
      },
    });
    const answer = await graph.get('/x');
    expect(answer).toEqual({
      kind: 'refused',
      status: 400,
      code: 'Request_BadRequest',
      message: 'No.',
      codes: ['Request_BadRequest', 'Why', 'Deep'],
      requestId: 'r',
    });
    if (answer.kind === 'refused') expect([says(answer, 'Why'), says(answer, 'Else')]).toEqual([true, false]);
  });

  it('a refusal may be a page, or have no text at all', async () => {
    expect(await scripted({ status: 403, body: '<html>', headers: { 'request-id': 'h' } }).graph.get('/x')).toMatchObject({
      code: '',
      message: '',
      requestId: 'h',
    });
  });

  it('401 means the token, with Graph’s own words', async () => {
    const error = await caught(scripted(refused(401, 'InvalidAuthenticationToken', 'Invalid audience.')).graph.get('/x'));
    expect([error.code, error.exit, error.why]).toEqual(['graph-token-refused', 4, 'Invalid audience.']);
  });

  it.each([
    ['a page with status 200', { body: '<html>sign in to the wifi</html>' }],
    ['a redirect', { status: 302, headers: { location: 'https://evil.example' } }],
  ])('%s is not Graph', async (_, answer) => {
    expect((await caught(scripted(answer).graph.get('/x'))).code).toBe('graph-unreadable');
  });
});

describe('lists', () => {
  const next = (link: string): Canned => ({ body: { value: [1], '@odata.nextLink': link } });

  it('follows pages of the same place', async () => {
    const { graph, urls } = scripted(next('https://graph.microsoft.com/v1.0/x?$skiptoken=2'), { body: { value: [2] } });
    expect(await graph.list('/x')).toEqual({ kind: 'ok', items: [1, 2] });
    expect(urls[1]).toBe('GET https://graph.microsoft.com/v1.0/x?$skiptoken=2');
  });

  it.each([
    'https://graph.microsoft.com.evil.example/v1.0/x',
    'http://graph.microsoft.com/v1.0/x',
    'https://graph.microsoft.com@evil.example/v1.0/',
  ])('never carries the token to %s', async (link) => {
    const { graph, urls } = scripted(next(link));
    expect((await caught(graph.list('/x'))).code).toBe('graph-unreadable');
    expect(urls).toHaveLength(1);
  });

  it('ends', async () => {
    const { graph } = scripted(next('https://graph.microsoft.com/v1.0/x'));
    expect((await caught(graph.list('/x'))).code).toBe('graph-unreadable');
    expect(graph.calls).toBe(20);
  });

  it('gives a refusal as it is, and takes no other thing for a list', async () => {
    expect(await scripted(refused(403, 'Authorization_RequestDenied')).graph.list('/x')).toMatchObject({ kind: 'refused', status: 403 });
    expect((await caught(scripted({ body: {} }).graph.list('/x'))).code).toBe('graph-unreadable');
  });
});

describe('over https', () => {
  let server: HttpsServer;
  let tls: { key: string; cert: string };
  let nth = 0;
  beforeAll(async () => {
    tls = await certificate();
    server = await httpsServer(tls, () => {
      nth += 1;
      return nth === 1 ? { status: 429, headers: { 'Retry-After': '1.5' }, body: {} } : { status: 201, body: { id: 'made' } };
    });
  });
  afterAll(() => server.close());

  it('sends token, type and body below the graph address of a laboratory', async () => {
    const clock = fakeClock();
    const graph = createGraph({
      network: createNetwork({ env: {} }).trusting(tls.cert),
      cloud: { ...namedCloud('public'), graph: `${server.origin}/graph` },
      token: new Secret('admin-token'),
      clock,
      random: { bytes: (count) => Buffer.alloc(count), uuid: () => 'an-id' },
      signal: new AbortController().signal,
      timeoutMs: 5000,
    });
    expect(await graph.post('/applications', { displayName: 'ä' })).toEqual({ kind: 'ok', status: 201, body: { id: 'made' } });
    expect(clock.slept).toEqual([2000]);
    const [, sent] = server.received;
    expect(sent).toMatchObject({ method: 'POST', path: '/graph/v1.0/applications', body: '{"displayName":"ä"}' });
    expect(sent?.headers).toMatchObject({
      authorization: 'Bearer admin-token',
      'content-type': 'application/json',
      'client-request-id': 'an-id',
    });
  });
});
