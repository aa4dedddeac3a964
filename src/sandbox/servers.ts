import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { listener, type SandboxHandler } from './http.ts';
import { imapServer } from './imap-server.ts';
import { type Closable, type Listening, listenOnLoopback } from './listen.ts';
import { loginServer } from './login-server.ts';
import type { Service } from './service.ts';
import { signInServer } from './sign-in-server.ts';

export interface Ports {
  readonly pages?: number;
  readonly login?: number;
  readonly imap?: number;
}

export interface Servers {
  readonly ports: Required<Ports>;
  close(): Promise<void>;
}

const limits = { headersTimeout: 10_000, requestTimeout: 30_000 };

/** Starts the three servers on loopback and fills in the service's addresses; closes what it opened when one fails. */
export async function startServers(
  service: Service,
  tls: { readonly cert: string; readonly key: string },
  wanted: Ports,
): Promise<Servers> {
  const pagesHandler = signInServer(service);
  const loginHandler: SandboxHandler = (request) => loginServer(service, request);
  const pages = (): Closable => {
    const server = createHttp(limits, listener(pagesHandler));
    return { server, drop: () => server.closeAllConnections() };
  };
  const login = (): Closable => {
    const server = createHttps({ ...limits, cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' }, listener(loginHandler));
    return { server, drop: () => server.closeAllConnections() };
  };
  const imap = () => imapServer(service, tls);

  const started = await Promise.allSettled([
    listenOnLoopback(pages, wanted.pages),
    listenOnLoopback(login, wanted.login),
    listenOnLoopback(imap, wanted.imap),
  ]);
  const open = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(open.map((one) => one.close()));
  };
  const [pagesAt, loginAt, imapAt] = started;
  if (pagesAt.status === 'rejected' || loginAt.status === 'rejected' || imapAt.status === 'rejected') {
    await close();
    throw started.find((one) => one.status === 'rejected')?.reason;
  }
  const ports = portsOf(pagesAt.value, loginAt.value, imapAt.value);
  service.addresses.pages = `http://localhost:${ports.pages}`;
  service.addresses.login = `https://localhost:${ports.login}`;
  service.addresses.graph = `https://localhost:${ports.login}/graph`;
  return { ports, close };
}

function portsOf(pages: Listening, login: Listening, imap: Listening): Required<Ports> {
  return { pages: pages.port, login: login.port, imap: imap.port };
}
