import { isIP, Socket } from 'node:net';
import type { Client } from 'pg';
import type { Env } from '../core/context.ts';
import {
  type ConnectDatabase,
  type DatabaseAddress,
  type DatabaseConnection,
  DatabaseFailure,
  type DatabaseRow,
  type DatabaseTrouble,
  type DatabaseValue,
} from '../core/database-port.ts';
import { defined } from '../core/defined.ts';
import { errorCode } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import { trustOf } from './network/network.ts';

/** A connection to PostgreSQL through the package `pg`, which is loaded here and nowhere else. */
export const connectPostgres =
  (env: Env): ConnectDatabase =>
  async (address, timeoutMs) => {
    const { Client } = await import('pg');
    // Our own socket, because a statement that gets no answer can only be ended with it.
    const socket = new Socket();
    const client = new Client({
      host: address.host,
      port: address.port,
      database: address.database,
      ...defined({ user: address.user, password: address.password?.reveal() }),
      ssl: tlsOf(address, env),
      enableChannelBinding: address.tls?.channelBinding === true,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      application_name: address.applicationName,
      keepAlive: true,
      stream: () => socket,
    });
    const connection = new Connection(client, socket);
    try {
      await client.connect();
    } catch (error) {
      socket.destroy();
      throw failureOf(error);
    }
    socket.unref();
    return connection;
  };

class Connection implements DatabaseConnection {
  readonly #client: Client;
  readonly #socket: Socket;
  /** the statements that are not answered yet */
  #running = 0;
  #last: Promise<unknown> = Promise.resolve();
  #isOver = false;

  constructor(client: Client, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
    for (const event of ['error', 'end'] as const) {
      client.on(event, () => {
        this.#isOver = true;
      });
    }
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  async query(sql: string, values?: readonly DatabaseValue[]): Promise<readonly DatabaseRow[]> {
    this.#running += 1;
    this.#socket.ref();
    try {
      // One after the other: the next major version of pg takes no second statement before the first is answered.
      const asked = this.#last.then(() => this.#client.query(sql, values === undefined ? undefined : [...values]));
      this.#last = asked.catch(() => undefined);
      return (await asked).rows;
    } catch (error) {
      const failure = failureOf(error);
      if (failure.trouble === 'away' || failure.trouble === 'slow') {
        this.#isOver = true;
        this.#socket.destroy();
      }
      throw failure;
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#socket.unref();
    }
  }

  close(): void {
    this.#isOver = true;
    void this.#client.end().catch(() => undefined);
    this.#socket.destroySoon();
  }
}

/** `pg` compares the certificate with `servername`, which TLS only allows for names; for an address with `host`. */
function tlsOf({ host, tls }: DatabaseAddress, env: Env) {
  if (tls === undefined) return false;
  const { authority, cert, key } = tls;
  try {
    const own = defined({ cert, key: key?.reveal() });
    const secureContext = trustOf(authority === undefined ? [] : [authority], env.NODE_EXTRA_CA_CERTS, own);
    return { secureContext, rejectUnauthorized: true, host, ...(isIP(host) === 0 ? { servername: host } : {}) };
  } catch (cause) {
    throw new DatabaseFailure('untrusted', 'A file of sslrootcert, sslcert or sslkey holds no PEM that can be used.', cause);
  }
}

/** By SQLSTATE (postgresql.org/docs/current/errcodes-appendix.html): whole codes before classes. */
const bySqlState: readonly (readonly [RegExp, DatabaseTrouble])[] = [
  [/^57014$/, 'slow'],
  [/^(?:57P0[1-5]|53300|08...|25P0[34])$/, 'away'],
  [/^(?:25006)$/, 'read-only'],
  [/^(?:53...|58030)$/, 'full'],
  [/^(?:28...|3D000)$/, 'refused'],
  [/^42501$/, 'no-right'],
  [/^(?:3F000|42P01|42703|42883)$/, 'no-schema'],
];

const tlsTrouble = /CERT|ERR_TLS|ERR_SSL|UNABLE_TO|HOSTNAME_MISMATCH|EPROTO/;

function failureOf(error: unknown): DatabaseFailure {
  const code = errorCode(error) ?? '';
  const said = plain(error instanceof Error && error.message !== '' ? error.message : code || String(error), 300);
  return new DatabaseFailure(troubleOf(code, said), said, error);
}

function troubleOf(code: string, said: string): DatabaseTrouble {
  for (const [pattern, trouble] of bySqlState) if (/^[0-9A-Z]{5}$/.test(code) && pattern.test(code)) return trouble;
  if (/^[0-9A-Z]{5}$/.test(code) && /\d/.test(code)) return 'other';
  if (tlsTrouble.test(code) || /does not support SSL|channel binding|SASL|certificate/i.test(said)) return 'untrusted';
  if (/timeout/i.test(said) || code === 'ETIMEDOUT') return 'slow';
  // What is left are the errors of sockets and name servers, and "Connection terminated".
  return 'away';
}
