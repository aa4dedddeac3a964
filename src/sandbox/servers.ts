import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { listener, type SandboxHandler } from './http.ts';
import { imapServer } from './imap-server.ts';
import { type Closable, listenOnLoopback } from './listen.ts';
import { loginServer } from './login-server.ts';
import { popServer } from './pop-server.ts';
import type { Service } from './service.ts';
import { signInServer } from './sign-in-server.ts';
import { smtpServer } from './smtp-server.ts';

export interface Ports {
  readonly pages?: number;
  readonly login?: number;
  readonly imap?: number;
  readonly pop?: number;
  readonly smtp?: number;
}

export interface Servers {
  readonly ports: Required<Ports>;
  close(): Promise<void>;
}

const limits = { headersTimeout: 10_000, requestTimeout: 30_000 };

/** Starts the five servers on loopback and fills in the service's addresses; closes what it opened when one fails. */
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
  const started = await Promise.allSettled([
    listenOnLoopback(pages, wanted.pages),
    listenOnLoopback(login, wanted.login),
    listenOnLoopback(() => imapServer(service, tls), wanted.imap),
    listenOnLoopback(() => popServer(service, tls), wanted.pop),
    listenOnLoopback(() => smtpServer(service, tls), wanted.smtp),
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
  const ports = { pages: pagesAt.port, login: loginAt.port, imap: imapAt.port, pop: popAt.port, smtp: smtpAt.port };
  service.addresses.pages = `http://localhost:${ports.pages}`;
  service.addresses.login = `https://localhost:${ports.login}`;
  service.addresses.graph = `https://localhost:${ports.login}/graph`;
  return { ports, close };
}
