import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { appendFile, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';

/** The server of Debian does not run as root: it runs as this user. */
const user = 'postgres';
const superPassword = 'super';

/** A PostgreSQL server of our own, with a role and database `mailauth`. Needs root, to start it as its own user. */
export interface Postgres {
  readonly port: number;
  /** of the role `mailauth`; `more` stands behind the database: `?sslmode=require` */
  url(more?: string, login?: string): string;
  /** by the superuser, in the database `mailauth` */
  sql(text: string, database?: string): string;
  /** a program of PostgreSQL (`pg_dump`) as the superuser; what it prints */
  program(name: string, args: readonly string[], input?: string): string;
  /** `immediate` is what a power cut does to it */
  down(mode: 'fast' | 'immediate'): void;
  up(): void;
  /** a copy of a file that the server may read, in its own folder */
  give(name: string, text: string): Promise<string>;
  configure(line: string): Promise<void>;
  readonly folder: string;
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<Postgres> {
  if (process.getuid?.() !== 0) throw new Error('the server is started as root, for the user postgres');
  const bin = programs();
  const folder = await mkdtemp(join(tmpdir(), 'postgresql-'));
  execFileSync('chown', [user, folder]);
  const data = join(folder, 'data');
  const as = (program: string, args: readonly string[]) =>
    execFileSync('runuser', ['-u', user, '--', join(bin, program), ...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder });
  const port = await freePort();
  await writeFile(join(folder, 'password'), superPassword);
  execFileSync('chown', [user, join(folder, 'password')]);
  as('initdb', ['-D', data, '-A', 'scram-sha-256', '-U', user, `--pwfile=${join(folder, 'password')}`, '--no-sync', '-E', 'UTF8']);
  const conf = join(data, 'postgresql.conf');
  // What the disk of a dead machine lost is not what is tested here, and each write would wait for the disk.
  await appendFile(
    conf,
    `port = ${port}\nunix_socket_directories = '${folder}'\nlisten_addresses = '*'\nmax_connections = 200\nfsync = off\n`,
  );
  await appendFile(join(data, 'pg_hba.conf'), 'host all all 0.0.0.0/0 scram-sha-256\n');
  const up = () => void as('pg_ctl', ['-D', data, '-l', join(folder, 'log'), '-w', '-t', '30', 'start']);
  const down = (mode: 'fast' | 'immediate') => void as('pg_ctl', ['-D', data, '-m', mode, '-w', '-t', '30', 'stop']);
  const program = (name: string, args: readonly string[], input?: string): string =>
    execFileSync(join(bin, name), ['-h', '127.0.0.1', '-p', String(port), '-U', user, ...args], {
      env: { ...process.env, PGPASSWORD: superPassword },
      stdio: ['pipe', 'pipe', 'pipe'],
      maxBuffer: 64 << 20,
      ...(input === undefined ? {} : { input }),
    }).toString();
  const sql = (text: string, database = 'mailauth'): string =>
    program('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', database, '-f', '-'], text).trim();
  up();
  sql("CREATE ROLE mailauth LOGIN PASSWORD 'p@ss/word'; CREATE DATABASE mailauth OWNER mailauth;", 'postgres');
  return {
    port,
    folder,
    url: (more = '', login = 'mailauth:p%40ss%2Fword') => `postgresql://${login}@127.0.0.1:${port}/mailauth${more}`,
    sql,
    program,
    up,
    down,
    async give(name, text) {
      const file = join(folder, name);
      await writeFile(file, text);
      await chmod(file, 0o600);
      execFileSync('chown', [user, file]);
      return file;
    },
    configure: (line) => appendFile(conf, `${line}\n`),
    async stop() {
      try {
        down('immediate');
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Debian keeps them apart by version. */
function programs(): string {
  const all = '/usr/lib/postgresql';
  const [newest] = existsSync(all) ? readdirSync(all).sort((a, b) => Number(b) - Number(a)) : [];
  if (newest === undefined) throw new Error('postgresql is missing: apt-get install postgresql');
  return join(all, newest, 'bin');
}

/** A way to the server that can be cut. */
export interface CutWay {
  readonly port: number;
  /** how many connections were cut */
  readonly cuts: number;
  /** what holds these words goes on to the server, and the connection ends before any answer to it comes back; once */
  cutAfter(words: string): void;
  close(): void;
}

export async function cutWay(to: number): Promise<CutWay> {
  let wanted: string | undefined;
  let cuts = 0;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1');
    let isCut = false;
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          open.delete(socket);
          client.destroy();
          // What was sent is still to arrive.
          upstream.end();
        });
    }
    client.on('data', (bytes) => {
      upstream.write(bytes);
      if (wanted === undefined || !bytes.includes(wanted)) return;
      wanted = undefined;
      isCut = true;
    });
    upstream.on('data', (bytes) => {
      if (!isCut) client.write(bytes);
      else {
        // The server has answered, so it has committed.
        if (!client.destroyed) cuts += 1;
        client.destroy();
      }
    });
  });
  const port = await freePort();
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return {
    port,
    get cuts() {
      return cuts;
    },
    cutAfter(words) {
      wanted = words;
    },
    close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
