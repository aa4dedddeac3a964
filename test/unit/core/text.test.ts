import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MailauthError } from '../../../src/core/errors.ts';
import { mailauth, noted } from '../../../src/core/next.ts';
import { Secret } from '../../../src/core/secret.ts';
import { addressHtml, escapeHtml, plain, printable } from '../../../src/core/text.ts';
import { adminOf, nextOf } from '../../support/next.ts';

const forbidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
/** Texts as an attacker writes them: pieces of escape sequences, bidi marks, half characters, in any order. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\u001b',
        '\u001b[',
        '\u001b[31m',
        '\u001b]0;title\u0007',
        '\u001b]8;;http://x\u001b\\',
        '\u009b',
        '\u202e',
        '\u2066',
        '\u200b',
        '\ud83d',
        '\ufeff',
        '\r\n',
        '\u2028',
        '<script>',
        '"',
      ),
    ),
  )
  .map((pieces) => pieces.join(''));

describe('plain', () => {
  it.each([
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;owned\u0007title', 'title'],
    ['\u001b]8;;https://evil.example\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['line one\r\nline two\tend', 'line one line two end'],
    ['a\u202egnp.exe', 'agnp.exe'],
    ['\u009b31mC1', '31mC1'],
    ['\u001b\u001b[31m[31mnested', '[31mnested'],
    ['  much   room  ', 'much room'],
  ])('%j → %j', (text, wanted) => expect(plain(text)).toBe(wanted));

  it('never lets a control, format or half character through, and keeps its limit', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 50 }), (text, limit) => {
        const safe = plain(text, limit);
        expect(safe).not.toMatch(forbidden);
        expect(safe.length).toBeLessThanOrEqual(limit);
        expect(printable(text)).not.toMatch(forbidden);
      }),
    );
  });

  it('leaves ordinary text alone', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zäöü漢0-9@.,:;/-]{0,60}$/), (text) => {
        expect(plain(text)).toBe(text);
      }),
    );
  });
});

describe('escapeHtml', () => {
  it('never leaves a character that HTML reads, and loses nothing', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const safe = escapeHtml(text);
        expect(safe.replaceAll(/&#\d+;/g, '')).not.toMatch(/[&<>"']/);
        expect(safe.replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))).toBe(text);
      }),
    );
  });
});

describe('MailauthError', () => {
  it('is safe to print whatever its blanks were filled with', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const error = new MailauthError({ code: 'x', exit: 1, title: text, why: text, next: [text], admin: text });
        for (const line of [error.title, error.message, error.why ?? '', adminOf(error), ...nextOf(error)])
          expect(line).not.toMatch(forbidden);
      }),
    );
  });

  it('keeps the blanks before a comment', () => {
    expect(nextOf(new MailauthError({ code: 'x', exit: 1, title: 't', next: [noted(mailauth('setup'), 'again')] }))).toEqual([
      'mailauth setup   # again',
    ]);
  });
});

describe('Secret', () => {
  it('prints as [secret] wherever it lands', async () => {
    const { inspect, format } = await import('node:util');
    const secret = new Secret('hunter2');
    const error = new Error(`failed with ${secret}`, { cause: { secret } });
    for (const text of [
      `${secret}`,
      String(secret),
      JSON.stringify({ secret }),
      inspect(secret),
      inspect({ deep: { secret } }),
      format('%s %o %j', secret, secret, secret),
      inspect(error),
    ]) {
      expect(text).toContain('[secret]');
      expect(text).not.toContain('hunter2');
    }
    expect(secret.reveal()).toBe('hunter2');
    expect(secret.length).toBe(7);
  });
});

describe('addressHtml', () => {
  it.each([
    ['helpdesk@contoso.example', 'helpdesk@<wbr>contoso<wbr>.example'],
    ['https://help.contoso.com/api/x?a=1', 'https://help<wbr>.contoso<wbr>.com/<wbr>api/<wbr>x?<wbr>a=<wbr>1'],
  ])('%s may break at its joints, and is whole for a program', (raw, html) => {
    expect(addressHtml(raw)).toBe(`<data value="${raw}">${html}</data>`);
  });

  it('leaves what has no joints, and escapes all the same', () => {
    for (const plainText of ['11111111-2222-3333', 'IMAP.AccessAsUser.All, SMTP.Send', 'write to a@b.example'])
      expect(addressHtml(plainText)).toBe(plainText);
    expect(addressHtml('')).toBe('');
    expect(addressHtml(`"><b>@x'&y`)).toBe('&#34;&#62;&#60;b&#62;@x&#39;&#38;y');
    expect(addressHtml('a&b@x')).toBe('<data value="a&#38;b@x">a&#38;b@<wbr>x</data>');
  });
});
