import type { Secret } from './secret.ts';

/** A PostgreSQL database, and how it is reached. */
export interface DatabaseAddress {
  /** a name, an IP address, or the folder of a UNIX socket */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** left out: as libpq, PGUSER or the user of the system */
  readonly user?: string;
  /** left out: as libpq, PGPASSWORD or ~/.pgpass */
  readonly password?: Secret;
  readonly applicationName: string;
  /** undefined: without TLS, which is for this computer alone */
  readonly tls?: {
    /** PEM of an authority that is trusted besides those of this computer */
    readonly authority?: string;
    /** PEM of the client's own certificate and key, where the server wants them */
    readonly cert?: string;
    readonly key?: Secret;
    /** bind SCRAM to this TLS connection (RFC 5802 section 6) where the server offers it; the package `pg` cannot insist on it */
    readonly channelBinding: boolean;
  };
}

/**
 * `away`: no connection, or the server ends it; `slow`: no answer in time; `refused`: user, password or database; `no-right`: the role may not;
 * `no-schema`: a table or the schema is not there; `untrusted`: TLS or its certificate.
 */
export type DatabaseTrouble = 'away' | 'slow' | 'full' | 'read-only' | 'refused' | 'no-right' | 'no-schema' | 'untrusted' | 'other';

/** The message is the server's or the system's own, and holds no value of a statement. */
export class DatabaseFailure extends Error {
  readonly trouble: DatabaseTrouble;

  constructor(trouble: DatabaseTrouble, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'DatabaseFailure';
    this.trouble = trouble;
  }
}

export type DatabaseValue = string | number | Uint8Array | readonly string[] | null;
export type DatabaseRow = Readonly<Record<string, unknown>>;

/** One connection. It does not keep the process alive while nothing is asked. Every failure is a `DatabaseFailure`. */
export interface DatabaseConnection {
  query(sql: string, values?: readonly DatabaseValue[]): Promise<readonly DatabaseRow[]>;
  /** the server, the network or a time limit has ended it */
  readonly isOver: boolean;
  close(): void;
}

/** `timeoutMs`: the limit of the connection and of each statement. */
export type ConnectDatabase = (address: DatabaseAddress, timeoutMs: number) => Promise<DatabaseConnection>;

/** A variable names the database that this machine shares with others. */
export const namesDatabase = ({ env }: { readonly env: Readonly<Record<string, string | undefined>> }): boolean =>
  Boolean(env.MAILAUTH_DATABASE_URL || env.MAILAUTH_DATABASE_URL_FILE);
