import { describe, expect, test } from 'vitest';
import { MailauthError } from '../../../src/core/errors.ts';
import { imapProblem, readImapFailure } from '../../../src/mail/imap-problem.ts';
import type { MailAttempt, TokenEvidence } from '../../../src/mail/mail-refusal.ts';
import { adminOf, nextOf } from '../../support/next.ts';

const user = 'helpdesk@contoso.example';
const now = Date.parse('2026-11-21T12:00:00Z');
const good: TokenEvidence = {
  opaque: false,
  audience: 'https://outlook.office.com',
  scopes: ['IMAP.AccessAsUser.All', 'SMTP.Send'],
  expiresAt: now + 3_600_000,
  username: 'Helpdesk@Contoso.example',
};

function diagnose(fields: object, more: Partial<MailAttempt> = {}): MailauthError {
  const cause = Object.assign(new Error('Command failed'), fields);
  const at = {
    mailbox: user,
    user,
    protocol: 'imap',
    host: 'outlook.office365.com',
    port: 993,
    phase: 'auth',
    tokenLength: 2_000,
    now,
  } as const;
  const error = imapProblem(
    readImapFailure(cause, (said) => said),
    cause,
    { ...at, ...more },
  );
  if (!(error instanceof MailauthError)) throw error;
  return error;
}

const refused = { authenticationFailed: true, responseText: 'AUTHENTICATE failed.' };

describe('a refused token is compared with what it says of itself', () => {
  const cases: [string, string, TokenEvidence | undefined, Partial<MailAttempt>?][] = [
    ['unknown', 'imap-authenticate-failed 4', undefined],
    ['all right', 'imap-authenticate-failed 4', good],
    ['opaque', 'imap-authenticate-failed 4', { opaque: true, expiresAt: now + 1 }],
    ['for Graph', 'mail-token-audience 4', { ...good, audience: 'https://graph.microsoft.com' }],
    ['for Graph by its id', 'mail-token-audience 4', { ...good, audience: '00000003-0000-0000-c000-000000000000' }],
    ['for a look-alike', 'mail-token-audience 4', { ...good, audience: 'https://outlook.office.com.evil.example' }],
    ['for Exchange by its id', 'imap-authenticate-failed 4', { ...good, audience: '00000002-0000-0ff1-ce00-000000000000' }],
    ['for GCC High', 'imap-authenticate-failed 4', { ...good, audience: 'https://outlook.office365.us' }],
    ['for China', 'imap-authenticate-failed 4', { ...good, audience: 'https://partner.outlook.cn' }],
    ['for the lab', 'imap-authenticate-failed 4', { ...good, audience: 'https://lab.test/' }, { outlookScopeBase: 'https://lab.test' }],
    ['without the IMAP scope', 'mail-token-scope 4', { ...good, scopes: ['SMTP.Send', 'POP.AccessAsUser.All'] }],
    [
      'with the whole scope string',
      'imap-authenticate-failed 4',
      { ...good, scopes: ['https://outlook.office.com/IMAP.AccessAsUser.All'] },
    ],
    ['expired', 'mail-token-expired 4', { ...good, expiresAt: now }],
    ['opaque and expired', 'mail-token-expired 4', { opaque: true, expiresAt: now - 1 }],
    ["somebody else's", 'mail-token-user 4', { ...good, username: 'admin@contoso.example' }],
    ["the delegate's", 'mail-no-full-access 6', { ...good, username: 'kim@contoso.example' }, { signInAs: 'Kim@contoso.example' }],
  ];
  test.each(cases)('%s → %s', (_, expected, token, more) => {
    const error = diagnose(refused, { token, ...more });
    expect(`${error.code} ${error.exit}`).toBe(expected);
    expect(error.detail.reply).toBe('AUTHENTICATE failed.');
  });

  test('the first suspect wins: audience before scope before expiry before user', () => {
    const bad: TokenEvidence = {
      opaque: false,
      audience: 'https://graph.microsoft.com',
      scopes: [],
      expiresAt: 0,
      username: 'x@y.example',
    };
    expect(diagnose(refused, { token: bad }).code).toBe('mail-token-audience');
    expect(diagnose(refused, { token: { ...bad, audience: good.audience } }).code).toBe('mail-token-scope');
    expect(diagnose(refused, { token: { ...bad, audience: good.audience, scopes: good.scopes } }).code).toBe('mail-token-expired');
  });

  test('says whether the token looks right', () => {
    expect(diagnose(refused, { token: good }).why).toContain('looks right');
    expect(diagnose(refused, { token: { opaque: true } }).why).not.toContain('looks right');
  });
});

describe('fields of imapflow', () => {
  const cases: [string, object, Partial<MailAttempt>?][] = [
    ['throttled 5', { code: 'ETHROTTLE', throttleReset: 92_415, responseText: 'x' }],
    ['throttled 5', { responseText: 'Too many concurrent connections' }],
    ['throttled 5', { serverResponseCode: 'LIMIT', authenticationFailed: true }],
    ['mail-server-busy 5', { serverResponseCode: 'unavailable', authenticationFailed: true, responseText: 'later' }],
    // imapflow marks what was lost during AUTHENTICATE as a failed sign-in too
    ['mail-connection-closed-during-auth 5', { code: 'NoConnection', authenticationFailed: true }],
    ['mail-connection-closed-during-auth 5', { code: 'ClosedAfterConnectTLS' }],
    ['connection-closed 5', { code: 'NoConnection' }, { phase: 'mailbox' }],
    ['connect-timeout 5', { code: 'GREETING_TIMEOUT' }],
    ['tls-untrusted 1', { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }],
    ['tls-hostname 1', { code: 'ERR_TLS_CERT_ALTNAME_INVALID', tlsFailed: true }],
    ['connect-refused 5', { code: 'ECONNREFUSED' }],
    ['dns-failed 5', { code: 'ENOTFOUND' }],
    ['mail-starttls-injection 1', { code: 'STARTTLS_INJECTION', tlsFailed: true }],
    ['imap-protocol 1', { code: 'LineTooLarge' }],
    ['imap-protocol 1', { code: 42, responseText: ['no', 'string'], oauthError: 'odd' }],
    ['mailbox-unavailable 6', { responseText: 'no' }, { phase: 'mailbox' }],
  ];
  test.each(cases)('%s: %j', (expected, fields, more) => {
    const error = diagnose(fields, more);
    expect(`${error.code} ${error.exit}`).toBe(expected);
  });

  test('what is no object at all is an answer that cannot be read', () => {
    expect(readImapFailure('boom', (said) => said)).toEqual({ authenticationFailed: false, tls: false });
  });

  test('a long token is named when the connection closes on it', () => {
    expect(diagnose({ code: 'NoConnection' }, { tokenLength: 9_000 }).why).toContain('9000');
  });
});

describe('lines for the administrator', () => {
  const sentence = { authenticationFailed: true, response: 'User is authenticated but not connected.' };

  test('switch IMAP on, and give the delegate FullAccess', () => {
    expect(adminOf(diagnose(sentence))).toBe(`Set-CASMailbox -Identity ${user} -ImapEnabled $true`);
    expect(adminOf(diagnose(sentence, { signInAs: 'kim@contoso.example' }))).toBe(
      `Set-CASMailbox -Identity ${user} -ImapEnabled $true; ` +
        `Add-MailboxPermission -Identity ${user} -User kim@contoso.example -AccessRights FullAccess -AutoMapping $false`,
    );
  });

  test('quote an apostrophe for PowerShell and for the shell', () => {
    const mailbox = "o'brien@contoso.example";
    const error = diagnose(sentence, { mailbox, user: mailbox });
    expect(adminOf(error)).toBe("Set-CASMailbox -Identity 'o''brien@contoso.example' -ImapEnabled $true");
    expect(nextOf(error).slice(0, 2)).toEqual([
      "mailauth exchange apply 'o'\\''brien@contoso.example'",
      "mailauth test imap 'o'\\''brien@contoso.example'",
    ]);
  });
});
