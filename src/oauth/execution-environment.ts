import type { Context } from '../core/context.ts';
import { defined } from '../core/defined.ts';

/** Where mailauth runs, as far as that decides whether the browser's answer from Microsoft can arrive here. */
interface ExecutionEnvironment {
  /** `user@host` (and `-p PORT`) that reaches this session by SSH, with placeholders for what the environment does not say; undefined: not over SSH */
  readonly ssh?: string;
  /** Linux inside Windows: the browser runs on Windows */
  readonly wsl: boolean;
  readonly container: boolean;
  /** GitHub Codespaces: the browser is on another computer, behind a forwarded port */
  readonly codespaces: boolean;
}

/** Reads the environment variables, and the files by which WSL and container engines can be recognised. */
export async function executionEnvironment({
  env,
  files,
  platform,
}: Pick<Context, 'env' | 'files' | 'platform'>): Promise<ExecutionEnvironment> {
  const ssh = sshTarget(env);
  const linux = platform === 'linux';
  const [docker, podman, kernel] = linux
    ? await Promise.all(['/.dockerenv', '/run/.containerenv', '/proc/version'].map((path) => files.read(path).catch(() => undefined)))
    : [];
  return {
    ...defined({ ssh }),
    // The kernel's version names Microsoft (learn.microsoft.com/windows/wsl); `sudo` removes the variable.
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

/** Where the person's own browser is, and how its answer comes back to this computer. */
export function openByHand({ ssh, wsl, codespaces, container }: ExecutionEnvironment): string {
  // The redirect is http to localhost, which is the person's own computer; a forwarded port is https at GitHub.
  if (codespaces)
    return 'This is a codespace: open the address in your own browser. Its last page does not load there, because forwarded ports have https addresses of their own; copy the address of that page and paste it here.';
  if (ssh !== undefined) return 'Open the address on your own computer, and paste the address it ends on.';
  if (wsl)
    return 'This is Linux inside Windows (WSL): open the address in a browser on Windows. If the page at the end does not load there, copy its address and paste it here.';
  if (container) return 'This is a container: open the address on any computer, and paste the address it ends on.';
  return 'Open the address yourself; from another computer, paste the address it ends on.';
}

/** What to say after a browser was opened that may run outside of this machine, where localhost is another computer. undefined: it runs here. */
export function hintWhenOpened({ ssh, wsl, codespaces }: ExecutionEnvironment, byKeys = false): string | undefined {
  if (ssh !== undefined && !codespaces) {
    if (byKeys) return 'If no browser comes up on your screen, press u, open the address there, press p and paste the address it ends on.';
    return 'If no browser comes up on your screen, open the address there, and paste the address it ends on.';
  }
  if (!wsl && !codespaces) return undefined;
  return `If the page at the end does not load in your browser, copy its address${byKeys ? ', press p' : ''} and paste it here.`;
}

/** Over SSH the browser is on another computer, whose localhost is not this one. These lines say how to forward the listener's port. */
export function forwardHint({ ssh, codespaces }: ExecutionEnvironment, redirectUri: string | undefined): readonly string[] {
  // `gh codespace ssh` connects in its own way: the names in SSH_CONNECTION do not lead to the codespace.
  if (ssh === undefined || redirectUri === undefined || codespaces) return [];
  return [
    'Nothing needs to be pasted if the other computer reaches this one: run the next line in a terminal there first.',
    sshForward(ssh, new URL(redirectUri).port || '80'),
  ];
}

/** The command for the other computer's terminal that forwards the browser's answer to this machine. */
export const sshForward = (target: string, port: string): string => `ssh -L ${port}:localhost:${port} ${target}`;
