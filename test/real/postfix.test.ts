import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MailHost } from '../../src/core/cloud.ts';
import { Secret } from '../../src/core/secret.ts';
import type { ProtocolResult } from '../../src/mail/result.ts';
import { testSmtp } from '../../src/mail/smtp.ts';
import { readAccessToken } from '../../src/oauth/claims.ts';
import { systemClock } from '../../src/system/clock-and-random.ts';
import { createNetwork } from '../../src/system/network/network.ts';
import { type Dovecot, exchangeClaims, signToken, startDovecot } from './rigs/dovecot.ts';
import { type Postfix, startPostfix } from './rigs/postfix.ts';

const user = 'helpdesk@contoso.example';
let dovecot: Dovecot;
let postfix: Postfix;

beforeAll(async () => {
  dovecot = await startDovecot();
  postfix = await startPostfix(dovecot);
});

afterAll(async () => {
  await postfix?.stop();
  await dovecot?.stop();
});

interface How {
  security?: MailHost['security'];
  trusted?: boolean;
  claims?: boolean;
  sendTo?: string;
}

async function signIn(token: string, { security = 'starttls', trusted = true, claims = false, sendTo }: How = {}): Promise<ProtocolResult> {
  const result = await testSmtp({
    ctx: {
      network: createNetwork({ env: {}, ca: trusted ? [dovecot.ca] : [] }),
      clock: systemClock,
      signal: new AbortController().signal,
      random: { bytes: (count) => Buffer.alloc(count, 7), uuid: randomUUID },
    },
    host: { host: 'localhost', port: security === 'tls' ? postfix.ports.smtps : postfix.ports.submission, security },
    mailbox: user,
    user,
    token: async () => new Secret(token),
    timeoutMs: 15_000,
    ...(sendTo === undefined ? {} : { sendTo }),
    ...(claims ? { claims: (secret: Secret) => readAccessToken(secret.reveal()) } : {}),
  });
  expect(JSON.stringify(result) + JSON.stringify(result.error)).not.toContain(token.slice(-40));
  return result;
}

const good = (changes: object = {}): string => signToken({ ...exchangeClaims(user, dovecot.issuer), ...changes }, dovecot.key);
const stage = (result: ProtocolResult, state: string): string[] => result.stages.filter((s) => s.state === state).map((s) => s.name);

test.each(['tls', 'starttls'] as const)('signs in with %s, may send, and sends nothing', async (security) => {
  const before = (await postfix.log()).split('message-id=').length;
  const result = await signIn(good(), { security });
  expect(result.diagnosis).toBeUndefined();
  expect(stage(result, 'failed')).toEqual([]);
  expect(stage(result, 'ok')).toContain('mailbox');
  expect(stage(result, 'skipped')).toEqual(['send']);
  expect((await postfix.log()).split('message-id=').length).toBe(before);
});

test('sends one message when asked, and names the id under which Postfix has it', async () => {
  const result = await signIn(good(), { sendTo: 'ada@elsewhere.example' });
  expect(stage(result, 'ok')).toContain('send');
  const sent = result.stages.find((s) => s.name === 'send')?.detail ?? '';
  const id = /<[^>]+>/.exec(sent)?.[0] ?? 'no id';
  await expect.poll(async () => (await postfix.log()).includes(`message-id=${id}`), { timeout: 10_000 }).toBe(true);
  await expect.poll(async () => /to=<ada@elsewhere\.example>.*status=sent/.test(await postfix.log()), { timeout: 10_000 }).toBe(true);
});

test('a token of three kilobytes, as Entra makes them for somebody in many groups', async () => {
  expect(stage(await signIn(good({ groups: 'g'.repeat(3000) })), 'failed')).toEqual([]);
});

const hourAgo = Math.floor(Date.now() / 1000) - 3_600;
test.each<[string, () => string, string]>([
  ['an expired token', () => good({ iat: hourAgo - 60, nbf: hourAgo - 60, exp: hourAgo }), 'mail-token-expired'],
  ["another user's token", () => good({ upn: 'somebody@contoso.example' }), 'mail-token-user'],
  ['a token for Graph', () => good({ aud: 'https://graph.microsoft.com' }), 'mail-token-audience'],
])('refuses %s at auth; the claims explain it', async (_, token, code) => {
  const result = await signIn(token(), { claims: true });
  expect(stage(result, 'failed')).toEqual(['auth']);
  expect(result.error?.code).toBe(code);
});

test('without readable claims the server has the word', async () => {
  const result = await signIn(good({ upn: 'somebody@contoso.example' }));
  expect(result.error).toMatchObject({ code: 'smtp-authenticate-failed', exit: 4 });
  expect(result.error?.detail.reply).toMatch(/^535 5\.7\.8 /);
});

test.each(['tls', 'starttls'] as const)('%s with an authority nobody told us about: no token is sent, exit 1', async (security) => {
  const result = await signIn(good(), { security, trusted: false });
  expect(stage(result, 'failed')).toEqual(['tls']);
  expect(result.error).toMatchObject({ code: 'tls-untrusted', exit: 1 });
});
