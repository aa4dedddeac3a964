import { lookup as resolve } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIP, type Socket } from 'node:net';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import type { Network } from '../../core/context.ts';
import type { Where } from '../../errors/catalogue/machine/network-words.ts';
import { createHttp } from './http-client.ts';
import { openTunnel, type ProxyAddress, readProxy } from './proxy.ts';
import { guarded, tcp, tls, told, unlessAborted } from './sockets.ts';

interface NetworkOptions {
  /** HTTPS_PROXY, HTTP_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** PEM; trusted besides Node's own roots */
  readonly ca?: readonly string[];
  /** each exchange: method, address without its query, status, time */
  readonly log?: (line: string) => void;
}

/**
 * HTTP and raw sockets over one way of connecting: the same proxy rules, the same trusted authorities, the same words when it fails.
 * Nothing idle keeps the process alive.
 */
export function createNetwork({ env, ca = [], log = () => undefined }: NetworkOptions): Network {
  const proxyFor = readProxy(env);
  const trust = lazily(() => trustOf(ca, env.NODE_EXTRA_CA_CERTS));
  // Loading all of Node's roots beside one more authority takes 50 ms, so each authority has its network made once.
  const trusting = new Map<string, Network>();

  const connect = (host: string, port: number, signal: AbortSignal): Promise<Socket> => {
    const where = { host, port };
    return told(where, signal, async () => {
      const proxy = proxyFor(host, port);
      return proxy === undefined ? tcp(host, port, signal) : throughProxy(proxy, where, trust, signal);
    });
  };

  return {
    connect,
    secure: (socket, host, signal) =>
      tls(socket, { where: { host, port: socket.remotePort ?? 0, through: tunnels.get(socket) }, signal, context: trust() }),
    secureContext: trust,
    request: createHttp({
      log,
      through: (host, port) => proxyFor(host, port)?.shown,
      async open(host, port, encrypted, signal) {
        const socket = await connect(host, port, signal);
        if (!encrypted) return socket;
        return tls(socket, { where: { host, port, through: tunnels.get(socket) }, signal, context: trust(), protocols: ['http/1.1'] });
      },
    }),
    lookup: (host, signal) => addressesOf(host, signal),
    proxyFor: (host, port) => proxyFor(host, port)?.shown,
    trusting(authority) {
      const known = trusting.get(authority);
      if (known !== undefined) return known;
      const made = createNetwork({ env: { ...env, NO_PROXY: '*', no_proxy: '*' }, ca: [...ca, authority], log });
      trusting.set(authority, made);
      return made;
    },
  };
}

async function throughProxy(proxy: ProxyAddress, where: Where, trust: () => SecureContext, signal: AbortSignal): Promise<Socket> {
  const toProxy = { host: proxy.host, port: proxy.port, purpose: 'the proxy' };
  const socket = await told(toProxy, signal, async () => {
    const open = await tcp(proxy.host, proxy.port, signal);
    return proxy.secure ? tls(open, { where: toProxy, signal, context: trust() }) : open;
  });
  // A proxy that says nothing is named, and not the host behind it.
  return told(toProxy, signal, () =>
    guarded(socket, signal, async () => {
      await openTunnel(socket, proxy, where);
      tunnels.set(socket, proxy.shown);
      return socket;
    }),
  );
}

/** Sockets that lead through a proxy, and its address: what goes wrong on them may be its doing. */
const tunnels = new WeakMap<Socket, string>();

async function addressesOf(host: string, signal: AbortSignal): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  return told({ host, port: 0 }, signal, async () => {
    // The resolver cannot be stopped, so only the wait for it ends.
    const found = await unlessAborted(signal, resolve(host, { all: true, verbatim: true }));
    return found.map((one) => one.address);
  });
}

/** Node adds NODE_EXTRA_CA_CERTS by itself only when it is given no list. With a list, the content of that file must be added here. */
export function trustOf(ca: readonly string[], extraFile: string | undefined, own: { cert?: string; key?: string } = {}): SecureContext {
  if (ca.length === 0) return createSecureContext({ minVersion: 'TLSv1.2', ...own });
  return createSecureContext({ minVersion: 'TLSv1.2', ca: [...rootCertificates, ...readExtra(extraFile), ...ca], ...own });
}

function readExtra(file: string | undefined): readonly string[] {
  if (file === undefined || file === '') return [];
  try {
    return [readFileSync(file, 'utf8')];
  } catch {
    // Node itself only warns about a file that it cannot read.
    return [];
  }
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
