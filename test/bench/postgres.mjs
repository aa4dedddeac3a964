// Part of `npm run bench` (BENCH_POSTGRES=1: this alone; BENCH_MAILBOXES=100000: so many at most): the store `postgres` on a server of our own.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const user = 'postgres';
const sizes = [100, 1_000, 10_000, 100_000];

/** Needs root, because the server must run as its own user. */
export async function postgresBench({ root, bin, env, row, times, writePeak }) {
  const server = startServer();
  const folder = mkdtempSync(join(tmpdir(), 'mailauth-bench-pg-'));
  const lab = await startLab(folder);
  try {
    const keyFile = join(folder, 'key');
    writeFileSync(keyFile, Buffer.alloc(32, 7), { mode: 0o600 });
    const caFile = join(folder, 'cert.pem');
    const own = {
      ...env,
      MAILAUTH_HOME: join(folder, 'home'),
      MAILAUTH_KEY_FILE: keyFile,
      MAILAUTH_DATABASE_URL: server.url,
      MAILAUTH_CLOUD_FILE: lab.cloudFile,
      NODE_EXTRA_CA_CERTS: caFile,
    };
    mkdirSync(own.MAILAUTH_HOME, { mode: 0o700 });
    const writer = bundle(root);
    const write = (first, count, ageDays = 0) =>
      execFileSync(process.execPath, [writer, String(first), String(count), keyFile, String(lab.port), String(ageDays)], { env: own });
    const run = (args) => {
      const began = performance.now();
      const ended = spawnSync(process.execPath, ['-r', writePeak(), bin, ...args], { env: own, encoding: 'utf8', maxBuffer: 1 << 30 });
      if (ended.status !== 0) throw new Error(`${args.join(' ')} ended with ${ended.status}: ${ended.stderr.slice(0, 500)}`);
      return { ms: performance.now() - began, mib: Number(/peak (\d+)/.exec(ended.stderr)?.[1]) / 1024, bytes: ended.stdout.length };
    };
    run(['store', 'init']);
    let written = 0;
    for (const size of sizes.filter((one) => one <= Number(process.env.BENCH_MAILBOXES ?? 100_000))) {
      write(written, size);
      written = size;
      for (const args of [['status'], ['keepalive']]) {
        const { ms, mib } = run(args);
        const each = `${((ms / size) * 1000).toFixed(0)} µs each, peak ${mib.toFixed(0)} MiB`;
        row(`postgres, ${size} mailboxes: ${args.join(' ')}`, `${(ms / 1000).toFixed(2)} s`, each);
      }
      if (size === 100 || size === written) {
        const box = 'box0000007@t7.example';
        const measured = times({ 'node -e 0': { args: ['-e', '0'] }, get: { args: [bin, 'token', 'get', box], env: own } });
        const ratio = `${(measured.get / measured['node -e 0']).toFixed(2)} x bare`;
        row(`postgres, ${size} mailboxes: token get`, `${measured.get.toFixed(0)} ms`, ratio);
      }
    }
    row('postgres: size of the database', server.size(), `${written} mailboxes`);
    await renewals({ own, bin, row, server, write, lab });
  } finally {
    lab.close();
    server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How many renewals a second, by so many `keepalive` at once; each counted at the sign-in service. */
async function renewals({ own, bin, row, server, write, lab }) {
  const due = 200;
  for (const processes of [1, 2, 4]) {
    server.sql('TRUNCATE mailauth.document, mailauth.secret, mailauth.turn');
    write(0, due, 30);
    lab.renewals = 0;
    const began = performance.now();
    const outcomes = await Promise.all(
      Array.from({ length: processes }, () => {
        const child = spawn(process.execPath, [bin, 'keepalive', '--jitter', '0', '--json'], {
          env: own,
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        let err = '';
        child.stderr.on('data', (chunk) => {
          err += chunk;
        });
        return new Promise((done) => child.once('close', (code) => done({ code, err })));
      }),
    );
    const seconds = (performance.now() - began) / 1000;
    const bad = outcomes.find(({ code }) => code !== 0);
    if (bad !== undefined) throw new Error(`keepalive ended with ${bad.code}: ${bad.err.slice(0, 500)}`);
    const count = `${lab.renewals} renewals of ${due} mailboxes`;
    row(`postgres: renewals by ${processes} keepalive`, `${(due / seconds).toFixed(0)}/s`, `${count}, start of Node.js included`);
  }
}

function bundle(root) {
  const file = join(root, 'node_modules/.cache/mailauth-bench/postgres-mailboxes.mjs');
  const esbuild = ['--bundle', '--format=esm', '--platform=node', '--packages=external', '--log-level=error', `--outfile=${file}`];
  execFileSync('npx', ['esbuild', fileURLToPath(new URL('postgres-mailboxes.ts', import.meta.url)), ...esbuild], {
    cwd: root,
    stdio: 'ignore',
  });
  return file;
}

/** A sign-in service that gives a new token for any refresh token. */
async function startLab(folder) {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const part = (claims) => Buffer.from(JSON.stringify(claims)).toString('base64url');
  const lab = { renewals: 0 };
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
    const [, tid] = request.url.split('/');
    request.resume().once('end', () => {
      lab.renewals += 1;
      const access = `${part({ alg: 'none' })}.${part({ tid, appid: '11111111-2222-3333-4444-555555555555', pad: 'x'.repeat(900) })}.x`;
      const body = {
        token_type: 'Bearer',
        expires_in: 3600,
        scope: 'https://outlook.office.com/IMAP.AccessAsUser.All',
        access_token: access,
      };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ...body, refresh_token: 'r'.repeat(1400) }));
    });
  });
  await new Promise((done) => server.listen(0, 'localhost', done));
  const { port } = server.address();
  const login = `https://localhost:${port}`;
  const mail = { host: 'localhost', port, security: 'tls' };
  const cloudFile = join(folder, 'cloud.json');
  const cloud = { name: 'lab', login, graph: `${login}/graph`, portal: login, outlookScopeBase: 'https://outlook.office.com' };
  writeFileSync(cloudFile, JSON.stringify({ ...cloud, imap: mail, pop: mail, smtp: mail }));
  return Object.assign(lab, { port, cloudFile, close: () => server.closeAllConnections() ?? server.close() });
}

function startServer() {
  const all = '/usr/lib/postgresql';
  const bin = join(all, readdirSync(all).sort((a, b) => b - a)[0], 'bin');
  const folder = mkdtempSync(join(tmpdir(), 'mailauth-bench-server-'));
  execFileSync('chown', [user, folder]);
  const as = (program, args) => execFileSync('runuser', ['-u', user, '--', join(bin, program), ...args], { cwd: folder, stdio: 'ignore' });
  const data = join(folder, 'data');
  as('initdb', ['-D', data, '-A', 'trust', '-U', user, '--no-sync']);
  as('pg_ctl', ['-D', data, '-o', `-k ${folder} -c listen_addresses= -c fsync=off`, '-l', join(folder, 'log'), '-w', 'start']);
  const sql = (text) =>
    execFileSync(join(bin, 'psql'), ['-h', folder, '-U', user, '-XAtqc', text, 'postgres'], { encoding: 'utf8' }).trim();
  return {
    url: `postgresql://${user}@${encodeURIComponent(folder)}/postgres`,
    sql,
    size: () => sql('SELECT pg_size_pretty(pg_database_size(current_database()))'),
    stop() {
      as('pg_ctl', ['-D', data, '-m', 'immediate', '-w', 'stop']);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
