import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schemaVersion } from '../../src/database/schema.ts';
import { opensslCertificate } from '../support/certificate.ts';
import { type Office, openOffice, type Seat } from './rigs/office.ts';
import { cutWay, type Postgres, startPostgres } from './rigs/postgresql.ts';

/** The store `postgres` on a real server of Debian: what the second machine sees, and what is said when something is wrong. */
let office: Office;
let postgres: Postgres;
let key: string;
beforeAll(async () => {
  [office, postgres] = await Promise.all([openOffice(), startPostgres()]);
  key = join(office.folder, 'shared.key');
  await writeFile(key, 'k'.repeat(32), { mode: 0o600 });
}, 60_000);
afterAll(async () => {
  await office?.close();
  await postgres?.stop();
});

type Env = Readonly<Record<string, string | undefined>>;
const noKeychain = { DBUS_SESSION_BUS_ADDRESS: undefined, XDG_RUNTIME_DIR: undefined };
const reach = (more: Env = {}): Env => ({ MAILAUTH_DATABASE_URL: postgres.url(), MAILAUTH_KEY_FILE: key, ...noKeychain, ...more });

/** A mailbox that is set up in the database. */
async function ready(env = reach()): Promise<{ readonly seat: Seat; readonly token: string }> {
  const seat = await office.seat();
  const done = await seat.setup(['--no-test', '--store', 'postgres'], { env });
  expect(done.code, done.stderr).toBe(0);
  return { seat, token: seat.lastToken };
}
const printed = (token: string) => ({ code: 0, stdout: `${token}\n`, stderr: '' });

describe('mailauth store init', () => {
  it('is named where the schema is missing; two at once make it, and a third changes nothing', async () => {
    const seat = await office.seat();
    const env = reach();
    for (const args of [['status'], ['token', 'get'], ['keepalive']]) {
      const failure = await seat.failure(args, { env });
      expect(failure).toMatchObject({ code: 7, error: { code: 'database-schema-missing' } });
      expect(failure.error.next[0]).toContain('mailauth store init');
    }
    const both = await Promise.all([seat.run(['store', 'init', '--json'], { env }), seat.run(['store', 'init', '--json'], { env })]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const made = both.map(({ stdout }) => JSON.parse(stdout).data);
    expect(made.filter(({ changed }) => changed)).toHaveLength(1);
    expect(made[0]).toMatchObject({ schema: 'mailauth', version: schemaVersion });
    const again = await seat.run(['store', 'init', '--json'], { env });
    expect(JSON.parse(again.stdout).data).toMatchObject({ changed: false, from: schemaVersion });
    expect((await seat.run(['status'], { env })).code).toBe(0);
  });

  it('brings an older schema up to date, and leaves a newer one alone', async () => {
    const { seat, token } = await ready();
    const env = reach();
    postgres.sql('DROP TABLE mailauth.turn; UPDATE mailauth.edition SET version = 1');
    const older = await seat.failure(['token', 'get'], { env });
    expect(older).toMatchObject({ code: 7, error: { code: 'database-schema-older' } });
    const brought = await seat.run(['store', 'init', '--json'], { env });
    expect(JSON.parse(brought.stdout).data).toMatchObject({ from: 1, version: schemaVersion, changed: true });
    expect(await seat.run(['token', 'get', seat.mailbox], { env })).toEqual(printed(token));
    postgres.sql('UPDATE mailauth.edition SET version = 99');
    for (const args of [
      ['token', 'get'],
      ['store', 'init'],
    ])
      expect(await seat.failure(args, { env })).toMatchObject({ code: 7, error: { code: 'database-schema-newer' } });
    expect(postgres.sql('SELECT version FROM mailauth.edition')).toBe('99');
    postgres.sql(`UPDATE mailauth.edition SET version = ${schemaVersion}`);
  });
});

describe('a second machine', () => {
  it('sees the set-up, prints its token, renews it, and the first sees that', async () => {
    const { seat, token } = await ready();
    const here = reach({ MAILAUTH_HOME: join(seat.folder, 'elsewhere') });
    const { data } = JSON.parse((await seat.run(['status', '--json'], { env: here })).stdout);
    expect(data.mailboxes.map((one: { mailbox: string }) => one.mailbox)).toContain(seat.mailbox);
    expect(await seat.run(['token', 'get', seat.mailbox], { env: here })).toEqual(printed(token));
    const renewed = await seat.run(['token', 'get', seat.mailbox, '--force-refresh'], { env: here });
    expect(renewed).toEqual(printed(seat.lastToken));
    expect(seat.lastToken).not.toBe(token);
    expect(await seat.run(['token', 'get', seat.mailbox], { env: reach() })).toEqual(printed(seat.lastToken));
    const test = await seat.run(['test', 'imap', seat.mailbox, '--json'], { env: here });
    expect(test.code, test.stdout).toBe(0);
    const status = JSON.parse((await seat.run(['status', seat.mailbox, '--json'], { env: reach() })).stdout);
    expect(status.data.mailboxes[0].lastTest).toMatchObject({ protocol: 'imap', ok: true });
  });

  it('needs the same key file', async () => {
    const { seat } = await ready();
    const other = join(seat.folder, 'other.key');
    await writeFile(other, 'x'.repeat(32), { mode: 0o600 });
    const wrong = await seat.failure(['token', 'get', seat.mailbox], { env: reach({ MAILAUTH_KEY_FILE: other }) });
    expect(wrong).toMatchObject({ code: 7, error: { code: 'database-key-wrong' } });
    const none = await seat.failure(['token', 'get', seat.mailbox], { env: reach({ MAILAUTH_KEY_FILE: undefined }) });
    expect(none).toMatchObject({ code: 7, error: { code: 'database-key-missing' } });
  });

  it('finds no secret in the clear in a dump, which restores to the same', async () => {
    const { seat, token } = await ready();
    const dump = postgres.program('pg_dump', ['-n', 'mailauth', 'mailauth']);
    const forms = [...seat.app.secrets].flatMap((secret) => [
      secret,
      Buffer.from(secret).toString('hex'),
      Buffer.from(secret).toString('base64'),
    ]);
    expect(seat.app.secrets.size).toBeGreaterThan(2);
    for (const form of forms) expect(dump).not.toContain(form);
    postgres.sql('CREATE DATABASE restored OWNER mailauth', 'postgres');
    postgres.sql(dump, 'restored');
    const env = reach({ MAILAUTH_DATABASE_URL: postgres.url().replace(/mailauth$/, 'restored') });
    expect(await seat.run(['token', 'get', seat.mailbox], { env })).toEqual(printed(token));
    // A row that is put in another one's place does not open.
    postgres.sql(
      `UPDATE mailauth.secret SET sealed = (SELECT sealed FROM mailauth.secret WHERE name NOT LIKE '%${seat.mailbox}' LIMIT 1) WHERE name LIKE '%${seat.mailbox}'`,
      'restored',
    );
    expect(await seat.failure(['token', 'get', seat.mailbox], { env })).toMatchObject({ code: 7, error: { code: 'store-damaged' } });
    postgres.sql('DROP DATABASE restored', 'postgres');
  });
});

describe('a row that is no mailbox file', () => {
  it('leaves the others alone, and the printed command removes it', async () => {
    const [{ seat }, other] = [await ready(), await ready()];
    postgres.sql(`UPDATE mailauth.document SET body = '{}' WHERE path LIKE 'mailboxes/${seat.mailbox}%'`);
    expect(await seat.run(['token', 'get', other.seat.mailbox], { env: reach() })).toEqual(printed(other.token));
    const failure = await seat.failure(['token', 'get', seat.mailbox], { env: reach() });
    expect(failure).toMatchObject({ code: 1, error: { code: 'mailbox-file-broken', title: expect.stringContaining('in the database') } });
    const [command = ''] = failure.error.next;
    execFileSync('sh', ['-c', command], { env: { ...process.env, MAILAUTH_DATABASE_URL: postgres.url() }, stdio: 'ignore' });
    expect(await seat.failure(['token', 'get', seat.mailbox], { env: reach() })).toMatchObject({ code: 4 });
    await seat.setup(['--no-test', '--store', 'postgres'], { env: reach() });
    expect(await seat.run(['token', 'get', seat.mailbox], { env: reach() })).toEqual(printed(seat.lastToken));
  });
});

describe('mailauth store move', () => {
  it('between all three stores, and back', async () => {
    const seat = await office.seat({ secret: 'the-client-secret-of-this-app' });
    const withKeychain = { MAILAUTH_DATABASE_URL: postgres.url(), MAILAUTH_KEY_FILE: key };
    const done = await seat.setup(['--no-test', '--store', 'keychain'], { env: withKeychain });
    expect(done.code, done.stderr).toBe(0);
    const elsewhere = reach({ MAILAUTH_HOME: join(seat.folder, 'elsewhere') });
    const isSeenElsewhere = async () => (await seat.run(['status', seat.mailbox, '--json'], { env: elsewhere })).code === 0;
    expect(await isSeenElsewhere()).toBe(false);
    const own = `SELECT count(*) FROM mailauth.secret WHERE name LIKE '%${seat.mailbox}'`;
    for (const [to, rows] of [
      ['postgres', '2'],
      ['file', '0'],
      ['postgres', '2'],
      ['keychain', '0'],
    ] as const) {
      // Only this mailbox: the others of this database stay where they are.
      postgres.sql(
        `CREATE TABLE aside AS SELECT * FROM mailauth.document WHERE path NOT LIKE '%${seat.mailbox}%'; DELETE FROM mailauth.document WHERE path NOT LIKE '%${seat.mailbox}%'`,
      );
      const moved = await seat.run(['store', 'move', to], { env: withKeychain });
      postgres.sql('INSERT INTO mailauth.document SELECT * FROM aside; DROP TABLE aside');
      expect(moved.code, moved.stderr).toBe(0);
      expect(postgres.sql(own)).toBe(rows);
      expect(await isSeenElsewhere()).toBe(to === 'postgres');
      expect(await seat.run(['token', 'get', seat.mailbox], { env: withKeychain })).toEqual(printed(seat.lastToken));
      expect(await seat.run(['token', 'get', seat.mailbox, '--force-refresh'], { env: withKeychain })).toEqual(printed(seat.lastToken));
      const shown = await seat.run(['secret', 'show', seat.mailbox, '--reveal'], { env: withKeychain });
      expect(shown.stdout).toContain('the-client-secret-of-this-app');
    }
  }, 90_000);
});

describe('when something is wrong with the database, no other store is used', () => {
  const address = (more: string, login?: string) => ({ env: reach({ MAILAUTH_DATABASE_URL: postgres.url(more, login) }) });

  it.each([
    ['a wrong password', 'mailauth:wrong', '', 'database-refused'],
    ['a database that is not there', undefined, '-none', 'database-refused'],
    ['TLS that the server does not have', undefined, '?sslmode=require', 'database-untrusted'],
    ['a parameter that is not known', undefined, '?target_session_attrs=any', 'database-address-wrong'],
  ])('%s', async (_what, login, more, code) => {
    const { seat } = await ready();
    for (const args of [['status'], ['token', 'get', seat.mailbox]])
      expect(await seat.failure(args, address(more, login))).toMatchObject({ code: 7, error: { code } });
  });

  it('a role without rights', async () => {
    postgres.sql("CREATE ROLE guest LOGIN PASSWORD 'guest'");
    const seat = await office.seat();
    for (const args of [['status'], ['store', 'init']])
      expect(await seat.failure(args, address('', 'guest:guest'))).toMatchObject({ code: 7, error: { code: 'database-no-right' } });
    // As docs/providers.md says.
    postgres.sql('GRANT USAGE ON SCHEMA mailauth TO guest; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA mailauth TO guest');
    await ready(reach({ MAILAUTH_DATABASE_URL: postgres.url('', 'guest:guest') }));
  });

  it('no address, an address in a file that others can read, and one that goes over the network without TLS', async () => {
    const seat = await office.seat();
    const none = await seat.setupFailure(['--store', 'postgres'], { env: { ...noKeychain, MAILAUTH_KEY_FILE: key } });
    expect(none).toMatchObject({ code: 7, error: { code: 'database-address-missing' } });
    const file = join(seat.folder, 'database');
    await writeFile(file, `${postgres.url()}\n`, { mode: 0o644 });
    const inFile = { env: reach({ MAILAUTH_DATABASE_URL: undefined, MAILAUTH_DATABASE_URL_FILE: file }) };
    expect(await seat.failure(['status'], inFile)).toMatchObject({ code: 7, error: { code: 'file-exposed' } });
    await writeFile(join(seat.folder, 'database2'), `${postgres.url()}\n`, { mode: 0o600 });
    const safe = { env: reach({ MAILAUTH_DATABASE_URL: undefined, MAILAUTH_DATABASE_URL_FILE: join(seat.folder, 'database2') }) };
    expect((await seat.run(['status'], safe)).code).toBe(0);
    const own = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === 'IPv4' && !one.internal)?.address;
    const away = (more: string) => ({ env: reach({ MAILAUTH_DATABASE_URL: postgres.url(more).replace('127.0.0.1', own ?? '192.0.2.1') }) });
    expect(await seat.failure(['status'], away('?sslmode=disable'))).toMatchObject({ code: 7, error: { code: 'database-address-wrong' } });
    if (own !== undefined)
      expect(await seat.failure(['status'], away('?sslmode=prefer'))).toMatchObject({ code: 7, error: { code: 'database-untrusted' } });
  });

  it('TLS is checked whatever sslmode says, and sslrootcert adds an authority', async () => {
    const seat = await office.seat();
    const { certificate, key: privateKey } = await opensslCertificate('rsa:2048', 30, 'localhost');
    const files = [await postgres.give('server.crt', certificate), await postgres.give('server.key', privateKey)];
    await postgres.configure(`ssl = on\nssl_cert_file = '${files[0]}'\nssl_key_file = '${files[1]}'`);
    postgres.down('fast');
    postgres.up();
    const url = (more: string, host: string) => ({ env: reach({ MAILAUTH_DATABASE_URL: postgres.url(more).replace('127.0.0.1', host) }) });
    for (const mode of ['require', 'verify-ca', 'verify-full'])
      expect(await seat.failure(['status'], url(`?sslmode=${mode}`, 'localhost'))).toMatchObject({
        code: 7,
        error: { code: 'database-untrusted' },
      });
    const authority = join(seat.folder, 'authority.pem');
    await writeFile(authority, certificate);
    const trusted = await seat.run(['status'], url(`?sslrootcert=${encodeURIComponent(authority)}`, 'localhost'));
    expect(trusted, trusted.stderr).toMatchObject({ code: 0 });
    expect(postgres.sql("SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'mailauth'")).toBe('f');
    const otherName = await seat.failure(['status'], url(`?sslmode=require&sslrootcert=${encodeURIComponent(authority)}`, '[::1]'));
    expect(otherName).toMatchObject({ error: { code: expect.stringMatching(/database-(?:untrusted|away)/) } });
  });

  it('full, and only to be read: what was there stays, exit 5', async () => {
    const { seat, token } = await ready();
    const env = reach();
    postgres.sql(`CREATE FUNCTION mailauth.full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
      CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON mailauth.secret FOR EACH ROW EXECUTE FUNCTION mailauth.full()`);
    const full = await seat.failure(['token', 'get', seat.mailbox, '--force-refresh'], { env });
    expect(full).toMatchObject({ code: 5, error: { code: 'database-full' } });
    postgres.sql('DROP TRIGGER no_room ON mailauth.secret; DROP FUNCTION mailauth.full()');
    expect(await seat.run(['token', 'get', seat.mailbox], { env })).toEqual(printed(token));
    postgres.sql('ALTER DATABASE mailauth SET default_transaction_read_only = on');
    const standby = await seat.failure(['token', 'get', seat.mailbox, '--force-refresh'], { env });
    expect(standby).toMatchObject({ code: 5, error: { code: 'database-read-only' } });
    expect(await seat.run(['token', 'get', seat.mailbox], { env })).toEqual(printed(token));
    postgres.sql('SET default_transaction_read_only = off; ALTER DATABASE mailauth RESET default_transaction_read_only', 'postgres');
    expect((await seat.run(['token', 'get', seat.mailbox, '--force-refresh'], { env })).code).toBe(0);
  });

  it('the connection lost in the middle of a commit: the new token is there, and was fetched once', async () => {
    const { seat } = await ready();
    const way = await cutWay(postgres.port);
    const env = reach({ MAILAUTH_DATABASE_URL: postgres.url().replace(String(postgres.port), String(way.port)) });
    for (const words of ['INSERT INTO mailauth.secret', 'pg_try_advisory_lock', 'SELECT sealed', 'INSERT INTO mailauth.document']) {
      const before = seat.app.refreshes;
      const cutBefore = way.cuts;
      way.cutAfter(words);
      const command = words.includes('document') ? ['test', 'imap', seat.mailbox] : ['token', 'get', seat.mailbox, '--force-refresh'];
      const done = await seat.run(command, { env });
      expect(done.code, `${words}: ${done.stderr}`).toBe(0);
      expect(way.cuts, words).toBe(cutBefore + 1);
      if (!words.includes('document')) expect(seat.app.refreshes, words).toBe(before + 1);
      expect(await seat.run(['token', 'get', seat.mailbox], { env: reach() })).toEqual(printed(seat.lastToken));
    }
    way.close();
  });

  it('away, and slow', async () => {
    const { seat } = await ready();
    const env = reach();
    postgres.down('fast');
    try {
      for (const args of [['status'], ['token', 'get', seat.mailbox], ['keepalive'], ['store', 'init'], ['store', 'move', 'file']]) {
        const failure = await seat.failure(args, { env });
        expect(failure, args.join(' ')).toMatchObject({ code: 5, error: { code: 'database-away' } });
        expect(failure.stdout).not.toContain('p@ss');
        expect(failure.stdout).not.toContain('p%40ss');
      }
    } finally {
      postgres.up();
    }
    expect((await seat.run(['token', 'get', seat.mailbox], { env })).code).toBe(0);
    // Nothing of the mailbox is in a file of this computer.
    for (const [, text] of await seat.files()) for (const secret of seat.app.secrets) expect(text).not.toContain(secret);
    expect(await readFile(join(seat.home, 'secrets.sealed'), 'utf8').catch(() => 'none')).toBe('none');

    const slow = await seat.failure(['token', 'get', seat.mailbox, '--timeout', '1'], {
      env: reach({ MAILAUTH_DATABASE_URL: 'postgresql://mailauth@192.0.2.1/mailauth' }),
    });
    expect(slow).toMatchObject({ code: 5, error: { code: 'database-away' } });
  });
});
