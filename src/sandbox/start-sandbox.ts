import { join } from 'node:path';
import type { Cloud } from '../core/cloud.ts';
import type { Context, Network } from '../core/context.ts';
import { Secret } from '../core/secret.ts';
import { problem } from '../errors/problem.ts';
import { approve, approveDevice } from './entra/approve.ts';
import { type FaultName, isFault } from './faults/faults.ts';
import { connectionFault } from './faults/faults-connection.ts';
import { announce, ping, type Running, readRunning, withdraw } from './running.ts';
import type { Service } from './server/service.ts';
import { type Broken, faultyCertificate, type Ports, startServers } from './servers.ts';
import { type KeyRing, openKeyRing } from './tenant/authority.ts';
import { defaultMailbox, readyApps, tenant } from './tenant/directory.ts';
import { openFolder } from './tenant/folder.ts';
import { openOutbox } from './tenant/outbox.ts';
import { openState } from './tenant/state.ts';
import { openMint } from './tenant/tokens.ts';

export interface SandboxOptions {
  /** files, clock, random, network and signal are used */
  readonly ctx: Context;
  /** the sandbox's own folder, `<MAILAUTH_HOME>/sandbox` */
  readonly home: string;
  /** a name of `sandboxFaults`; others are ignored, ask `isFault` first */
  readonly fault?: string;
  /** fixed ports instead of free ones */
  readonly ports?: Ports;
  /** leave `running.json`, so that other commands join this one: for `mailauth sandbox` */
  readonly announce?: boolean;
  /** fixed life of access tokens in seconds; default random 3600 to 5400 */
  readonly tokenSeconds?: number;
}

export interface Sandbox {
  readonly cloud: Cloud;
  /** PEM to trust in this process only */
  readonly ca: string;
  /** trusts it, and throws what keeps the sandbox of this process from answering: its folder cannot be written */
  readonly network: Network;
  /** the same as a file, for other programs that use `mailauth sandbox` */
  readonly caFile: string;
  readonly tenant: { readonly id: string; readonly domains: readonly string[] };
  readonly defaultMailbox: string;
  readonly ready: {
    readonly public: { readonly clientId: string; readonly redirectUri: string };
    readonly confidential: { readonly clientId: string; readonly clientSecret: Secret; readonly redirectUri: string };
  };
  /** the servers belong to a running `mailauth sandbox` */
  readonly joined: boolean;
  /**
   * How often a page that begins a sign-in, a consent or a device code was fetched; with `joined` the running sandbox is asked.
   * Infinity where that has ended, so that nobody plays the person there.
   */
  pagesSeen(): Promise<number>;
  /** plays the person: picks the account of `login_hint` (or `as`), accepts, and follows the redirect to its end */
  approve(authorizationUrl: string, as?: string): Promise<void>;
  /** plays the person with a device code: types it, picks the account, and accepts */
  approveDevice(verificationUri: string, userCode: string, as: string): Promise<void>;
  /** ends the servers and their connections; safe to call twice */
  close(): Promise<void>;
}

/**
 * Opens the stand-in for Microsoft 365 inside this process, or joins a running `mailauth sandbox`
 * (never with a fault, fixed ports or `announce`: those need servers of their own).
 * @throws `sandbox-running` (with `announce`), `sandbox-port-taken`, `sandbox-busy`, `sandbox-folder`
 */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { ctx } = options;
  const folder = openFolder(ctx, options.home);
  const store = openState(ctx, folder);
  const fault = options.fault !== undefined && isFault(options.fault) ? options.fault : undefined;
  const { keys, broken } = await keysUnder(fault, await openKeyRing(ctx, folder), ctx.clock.now());
  const { readySecret } = await store.read();

  const trusted = ctx.network.trusting(keys.ca);
  const build = (ports: Required<Ports>, live: Pick<Sandbox, 'joined' | 'pagesSeen' | 'close' | 'network'>): Sandbox => ({
    cloud: cloudAt(ports),
    ca: keys.ca,
    caFile: join(options.home, 'ca.pem'),
    tenant,
    defaultMailbox,
    ready: {
      public: readyApps.public,
      confidential: { ...readyApps.confidential, clientSecret: new Secret(readySecret) },
    },
    approve: (url, as) => approve({ network: live.network, signal: ctx.signal }, url, as, defaultMailbox),
    approveDevice: (uri, code, as) => approveDevice({ network: live.network, signal: ctx.signal }, uri, code, as),
    ...live,
  });

  const alone = options.fault !== undefined || options.ports !== undefined || options.announce === true;
  const running = alone && options.announce !== true ? undefined : await findRunning(ctx, folder, keys.ca);
  if (running !== undefined && options.announce) throw problem('sandbox-running', { address: cloudAt(running.ports).login });
  if (running !== undefined) {
    return build(running.ports, { joined: true, network: trusted, pagesSeen: running.pagesSeen, close: async () => undefined });
  }

  const service: Service = {
    ctx,
    state: store,
    outbox: openOutbox(ctx, folder),
    mint: openMint(ctx, keys.signingKey),
    fault,
    tokenSeconds: options.tokenSeconds,
    nonce: ctx.random.bytes(24).toString('base64url'),
    addresses: { pages: '', login: '', graph: '', exchange: '' },
    trouble: undefined,
    seen: 0,
  };
  const servers = await startServers(service, keys, options.ports ?? {}, broken);
  if (options.announce) await announce(folder, { ...servers.ports, pid: ctx.pid, nonce: service.nonce });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    if (options.announce) await withdraw(folder, service.nonce);
    await servers.close();
  };
  return build(servers.ports, {
    joined: false,
    network: tellingTrouble(trusted, service),
    pagesSeen: async () => service.seen,
    close: () => {
      closing ??= close();
      return closing;
    },
  });
}

/** The keys under a fault. The authority of a faulty certificate is trusted too, so that only the intended thing is wrong with it. */
async function keysUnder(
  name: FaultName | undefined,
  keys: KeyRing,
  now: number,
): Promise<{ readonly keys: KeyRing; readonly broken: Broken | undefined }> {
  const fault = connectionFault(name);
  if (fault === undefined) return { keys, broken: undefined };
  const certificate = await faultyCertificate(fault, now);
  return { keys: { ...keys, ca: [keys.ca.trim(), certificate?.ca ?? ''].join('\n') }, broken: { fault, certificate } };
}

/** An error page of the sandbox says nothing to an operator; why it came does. */
const tellingTrouble = (network: Network, service: Service): Network => ({
  ...network,
  async request(request) {
    const answer = await network.request(request);
    if (answer.status >= 500 && service.trouble !== undefined) throw service.trouble;
    return answer;
  },
});

async function findRunning(ctx: Context, folder: ReturnType<typeof openFolder>, ca: string) {
  const running: Running | undefined = await readRunning(folder);
  if (running === undefined) return undefined;
  const network = ctx.network.trusting(ca);
  const before = await ping(network, running);
  if (before === undefined) return undefined;
  return { ports: running, pagesSeen: async () => (await ping(network, running)) ?? Number.POSITIVE_INFINITY };
}

function cloudAt(ports: Required<Ports>): Cloud {
  const login = `https://localhost:${ports.login}`;
  return {
    name: 'sandbox',
    login,
    graph: `${login}/graph`,
    exchangeAdmin: `${login}/exchange`,
    portal: 'https://entra.microsoft.com',
    outlookScopeBase: 'https://outlook.office.com',
    imap: { host: 'localhost', port: ports.imap, security: 'tls' },
    pop: { host: 'localhost', port: ports.pop, security: 'tls' },
    smtp: { host: 'localhost', port: ports.smtp, security: 'starttls' },
    verified: true,
  };
}
