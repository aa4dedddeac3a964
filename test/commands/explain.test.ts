import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLongInput } from '../../src/system/terminal/terminal.ts';
import { type Machine, machine } from '../support/command-line.ts';
import { sentences } from '../unit/explain/texts.ts';

let m: Machine;
beforeAll(async () => {
  m = await machine();
});
afterAll(() => m.end());

const piped = (...pieces: readonly string[]) => ({
  longInput: {
    isTerminal: false,
    async *pieces() {
      yield* pieces;
    },
    async *bytes() {},
  },
});
const file = createLongInput(process.stdin, new AbortController().signal);

describe('mailauth explain', () => {
  it.each(['', '   '])('of an empty text (%j) is exit 2', async (text) => {
    const { exit, err } = await m.run(['explain', text]);
    expect([exit, err]).toEqual([2, expect.stringContaining('There is nothing to explain')]);
  });

  it('a number: what, why, what to do, who, and where it is known from', async () => {
    const { exit, out, err } = await m.run(['explain', 'AADSTS50076']);
    expect([exit, err]).toEqual([0, '']);
    expect(out).toMatchInlineSnapshot(`
      "✖ MAILBOX must confirm the sign-in (multi-factor authentication)
        Only the person who owns the account can do this.
        try: mailauth login
             No second factor yet? Set one up first: https://aka.ms/mfasetup
        Trying again without a change cannot help.
        AADSTS50076
        mfa-needed · you can fix this · https://learn.microsoft.com/entra/identity-platform/reference-error-codes
      "
    `);
  });

  it('words of the command line belong together, quoted or not', async () => {
    const { out } = await m.run(['explain', '535', '5.7.139', 'SmtpClientAuthentication is', 'disabled', 'for', 'the', 'Tenant']);
    expect(out).toContain('Set-CASMailbox -Identity MAILBOX -SmtpClientAuthenticationDisabled $false');
    expect(out).toContain('an administrator must act');
  });

  it('--json has the fields of docs/contract.md, and exit 0', async () => {
    const { exit, json } = await m.run(['explain', 'AADSTS53003', '--json']);
    expect(exit).toBe(0);
    expect(json()).toMatchObject({
      schema: 'mailauth/1',
      ok: true,
      command: 'explain',
      data: { input: 'AADSTS53003', entries: [{ code: 'policy-blocked', exit: 6, mender: 'administrator', aadsts: 53003 }] },
    });
    const [entry] = json().data.entries;
    expect(Object.keys(entry)).toEqual(expect.arrayContaining(['code', 'title', 'why', 'next', 'admin', 'source']));
  });

  it("a POP server's refusal, which begins with a hyphen, is text; a mistyped flag is none", async () => {
    const refusal = '-ERR Authentication failure: unknown user name or bad password.';
    for (const argv of [
      ['explain', refusal, '--json'],
      ['explain', '--json', ...refusal.split(' ')],
      ['explain', '--json', '--', refusal],
    ]) {
      const { exit, json } = await m.run(argv);
      expect(exit).toBe(0);
      expect(json().data).toMatchObject({ input: refusal, entries: [{ code: 'pop-authenticate-failed' }] });
      expect(json().data.entries[0].why).not.toContain('REFUSED');
    }
    const typo = await m.run(['explain', '--fil=secret.log', 'AADSTS50076', '--json']);
    expect(typo.json().error).toMatchObject({ code: 'usage', exit: 2, title: 'mailauth explain has no option --fil' });
  });

  it('what was seen and is not known stands in unknown, with the page to look it up', async () => {
    const lookUp = 'https://login.microsoftonline.com/error?code=9876543';
    const long = 'a program said something that nobody has ever heard of, and it took more than sixty characters for it';
    for (const [text, unknown] of [
      ['AADSTS9876543: The flux is low.', [{ text: 'AADSTS9876543', lookUp }]],
      ['0x80072F8F', [{ text: '0x80072F8F' }]],
      ['554 5.9.999 The moon is not in phase', [{ text: '554 5.9.999 The moon is not in phase' }]],
      [long, [{ text: long }]],
    ] as const) {
      const { input, ...others } = (await m.run(['explain', text, '--json'])).json().data;
      expect([input, others]).toEqual([text, { entries: [], unknown }]);
    }
    expect((await m.run(['explain', long])).out).toMatch(/^. This text is not known to mailauth$/m);
  });

  const stranger = 'deadbeef-0000-4000-8000-000000000000';
  const telling = [
    `AADSTS700016: Application with identifier '${stranger}' was not found in the directory 'evil.example'. Correlation ID: ${stranger}`,
    `AADSTS50020: User account 'ada@evil.example' from identity provider 'live.com' does not exist in tenant 'evil.example'.`,
    `AADSTS50011: The redirect URI 'https://evil.example/cb' specified in the request does not match. Timestamp: 2031-01-02 03:04:05Z`,
    `AADSTS65001: x {"client_id":"${stranger}","tenant_id":"${stranger}","userPrincipalName":"ada@evil.example"}`,
    'Error: getaddrinfo ENOTFOUND mail.evil.example',
    'connect ETIMEDOUT 10.9.8.7:54321',
    "Host: mail.evil.example. is not in the cert's altnames: ERR_TLS_CERT_ALTNAME_INVALID",
    ...sentences.map(([, text]) => text),
    ...sentences.map(
      ([, text]) => `${text} https://login.microsoftonline.com/${stranger}/ user account 'ada@evil.example' ECONNX evil.example:54321`,
    ),
  ];

  it('--json: no id, address, host, port or time of the text stands in the entries', async () => {
    const values =
      /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|[\w.]+@[\w.]+|(?:\d+\.){3}\d+|\bevil\b|54321|92415|92 s|93;|2031|[\w.]+\.example\b/gi;
    for (const text of telling) {
      const { exit, json } = await m.run(['explain', '--json', '--', text]);
      const said = JSON.stringify(json().data.entries).toLowerCase();
      expect([text, exit, json().data.entries.length]).toEqual([text, 0, expect.any(Number)]);
      for (const value of new Set(text.match(values) ?? [])) expect(said, text).not.toContain(value.toLowerCase());
    }
    const [first = ''] = telling;
    const [entry] = (await m.run(['explain', first, '--json'])).json().data.entries;
    expect(entry.title).toContain('No application CLIENT-ID in the tenant TENANT');
    expect((await m.run(['explain', first])).out).toContain(`No application ${stranger} in the tenant evil.example`);
  });

  it.each([
    ['AADSTS9876543', 'AADSTS9876543 is not known to mailauth', 'https://login.microsoftonline.com/error?code=9876543'],
    ['0x80072F8F', '"0x80072F8F" is not known to mailauth', 'https://login.microsoftonline.com/error'],
    ['5.7.139', 'several sentences', 'the whole line'],
  ])('%s: honestly not known', async (text, title, next) => {
    const { exit, out } = await m.run(['explain', text]);
    expect(exit).toBe(0);
    expect(out).toContain(title);
    expect(out).toContain(next);
    expect((await m.run(['explain', text, '--json'])).json()).toMatchObject({ ok: true, data: { entries: [] } });
  });

  it('a pipe, with and without "-", in pieces', async () => {
    const input = piped('log log AADSTS', '50076: x\nconnect ECONN', 'REFUSED 10.0.0.1:993\n');
    for (const words of ['explain --json', 'explain - --json']) {
      const codes = (await m.mailauth(words, input)).json().data.entries.map((one: { code: string }) => one.code);
      expect(codes).toEqual(['mfa-needed', 'connect-refused']);
    }
  });

  it('a file, also in the UTF-16 of Windows PowerShell', async () => {
    const path = join(m.home, 'fetch.log');
    for (const bytes of [Buffer.from('x AADSTS65001 ü'), Buffer.from('\ufeffx AADSTS65001 ü', 'utf16le')]) {
      await writeFile(path, bytes);
      const { json } = await m.run(['explain', '--file', path, '--json'], { longInput: file });
      expect(json().data).toMatchObject({ input: 'x AADSTS65001 ü', entries: [{ code: 'consent-needed' }] });
    }
  });

  it.each([
    ['nothing on a terminal', ['explain'], { longInput: { ...piped().longInput, isTerminal: true } }, 'There is nothing to explain'],
    ['nothing in a pipe', ['explain'], piped(), 'There is nothing to explain'],
    ['a file beside a text', ['explain', 'x', '--file', 'y'], {}, 'Give a text or --file, not both'],
    ['a file that is not there', ['explain', '--file', '/nowhere/x.log'], { longInput: file }, 'There is no such file'],
    ['a folder', ['explain', '--file', '/'], { longInput: file }, 'It cannot be read: a folder stands where a file should be'],
  ])('%s: exit 2', async (_, argv, more, words) => {
    const { exit, out, err } = await m.run(argv, more);
    expect([exit, out]).toEqual([2, '']);
    expect(err).toContain(words);
  });

  it('neither secrets nor escape sequences come back', async () => {
    const { out } = await m.run(['explain', '--json', '\u001b[31mclient_secret=Abc8Q~hunter22 \u001b]0;x\u0007AADSTS7000215']);
    expect(out).not.toMatch(/hunter22|\\u001b/);
    expect(JSON.parse(out).data.entries).toMatchObject([{ code: 'client-secret-wrong' }]);
  });
});
