import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';
import type { MailHost } from '../../../src/core/cloud.ts';
import type { Network } from '../../../src/core/context.ts';
import { createNetwork } from '../../../src/system/network/network.ts';

/** One end of a scripted conversation. Reading ends (rejects) when the client hangs up. */
export interface Peer {
  send(text: string): void;
  /** next line of the client, without CRLF */
  line(): Promise<string>;
  /** the client's next command: its tag and the rest */
  command(): Promise<{ tag: string; words: string }>;
  /** TLS from here on, as the server */
  startTls(): void;
  close(): void;
  /** lets the client wait for ever */
  hang(): Promise<never>;
}

/** `connection` counts from 0: the preflight's, then imapflow's. */
export type Script = (peer: Peer, connection: number) => Promise<void>;

export interface ScriptedServer {
  readonly host: MailHost;
  /** everything clients sent, decrypted, a string for each connection */
  readonly heard: string[];
  stop(): Promise<void>;
}

export interface Authority {
  readonly key: string;
  readonly cert: string;
}

let sharedAuthority: Promise<Authority> | undefined;
/** One authority for the tests of all protocols, made once a process. */
export function authority(): Promise<Authority> {
  sharedAuthority ??= selfSigned();
  return sharedAuthority;
}

const networks = new Map<string, Network>();
/** A network that trusts this authority. To load Node's roots beside it takes 50 ms, so the tests share it. */
export function trustingNetwork({ cert }: Authority): Network {
  const known = networks.get(cert) ?? createNetwork({ env: {}, ca: [cert] });
  networks.set(cert, known);
  return known;
}

const serverContexts = new Map<string, SecureContext>();
function serverContext({ key, cert }: Authority): SecureContext {
  const known = serverContexts.get(cert) ?? createSecureContext({ key, cert });
  serverContexts.set(cert, known);
  return known;
}

/** A certificate for localhost that is its own authority. */
export async function selfSigned(): Promise<Authority> {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { key: made.private, cert: made.cert };
}

/** A server on 127.0.0.1 that follows a script on each connection; errors of a script just end it. */
export async function scriptedServer(security: MailHost['security'], tls: Authority, script: Script): Promise<ScriptedServer> {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((raw) => {
    const connection = connections++;
    heard[connection] = '';
    sockets.add(raw);
    raw.on('error', () => {});
    const peer = talkOn(raw, tls, (text) => {
      heard[connection] += text;
    });
    if (security === 'tls') peer.startTls();
    script(peer, connection)
      .catch(() => {})
      .finally(() => peer.close());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    host: { host: 'localhost', port: address.port, security },
    heard,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

function talkOn(raw: Socket, tls: Authority, listen: (text: string) => void): Peer {
  let socket: Socket = raw;
  let buffer = '';
  let closed = false;
  let wake = (): void => {};
  const end = (): void => {
    closed = true;
    wake();
  };
  const onData = (chunk: Buffer): void => {
    listen(chunk.toString('latin1'));
    buffer += chunk.toString('latin1');
    wake();
  };
  const attach = (): void => {
    socket.on('data', onData).on('close', end).on('end', end).on('error', end);
  };
  attach();
  const line = async (): Promise<string> => {
    for (;;) {
      const at = buffer.indexOf('\r\n');
      if (at >= 0) {
        const found = buffer.slice(0, at);
        buffer = buffer.slice(at + 2);
        return found;
      }
      if (closed) throw new Error('hung up');
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    send: (text) => void socket.write(text),
    line,
    async command() {
      const [tag = '', ...rest] = (await line()).split(' ');
      return { tag, words: rest.join(' ') };
    },
    startTls() {
      raw.removeAllListeners('data').removeAllListeners('end');
      socket = new TLSSocket(raw, { isServer: true, secureContext: serverContext(tls) });
      attach();
    },
    close: () => socket.end(),
    async hang() {
      // Ends when the client goes or the test stops the server.
      for (;;) await line();
    },
  };
}

export interface Replies {
  greeting?: string;
  /** by the command's first word; `TAG` stands for its tag, `CLOSE` hangs up, `SILENCE` says nothing */
  answers?: Readonly<Record<string, string>>;
  capabilities?: string;
}

/** A server that says yes, but for the given answers; good enough for imapflow. */
export function politely({
  greeting = '* OK ready\r\n',
  answers = {},
  capabilities = 'IMAP4rev1 AUTH=XOAUTH2 SASL-IR NAMESPACE',
}: Replies = {}): Script {
  const normal: Readonly<Record<string, string>> = {
    CAPABILITY: `* CAPABILITY ${capabilities}\r\nTAG OK done\r\n`,
    AUTHENTICATE: 'TAG OK [CAPABILITY IMAP4rev1 NAMESPACE] signed in\r\n',
    NAMESPACE: '* NAMESPACE (("" "/")) NIL NIL\r\nTAG OK done\r\n',
    LIST: '* LIST (\\HasNoChildren) "/" INBOX\r\nTAG OK done\r\n',
    LSUB: '* LSUB () "/" INBOX\r\nTAG OK done\r\n',
    EXAMINE: '* 12 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\nTAG OK [READ-ONLY] done\r\n',
    LOGOUT: '* BYE see you\r\nTAG OK done\r\n',
    STARTTLS: 'TAG OK begin\r\n',
  };
  const all = { ...normal, ...answers };
  return async (peer) => {
    peer.send(greeting);
    for (;;) {
      const { tag, words } = await peer.command();
      const name = words.split(' ')[0] ?? '';
      const answer = all[name] ?? 'TAG BAD what?\r\n';
      if (answer === 'CLOSE') return;
      if (answer === 'SILENCE') continue;
      peer.send(answer.replaceAll('TAG', tag));
      if (name === 'LOGOUT') return;
      if (answer === normal.STARTTLS) peer.startTls();
    }
  };
}
