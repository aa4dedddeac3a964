import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cloud } from '../../src/core/cloud.ts';
import type { MailboxRecord, TokenSet } from '../../src/core/mailbox.ts';
import { Secret } from '../../src/core/secret.ts';
import { authorityOf } from '../../src/core/sign-in-authority.ts';
import { ensureHomeId } from '../../src/store/home.ts';
import { keychainStore } from '../../src/store/keychain-store.ts';
import { mailboxFiles } from '../../src/store/mailbox-file.ts';
import { encodeTokenSet, tokenEntry } from '../../src/store/token-entry.ts';
import { systemRandom } from '../../src/system/clock-and-random.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import type { Machine } from './command-line.ts';
import { realNetwork } from './context.ts';
import { type Canned, certificate, type HttpsServer, httpsServer, type Received } from './https-server.ts';

export const labMailbox = 'box@contoso.example';
export const labTenant = '5a4db0c5-c0de-4a11-b0b5-c0ffee000365';
export const labClient = '11111111-2222-3333-4444-555555555555';
export const labRefreshToken = 'the-refresh-token-of-the-lab';

/** A token as Microsoft writes it, as far as anybody here reads it; its signature is worthless. */
export const jwt = (claims: Readonly<Record<string, unknown>>): string =>
  ['{"alg":"none"}', JSON.stringify(claims), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');

export const accessToken = (claims: Readonly<Record<string, unknown>> = {}): string =>
  jwt({ tid: labTenant, appid: labClient, scp: 'IMAP.AccessAsUser.All', upn: labMailbox, ...claims });

/** A sign-in service of another house, on two names of this computer, which remembers whatever it is sent. */
export interface Lab {
  readonly cloud: Cloud;
  readonly server: HttpsServer;
  readonly network: ReturnType<typeof realNetwork.trusting>;
  /** what it was sent, as one text */
  heard(): string;
}

const tls = await certificate();

export async function openLab(answer: (request: Received) => Canned | undefined = () => ({ status: 500 })): Promise<Lab> {
  const server = await httpsServer(tls, answer);
  const origin = `https://localhost:${server.port}`;
  const mail = { host: 'localhost', port: server.port, security: 'tls' as const };
  const cloud: Cloud = {
    ...{ name: 'lab', login: origin, graph: `${origin}/graph`, portal: origin, outlookScopeBase: 'https://outlook.office.com' },
    ...{ imap: mail, pop: mail, smtp: mail, verified: true },
  };
  return { cloud, server, network: realNetwork.trusting(tls.cert), heard: () => server.received.map((one) => one.body).join('\n') };
}

export const labRecord = (cloud: Cloud, more: Partial<MailboxRecord> = {}): MailboxRecord => ({
  ...{ mailbox: labMailbox, for: 'this-computer', tenantId: labTenant, cloud },
  endpoints: {
    issuer: `${cloud.login}/${labTenant}/v2.0`,
    authorization: `${cloud.login}/${labTenant}/oauth2/v2.0/authorize`,
    token: `${cloud.login}/${labTenant}/oauth2/v2.0/token`,
  },
  registration: { clientId: labClient, clientType: 'public', redirectUri: 'http://localhost', madeByMailauth: false },
  ...{ protocols: ['imap', 'smtp'], scopes: ['https://outlook.office.com/IMAP.AccessAsUser.All', 'offline_access'] },
  ...{ account: { username: labMailbox, tenantId: labTenant }, store: 'keychain', createdAt: '2026-11-22T00:00:00Z', lastTests: [] },
  ...more,
});

export const labStore = async (m: Machine) =>
  keychainStore({
    ...{ keychain: m.keychain, service: 'mailauth' as const, random: systemRandom },
    homeId: await ensureHomeId(systemFiles, systemRandom, m.home),
  });

/** Tokens for an hour; of the first edition, they do not say where they belong. */
export function labTokens(record: MailboxRecord, isFirstEdition = false): TokenSet {
  const now = Date.now();
  return {
    ...{ accessToken: new Secret(accessToken()), refreshToken: new Secret(labRefreshToken), issuedAt: now, expiresAt: now + 3_600_000 },
    ...{ scopes: ['IMAP.AccessAsUser.All'], account: { username: labMailbox, tenantId: labTenant } },
    ...(isFirstEdition ? {} : { authority: authorityOf(record.cloud, { ...record, ...record.registration }) }),
  };
}

/** A mailbox that is signed in, its tokens in the machine's keychain. */
export async function signInAt(
  m: Machine,
  record: MailboxRecord,
  { isFirstEdition = false, ...more }: Partial<TokenSet> & { readonly isFirstEdition?: boolean } = {},
): Promise<string> {
  const files = mailboxFiles({ files: systemFiles, home: m.home });
  await files.writeMailbox(record);
  await (await labStore(m)).write(tokenEntry(record), encodeTokenSet({ ...labTokens(record, isFirstEdition), ...more }));
  return files.pathOf(record);
}

/** As if nothing had ever been stored. */
export async function emptied(m: Machine): Promise<void> {
  m.keychain.entries.clear();
  for (const name of ['mailboxes', 'locks']) await rm(join(m.home, name), { recursive: true, force: true });
}
