import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { MailHost } from '../core/cloud.ts';
import type { Clock, Network } from '../core/context.ts';
import type { MailauthError } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { type Lines, readLines } from './lines.ts';
import type { StageWork } from './stages.ts';

/** One connection to a mail server, stage by stage, for any of the protocols. */
export interface Wire {
  readonly dns: StageWork;
  readonly connect: StageWork;
  /** the TLS handshake on the open connection; refuses bytes that came in clear before it, with `mail-starttls-injection` */
  readonly secure: StageWork;
  /** reads from and writes to the connection as it is now: in clear, or after `secure` over TLS */
  lines(): Lines;
  close(): void;
}

interface WireOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly host: MailHost;
  /** says in the protocol's own words that an answer makes no sense */
  readonly unreadable: (what: string) => MailauthError;
}

export function openWire({ network, clock, host, unreadable }: WireOptions): Wire {
  // Called within a stage, so that an unusable HTTPS_PROXY is the failure of that stage.
  const proxyInUse = (): string | undefined => network.proxyFor(host.host, host.port);
  /** the TCP socket, and after the handshake the TLS socket on it */
  const sockets: Socket[] = [];
  let lines: Lines | undefined;

  const keep = <S extends Socket>(opened: S): S => {
    // A reset that comes when no stage listens must not end the process.
    opened.on('error', () => {});
    sockets.push(opened);
    return opened;
  };
  const opened = (): Socket => {
    const socket = sockets.at(-1);
    if (socket === undefined) throw new Error('mail: not connected yet');
    return socket;
  };

  return {
    async dns(signal) {
      const proxy = proxyInUse();
      if (proxy !== undefined) return `left to the proxy ${shownProxy(proxy)}`;
      const [address = 'no address', ...more] = await network.lookup(host.host, signal);
      return plain(more.length === 0 ? address : `${address} and ${more.length} more`);
    },
    async connect(signal) {
      const proxy = proxyInUse();
      const tcp = keep(await network.connect(host.host, host.port, signal));
      return plain(proxy === undefined ? `${tcp.remoteAddress ?? host.host}:${host.port}` : `through the proxy ${shownProxy(proxy)}`);
    },
    async secure(signal) {
      // What came in clear after the answer to STARTTLS would be read as if it had come over TLS.
      if (lines?.hasMore()) throw problem('mail-starttls-injection', { host: host.host, port: host.port });
      lines?.release();
      lines = undefined;
      return describeTls(keep(await network.secure(opened(), host.host, signal)), clock.now());
    },
    lines() {
      lines ??= readLines(opened(), host, unreadable);
      return lines;
    },
    close() {
      for (const one of sockets) one.destroy();
    },
  };
}

/** A proxy's address without the name and password that may be in it. */
function shownProxy(proxy: string): string {
  return URL.canParse(proxy) ? plain(new URL(proxy).host) : 'from the environment';
}

/** `TLSv1.3, certificate of localhost by mailauth test CA, valid until 2026-12-21 (29 days)`. `now` in milliseconds since the epoch. */
function describeTls(socket: TLSSocket, now: number): string {
  const version = socket.getProtocol() ?? 'TLS';
  const certificate = socket.getPeerCertificate();
  // Without a certificate it is an empty object (Node documentation), whatever its type says.
  if (!('valid_to' in certificate)) return version;
  const until = Date.parse(certificate.valid_to);
  const issuer = first(certificate.issuer.CN) ?? first(certificate.issuer.O) ?? 'an unnamed authority';
  const subject = first(certificate.subject.CN) ?? 'an unnamed host';
  const lifetime = Number.isNaN(until)
    ? ''
    : `, valid until ${new Date(until).toISOString().slice(0, 10)} (${Math.floor((until - now) / 86_400_000)} days)`;
  return plain(`${version}, certificate of ${subject} by ${issuer}${lifetime}`);
}

function first(name: string | readonly string[] | undefined): string | undefined {
  return typeof name === 'object' ? name[0] : name;
}
