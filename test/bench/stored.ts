// Bundled and run by tokens.mjs: HOME FIRST COUNT KEY_FILE [KEYCHAIN]. Set-ups FIRST … COUNT-1 of a home, each with a token, in the sealed
// file (sealed once, for a thousand writes would take minutes) or, with the last argument, in the keychain of this session.
// BENCH_SMTP_PORT: their mail is submitted to that port of this computer.
import { readFile } from 'node:fs/promises';
import { namedCloud } from '../../src/core/cloud.ts';
import type { MailboxRecord } from '../../src/core/mailbox.ts';
import { Secret } from '../../src/core/secret.ts';
import { authorityOf } from '../../src/core/sign-in-authority.ts';
import { sealedCopy, sealedFile } from '../../src/store/file-store.ts';
import { ensureHomeId } from '../../src/store/home.ts';
import { keychainStore } from '../../src/store/keychain-store.ts';
import { mailboxFiles } from '../../src/store/mailbox-file.ts';
import { encodeEntries, nonceLength, saltLength, seal } from '../../src/store/sealed-file.ts';
import { encodeTokenSet, tokenEntry } from '../../src/store/token-entry.ts';
import { systemClock, systemRandom } from '../../src/system/clock-and-random.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import { createKeychain } from '../../src/system/keychain/keychain.ts';

async function main(): Promise<void> {
  const [home = '', first = '0', count = '1', keyFile = '', inKeychain] = process.argv.slice(2);
  const store = inKeychain === undefined ? 'file' : 'keychain';
  const keychain = createKeychain({ platform: process.platform, env: process.env, clock: systemClock });
  const homeId = await ensureHomeId(systemFiles, systemRandom, home);
  const secrets = keychainStore({ keychain, service: 'mailauth', homeId, random: systemRandom });
  const files = mailboxFiles({ files: systemFiles, home });
  const entries = new Map<string, string>();
  for (let i = 0; i < Number(count); i += 1) {
    const record = recordOf(i, store);
    // Entra's sizes: an access token of 2 KB, a refresh token of 1.5 KB.
    const value = encodeTokenSet({
      accessToken: new Secret(systemRandom.bytes(1500).toString('base64url')),
      refreshToken: new Secret(systemRandom.bytes(1100).toString('base64url')),
      issuedAt: systemClock.now(),
      expiresAt: systemClock.now() + 86_400_000,
      scopes: [],
      account: { username: record.mailbox },
      authority: authorityOf(record.cloud, { tenantId, clientId: record.registration.clientId }),
    });
    entries.set(tokenEntry(record), value.reveal());
    if (i < Number(first)) continue;
    await files.writeMailbox(record);
    if (store === 'keychain') await secrets.write(tokenEntry(record), value);
  }
  keychain.close();
  if (store === 'keychain') return;
  const derivation = { kind: 'key-file' as const, salt: systemRandom.bytes(saltLength) };
  const sealed = seal(encodeEntries(entries), await readFile(keyFile), derivation, systemRandom.bytes(nonceLength));
  for (const path of [sealedFile(home), sealedCopy(home)]) await systemFiles.writeAtomic(path, sealed);
}

const tenantId = '5a4db0c5-c0de-4a11-b0b5-c0ffee000365';
const port = Number(process.env.BENCH_SMTP_PORT ?? 0);
const smtp = port === 0 ? {} : { smtp: { host: 'localhost', port, security: 'starttls' as const } };
const recordOf = (i: number, store: 'file' | 'keychain'): MailboxRecord => ({
  mailbox: `box${i}@contoso.example`,
  for: 'this-computer',
  tenantId,
  cloud: { ...namedCloud('public'), ...smtp },
  endpoints: {
    issuer: `https://login.microsoftonline.com/${tenantId}/v2.0`,
    authorization: `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/authorize`,
    token: `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`,
  },
  registration: {
    clientId: '11111111-2222-3333-4444-555555555555',
    clientType: 'public',
    redirectUri: 'http://localhost',
    madeByMailauth: false,
  },
  protocols: ['imap', 'smtp'],
  scopes: ['offline_access'],
  store,
  createdAt: '2026-11-22T00:00:00Z',
  lastTests: [],
});

await main();
