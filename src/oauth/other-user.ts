import type { Files } from '../core/context.ts';

/** Linux lists both ends of a connection on this computer, each with its user (proc(5), /proc/net/tcp). */
const lists = ['/proc/net/tcp', '/proc/net/tcp6'];

/**
 * Does another user hold the client's end of this connection to our listener? False where the system does not say, and for root, who is
 * trusted and whose relay carries the browser of Windows into WSL.
 */
export async function isOfAnotherUser(
  files: Pick<Files, 'read'>,
  { serverPort, clientPort }: { readonly serverPort: number; readonly clientPort: number },
): Promise<boolean> {
  const texts = await Promise.all(lists.map((list) => files.read(list).catch(() => undefined)));
  const lines = texts.flatMap((text) => (text ?? '').split('\n'));
  const userOf = (local: number, remote: number): string | undefined => {
    const found = lines.map((one) => one.trim().split(/\s+/)).find(([, from, to]) => portOf(from) === local && portOf(to) === remote);
    return found?.[7];
  };
  const [client, server] = [userOf(clientPort, serverPort), userOf(serverPort, clientPort)];
  return client !== undefined && server !== undefined && client !== server && client !== '0';
}

/** `0100007F:A1B2`: address and port, hexadecimal. */
const portOf = (end: string | undefined): number => Number.parseInt(end?.split(':')[1] ?? '', 16);
