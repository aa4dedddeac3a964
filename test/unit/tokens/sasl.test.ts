import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/core/secret.ts';
import { withoutToken, xoauth2 } from '../../../src/tokens/sasl.ts';

describe('xoauth2', () => {
  test("is Microsoft's own test vector", () => {
    const response = xoauth2('test@contoso.onmicrosoft.com', new Secret('EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA'));
    expect(response.reveal()).toBe(
      'dXNlcj10ZXN0QGNvbnRvc28ub25taWNyb3NvZnQuY29tAWF1dGg9QmVhcmVyIEV3QkFBbDNCQUFVRkZwVUFvN0ozVmUwYmpMQldaV0NjbFJDM0VvQUEBAQ==',
    );
    expect(String(response)).toBe('[secret]');
  });

  test.each(['a@b.c\x01auth=Bearer x', 'a\r\nb', 'a\0b', 'a\u0085b', ''])('refuses the user name %j', (user) => {
    expect(() => xoauth2(user, new Secret('token'))).toThrow(expect.objectContaining({ code: 'mail-user-name', exit: 2 }));
  });

  test('says the same back for any user and token', () => {
    const printable = fc.stringMatching(/^[^\p{Cc}]+$/u);
    fc.assert(
      fc.property(printable, printable, (user, token) => {
        const said = Buffer.from(xoauth2(user, new Secret(token)).reveal(), 'base64').toString('utf8');
        expect(said).toBe(`user=${user}\x01auth=Bearer ${token}\x01\x01`);
      }),
      { numRuns: 50 },
    );
  });
});

describe('withoutToken', () => {
  const token = new Secret('eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwcyJ9.c2lnbmF0dXJl');

  test('takes the token out whole, as the SASL response, and in pieces', () => {
    const sasl = xoauth2('a@b.example', token).reveal();
    for (const leak of [token.reveal(), sasl, token.reveal().slice(3, 40), sasl.slice(5, 60)]) {
      expect(withoutToken(`bad token "${leak}" sorry`, 'a@b.example', token)).not.toContain(leak.slice(0, 20));
    }
  });

  test('leaves ordinary words alone', () => {
    const said = 'AUTHENTICATE failed. [AM0PR04CA0001.eurprd04.prod.outlook.com]';
    expect(withoutToken(said, 'a@b.example', token)).toBe(said);
  });
});
