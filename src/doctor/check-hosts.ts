import { type DetailedPeerCertificate, rootCertificates, type TLSSocket } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { type Cloud, cloudNames, type MailHost, type Protocol } from '../core/cloud.ts';
import type { Clock, Env, Network } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import { networkProblem } from '../errors/network-problem.ts';
import { problem } from '../errors/problem.ts';
import { imapPreflight } from '../mail/imap-preflight.ts';
import { PopRefusal, popSession } from '../mail/pop-session.ts';
import { smtpPreflight } from '../mail/smtp-preflight.ts';
import { type StageName, type StageWork, stageOrder } from '../mail/stages.ts';
import { openWire } from '../mail/wire.ts';
import { type Check, failed, ok, warned } from './check.ts';

/** One server that mailauth talks to. */
export interface Target {
  readonly id: string;
  readonly title: string;
  readonly speaks: 'https' | Protocol;
  readonly host: MailHost;
  /** one of Microsoft's own: its certificate comes from an authority that every Node knows */
  readonly public: boolean;
}

/** The hosts of these clouds; of a further cloud only those that are new. The first cloud's ids are login, graph, imap, pop, smtp. */
export function targetsOf(clouds: readonly Cloud[]): readonly Target[] {
  const targets: Target[] = [];
  for (const [i, cloud] of clouds.entries()) {
    const isPublic = cloudNames.some((name) => name === cloud.name);
    const known = [...targets];
    for (const { purpose, what, ...target } of hostsOf(cloud)) {
      if (known.some((one) => one.speaks === target.speaks && isDeepStrictEqual(one.host, target.host))) continue;
      const id = i === 0 ? purpose : `${purpose}-${i + 1}`;
      targets.push({ ...target, id, title: i === 0 ? what : `${what} (${cloud.name})`, public: isPublic });
    }
  }
  return targets;
}

function hostsOf(cloud: Cloud) {
  const https = (address: string): MailHost => {
    const { hostname, port } = new URL(address);
    return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 443 : Number(port), security: 'tls' };
  };
  return [
    { purpose: 'login', what: 'Sign-in service', speaks: 'https', host: https(cloud.login) },
    { purpose: 'graph', what: 'Microsoft Graph', speaks: 'https', host: https(cloud.graph) },
    { purpose: 'imap', what: 'IMAP', speaks: 'imap', host: cloud.imap },
    { purpose: 'pop', what: 'POP', speaks: 'pop', host: cloud.pop },
    { purpose: 'smtp', what: 'SMTP', speaks: 'smtp', host: cloud.smtp },
  ] as const;
}

/** What is said to a server, without a sign-in. */
interface Talk {
  readonly work: Partial<Record<StageName, StageWork>>;
  /** over TLS: asks what is still to be known, and says goodbye */
  readonly finish?: (signal: AbortSignal) => Promise<void>;
  close(): void;
}

function talkTo({ speaks, host }: Target, network: Network, clock: Clock): Talk {
  if (speaks === 'https') {
    const wire = openWire({ network, clock, host, unreadable: (what) => problem('http-failed', { ...host, purpose: what }) });
    return { work: { dns: wire.dns, connect: wire.connect, tls: wire.secure }, close: wire.close };
  }
  if (speaks === 'pop') {
    const session = popSession(network, clock, host);
    const finish = (signal: AbortSignal) => session.signOut(signal).catch(unlessRefused);
    return { work: session, finish, close: session.close };
  }
  const preflight = (speaks === 'imap' ? imapPreflight : smtpPreflight)(network, clock, host);
  return { work: preflight, finish: preflight.finish, close: preflight.close };
}

/** A QUIT that is refused does no harm. */
function unlessRefused(cause: unknown): void {
  if (!(cause instanceof PopRefusal)) throw cause;
}

const stagesOf = ({ speaks, host }: Target, { work }: Talk): readonly StageName[] =>
  stageOrder(speaks === 'https' ? 'imap' : speaks, host.security).filter((stage) => work[stage] !== undefined);

/** Stage by stage; what each one said is in `said`, also of a conversation that ends early. */
async function converse(target: Target, talk: Talk, said: Partial<Record<StageName, string>>, signal: AbortSignal): Promise<void> {
  for (const stage of stagesOf(target, talk)) said[stage] = (await talk.work[stage]?.(signal)) ?? '';
  await talk.finish?.(signal);
}

/** Name, connection, greeting and TLS of one server, through the proxy where there is one. Says who issued the certificate. */
export function hostCheck(target: Target, { network, clock }: { readonly network: Network; readonly clock: Clock }): Check {
  return {
    id: target.id,
    title: target.title,
    async run(signal) {
      let authority: string | undefined;
      const watched: Network = {
        ...network,
        async secure(...asked) {
          const socket = await network.secure(...asked);
          authority = foreignAuthority(socket);
          return socket;
        },
      };
      const talk = talkTo(target, watched, clock);
      const said: Partial<Record<StageName, string>> = {};
      try {
        await converse(target, talk, said, signal);
      } catch (cause) {
        const { host, port } = target.host;
        const error = cause instanceof MailauthError ? cause : networkProblem(cause, { host, port });
        if (!(error instanceof MailauthError)) throw error;
        return failed(error, stagesOf(target, talk).find((stage) => said[stage] === undefined) ?? 'capability');
      } finally {
        talk.close();
      }
      const place = `${target.host.host}:${target.host.port}`;
      const seen = [
        place,
        said.connect === place ? undefined : said.connect,
        said.tls,
        target.speaks === 'https' ? undefined : 'XOAUTH2 offered',
      ].filter((part) => part !== undefined);
      const detail = seen.join(', ');
      if (authority === undefined || !target.public) return ok(detail);
      return warned(problem('tls-inspected', { host: target.host.host, issuer: authority }), detail);
    },
  };
}

/** Which hosts are reached through a proxy, and whether its address can be read. */
export function proxyCheck(targets: readonly Target[], network: Pick<Network, 'proxyFor'>, env: Env): Check {
  // curl, git and pip would use it.
  const socks = /^socks/i.test(env.all_proxy ?? env.ALL_PROXY ?? '') ? '; ALL_PROXY names a SOCKS proxy, which mailauth does not use' : '';
  return {
    id: 'proxy',
    title: 'Proxy',
    async run() {
      const through = targets.map(({ id, host }) => ({ id, proxy: network.proxyFor(host.host, host.port) }));
      const proxies = [...new Set(through.flatMap(({ proxy }) => (proxy === undefined ? [] : [proxy])))];
      if (proxies.length === 0) return ok(`none; every host is reached directly${socks}`);
      const straight = through.filter(({ proxy }) => proxy === undefined).map(({ id }) => id);
      return ok(`${proxies.join(', ')}${straight.length === 0 ? ' for every host' : `, but not for ${straight.join(', ')}`}${socks}`);
    },
  };
}

/** No sane chain is longer; a hostile one may be. */
const longestChain = 12;

/**
 * The authority at the end of a certificate's chain when it is none of Node's own: a company's proxy that opens TLS,
 * or a laboratory. undefined when Node brings it along, or when the chain's end was not sent and is not known.
 */
function foreignAuthority(socket: Pick<TLSSocket, 'getPeerCertificate'>): string | undefined {
  let certificate: DetailedPeerCertificate = socket.getPeerCertificate(true);
  for (let depth = 0; depth < longestChain; depth += 1) {
    // An empty object where there is none (Node documentation), whatever its type says.
    if (!('raw' in certificate)) return undefined;
    const issuer = 'issuerCertificate' in certificate ? certificate.issuerCertificate : undefined;
    if (issuer === undefined) return undefined;
    if (issuer.fingerprint256 === certificate.fingerprint256) return isNodes(certificate.raw) ? undefined : nameOf(certificate);
    certificate = issuer;
  }
  return undefined;
}

function isNodes(der: Buffer): boolean {
  const wanted = der.toString('base64');
  return rootCertificates.some((pem) => pem.replace(/-----[A-Z ]+-----|\s+/g, '') === wanted);
}

function nameOf({ subject }: DetailedPeerCertificate): string {
  const name: unknown = subject.CN ?? subject.O;
  const first: unknown = Array.isArray(name) ? name[0] : name;
  return typeof first === 'string' && first !== '' ? plain(first, 120) : 'an unnamed authority';
}
