import type { Socket } from 'node:net';
import type { Where } from '../../errors/catalogue/machine/network-errors.ts';
import { problem } from '../../errors/problem.ts';
import type { ProxyAddress } from './proxy.ts';

/** A proxy that sends more than this before the tunnel is open does not speak HTTP. */
const answerLimit = 16 * 1024;

/**
 * Asks the proxy on an open socket for a tunnel (RFC 9110 section 9.3.6). Afterwards the socket is the target's: what it
 * already said is still to be read. Throws `proxy-refused`, or the socket's own error.
 */
export async function openTunnel(socket: Socket, proxy: ProxyAddress, where: Where): Promise<void> {
  const target = `${where.host.includes(':') ? `[${where.host}]` : where.host}:${where.port}`;
  const credentials = proxy.authorization === undefined ? '' : `Proxy-Authorization: ${proxy.authorization}\r\n`;
  const refused = (status?: number) => problem('proxy-refused', { ...where, proxy: proxy.shown, status });
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${credentials}\r\n`);

  const answer = await readAnswer(socket, refused);
  const status = /^HTTP\/1\.[01] (\d{3})(?: |\r)/.exec(answer)?.[1];
  if (status === undefined) throw refused();
  if (!status.startsWith('2')) throw refused(Number(status));
}

/**
 * Reads the head of the answer; bytes behind it are put back. It does not use 'data' events, which would leave the socket paused or
 * flowing.
 */
function readAnswer(socket: Socket, refused: () => Error): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const finish = (settle: () => void) => {
      socket.off('readable', onReadable).off('end', onEnd).off('close', onEnd).off('error', onError);
      settle();
    };
    const onReadable = () => {
      for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) {
        seen = Buffer.concat([seen, chunk]);
        const end = seen.indexOf('\r\n\r\n');
        if (end < 0 && seen.length <= answerLimit) continue;
        return finish(() => {
          if (end < 0 || end > answerLimit) return reject(refused());
          if (seen.length > end + 4) socket.unshift(seen.subarray(end + 4));
          resolve(seen.subarray(0, end + 2).toString('latin1'));
        });
      }
    };
    const onEnd = () => finish(() => reject(refused()));
    const onError = (error: Error) => finish(() => reject(error));
    socket.on('readable', onReadable).on('end', onEnd).on('close', onEnd).on('error', onError);
  });
}
