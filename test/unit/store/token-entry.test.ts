import { describe, expect, it } from 'vitest';
import type { TokenSet } from '../../../src/core/mailbox.ts';
import { mailauth } from '../../../src/core/next.ts';
import { Secret } from '../../../src/core/secret.ts';
import { clientSecretEntry, decodeTokenSet, encodeTokenSet, tokenEntry } from '../../../src/store/token-entry.ts';

const key = { mailbox: 'ops@contoso.com', for: 'this-computer' };
const set: TokenSet = {
  accessToken: new Secret('eyJ.access'),
  refreshToken: new Secret('0.refresh'),
  issuedAt: Date.UTC(2026, 10, 22, 1, 2, 3, 4),
  expiresAt: Date.UTC(2026, 10, 22, 2, 2, 3),
  refreshTokenIssuedAt: Date.UTC(2026, 10, 22, 1, 2, 3, 4),
  scopes: ['https://outlook.office.com/IMAP.AccessAsUser.All'],
  account: { username: 'ops@contoso.com', tenantId: 't' },
};
const plain = (tokens: TokenSet) => ({ ...tokens, accessToken: tokens.accessToken.reveal(), refreshToken: tokens.refreshToken?.reveal() });

describe('token entries', () => {
  it('come back as they went in', () => {
    expect(plain(decodeTokenSet(encodeTokenSet(set)))).toEqual(plain(set));
    const { refreshToken: _, refreshTokenIssuedAt: __, ...least } = set;
    expect(decodeTokenSet(encodeTokenSet(least))).not.toHaveProperty('refreshToken');
  });

  it('hold times as RFC 3339 in UTC', () => {
    expect(JSON.parse(encodeTokenSet(set).reveal())).toMatchObject({ version: 1, issuedAt: '2026-11-22T01:02:03.004Z' });
  });

  it.each(['', '{', 'null', '{"version":1}', encodeTokenSet(set).reveal().replace('2026-11-22T02', 'soon')])('damaged: %s', (text) => {
    const decode = () => decodeTokenSet(new Secret(text), key);
    expect(decode).toThrow(
      expect.objectContaining({ code: 'store-damaged', exit: 7, next: [mailauth('login', 'ops@contoso.com', { force: true })] }),
    );
    expect(decode).not.toThrow(/eyJ|refresh/);
  });

  it('have names that differ by kind, product and mailbox', () => {
    const registration = { clientId: '11111111-2222-3333-4444-555555555555' };
    const user = { ...key, registration };
    const shared = { ...key, registration: { ...registration, shared: true as const } };
    expect(clientSecretEntry(shared)).toBe(clientSecretEntry({ ...shared, mailbox: 'b@x' }));
    const names = [
      tokenEntry(key),
      clientSecretEntry(user),
      clientSecretEntry(shared),
      tokenEntry({ ...key, for: 'custom' }),
      tokenEntry({ ...key, mailbox: 'b@x' }),
    ];
    expect(new Set(names).size).toBe(5);
    expect(tokenEntry({ ...key, mailbox: 'Ops@Contoso.com' })).toBe('token/this-computer/ops@contoso.com');
  });
});
