import { chmodSync, lstatSync, type Stats, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import type { Env } from '../core/context.ts';
import { errorCode } from '../core/errors.ts';
import { lock } from './disk/lock.ts';
import { makeFolder } from './disk/owners.ts';

/** `given-over`: a service manager listens already, and has handed its socket over (sd_listen_fds(3)). */
export type Listening =
  | { readonly kind: 'listening' }
  | { readonly kind: 'given-over' }
  | { readonly kind: 'not-unix' }
  | { readonly kind: 'running' }
  | { readonly kind: 'not-a-socket' }
  | { readonly kind: 'path-long' }
  | { readonly kind: 'folder-open'; readonly folder: string; readonly mode: string; readonly isOwn: boolean };

/** The first file descriptor of a service that systemd starts by its socket (sd_listen_fds(3), SD_LISTEN_FDS_START). */
const firstHandedOver = 3;

/** Has systemd handed a socket to this very process? The variables name the process, because its children inherit them. */
export const isHandedOver = ({ LISTEN_PID, LISTEN_FDS }: Env, pid: number): boolean =>
  LISTEN_PID === String(pid) && Number(LISTEN_FDS) >= 1;

/** Listens on the socket that systemd has handed over. One that is not a UNIX socket is refused: it could be reached from elsewhere. */
export async function listenHandedOver(server: Server): Promise<Listening> {
  await listening(server, { fd: firstHandedOver });
  // Node knows the addresses of TCP sockets, and none of a UNIX socket that it has not made.
  if (server.address() === null) return { kind: 'given-over' };
  server.close();
  return { kind: 'not-unix' };
}

/**
 * Listens on a UNIX socket (0600) in a folder that is this user's alone (0700; made where it is missing). A socket that nobody listens on is
 * left from a process that died, and is taken over. Throws as the disk does.
 */
export async function listenPrivately(server: Server, path: string): Promise<Listening> {
  if (Buffer.byteLength(path) > longestPath) return { kind: 'path-long' };
  const folder = dirname(path);
  makeFolder(folder);
  const { mode, uid } = lstatSync(folder);
  const isOwn = uid === process.geteuid?.();
  if (!isOwn || (mode & 0o077) !== 0) return { kind: 'folder-open', folder, mode: (mode & 0o7777).toString(8).padStart(4, '0'), isOwn };
  // Two that find the same stale socket would otherwise remove each other's new one.
  const release = await lock(`${path}.lock`, takeOverWaitMs);
  try {
    const there = statOf(path);
    if (there?.isSocket() === false) return { kind: 'not-a-socket' };
    if (there !== undefined) {
      if (await isListenedOn(path)) return { kind: 'running' };
      unlinkSync(path);
    }
    await listening(server, { path });
    chmodSync(path, 0o600);
    return { kind: 'listening' };
  } finally {
    await release?.();
  }
}

/** Bytes of sun_path without the zero at its end: 108 on Linux, 104 on macOS and the BSDs (unix(7), unix(4)). */
const longestPath = process.platform === 'linux' ? 107 : 103;

const takeOverWaitMs = 5_000;

const statOf = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });

function listening(server: Server, on: { readonly path: string } | { readonly fd: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(on, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** A process whose queue is full also listens. */
function isListenedOn(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      const code = errorCode(error);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
      else if (code === 'EAGAIN') resolve(true);
      else reject(error);
    });
  });
}
