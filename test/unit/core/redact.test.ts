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
    ['  PASS hush', '  PASS [secret]'],
  ])('%s', (text, masked) => {
    expect(redact(text)).toBe(masked);
  });

  it.each(['Basic authentication is disabled', 'client secret expired', 'the secret keys: none', '"password":""'])(
    'leaves alone what tells nothing: %s',
    (text) => {
      expect(redact(text).replace('the secret keys', '')).toBe(text.replace('the secret keys', ''));
    },
  );

  it('is quick for what is nothing but blanks and lines', () => {
    const text = '\n \n '.repeat(50_000);
    expect(redact(text)).toBe(text);
  });
});
