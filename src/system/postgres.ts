import { isIP, Socket } from 'node:net';
import type { Env } from '../core/context.ts';
import {
  type ConnectDatabase,
  type DatabaseAddress,
  type DatabaseConnection,
  DatabaseFailure,
  type DatabaseTrouble,
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
      ...(address.user === undefined ? {} : { user: address.user }),
      ...(address.password === undefined ? {} : { password: address.password.reveal() }),
      ssl: tlsOf(address, env),
      enableChannelBinding: address.tls?.channelBinding === true,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      application_name: address.applicationName,
      keepAlive: true,
      stream: () => socket,
    });
    let isOver = false;
    client.on('error', () => {
      isOver = true;
    });
    client.on('end', () => {
      isOver = true;
    });
    const close = (): void => {
      isOver = true;
      void client.end().catch(() => undefined);
      socket.destroySoon();
    };
    try {
      await client.connect();
    } catch (error) {
      socket.destroy();
      throw failureOf(error);
    }
    let running = 0;
    socket.unref();
    const connection: DatabaseConnection = {
      get isOver() {
        return isOver;
      },
      close,
      async query(sql, values) {
        running += 1;
        socket.ref();
        try {
          return (await client.query(sql, values === undefined ? undefined : [...values])).rows;
        } catch (error) {
          const failure = failureOf(error);
          if (failure.trouble === 'away' || failure.trouble === 'slow') {
            isOver = true;
            socket.destroy();
          }
          throw failure;
        } finally {
          running -= 1;
          if (running === 0) socket.unref();
        }
      },
    };
    return connection;
  };

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
