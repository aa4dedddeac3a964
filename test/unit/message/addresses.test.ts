import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAddresses } from '../../../src/message/addresses.ts';

describe('addresses of a header or of the command line', () => {
  it.each<[string, readonly string[]]>([
    ['a@b.c', ['a@b.c']],
    ['<a@b.c>', ['a@b.c']],
    ['a@b.c, "X, Y" <d@e.f>', ['a@b.c', 'd@e.f']],
    ['a@b.c; d@e.f', ['a@b.c', 'd@e.f']],
    ['Team: a@b.c, c@d.e;, z@z.z', ['a@b.c', 'c@d.e', 'z@z.z']],
    ['undisclosed-recipients:;', []],
    ['', []],
    [', ,', []],
    ['a@b.c (comment, with (a comma))', ['a@b.c']],
    ['Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>', ['pete@silly.test']],
    ['a@b.c <d@e.f>', ['d@e.f']],
    ['=?utf-8?q?a=2C_b?= <a@b.c>', ['a@b.c']],
    ['[List] Foo <a@b.c>', ['a@b.c']],
    ['Jos\uFFFD <jose@x.y>', ['jose@x.y']],
    ['ada@bücher.example, jürgen@x.y', ['ada@bücher.example', 'jürgen@x.y']],
    ['"a@evil.com x"@good.com', ['"a@evil.com x"@good.com']],
    ['"john.doe"@good.com', ['john.doe@good.com']],
    ['"\\" <evil@x.y>, \\"" <a@b.c>', ['a@b.c']],
    ['"q\\"uote"@x.y', ['"q\\"uote"@x.y']],
    // RFC 5321 section 4.1.2 lets no tab stand in a quoted string.
    ['"\t"@x.y', ['" "@x.y']],
    ['<@relay.x,@other.y:a@b.c>', ['a@b.c']],
    ['a . b @ c.d', ['a.b@c.d']],
    ['x@[127.0.0.1]', ['x@[127.0.0.1]']],
    ['a.@b.c.', ['a.@b.c']],
    ["o'brien+tag@x.y", ["o'brien+tag@x.y"]],
    ['root', ['root']],
    ['Cron <root>', ['root']],
    ['a@b.c\r\n\t, d@e.f', ['a@b.c', 'd@e.f']],
  ])('%j', (text, addresses) => {
    expect(readAddresses(text)).toEqual({ addresses, unreadable: [] });
  });

  it.each([
    ['two without a comma', 'a@b.c b@c.d', ['a@b.c b@c.d']],
    ['words', 'a b c', ['a b c']],
    ['text behind the address', '<a@b.c> b@c.d', ['<a@b.c> b@c.d']],
    ['a bracket without its end, and what it swallows', 'x <a@b.c, d@e.f', ['x <a@b.c, d@e.f']],
    ['a quotation without its end', 'a@b.c, "x <d@e.f>', ['"x <d@e.f>']],
    ['a comment without its end', '(x a@b.c', ['(x a@b.c']],
    ['two at signs', 'a@b@c.d', ['a@b@c.d']],
    ['NUL', 'a@b.c\0', ['a@b.c\0']],
    ['a line end inside', 'a\n@b.c\rX', ['a\n@b.c\rX']],
    ['no part before the at sign', '@b.c', ['@b.c']],
    ['no part behind it', 'a@', ['a@']],
    ['an address before a colon', 'a@b.c: d@e.f', ['a@b.c']],
    ['letters that are not UTF-8', 'jos\uFFFD@x.y', ['jos\uFFFD@x.y']],
    ['domain with two dots', 'a@b..c', ['a@b..c']],
  ])('is unreadable: %s', (_, text, unreadable) => {
    expect(readAddresses(text).unreadable).toEqual(unreadable);
  });

  it('gives only what may stand in an SMTP command', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab@.,;:<>()"\\[] \t\r\n\0é'), maxLength: 40 }), (text) => {
        for (const address of readAddresses(text).addresses)
          expect(address).toMatch(/^(?:"(?:[^"\\\p{Cc}]|\\[^\p{Cc}])*"|[^\s<>"\p{Cc}])+$/u);
      }),
      { numRuns: 2_000 },
    );
  });
});
