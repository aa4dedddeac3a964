import { BlockList, isIP, type Socket } from 'node:net';
import type { Env } from '../../core/context.ts';
import { defined } from '../../core/defined.ts';
import { Exit } from '../../core/errors.ts';
import type { Where } from '../../errors/catalogue/machine/network-words.ts';
import { problem } from '../../errors/problem.ts';

/** An http or https proxy that speaks CONNECT (RFC 9110 section 9.3.6). */
export interface ProxyAddress {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** value of Proxy-Authorization; never shown */
  readonly authorization?: string;
  /** `http://proxy:3128`, without the password */
  readonly shown: string;
}

/**
 * Which proxy a connection takes: HTTPS_PROXY, else HTTP_PROXY, else an ALL_PROXY that speaks HTTP, in capitals or not (small letters win,
 * as curl does), unless NO_PROXY names the host. A SOCKS proxy in ALL_PROXY is for other programs: `doctor` says that it is not used. There is no silent exception for localhost. A broken address throws `proxy-broken`.
 */
export function readProxy(env: Env): (host: string, port: number) => ProxyAddress | undefined {
  const forAll = env.all_proxy?.trim() || env.ALL_PROXY?.trim();
  const httpForAll = forAll !== undefined && /^socks/i.test(forAll) ? undefined : forAll;
  const address = [env.https_proxy, env.HTTPS_PROXY, env.http_proxy, env.HTTP_PROXY, httpForAll].find((value) => value?.trim());
  if (address === undefined) return () => undefined;
  const exempt = readNoProxy(env.no_proxy ?? env.NO_PROXY ?? '');
  let proxy: ProxyAddress | undefined;
  return (host, port) => {
    if (exempt(host, port)) return undefined;
    proxy ??= readAddress(address.trim());
    return proxy;
  };
}

function readAddress(address: string): ProxyAddress {
  const text = address.includes('://') ? address : `http://${address}`;
  if (!URL.canParse(text)) throw problem('proxy-broken', { why: 'The address cannot be read.' });
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw problem('proxy-broken', { why: `A ${url.protocol.slice(0, -1)} proxy is not supported, only http and https.` });
  }
  // A password that is not encoded ends early, and what is left of it would be looked up as a host, or stand in the path.
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '' || (address.match(/@/g)?.length ?? 0) > 1) {
    throw problem('proxy-broken', {
      why: 'Something stands behind its port, or there is more than one @. In a name or password, write @ as %40, / as %2F, # as %23 and ? as %3F.',
    });
  }
  const secure = url.protocol === 'https:';
  const authorization = basic(url.username, url.password);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    secure,
    shown: `${url.protocol}//${url.host}`,
    ...defined({ authorization }),
  };
}

/** RFC 7617 */
function basic(user: string, password: string): string | undefined {
  if (user === '' && password === '') return undefined;
  return `Basic ${Buffer.from(`${decode(user)}:${decode(password)}`, 'utf8').toString('base64')}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `*`, `host`, `.suffix`, `*.suffix`, `host:port`, addresses and address ranges (`10.0.0.0/8`). A name also means what is below it. */
function readNoProxy(list: string): (host: string, port: number) => boolean {
  const rules = list
    .split(/[\s,]+/)
    .filter((rule) => rule !== '')
    .map(readRule);
  return (host, port) => {
    const bare = host.toLowerCase().replace(/^\[|\]$|\.$/g, '');
    return rules.some((matches) => matches(bare, port));
  };
}

function readRule(rule: string): (host: string, port: number) => boolean {
  if (rule === '*') return () => true;
  const range = /^([0-9A-Fa-f.:]+)\/(\d{1,3})$/.exec(rule);
  if (range?.[1] !== undefined && range[2] !== undefined) return readRange(range[1], Number(range[2]));
  const [, name = rule, portText] = (isIP(rule) === 0 && /^(.+?):(\d{1,5})$/.exec(rule)) || [];
  const wanted = name
    .toLowerCase()
    .replace(/^\*?\./, '')
    .replace(/^\[|\]$|\.$/g, '');
  const port = portText === undefined ? undefined : Number(portText);
  return (host, asked) => (port === undefined || port === asked) && (host === wanted || (isIP(host) === 0 && host.endsWith(`.${wanted}`)));
}

function readRange(address: string, bits: number): (host: string) => boolean {
  const family = isIP(address);
  if (family === 0 || bits > (family === 4 ? 32 : 128)) return () => false;
  const kind = (version: number) => (version === 4 ? 'ipv4' : 'ipv6');
  const block = new BlockList();
  block.addSubnet(address, bits, kind(family));
  return (host) => isIP(host) !== 0 && block.check(host, kind(isIP(host)));
}

/** A proxy that sends more than this before the tunnel is open does not speak HTTP. */
const answerLimit = 16 * 1024;

/**
 * Asks the proxy on an open socket for a tunnel (RFC 9110 section 9.3.6). Afterwards the socket is the target's: what it
 * already said is still to be read. Throws `proxy-refused`, or the socket's own error.
 */
export async function openTunnel(socket: Socket, proxy: ProxyAddress, where: Where): Promise<void> {
  const target = `${where.host.includes(':') ? `[${where.host}]` : where.host}:${where.port}`;
  const credentials = proxy.authorization === undefined ? '' : `Proxy-Authorization: ${proxy.authorization}\r\n`;
  const refused = (status?: number, offers: readonly string[] = []) => {
    const error = problem('proxy-refused', { ...where, proxy: proxy.shown, status, offers, given: proxy.authorization !== undefined });
    // Its own trouble passes; what it forbids or does not accept stays so.
    return status !== undefined && status >= 500 ? error.but({ exit: Exit.temporary }) : error;
  };
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${credentials}\r\n`);

  const answer = await readAnswer(socket, refused);
  const status = /^HTTP\/1\.[01] (\d{3})(?: |\r)/.exec(answer)?.[1];
  if (status === undefined) throw refused();
  if (!status.startsWith('2')) throw refused(Number(status), schemesOf(answer));
}

/** The ways to sign in that the proxy offers (RFC 9110 section 11.7.1), in small letters. */
const schemesOf = (head: string): readonly string[] =>
  [...head.matchAll(/^(?:proxy|www)-authenticate:[ \t]*([A-Za-z-]{1,30})/gim)].map((match) => match[1]?.toLowerCase() ?? '');

/**
 * Reads the head of the answer; bytes behind it are put back. It does not use 'data' events, which would leave the socket paused or
 * flowing.
 */
function readAnswer(socket: Socket, refused: () => Error): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const finish = (settle: () => void) => {
      socket.off('readable', onReadable).off('end', onEnd).off('close', onEnd).off('error', onError);
      settle();
    };
    const onReadable = () => {
      for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) {
        seen = Buffer.concat([seen, chunk]);
        const end = seen.indexOf('\r\n\r\n');
        if (end < 0 && seen.length <= answerLimit) continue;
        return finish(() => {
          if (end < 0 || end > answerLimit) return reject(refused());
          if (seen.length > end + 4) socket.unshift(seen.subarray(end + 4));
          resolve(seen.subarray(0, end + 2).toString('latin1'));
        });
      }
    };
    const onEnd = () => finish(() => reject(refused()));
    const onError = (error: Error) => finish(() => reject(error));
    socket.on('readable', onReadable).on('end', onEnd).on('close', onEnd).on('error', onError);
  });
}
