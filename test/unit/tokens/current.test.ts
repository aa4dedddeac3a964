import { beforeEach, describe, expect, it } from 'vitest';
import { namedCloud } from '../../../src/core/cloud.ts';
import type { Clock, Files } from '../../../src/core/context.ts';
import type { MailboxRecord, TokenSet } from '../../../src/core/mailbox.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { SecretStore } from '../../../src/core/stores.ts';
import { rfc3339 } from '../../../src/core/time.ts';
import { problem } from '../../../src/errors/problem.ts';
import { encodeTokenSet, tokenEntry } from '../../../src/store/token-entry.ts';
import { systemClock } from '../../../src/system/clock-and-random.ts';
import { systemFiles } from '../../../src/system/disk/files.ts';
import { currentToken, type TokenDeps } from '../../../src/tokens/current.ts';
import { formatToken } from '../../../src/tokens/formats.ts';
import { daysLeft, refreshIdleDeadline } from '../../../src/tokens/lifetimes.ts';

const now = Date.parse('2026-11-22T12:00:00Z');
const record: MailboxRecord = {
  mailbox: 'helpdesk@contoso.com',
  for: 'this-computer',
  tenantId: '5a4db0c5-c0de-4a11-b0b5-c0ffee000365',
  cloud: namedCloud('public'),
  endpoints: { issuer: 'https://i', authorization: 'https://a', token: 'https://t' },
  registration: {
    clientId: '11111111-2222-3333-4444-555555555555',
    clientType: 'public',
    redirectUri: 'http://localhost',
    madeByMailauth: false,
  },
  protocols: ['imap'],
  scopes: ['offline_access'],
  store: 'keychain',
  createdAt: '2026-11-22T00:00:00Z',
  lastTests: [],
};

function tokens(name: string, secondsLeft: number, more: Partial<TokenSet> = {}): TokenSet {
  return {
    accessToken: new Secret(`access-${name}`),
    refreshToken: new Secret(`refresh-${name}`),
    issuedAt: now + secondsLeft * 1000 - 3_600_000,
    expiresAt: now + secondsLeft * 1000,
    scopes: [],
    account: { username: record.mailbox },
    ...more,
  };
}

const withoutRefresh = (name: string, secondsLeft: number): TokenSet => {
  const { refreshToken: _, ...set } = tokens(name, secondsLeft);
  return set;
};

let held: Map<string, Secret>;
let log: string[];
let refreshed: () => Promise<TokenSet>;
/** what another process does while we wait for its lock; false: it never lets go */
let whileWaiting: () => boolean;
beforeEach(() => {
  held = new Map();
  log = [];
  refreshed = async () => tokens('new', 3600);
  whileWaiting = () => true;
});

const keep = (set: TokenSet) => held.set(tokenEntry(record), encodeTokenSet(set));

function deps(): TokenDeps {
  const store: SecretStore = {
    name: 'keychain',
    describe: () => 'a test',
    probe: async () => undefined,
    read: async (entry) => held.get(entry),
    async write(entry, value) {
      log.push('write');
      held.set(entry, value);
    },
    remove: async (entry) => held.delete(entry),
  };
  const clock: Clock = { ...systemClock, now: () => now };
  const files: Files = {
    ...systemFiles,
    async lock() {
      log.push('lock');
      return whileWaiting() ? async () => void log.push('release') : undefined;
    },
  };
  return {
    ctx: { clock, files },
    home: '/nowhere',
    store,
    waitMs: 10,
    async refresh(old) {
      log.push(`refresh ${old.refreshToken?.reveal()}`);
      return refreshed();
    },
    refuseForeign: async () => undefined,
    note: (text) => void log.push(text),
    warn: (text) => void log.push(`warn ${text}`),
  };
}

const get = async (wish: { minValidity?: number; force?: boolean } = {}) =>
  (
    await currentToken(record, { minValidityMs: (wish.minValidity ?? 300) * 1000, force: wish.force === true }, deps())
  ).accessToken.reveal();

describe('currentToken', () => {
  it('fresh: no lock, no write, no refresh', async () => {
    keep(tokens('old', 300));
    expect(await get()).toBe('access-old');
    expect(log).toEqual([]);
  });

  it('due: refreshed under the lock and stored before it is given out', async () => {
    keep(tokens('old', 299));
    expect(await get()).toBe('access-new');
    expect(log).toEqual(['lock', 'refresh refresh-old', 'write', 'release']);
    expect(await get()).toBe('access-new');
  });

  it('a file that another program has open: the new token is handed out and not lost, with a warning that names the file', async () => {
    keep(tokens('old', 10));
    const open = deps();
    const inUse = {
      ...open,
      store: { ...open.store, write: async () => Promise.reject(problem('file-in-use', { file: 'secrets.sealed' })) },
    };
    const set = await currentToken(record, { minValidityMs: 300_000, force: true }, inUse);
    expect(set.accessToken.reveal()).toBe('access-new');
    expect(log.find((line) => line.startsWith('warn'))).toContain('Another program has secrets.sealed open');
    // The stored refresh token is the old one still.
    log.length = 0;
    await currentToken(record, { minValidityMs: 300_000, force: true }, deps());
    expect(log).toContain('refresh refresh-old');
  });

  it('a store that refuses the new token is an error, not a token that is lost later', async () => {
    keep(tokens('old', 10));
    const broken = deps();
    const failing = {
      ...broken,
      store: { ...broken.store, write: async () => Promise.reject(problem('keychain-locked', { label: 'Secret Service', why: 'x' })) },
    };
    await expect(currentToken(record, { minValidityMs: 300_000, force: false }, failing)).rejects.toMatchObject({
      code: 'keychain-locked',
      exit: 7,
    });
    expect(log.at(-1)).toBe('release');
  });

  it('logged out while we waited for the lock, or while Microsoft answered: nothing is written back', async () => {
    keep(tokens('old', 10));
    whileWaiting = () => {
      held.clear();
      return true;
    };
    await expect(get()).rejects.toMatchObject({ code: 'not-signed-in', exit: 4 });
    whileWaiting = () => true;
    keep(tokens('old', 10));
    refreshed = async () => {
      held.clear();
      return tokens('new', 3600);
    };
    await expect(get()).rejects.toMatchObject({ code: 'not-signed-in', exit: 4 });
    expect([log.includes('write'), held.size]).toEqual([false, 0]);
  });

  it('logged out while the lock was never free: exit 4, not the token that was', async () => {
    keep(tokens('old', 10));
    whileWaiting = () => {
      held.clear();
      return false;
    };
    await expect(get()).rejects.toMatchObject({ code: 'not-signed-in' });
  });

  it('somebody signed in again while Microsoft answered: that sign-in stays', async () => {
    keep(tokens('old', 10));
    refreshed = async () => {
      keep(tokens('signed-in', 3000));
      return tokens('new', 3600);
    };
    expect(await get()).toBe('access-signed-in');
    expect(log).not.toContain('write');
    expect(await get()).toBe('access-signed-in');
  });

  it('a store that does not give back the new token gets the old one again, and none is given out', async () => {
    keep(tokens('old', 10));
    const honest = deps();
    let writes = 0;
    const forgetful: TokenDeps = {
      ...honest,
      store: {
        ...honest.store,
        async write(entry, value) {
          writes += 1;
          held.set(entry, writes === 1 ? new Secret('half of it') : value);
        },
      },
    };
    await expect(currentToken(record, { minValidityMs: 300_000, force: false }, forgetful)).rejects.toMatchObject({
      code: 'store-forgets',
      exit: 7,
    });
    expect(held.get(tokenEntry(record))?.reveal()).toBe(encodeTokenSet(tokens('old', 10)).reveal());
    expect(await get()).toBe('access-new');
  });

  it('takes what another process refreshed while we waited, also below min-validity', async () => {
    keep(tokens('old', 10));
    whileWaiting = () => {
      keep(tokens('theirs', 100));
      return true;
    };
    expect(await get()).toBe('access-theirs');
    expect(log).toEqual(['lock', 'release']);
  });

  it('also with force: it is not the old one', async () => {
    keep(tokens('old', 1000));
    whileWaiting = () => {
      keep(tokens('theirs', 2000));
      return true;
    };
    expect(await get({ force: true })).toBe('access-theirs');
  });

  it('a lock that is never free: the new token, the old one while it lives, else exit 5; never the old one with force', async () => {
    whileWaiting = () => false;
    keep(tokens('old', 10));
    expect(await get()).toBe('access-old');
    await expect(get({ force: true })).rejects.toMatchObject({ code: 'refresh-busy', exit: 5 });
    keep(tokens('dead', -1));
    await expect(get()).rejects.toMatchObject({ code: 'refresh-busy', exit: 5 });
  });

  it('a temporary failure is covered by a token that still lives, and noted', async () => {
    keep(tokens('old', 10));
    refreshed = async () => Promise.reject(problem('refresh-busy', { mailbox: record.mailbox }));
    expect(await get()).toBe('access-old');
    expect(log.join()).toContain('still valid');
    await expect(get({ force: true })).rejects.toMatchObject({ exit: 5 });
    keep(tokens('dead', 0));
    await expect(get()).rejects.toMatchObject({ exit: 5 });
  });

  it('a final failure is told at once', async () => {
    keep(tokens('old', 10));
    refreshed = async () => Promise.reject(problem('not-refreshable', { mailbox: record.mailbox }));
    await expect(get()).rejects.toMatchObject({ exit: 4 });
    expect(log).toContain('release');
  });

  it('no refresh token: the old one while it lives, then exit 4; with force at once', async () => {
    keep(withoutRefresh('old', 10));
    expect(await get()).toBe('access-old');
    await expect(get({ force: true })).rejects.toMatchObject({ code: 'not-refreshable', exit: 4 });
    keep(withoutRefresh('dead', -10));
    await expect(get()).rejects.toMatchObject({ code: 'not-refreshable' });
  });

  it('a validity longer than any life causes one refresh, not a loop', async () => {
    keep(tokens('old', 3600));
    expect(await get({ minValidity: 1_000_000 })).toBe('access-new');
    expect(log.filter((line) => line.startsWith('refresh'))).toHaveLength(1);
  });

  it('nothing stored is exit 4, damaged is exit 7', async () => {
    await expect(get()).rejects.toMatchObject({ code: 'not-signed-in', exit: 4 });
    held.set(tokenEntry(record), new Secret('{'));
    await expect(get()).rejects.toMatchObject({ code: 'store-damaged', exit: 7 });
  });
});

describe('lifetimes', () => {
  it('a refresh token idles for 90 days from when it was issued', () => {
    const day = 86_400_000;
    expect(refreshIdleDeadline(tokens('a', 3600))).toBe(now + 90 * day);
    expect(refreshIdleDeadline(tokens('a', 3600, { refreshTokenIssuedAt: now - day }))).toBe(now + 89 * day);
    expect(refreshIdleDeadline(withoutRefresh('a', 3600))).toBeUndefined();
    expect(daysLeft(now, undefined)).toBeNull();
    expect(daysLeft(now, now + 2 * day - 1, undefined)).toBe(1);
    expect(daysLeft(now, now + 5 * day, now + 3 * day)).toBe(3);
    expect(daysLeft(now, now - 1)).toBe(-1);
  });
});

describe('formatToken', () => {
  it.each([
    ['raw', 'access-a\n'],
    ['env', 'MAILAUTH_ACCESS_TOKEN=access-a\n'],
    ['xoauth2', `${Buffer.from('user=helpdesk@contoso.com\u0001auth=Bearer access-a\u0001\u0001').toString('base64')}\n`],
    ['json', '{"accessToken":"access-a","tokenType":"Bearer","expiresAt":"2026-11-22T12:01:00Z","username":"helpdesk@contoso.com"}\n'],
  ] as const)('%s', (format, wanted) => expect(formatToken(tokens('a', 60), record, format)).toBe(wanted));

  it('times are RFC 3339 in UTC, whole seconds', () => expect(rfc3339(now + 999)).toBe('2026-11-22T12:00:00Z'));
});
