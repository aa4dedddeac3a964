import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMessage, valuesOf, withDotsDoubled, withLinesOnTop, withoutField } from '../../../src/message/message.ts';
import { readInput } from '../../../src/sending/read-input.ts';

const read = (text: string) => readMessage(Buffer.from(text, 'latin1'));
const written = ({ bytes }: { bytes: Buffer }) => bytes.toString('latin1');

async function* pieces(...texts: readonly string[]) {
  for (const text of texts) yield Buffer.from(text, 'latin1');
}

describe('the bytes of a message', () => {
  it.each([
    ['LF', 'A: b\n\nx\ny\n', 'A: b\r\n\r\nx\r\ny\r\n'],
    ['CR LF', 'A: b\r\n\r\nx\r\n', 'A: b\r\n\r\nx\r\n'],
    ['both', 'A: b\r\n\nx\n\r\ny', 'A: b\r\n\r\nx\r\n\r\ny\r\n'],
    ['no last line end', 'A: b\n\nx', 'A: b\r\n\r\nx\r\n'],
    ['a last CR', 'A: b\n\nx\r', 'A: b\r\n\r\nx\r\r\n'],
    ['CR alone, NUL and 8 bits stay', 'A: b\n\nx\ry\0\xe9\n', 'A: b\r\n\r\nx\ry\0\xe9\r\n'],
    ['two CRs before LF', 'A: b\n\nx\r\r\n', 'A: b\r\n\r\nx\r\r\n'],
    ['the line of a mailbox file', 'From ada Mon Nov 27\nA: b\n', 'A: b\r\n'],
    ['nothing', '', ''],
  ])('%s', (_, before, after) => {
    expect(written(read(before))).toBe(after);
  });

  it('keeps a line of a megabyte', () => {
    const long = 'x'.repeat(1_000_000);
    expect(written(read(`A: b\n\n${long}`))).toBe(`A: b\r\n\r\n${long}\r\n`);
  });

  it('changes line ends and nothing else', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('\r', '\n', 'a', '.', '\0', '\xe9', ':', ' '), maxLength: 60 }), (text) => {
        fc.pre(!/^>?From /.test(text));
        const out = written(read(text));
        const bare = (one: string) => one.replace(/\r?\n/g, '\n').replace(/(?<!\n)$/, '\n');
        expect(text === '' ? '' : bare(out)).toBe(text === '' ? '' : bare(text));
        expect(out).not.toMatch(/(?<!\r)\n/);
        const stuffed = withDotsDoubled(Buffer.from(out, 'latin1')).toString('latin1');
        expect(stuffed).not.toMatch(/(?:^|\n)\.\r\n/);
        expect(stuffed.replace(/(^|\n)\./g, '$1')).toBe(out);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('the header', () => {
  it('knows folded fields, blanks before the colon, and every field of a name', () => {
    const message = read('To: a@b.c,\n\td@e.f\nTO : g@h.i\nSubject: x\n\nTo: j@k.l\n');
    expect(valuesOf(message, 'to')).toEqual(['a@b.c,\td@e.f', 'g@h.i']);
  });

  it.each([
    ['a byte order mark', '\xef\xbb\xbfTo: a@b.c\n\n'],
    ['a line without a colon', 'hello\nTo: a@b.c\n'],
    ['an empty line', '\nTo: a@b.c\n'],
    ['a blank', ' To: a@b.c\n'],
  ])('ends at once: %s', (_, text) => {
    expect(read(text).fields).toEqual([]);
  });

  it('gets lines on top, and an empty line before a text that has no header', () => {
    expect(written(withLinesOnTop(read('hello\n'), ['From: a@b.c']))).toBe('From: a@b.c\r\n\r\nhello\r\n');
    expect(written(withLinesOnTop(read('\nhello\n'), ['From: a@b.c']))).toBe('From: a@b.c\r\n\r\nhello\r\n');
    expect(written(withLinesOnTop(read('A: b\n'), ['From: a@b.c']))).toBe('From: a@b.c\r\nA: b\r\n');
    expect(written(withLinesOnTop(read(''), ['From: a@b.c']))).toBe('From: a@b.c\r\n');
  });

  it('loses every Bcc with its folded lines', () => {
    const message = read('A: b\nBcc: x@y.z,\n q@r.s\nTo: t@u.v\nBCC: w@x.y\n\nBcc: stays\n');
    expect(written(withoutField(message, 'bcc'))).toBe('A: b\r\nTo: t@u.v\r\n\r\nBcc: stays\r\n');
  });
});

describe('standard input', () => {
  it.each<[string, readonly string[], string, string]>([
    ['a dot in the middle', ['a\n.\nb\n'], 'a\n', 'a\n.\nb\n'],
    ['a dot with CR LF', ['a\r\n.\r\nb'], 'a\r\n', 'a\r\n.\r\nb'],
    ['a dot first', ['.\nb'], '', '.\nb'],
    ['a dot last, without a line end', ['a\n.'], 'a\n', 'a\n.'],
    ['only a dot', ['.'], '', '.'],
    ['over two pieces', ['a\n', '.', '\nb'], 'a\n', 'a\n.\nb'],
    ['over three pieces', ['a', '\n.', '\r', '\nb'], 'a\n', 'a\n.\r\nb'],
    ['a dot that is not alone', ['a\n..\n.b\nc.\n'], 'a\n..\n.b\nc.\n', 'a\n..\n.b\nc.\n'],
    ['nothing', [], '', ''],
  ])('%s', async (_, texts, withoutI, withI) => {
    expect((await readInput(pieces(...texts), false)).toString('latin1')).toBe(withoutI);
    expect((await readInput(pieces(...texts), true)).toString('latin1')).toBe(withI);
  });

  it('has an end', async () => {
    async function* endless() {
      const piece = Buffer.alloc(50 * 1024 * 1024);
      for (;;) yield piece;
    }
    await expect(readInput(endless(), true)).rejects.toMatchObject({ code: 'send-too-large', exit: 65 });
  });
});
