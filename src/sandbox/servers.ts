import { createServer as createHttp } from 'node:http';
import type { Socket } from 'node:net';
import { MailauthError } from '../core/errors.ts';
import { loginServer } from './entra/login-server.ts';
import { signInServer } from './entra/sign-in-server.ts';
import type { Breakage, ConnectionFault } from './faults/faults-connection.ts';
import { imapServer } from './mail/imap-server.ts';
import { popServer } from './mail/pop-server.ts';
import { smtpServer } from './mail/smtp-server.ts';
import { listener, type SandboxHandler } from './server/http.ts';
import { type Closable, listenOnLoopback } from './server/listen.ts';
import type { Service } from './server/service.ts';
import { type Certificate, socketServer, tlsServer } from './server/tls-server.ts';
import { makeCertificates } from './tenant/authority.ts';

export interface Ports {
  readonly pages?: number;
  readonly login?: number;
  readonly imap?: number;
  readonly pop?: number;
  readonly smtp?: number;
}

interface Servers {
  readonly ports: Required<Ports>;
  close(): Promise<void>;
}

const limits = { headersTimeout: 10_000, requestTimeout: 30_000 };

/** A fault below the protocols, and the certificate that it uses in place of the right one. */
export interface Broken {
  readonly fault: ConnectionFault;
  readonly certificate: Certificate | undefined;
}

/** Starts the five servers on loopback and fills in the service's addresses; closes what it opened when one fails. */
export async function startServers(service: Service, tls: Certificate, wanted: Ports, broken?: Broken): Promise<Servers> {
  const at = (on: ConnectionFault['on'], work: (tls: Certificate) => Closable) => (): Closable => {
    const { fault, certificate = tls } = broken?.fault.on === on ? broken : {};
    return (fault === undefined ? undefined : brokenServer(fault.how, certificate)) ?? work(certificate);
  };
  const pagesHandler = signInServer(service);
  const loginHandler: SandboxHandler = (request) => loginServer(service, request);
  const onFailure = (error: unknown): void => {
    if (error instanceof MailauthError) service.trouble = error;
  };
  const pages = (): Closable => {
    const server = createHttp(limits, listener(pagesHandler, onFailure));
    return { server, drop: () => server.closeAllConnections() };
  };
  const login = (certificate: Certificate): Closable => {
    const http = createHttp(listener(loginHandler, onFailure)).setTimeout(limits.requestTimeout);
    return tlsServer(certificate, (socket) => http.emit('connection', socket));
  };
  const started = await Promise.allSettled([
    listenOnLoopback(pages, wanted.pages),
    listenOnLoopback(at('sign-in', login), wanted.login),
    listenOnLoopback(
      at('mail', (own) => imapServer(service, own)),
      wanted.imap,
    ),
    listenOnLoopback(
      at('mail', (own) => popServer(service, own)),
      wanted.pop,
    ),
    listenOnLoopback(
      at('mail', (own) => smtpServer(service, own)),
      wanted.smtp,
    ),
  ]);
  const open = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(open.map((one) => one.close()));
  };
  const failed = started.find((one) => one.status === 'rejected');
  const [pagesAt, loginAt, imapAt, popAt, smtpAt] = open;
  if (failed !== undefined || !pagesAt || !loginAt || !imapAt || !popAt || !smtpAt) {
    await close();
    throw failed?.reason;
  }
  if (broken?.fault.how === 'not-listening')
    await Promise.all((broken.fault.on === 'mail' ? [imapAt, popAt, smtpAt] : [loginAt]).map((one) => one.close()));
  const ports = { pages: pagesAt.port, login: loginAt.port, imap: imapAt.port, pop: popAt.port, smtp: smtpAt.port };
  service.addresses.pages = `http://localhost:${ports.pages}`;
  service.addresses.login = `https://localhost:${ports.login}`;
  service.addresses.graph = `https://localhost:${ports.login}/graph`;
  service.addresses.exchange = `https://localhost:${ports.login}/exchange`;
  return { ports, close };
}

const name = 'mailauth sandbox authority of a fault';
const dayMs = 86_400_000;
const twoMegabytes = 2 * 1024 * 1024;

/** The certificate of a fault, and the authority that signed it. Undefined if the fault is not about certificates. */
export async function faultyCertificate({ how }: ConnectionFault, now: number): Promise<(Certificate & { ca?: string }) | undefined> {
  switch (how) {
    case 'expired':
      return makeCertificates(now, { leafEnds: now - dayMs / 2, name });
    case 'other-host':
      return makeCertificates(now, { host: 'elsewhere.contoso.example', name });
    case 'untrusted': {
      const { cert, key } = await makeCertificates(now, { name });
      return { cert, key };
    }
    default:
      return undefined;
  }
}

/** A server that misbehaves on each connection. Undefined if this fault leaves the real server at work. */
function brokenServer(how: Breakage, tls: Certificate): Closable | undefined {
  const act = acts[how];
  if (act === undefined) return undefined;
  return how === 'no-http' || how === 'too-much' ? tlsServer(tls, act) : socketServer(act);
}

const acts: Readonly<Partial<Record<Breakage, (socket: Socket) => void>>> = {
  'no-tls': (socket) => socket.end('* OK ready, and in clear\r\n'),
  closed: (socket) => socket.destroy(),
  // What arrives is read and dropped. Unread, it would hide that the client has closed the connection.
  silent: (socket) => socket.resume(),
  'no-http': (socket) => socket.once('data', () => socket.end('220 this is no web server\r\n')),
  'too-much': (socket) =>
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${twoMegabytes}\r\n\r\n`);
      socket.end(' '.repeat(twoMegabytes));
    }),
};
