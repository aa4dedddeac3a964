import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLoopback } from '../../../../src/core/mailbox.ts';
import { checkAddress, checkGuid, checkRedirectUri, checkTenant } from '../../../../src/setup/answers/answers.ts';
import { checkSecretValue } from '../../../../src/setup/register/client-secret.ts';

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
const domain = fc
  .tuple(fc.array(label, { minLength: 1, maxLength: 3 }), fc.stringMatching(/^[a-z]{2,8}$/))
  .map(([labels, top]) => [...labels, top].join('.'));

describe('checkAddress', () => {
  it.each([
    'helpdesk@contoso.com',
    'Help Desk <helpdesk@contoso.com>',
    "O'Brien+tag@mail.contoso.co.uk",
    'a@b-c.io',
    'ops_1@contoso.onmicrosoft.com',
    'jürgen@contoso.de',
  ])('%s is one', (value) => expect(checkAddress(value)).toBe(true));
  it.each([
    '',
    'helpdesk',
    '@contoso.com',
    'helpdesk@',
    'a@b',
    'a@b@c.com',
    'a b@contoso.com',
    'a@contoso',
    'a@-contoso.com',
    'a@contoso..com',
    'a,b@contoso.com',
    'a@contoso.com.',
    `${'a'.repeat(250)}@contoso.com`,
    'a\u0007@contoso.com',
    'a\u0001@contoso.com',
    '"a"@contoso.com',
    '<a@contoso.com> b',
    'a@1.2.3.4',
    '-x@contoso.com',
    '../x@contoso.com',
    'a..b@contoso.com',
    'a.@contoso.com',
  ])('%j is none, and the complaint says how one looks', (value) => expect(checkAddress(value)).toMatch(/an address looks like/));
  it('accepts any local part of letters at any domain, never two @', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9_+][a-z0-9_+-]{0,9}(\.[a-z0-9_+-]{1,9})?$/), domain, (local, host) => {
        expect(checkAddress(`${local}@${host}`)).toBe(true);
        expect(checkAddress(`${local}@x@${host}`)).not.toBe(true);
        expect(checkAddress(`${local}\n@${host}`)).not.toBe(true);
      }),
    );
  });
});

describe('checkGuid', () => {
  it('accepts every GUID in any case and nothing shorter, longer or wrapped', () => {
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        expect(checkGuid(id)).toBe(true);
        expect(checkGuid(id.toUpperCase())).toBe(true);
        for (const wrong of [id.slice(1), `${id}0`, `{${id}}`, ` ${id}`, `${id}\n`, id.replaceAll('-', '')])
          expect(checkGuid(wrong)).toMatch(/GUID/);
      }),
    );
  });
});

describe('checkTenant', () => {
  it.each(['contoso.com', 'contoso.onmicrosoft.com', '5a4db0c5-c0de-4a11-b0b5-c0ffee000365', 'consumers', 'organizations', 'common'])(
    '%s',
    (value) => expect(checkTenant(value)).toBe(true),
  );
  it.each(['', 'contoso', 'https://contoso.com', 'contoso.com/x', 'a@contoso.com', '../common', 'contoso.com?x', 'contoso .com'])(
    '%j is none',
    (value) => expect(checkTenant(value)).toMatch(/domain.*ID/),
  );
});

describe('checkRedirectUri', () => {
  it.each([
    'http://localhost',
    'http://localhost:23682/mailauth',
    'http://127.0.0.1:8080',
    'https://app.mspbots.ai/web/um/smtp/redirect',
    'https://helpdesk.contoso.com/cb?x=1',
  ])('%s', (value) => expect(checkRedirectUri(value)).toBe(true));
  it.each([
    'http://example.com',
    'http://localhost.evil.com',
    'http://[::1]:80',
    'ftp://localhost',
    'localhost',
    'https://a.com/#x',
    'https://a.com/*',
    'https://user@a.com/',
    'javascript:alert(1)',
    'http://127.0.0.2',
    `https://a.com/${'x'.repeat(256)}`,
  ])('%s is not accepted, and why', (value) => expect(checkRedirectUri(value)).toEqual(expect.stringMatching(/\w/)));
  it('plain http is for this computer only', () => {
    fc.assert(
      fc.property(domain, (host) => {
        expect(checkRedirectUri(`http://${host}/cb`)).toMatch(/localhost/);
      }),
    );
    fc.assert(
      fc.property(domain, (host) => {
        expect(checkRedirectUri(`https://${host}/cb`)).toBe(true);
      }),
    );
  });
  it('what this computer can catch is always accepted', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('localhost', '127.0.0.1'),
        fc.integer({ min: 1, max: 65_535 }),
        fc.stringMatching(/^[a-z]{0,8}$/),
        (host, port, path) => {
          const uri = `http://${host}:${port}/${path}`;
          expect([checkRedirectUri(uri), isLoopback(uri)]).toEqual([true, true]);
        },
      ),
    );
    expect(['https://localhost', 'http://localhost.evil.com', 'nonsense'].map(isLoopback)).toEqual([false, false, false]);
  });
});

describe('checkSecretValue', () => {
  it('says that a GUID is the ID', () => {
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        expect(checkSecretValue(id)).toMatch(/Secret ID.*"Value"/);
      }),
    );
  });
  it.each(['', 'two words', 'a\nb', 'x'.repeat(513)])('%j is none', (value) => expect(checkSecretValue(value)).not.toBe(true));
  it('accepts what Entra makes', () => expect(checkSecretValue('PtX8Q~kZ.Ab_c-d3fGh1jKlMn0pQrStUvWxYz0')).toBe(true));
});
