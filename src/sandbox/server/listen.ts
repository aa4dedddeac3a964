import type { Server } from 'node:net';
import { errorCode } from '../../core/errors.ts';
import { problem } from '../../errors/problem.ts';

interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/** A server that can listen, and can be closed at once with every connection it holds. */
export interface Closable {
  readonly server: Server;
  drop(): void;
}

const attempts = 5;

/**
 * Listens on 127.0.0.1 and, when the machine has it, on ::1 with the same port: browsers may try either for `localhost`.
 * @param make called once for each address
 * @param wanted a fixed port, or undefined for any free one
 * @throws `sandbox-port-taken` when the fixed port is in use
 */
export async function listenOnLoopback(make: () => Closable, wanted: number | undefined): Promise<Listening> {
  for (let attempt = 1; ; attempt++) {
    const four = make();
    const port = await bind(four.server, '127.0.0.1', wanted ?? 0).catch((cause: unknown) => {
      throw wanted === undefined ? cause : problem('sandbox-port-taken', { port: wanted }, { cause });
    });
    const six = make();
    try {
      await bind(six.server, '::1', port);
      return { port, close: () => closeAll([four, six]) };
    } catch (error) {
      // Another program on ::1 would get the browser's requests for `localhost`, so another port is tried. A computer without IPv6 is fine.
      const occupied = errorCode(error) === 'EADDRINUSE';
      if (!occupied || wanted !== undefined || attempt === attempts) return { port, close: () => closeAll([four]) };
      await closeAll([four]);
    }
  }
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: true }, () => {
      server.off('error', reject);
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
      else reject(new Error('the server has no address'));
    });
  });
}

async function closeAll(all: readonly Closable[]): Promise<void> {
  await Promise.all(
    all.map(
      ({ server, drop }) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          drop();
        }),
    ),
  );
}
