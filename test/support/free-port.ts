import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Nine workers of vitest have a thousand ports each, so that no other takes one between its choice and its use. */
const [first, each, workers] = [11_000, 1_000, 9];
const given = new Set<number>();

/**
 * A port that nobody listens on, and that nobody gets before it is used: below those that Linux gives out to connections (32768 and above), and
 * below those that mailauth registers for an app (20000 and above; another test may sign in just now). Free on 127.0.0.1, and on ::1. No worker
 * gets one twice.
 */
export async function freePort(): Promise<number> {
  const worker = (Number(process.env.VITEST_POOL_ID ?? 1) - 1) % workers;
  for (;;) {
    const port = first + worker * each + randomInt(each);
    if (given.has(port)) continue;
    given.add(port);
    if ((await isFree(port, '127.0.0.1')) && (await isFree(port, '::1'))) return port;
  }
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    // A machine without IPv6 has nobody on ::1.
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
    server.listen({ port, host, ipv6Only: host === '::1' }, () => server.close(() => resolve(true)));
  });
}
