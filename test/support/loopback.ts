import { request } from 'node:http';
import { connect } from 'node:net';
import { type Loopback, type LoopbackOptions, openLoopback } from '../../src/oauth/loopback.ts';
import { systemClock, systemRandom } from '../../src/system/clock-and-random.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** One request by a browser that follows nothing, over its own connection. */
export function visit(
  port: number,
  path: string,
  more: { method?: string; host?: string; address?: string; signal?: AbortSignal; headers?: Readonly<Record<string, string>> } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const req = request(
      {
        host: more.address ?? '127.0.0.1',
        port,
        path,
        method: more.method ?? 'GET',
        headers: { Host: more.host ?? `localhost:${port}`, ...more.headers },
        agent: false,
        ...(more.signal === undefined ? {} : { signal: more.signal }),
      },
      (res) => {
        let body = '';
        res.setEncoding('utf8');
        res.on('data', (part: string) => {
          body += part;
        });
        res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body }));
        res.on('error', reject);
      },
    );
    req.on('error', reject);
    req.end();
  });
}

/** Sends raw bytes and gives back everything that came until the other side closed. */
export function rawExchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let got = '';
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => {
      got += part;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(got));
    socket.write(bytes);
  });
}

export interface OpenedLoopback extends Loopback {
  readonly port: number;
  /** the address a browser comes back to with these parameters and the right state */
  back(params?: Readonly<Record<string, string>>): string;
}

export async function testLoopback(overrides: Partial<LoopbackOptions> = {}): Promise<OpenedLoopback> {
  const loopback = await openLoopback({
    redirectUri: 'http://localhost',
    random: systemRandom,
    clock: systemClock,
    signal: new AbortController().signal,
    ...overrides,
  });
  const url = new URL(loopback.redirectUri);
  return {
    ...loopback,
    port: Number(url.port),
    back: (params = { code: 'the-code' }) => `${url.pathname}?${new URLSearchParams({ ...params, state: loopback.state })}`,
  };
}

export const inAMinute = () => Date.now() + 60_000;
