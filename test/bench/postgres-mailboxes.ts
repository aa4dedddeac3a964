// Bundled and run by postgres.mjs: FIRST COUNT KEY_FILE PORT AGE_DAYS. Set-ups FIRST … COUNT-1 in the database of MAILAUTH_DATABASE_URL, each
// with a token that was renewed so many days ago; their sign-in service and mail server are on that port of this computer.
import { readFile } from 'node:fs/promises';
import type { MailboxRecord } from '../../src/core/mailbox.ts';
import { Secret } from '../../src/core/secret.ts';
import { authorityOf } from '../../src/core/sign-in-authority.ts';
import { readAddress } from '../../src/database/address.ts';
import { readEdition } from '../../src/database/schema.ts';
import { keyCheck, sealRow } from '../../src/database/sealed-row.ts';
import { mailboxSlug } from '../../src/store/mailbox-file.ts';
import { encodeTokenSet, tokenEntry } from '../../src/store/token-entry.ts';
import { systemClock, systemRandom } from '../../src/system/clock-and-random.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import { connectPostgres } from '../../src/system/postgres.ts';

const [first = '0', count = '100', keyFile = '', port = '0', ageDays = '0'] = process.argv.slice(2);
const tenants = 60;
const pageSize = 500;

async function main(): Promise<void> {
  const address = await readAddress(process.env.MAILAUTH_DATABASE_URL ?? '', 'MAILAUTH_DATABASE_URL', { files: systemFiles });
  const connection = await connectPostgres(process.env)(address, 60_000);
  const edition = await readEdition(connection);
  if (edition === undefined) throw new Error('no schema');
  const master = await readFile(keyFile);
  const { id } = edition;
  await connection.query('UPDATE mailauth.edition SET key_check = $1', [keyCheck(master, id)]);
  for (let i = Number(first); i < Number(count); i += pageSize) {
    const records = Array.from({ length: Math.min(pageSize, Number(count) - i) }, (_, n) => recordOf(i + n));
    const bodies = records.map((record) => JSON.stringify({ version: 1, ...record }));
    await connection.query('INSERT INTO mailauth.document (path, body) SELECT p, b::jsonb FROM unnest($1::text[], $2::text[]) AS t(p, b)', [
      records.map((record) => `mailboxes/${mailboxSlug(record)}.json`),
      bodies,
    ]);
    const names = records.map(tokenEntry);
    const sealed = records.map((record, n) =>
      sealRow(tokens(record), master, { id, name: names[n] ?? '' }, (size) => systemRandom.bytes(size)).toString('base64'),
    );
    await connection.query(
      "INSERT INTO mailauth.secret (name, sealed) SELECT n, decode(s, 'base64') FROM unnest($1::text[], $2::text[]) AS t(n, s)",
      [names, sealed],
    );
  }
  await connection.query('ANALYZE mailauth.document');
  await connection.query('ANALYZE mailauth.secret');
  connection.close();
}

/** Entra's sizes: an access token of 2 KB, a refresh token of 1.5 KB. */
function tokens(record: MailboxRecord): string {
  const issuedAt = systemClock.now() - Number(ageDays) * 86_400_000;
  return encodeTokenSet({
    accessToken: new Secret(systemRandom.bytes(1500).toString('base64url')),
    refreshToken: new Secret(systemRandom.bytes(1100).toString('base64url')),
    issuedAt,
    expiresAt: systemClock.now() + 3_600_000,
    refreshTokenIssuedAt: issuedAt,
    scopes: [],
    account: { username: record.mailbox },
    authority: authorityOf(record.cloud, { tenantId: record.tenantId, clientId: record.registration.clientId }),
  }).reveal();
}

function recordOf(i: number): MailboxRecord {
  const tenantId = `5a4db0c5-c0de-4a11-b0b5-${String(i % tenants).padStart(12, '0')}`;
  const login = `https://localhost:${port}`;
  const mail = { host: 'localhost', port: Number(port), security: 'tls' as const };
  return {
    ...{ mailbox: `box${String(i).padStart(7, '0')}@t${i % tenants}.example`, for: 'this-computer', tenantId },
    cloud: {
      ...{ name: 'lab', login, graph: `${login}/graph`, portal: login, outlookScopeBase: 'https://outlook.office.com' },
      ...{ imap: mail, pop: mail, smtp: mail, verified: true },
    },
    endpoints: {
      issuer: `${login}/${tenantId}/v2.0`,
      authorization: `${login}/${tenantId}/oauth2/v2.0/authorize`,
      token: `${login}/${tenantId}/oauth2/v2.0/token`,
    },
    registration: {
      clientId: '11111111-2222-3333-4444-555555555555',
      clientType: 'public',
      redirectUri: 'http://localhost',
      madeByMailauth: false,
    },
    ...{ protocols: ['imap'], scopes: ['https://outlook.office.com/IMAP.AccessAsUser.All', 'offline_access'] },
    ...{ store: 'postgres', createdAt: '2026-11-22T00:00:00Z', lastTests: [] },
  };
}

await main();
