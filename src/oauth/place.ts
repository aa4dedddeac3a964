import type { Context } from '../core/context.ts';

/** What kind of machine this is, as far as it decides whether a browser's way back from Microsoft can arrive here. */
export interface Place {
  /** `user@host` (and `-p PORT`) to reach this session by SSH; placeholders where it does not show. undefined: not over SSH */
  readonly ssh?: string;
  /** Linux inside Windows: the browser is Windows' own */
  readonly wsl: boolean;
  readonly container: boolean;
  /** GitHub Codespaces: the browser is on another computer, behind a forwarded port */
  readonly codespaces: boolean;
}

/** Reads the environment, and the marks that WSL and container engines leave on disk. */
export async function placeOf({ env, files, platform }: Pick<Context, 'env' | 'files' | 'platform'>): Promise<Place> {
  const ssh = sshTarget(env);
  const linux = platform === 'linux';
  const [docker, podman, kernel] = linux
    ? await Promise.all(['/.dockerenv', '/run/.containerenv', '/proc/version'].map((path) => files.read(path).catch(() => undefined)))
    : [];
  return {
    ...(ssh === undefined ? {} : { ssh }),
    // Microsoft names itself in the kernel's version (learn.microsoft.com/windows/wsl); `sudo` takes the variable away.
    wsl: linux && (Boolean(env.WSL_DISTRO_NAME) || /microsoft/i.test(kernel ?? '')),
    container: docker !== undefined || podman !== undefined || Boolean(env.KUBERNETES_SERVICE_HOST),
    codespaces: env.CODESPACES === 'true',
  };
}

/** SSH_CONNECTION is `client-ip client-port server-ip server-port` (ssh(1)): the server's side is how the client reached us. */
function sshTarget(env: Context['env']): string | undefined {
  const { SSH_CONNECTION: connection, SSH_TTY: tty, SSH_CLIENT: client } = env;
  if (!connection && !tty && !client) return undefined;
  const [, , host = '', port = ''] = connection?.split(' ') ?? [];
  const user = env.USER ?? env.LOGNAME ?? '';
  const shownHost = /^[\da-f.:]{2,45}$/i.test(host) ? host : 'HOST';
  const shownUser = /^[\w][\w.-]{0,63}$/.test(user) ? user : 'USER';
  const shownPort = /^\d{1,5}$/.test(port) && port !== '22' ? `-p ${port} ` : '';
  return `${shownPort}${shownUser}@${shownHost}`;
}

/** The line that carries the browser's way back to this machine, for the other computer's terminal. */
export const sshForward = (target: string, port: string): string => `ssh -L ${port}:localhost:${port} ${target}`;
