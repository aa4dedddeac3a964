import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MailHost } from '../../src/core/cloud.ts';
import { Secret } from '../../src/core/secret.ts';
import { testPop } from '../../src/mail/pop.ts';
import type { ProtocolResult } from '../../src/mail/result.ts';
import { readAccessToken } from '../../src/oauth/claims.ts';
import { systemClock } from '../../src/system/clock-and-random.ts';
import { createNetwork } from '../../src/system/network/network.ts';
import { type Dovecot, exchangeClaims, signToken, startDovecot } from './rigs/dovecot.ts';

const user = 'helpdesk@contoso.example';
let dovecot: Dovecot;

beforeAll(async () => {
  dovecot = await startDovecot();
  await dovecot.deliver(user, 12);
});

afterAll(() => dovecot?.stop());

interface How {
  security?: MailHost['security'];
  trusted?: boolean;
  claims?: boolean;
}

async function signIn(token: string, { security = 'tls', trusted = true, claims = false }: How = {}): Promise<ProtocolResult> {
  const result = await testPop({
    ctx: {
      network: createNetwork({ env: {}, ca: trusted ? [dovecot.ca] : [] }),
      clock: systemClock,
      signal: new AbortController().signal,
    },
    host: { host: 'localhost', port: security === 'tls' ? dovecot.ports.pop3s : dovecot.ports.pop3, security },
    mailbox: user,
    user,
    token: async () => new Secret(token),
    timeoutMs: 15_000,
    ...(claims ? { claims: (secret: Secret) => readAccessToken(secret.reveal()) } : {}),
  });
  expect(JSON.stringify(result) + JSON.stringify(result.error)).not.toContain(token.slice(-40));
  return result;
}

const good = (changes: object = {}): string => signToken({ ...exchangeClaims(user, dovecot.issuer), ...changes }, dovecot.key);
const failedStage = (result: ProtocolResult): string | undefined => result.stages.find((s) => s.state === 'failed')?.name;

test.each(['tls', 'starttls'] as const)('signs in with %s and counts the messages', async (security) => {
  const result = await signIn(good(), { security });
  expect(result.diagnosis).toBeUndefined();
  expect(result.stages.every((s) => s.state === 'ok')).toBe(true);
  expect(result.stages.find((s) => s.name === 'mailbox')?.detail).toBe('12 messages');
});

const hourAgo = Math.floor(Date.now() / 1000) - 3_600;
test.each<[string, string, () => string]>([
  ['an expired token', 'Token has expired', () => good({ iat: hourAgo - 60, nbf: hourAgo - 60, exp: hourAgo })],
  ["another user's token", 'did not match', () => good({ upn: 'somebody@contoso.example' })],
  ['a token for Graph', 'Token audience', () => good({ aud: 'https://graph.microsoft.com' })],
])('refuses %s: exit 4 at auth, with what the challenge said', async (_, reason, token) => {
  const result = await signIn(token());
  const refusals = (await dovecot.log()).split('\n').filter((line) => line.includes('oauth2 failed'));
  expect(refusals.at(-1)).toContain(reason);
  expect(failedStage(result)).toBe('auth');
  expect(result.error).toMatchObject({ code: 'pop-authenticate-failed', exit: 4 });
  expect(result.error?.detail.reply).toMatch(/^\[AUTH\] Authentication failed\. · \d+$/);
});

test("an expired token's own claims say so", async () => {
  const expired = good({ iat: hourAgo - 60, nbf: hourAgo - 60, exp: hourAgo });
  expect((await signIn(expired, { claims: true })).error).toMatchObject({ code: 'mail-token-expired', exit: 4 });
});

test('with an authority nobody told us about: no token is sent, exit 1', async () => {
  const result = await signIn(good(), { trusted: false });
  expect(failedStage(result)).toBe('tls');
  expect(result.error).toMatchObject({ code: 'tls-untrusted', exit: 1 });
});

test('closes on a token longer than it reads', async () => {
  const result = await signIn(good({ groups: 'g'.repeat(12_000) }));
  expect(failedStage(result)).toBe('auth');
  expect(result.error).toMatchObject({ code: 'mail-connection-closed-during-auth', exit: 5 });
});
