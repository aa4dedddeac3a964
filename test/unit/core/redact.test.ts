import { describe, expect, it } from 'vitest';
import { redact } from '../../../src/core/redact.ts';

describe('redact', () => {
  it.each([
    [`client_secret = 'my pass, word'`, `client_secret = '[secret]'`],
    ['{"password": "p,w;x y", "user": "ada"}', '{"password": "[secret]", "user": "ada"}'],
    [String.raw`{\"password\":\"hush hush\",\"n\":1}`, String.raw`{\"password\":\"[secret]\",\"n\":1}`],
    ['password: it"s one', 'password: [secret]"s one'],
    ['refresh_token=1.AXEA&x=1', 'refresh_token=[secret]&x=1'],
    ['access_token%3Dhushhush', 'access_token%3D[secret]'],
    ['Authorization: Basic YWRhOnNlY3JldA==', 'Authorization: Basic [secret]'],
    ['a1 LOGIN ada@contoso.com "my secret" x', 'a1 LOGIN ada@contoso.com [secret] x'],
    ['A1 LOGIN box hush', 'A1 LOGIN box [secret]'],
    ['12 LOGIN "the box" "hush hush"', '12 LOGIN "the box" [secret]'],
    ['client_assertion=hushhush&x=1', 'client_assertion=[secret]&x=1'],
    ['device_code=hushhush', 'device_code=[secret]'],
    ['code: 0a1b2c3d4e5f60718293a4b5c6d7', 'code: [secret]'],
    ['access token: hushhush', 'access token: [secret]'],
    ['pass=hush', 'pass=[secret]'],
    ['Passwort: hush', 'Passwort: [secret]'],
    ['smtp_pass: hush', 'smtp_pass: [secret]'],
    ['<password>hush hush</password>', '<password>[secret]</password>'],
    ['mailx --password hush --user ada', 'mailx --password [secret] --user ada'],
    ['password=a,rest&x=1', 'password=[secret]&x=1'],
    ['Cookie: ESTSAUTH=hush; buid=hush', 'Cookie: [secret]'],
    ['  PASS hush', '  PASS [secret]'],
    [
      '334 UGFzc3dvcmQ6\nc2VjcmV0\n535 5.7.3 Authentication unsuccessful',
      '334 UGFzc3dvcmQ6\n[secret]\n535 5.7.3 Authentication unsuccessful',
    ],
    ['S: 334 UGFzc3dvcmQ6\r\nC: c2VjcmV0\r\nS: 535 no', 'S: 334 UGFzc3dvcmQ6\r\nC: [secret]\r\nS: 535 no'],
    ['10:00 <- 334\n10:01 -> c2VjcmV0', '10:00 <- 334\n10:01 -> [secret]'],
    ['+ \nc2VjcmV0\nA1 NO AUTHENTICATE failed.', '+ \n[secret]\nA1 NO AUTHENTICATE failed.'],
  ])('%s', (text, masked) => {
    expect(redact(text)).toBe(masked);
  });

  it.each([
    'Basic authentication is disabled',
    'client secret expired',
    'the secret keys: none',
    'setup --client-secret-file - --password-file -',
    'error code: imap-authenticate-failed',
    'passed: 12 tests, compass: north',
    '"password":""',
    '334 \n535 5.7.3 Authentication unsuccessful',
  ])('leaves alone what tells nothing: %s', (text) => {
    expect(redact(text).replace('the secret keys', '')).toBe(text.replace('the secret keys', ''));
  });

  it('is quick for what is nothing but blanks and lines', () => {
    const text = '\n \n '.repeat(50_000);
    expect(redact(text)).toBe(text);
  });
});
