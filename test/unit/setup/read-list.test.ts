import { Readable } from 'node:stream';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { setup } from '../../../src/commands/setup/setup.ts';
import { MailauthError } from '../../../src/core/errors.ts';
import { addGlobalOptions } from '../../../src/session/globals.ts';
import { columnsOf } from '../../../src/setup/many/columns.ts';
import { readList } from '../../../src/setup/many/read-list.ts';
import { createLongInput } from '../../../src/system/terminal/terminal.ts';

const ofRun = ['from', 'dry-run', 'template', 'report', 'qr'];
const columns = columnsOf(setup.configure(new Command()).options, ofRun, addGlobalOptions(new Command()).options);

/** The list of these bytes, decoded as a file is. */
const read = (bytes: string | Buffer) => {
  const stdin = Readable.from([Buffer.from(bytes)]) as unknown as NodeJS.ReadStream;
  return readList(createLongInput(stdin, new AbortController().signal).pieces(), 'list.csv', columns);
};
const rowsOf = async (bytes: string | Buffer) => (await read(bytes)).rows.map(({ row, flags }) => [row, flags]);
const faultsOf = async (bytes: string | Buffer) => (await read(bytes)).faults.map(({ row, column, what }) => [row, column, what] as const);
const refusalOf = async (bytes: string | Buffer) => {
  const error = await read(bytes).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof MailauthError ? [error.code, error.exit, error.why] : error;
};

const utf16 = (text: string, order: 'le' | 'be'): Buffer => {
  const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le');
  return order === 'le' ? bytes : bytes.swap16();
};

describe('CSV as Excel writes it', () => {
  const wanted = [
    [2, { mailbox: 'a@x.example', for: 'osticket', name: 'Büro; "A", B' }],
    [3, { mailbox: 'b@x.example', protocols: 'imap,smtp', test: false }],
  ];
  const comma = 'mailbox,for,name,protocols,no-test\r\na@x.example,osticket,"Büro; ""A"", B",,\r\nb@x.example,,,"imap,smtp",TRUE\r\n';
  const semicolon = 'mailbox;for;name;protocols;no-test\r\na@x.example;osticket;"Büro; ""A"", B";;\r\nb@x.example;;;imap,smtp;true\r\n';
  const tab = 'mailbox\tfor\tname\tprotocols\tno-test\r\na@x.example\tosticket\t"Büro; ""A"", B"\t\t\r\nb@x.example\t\t\timap,smtp\ttrue';

  it.each<[string, string | Buffer]>([
    ['America: commas', comma],
    ['Europe: semicolons', semicolon],
    ['a byte order mark', `\uFEFF${semicolon}`],
    ['tabs, "Unicode text": UTF-16', utf16(tab, 'le')],
    ['UTF-16 of the other order', utf16(tab, 'be')],
    ['line ends of Unix', semicolon.replaceAll('\r\n', '\n')],
    ['line ends of old Macintosh', semicolon.replaceAll('\r\n', '\r')],
    ['columns without a name and without values at the end', comma.replaceAll('\r\n', ',,\r\n')],
    ['rows without values at the end', `${semicolon};;;;\r\n\r\n;;;;\r\n`],
    ['names with hyphens in front, in capitals', comma.replace('mailbox,for', '--Mailbox, FOR')],
  ])('%s', async (_, bytes) => {
    expect(await faultsOf(bytes)).toEqual([]);
    expect(await rowsOf(bytes)).toEqual(wanted);
  });

  it('rows count as lines do: line breaks in quotes, empty lines and the separator line of Excel included', async () => {
    const text = 'sep=;\nmailbox;name\n\na@x.example;"two\n\nlines"\n;\nb@x.example;\n';
    expect(await rowsOf(text)).toEqual([
      [4, { mailbox: 'a@x.example', name: 'two\n\nlines' }],
      [8, { mailbox: 'b@x.example' }],
    ]);
  });

  it('a list of one column needs no separator', async () => {
    expect(await rowsOf('mailbox\na@x.example\nb@x.example\n')).toEqual([
      [2, { mailbox: 'a@x.example' }],
      [3, { mailbox: 'b@x.example' }],
    ]);
  });
});

describe('JSON', () => {
  it('takes texts, true and false, and arrays; rows count from 1', async () => {
    const rows = [
      { mailbox: 'a@x.example', 'no-test': true, protocols: ['imap', 'smtp'], name: '' },
      { mailbox: 'b@x.example', 'no-test': false, fresh: 'true' },
    ];
    expect(await rowsOf(JSON.stringify(rows))).toEqual([
      [1, { mailbox: 'a@x.example', test: false, protocols: 'imap,smtp' }],
      [2, { mailbox: 'b@x.example', fresh: true }],
    ]);
    expect(await rowsOf(utf16(JSON.stringify(rows), 'le'))).toHaveLength(2);
  });

  it.each([
    ['a number', '[{"mailbox":"a@x.example"},{"secret-months":12}]', 2, 'secret-months'],
    ['null', '[{"mailbox":null}]', 1, 'mailbox'],
    ['an object', '[{"mailbox":{}}]', 1, 'mailbox'],
    ['true for a flag with a value', '[{"mailbox":true}]', 1, 'mailbox'],
    ['an array for a flag with one value', '[{"mailbox":["a@x.example"]}]', 1, 'mailbox'],
    ['an array of something else', '[{"protocols":["imap",1]}]', 1, 'protocols'],
    ['an unknown name', '[{"mailbox":"a@x.example","mailbx":"hunter2"}]', 1, 'mailbx'],
    ['the same name in two spellings', '[{"mailbox":"a@x.example","--mailbox":"b@x.example"}]', 1, 'mailbox'],
    ['a row that is no object', '[{"mailbox":"a@x.example"},"b@x.example"]', 2, undefined],
  ])('refuses %s, with row and column', async (_, text, row, column) => {
    const faults = await faultsOf(text);
    expect(faults.map(([at, name]) => [at, name])).toEqual([[row, column]]);
    expect(JSON.stringify(faults)).not.toContain('hunter2');
  });
});

describe('what is wrong in a list', () => {
  it.each([
    ['an unknown column, with the one that is meant', 'mailbx\na@x.example', 1, 'mailbx', 'Is mailbox meant?'],
    ['a column that stands there twice', 'mailbox,mailbox\na@x.example,', 1, 'mailbox', 'twice'],
    ['a flag of the whole run', 'mailbox,yes\na@x.example,true', 1, 'yes', 'command line'],
    ['a flag of lists', 'mailbox,from\na@x.example,x.csv', 1, 'from', 'command line'],
    ['a secret', 'mailbox,client-secret\na@x.example,hunter2', 1, 'client-secret', 'client-secret-file'],
    ['a password', 'mailbox;password\na@x.example;hunter2', 1, 'password', 'password-file'],
    ['a value in a column without a name', 'mailbox,\na@x.example,hunter2', 2, '2', 'without a column'],
    ['more values than columns', 'mailbox\na@x.example,hunter2', 2, '2', 'without a column'],
    ['standard input in a row', 'mailbox,client-secret-file\na@x.example,-', 2, 'client-secret-file', 'name a file'],
    ['a flag without a value that has one', 'mailbox,no-test\na@x.example,hunter2', 2, 'no-test', 'true'],
    ['a file without a header', 'a@x.example,osticket\nb@x.example,', 1, '1', 'first row names the columns'],
    ['a mark that is never closed', 'mailbox,name\na@x.example,b\n"b@x.example,c\nd@x.example,e', 3, undefined, 'never closed'],
    ['a mark within a value', 'mailbox,name\na@x.example,the "best" one', 2, undefined, 'quotation mark'],
    ['text behind a closing mark', 'mailbox,name\na@x.example,"the" one', 2, undefined, 'quotation mark'],
  ])('%s', async (_, text, row, column, words) => {
    const [first] = await faultsOf(text);
    expect(first).toEqual([row, column, expect.stringContaining(words)]);
    expect(JSON.stringify(await faultsOf(text))).not.toContain('hunter2');
  });

  it('says all that is wrong, and not only the first', async () => {
    const text = 'mailbox,no-test,colour,password\na@x.example,no,red,x\nb@x.example,yes,,\n';
    expect((await faultsOf(text)).map(([row, column]) => [row, column])).toEqual([
      [1, 'colour'],
      [1, 'password'],
      [2, 'no-test'],
      [3, 'no-test'],
    ]);
  });
});

describe('a file that is no list', () => {
  it.each<[string, string | Buffer, string]>([
    ['nothing', '', 'no rows'],
    ['a header alone', 'mailbox,for\n', 'no rows'],
    ['an empty array', '[]', 'no rows'],
    ['an object', '{"mailbox":"a@x.example"}', 'array'],
    ['broken JSON', '[{"mailbox":"a@x.example"},\n{"client-secret" "hunter2"}]', 'line 2'],
    ['JSON with a text that is not in quotes', '[{"client-secret":hunter2}]', 'no JSON'],
    ['Windows-1252', Buffer.from('mailbox;name\na@x.example;B\xfcro\n', 'latin1'), 'Line 2 is not in UTF-8'],
    ['UTF-16 without its mark', Buffer.from('mailbox\na@x.example\n', 'utf16le'), 'not in UTF-8'],
    ['a workbook', Buffer.from('PK\u0003\u0004\u0014\u0000', 'latin1'), 'workbook'],
    ['a hundred thousand rows', `mailbox\n${'a@x.example\n'.repeat(100_000)}`, '10000 rows'],
    ['a hundred thousand rows of JSON', JSON.stringify(new Array(100_000).fill({})), '10000 rows'],
    ['sixteen megabytes', 'x'.repeat(17 * 1024 * 1024), '16 MB'],
  ])('%s', async (_, bytes, why) => {
    expect(await refusalOf(bytes)).toEqual(['list-unreadable', 2, expect.stringContaining(why)]);
    expect(JSON.stringify(await refusalOf(bytes))).not.toContain('hunter2');
  });

  it('ten thousand rows are read', async () => {
    const { rows, faults } = await read(`mailbox;no-test\r\n${'a@x.example;\r\n'.repeat(10_000)}`);
    expect([rows.length, rows.at(-1)?.row, faults]).toEqual([10_000, 10_001, []]);
  });
});
