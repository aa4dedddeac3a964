import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MailHost } from '../../src/core/cloud.ts';
import { Secret } from '../../src/core/secret.ts';
import { testImap } from '../../src/mail/imap.ts';
import type { ProtocolResult } from '../../src/mail/result.ts';
import { systemClock } from '../../src/system/clock-and-random.ts';
import { createNetwork } from '../../src/system/network/network.ts';
import { nextOf } from '../support/next.ts';
import { type Dovecot, exchangeClaims, signingKey, signToken, startDovecot } from './rigs/dovecot.ts';

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
}

async function signIn(token: string, { security = 'tls', trusted = true }: How = {}): Promise<ProtocolResult> {
  const result = await testImap({
    ctx: {
      network: createNetwork({ env: {}, ca: trusted ? [dovecot.ca] : [] }),
      clock: systemClock,
      signal: new AbortController().signal,
    },
    host: { host: 'localhost', port: security === 'tls' ? dovecot.ports.imaps : dovecot.ports.imap, security },
    mailbox: user,
    user,
    token: async () => new Secret(token),
    timeoutMs: 15_000,
  });
  expect(JSON.stringify(result) + JSON.stringify(result.error)).not.toContain(token.slice(-40));
  return result;
}

const good = (changes: object = {}): string => signToken({ ...exchangeClaims(user, dovecot.issuer), ...changes }, dovecot.key);
const failedStage = (result: ProtocolResult): string | undefined => result.stages.find((s) => s.state === 'failed')?.name;

describe('Dovecot that checks the token itself', () => {
  test.each(['tls', 'starttls'] as const)('signs in with %s, counts the messages and takes no \\Recent away', async (security) => {
    const result = await signIn(good(), { security });
    expect(result.diagnosis).toBeUndefined();
    expect(result.ok).toBe(true);
    expect(result.stages.every((s) => s.state === 'ok')).toBe(true);
    expect(result.stages.find((s) => s.name === 'mailbox')?.detail).toBe('12 messages');
    expect(result.stages.find((s) => s.name === 'tls')?.detail).toMatch(
      /^TLSv1\.3, certificate of localhost by mailauth test CA, valid until /,
    );
    expect(await dovecot.recent(user)).toBe(12);
  });

  test('takes a key that was added while it runs', async () => {
    const key = signingKey('added/later');
    await dovecot.addKey(key);
    expect((await signIn(signToken(exchangeClaims(user, dovecot.issuer), key))).ok).toBe(true);
  });

  const hourAgo = Math.floor(Date.now() / 1000) - 3_600;
  const refusals: [string, string, () => string][] = [
    ['an expired token', 'Token has expired', () => good({ iat: hourAgo - 60, nbf: hourAgo - 60, exp: hourAgo })],
    [
      'a wrong signature',
      'Bad signature',
      () => signToken(exchangeClaims(user, dovecot.issuer), { ...signingKey('x'), kid: dovecot.key.kid }),
    ],
    ["another user's token", 'did not match', () => good({ upn: 'somebody@contoso.example' })],
    ['a token for Graph', 'Token audience', () => good({ aud: 'https://graph.microsoft.com' })],
    ['another issuer', 'is not allowed', () => good({ iss: 'https://sts.windows.net/33333333-3333-3333-3333-333333333333/' })],
  ];
  test.each(refusals)('refuses %s: exit 4 at auth', async (_, reason, token) => {
    const result = await signIn(token());
    const refusals = (await dovecot.log()).split('\n').filter((line) => line.includes('oauth2 failed'));
    expect(refusals.at(-1)).toContain(reason);
    expect(failedStage(result)).toBe('auth');
    expect(result.error).toMatchObject({ code: 'imap-authenticate-failed', exit: 4 });
    expect(result.error?.detail.reply).toContain('Authentication failed.');
    expect(nextOf(result.diagnosis)[0]).toBe(`mailauth login ${user} --force`);
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
    expect(result.diagnosis?.why).toContain('characters long');
  });
});
