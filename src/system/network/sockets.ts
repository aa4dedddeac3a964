import { isIP, connect as openTcp, type Socket } from 'node:net';
import { type DetailedPeerCertificate, connect as openTls, type SecureContext, type TLSSocket } from 'node:tls';
import { defined } from '../../core/defined.ts';
import { MailauthError } from '../../core/errors.ts';
import type { CertificateSeen, Where } from '../../errors/catalogue/machine/network-words.ts';
import { networkProblem } from '../../errors/network-problem.ts';

/** TCP to the first address that answers (RFC 8305, "happy eyeballs"). */
export function tcp(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = openTcp({ host, port, autoSelectFamily: true, noDelay: true });
  return guarded(socket, signal, () => eventOf(socket, 'connect', socket));
}

interface TlsOptions {
  readonly where: Where;
  readonly signal: AbortSignal;
  /** the authorities that are trusted */
  readonly context: SecureContext;
  /** offered by ALPN */
  readonly protocols?: string[];
}

/** TLS 1.2 or newer on an open socket, with the certificate checked. Rejects in the catalogue's words. */
export function tls(socket: Socket, { where, signal, context, protocols }: TlsOptions): Promise<TLSSocket> {
  const { host } = where;
  let seen: CertificateSeen = {};
  return told(
    where,
    signal,
    () => {
      const wrapped = openTls({
        socket,
        secureContext: context,
        host,
        // An IP address is not a server name (RFC 6066 section 3). The certificate is checked against it all the same.
        servername: isIP(host) === 0 ? host : '',
        minVersion: 'TLSv1.2',
        // Stated, so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment does not switch the check off.
        rejectUnauthorized: true,
        ...defined({ ALPNProtocols: protocols }),
      });
      // This runs before Node judges the certificate and forgets it. What it says is for the words of an error only.
      wrapped.prependListener('secure', () => {
        seen = seenIn(wrapped.getPeerCertificate(true));
      });
      return guarded(wrapped, signal, async () => {
        await eventOf(wrapped, 'secureConnect', wrapped);
        // Node emits the event while OpenSSL still reads. To destroy the socket at this moment crashes the process (SIGSEGV, Node 20).
        await new Promise((turned) => setImmediate(turned));
        if (wrapped.destroyed) throw closedError();
        return wrapped;
      });
    },
    () => ({ ...seen, ...defined({ systemTrust: systemTrustOf(process) }) }),
  );
}

/**
 * How this Node.js is told to trust the certificates that Windows trusts (nodejs.org/api/cli.html: `--use-system-ca` from 22.15 and 23.8,
 * NODE_USE_SYSTEM_CA from 22.19 and 24.6). Undefined where it cannot, where it does already, and on other systems.
 */
export function systemTrustOf({
  platform,
  version,
  env,
  allowedNodeEnvironmentFlags: options,
}: Pick<NodeJS.Process, 'platform' | 'version' | 'env' | 'allowedNodeEnvironmentFlags'>): CertificateSeen['systemTrust'] {
  if (platform !== 'win32' || !options.has('--use-system-ca')) return undefined;
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const hasVariable = major > 24 || (major === 24 && minor >= 6) || (major === 22 && minor >= 19);
  // An older Node.js ignores the variable, and whoever has set it still needs the option.
  if ((hasVariable && env.NODE_USE_SYSTEM_CA === '1') || env.NODE_OPTIONS?.includes('--use-system-ca') === true) return undefined;
  return hasVariable ? 'NODE_USE_SYSTEM_CA' : 'NODE_OPTIONS';
}

/** Node answers an empty object where the peer sent no certificate, whatever the type says. */
function seenIn({
  issuer,
  valid_from: validFrom,
  valid_to: validTo,
  issuerCertificate,
}: Partial<DetailedPeerCertificate>): CertificateSeen {
  return defined({
    issuer: nameOf(issuer),
    validFrom,
    validTo,
    alone: validTo === undefined ? undefined : issuerCertificate === undefined,
  });
}

function nameOf(issuer: { readonly CN?: string | string[]; readonly O?: string | string[] } | undefined): string | undefined {
  const name = issuer?.CN ?? issuer?.O;
  return Array.isArray(name) ? name[0] : name;
}

/** Runs `work` on a socket that is destroyed when it fails or the signal aborts; the abort's reason is the error then. */
export async function guarded<T>(socket: Socket, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const reason = (): Error => (signal.reason instanceof Error ? signal.reason : new Error('stopped'));
  const stop = () => socket.destroy(reason());
  const ignore = () => undefined;
  socket.on('error', ignore);
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) throw reason();
    return await work();
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    // The caller adds its own listener after this function; until the next tick an error must not end the process.
    setImmediate(() => socket.off('error', ignore));
  }
}

const closedError = (): Error => Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });

function eventOf<T>(socket: Socket, event: 'connect' | 'secureConnect', value: T): Promise<T> {
  return new Promise((done, fail) => {
    const closed = () => fail(closedError());
    const finish = (settle: () => void) => () => {
      socket.off(event, won).off('error', lost).off('close', closed);
      settle();
    };
    const won = finish(() => done(value));
    const lost = (error: Error) => finish(() => fail(error))();
    socket.on(event, won).on('error', lost).on('close', closed);
  });
}

/** Turns failures into problems of the catalogue. The signal's reason (Ctrl-C) passes as it is. */
export async function told<T>(
  where: Where,
  signal: AbortSignal,
  work: () => Promise<T>,
  seen: () => CertificateSeen = () => ({}),
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted && !isTimeout(signal.reason)) throw signal.reason;
    // What was told already names the place where the time ran out.
    throw networkProblem(signal.aborted && !(error instanceof MailauthError) ? signal.reason : error, { ...where, ...seen() });
  }
}

const isTimeout = (reason: unknown): boolean => reason instanceof Error && reason.name === 'TimeoutError';

/**
 * The result of work that cannot be stopped, unless the signal's reason comes first. The listener is taken away again: Node keeps a signal
 * that is made of others alive while somebody listens, and with it everything that the request held.
 */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let stop = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
