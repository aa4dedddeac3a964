import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPasted } from '../../../src/oauth/paste.ts';

const state = 'q1cVY8m0l9m5yF7hJ2nQ3vX4bT6wZ8aC1dE5gH7kLsM';
const sent = { redirectUri: 'http://localhost:41023', state };
const code = `1.AX0A${'aB3-_.'.repeat(40)}`;
const personal = 'M.C532_BAY.2.U.1234abcd-ef01-!xyz*AbCd$$';
const url = `http://localhost:41023/?code=${code}&state=${state}&session_state=00000000-0000-0000-0000-000000000000`;

function codeOf(text: string, to = sent): string {
  const read = readPasted(text, to);
  return read.kind === 'answer'
    ? read.answer.kind === 'code'
      ? read.answer.code.reveal()
      : read.answer.kind === 'error'
        ? read.answer.error
        : 'consented'
    : `retry: ${read.why}`;
}

describe('accepted', () => {
  it.each([
    ['the address', url],
    ['with a line break at the end', `${url}\r\n`],
    ['wrapped by the terminal', (url.match(/.{1,80}/g) ?? []).join('\n  ')],
    ['in double quotes', `"${url}"`],
    ['in single quotes', `'${url}' `],
    ['in angle brackets', `<${url}>`],
    ['in a bracketed paste', `\u001b[200~${url}\u001b[201~`],
    ['with words before it', `the page says ${url}`],
    ['through HTML', url.replaceAll('&', '&amp;')],
    ['without its scheme', url.slice('http://'.length)],
    ['with 127.0.0.1', url.replace('localhost', '127.0.0.1')],
    ['with a zero-width space', url.replace('code', '\u200bcode')],
    ['the query alone', `code=${code}&state=${state}`],
    ['the query with its question mark', `?state=${state}&code=${code}`],
    ['the code alone', code],
    ['the code, quoted, on two lines', `"${code.slice(0, 80)}\n${code.slice(80)}"\n`],
    ['the code and what hung on it', `${code}&state=${state}`],
  ])('%s', (_name, text) => {
    expect(codeOf(text)).toBe(code);
  });

  it('a code of a personal account, escaped or not', () => {
    expect(codeOf(personal)).toBe(personal);
    expect(codeOf(encodeURIComponent(personal).replaceAll('!', '%21').replaceAll('*', '%2a'))).toBe(personal);
    expect(codeOf(`http://localhost:41023/?code=${encodeURIComponent(personal)}&state=${state}`)).toBe(personal);
  });

  it('a denial is an answer too', () => {
    const read = readPasted(`${sent.redirectUri}/?error=access_denied&error_description=AADSTS65004%3a+declined&state=${state}`, sent);
    expect(read).toEqual({ kind: 'answer', answer: { kind: 'error', error: 'access_denied', description: 'AADSTS65004: declined' } });
    expect(codeOf(`error=server_error&state=${state}`)).toBe('server_error');
  });

  it('an address of a redirect URI with a path, and of one on another host', () => {
    expect(codeOf(url.replace('/?', '/mailauth?'), { redirectUri: 'http://localhost:41023/mailauth', state })).toBe(code);
    expect(codeOf(`https://app.example/cb?code=${code}&state=${state}`, { redirectUri: 'https://app.example/cb', state })).toBe(code);
  });
});

describe('asked again', () => {
  const login = 'https://login.microsoftonline.com';
  it.each([
    ['nothing', ' \n', /Nothing was pasted/],
    ['70 KB', 'x'.repeat(70_000), /too long/],
    [
      'the address it starts with',
      `${login}/common/oauth2/v2.0/authorize?client_id=x&code_challenge=y&redirect_uri=http%3A%2F%2Flocalhost%3A41023&state=${state}`,
      /starts with.*http:\/\/localhost:41023/,
    ],
    ['the sign-in page', `${login}/common/login`, /still Microsoft's sign-in page/],
    ['the sign-in page of personal accounts', 'https://login.live.com/ppsecure/post.srf?x=1', /still Microsoft's sign-in page/],
    ['the sign-in page without its scheme', 'login.microsoftonline.com/common/login', /still Microsoft's sign-in page/],
    ['nativeclient', `${login}/common/oauth2/nativeclient?code=${code}&state=${state}`, /nativeclient/],
    ['wrongplace', `${login}/common/wrongplace`, /wrong place/],
    ['the page for device codes', 'https://microsoft.com/devicelogin', /page for device codes/],
    ['the admin-consent address', `${login}/contoso.com/v2.0/adminconsent?client_id=x`, /address the sign-in starts with/],
    ["Microsoft's page about an error", `${login}/error?code=50011`, /mailauth explain AADSTS50011/],
    ["Microsoft's error page without a number", `${login}/error`, /error page of Microsoft's/],
    ['the words of an error page', "AADSTS50011: The redirect URI 'http://localhost:41023' does not match", /mailauth explain AADSTS50011/],
    ['an address that was cut off', url.slice(0, url.indexOf('&state=')), /only the first part/],
    ['a query that was cut off', `code=${code}`, /only the first part/],
    ['another host', `https://evil.example/?code=${code}&state=${state}`, /belongs to evil\.example/],
    ['a host that looks like ours', `http://localhost:41023.evil.example/?code=${code}&state=${state}`, /belongs to|neither/],
    ['a user name that looks like ours', `http://localhost:41023@evil.example/?code=${code}&state=${state}`, /belongs to evil\.example/],
    ['our host by https', url.replace('http:', 'https:'), /belongs to|another sign-in/],
    ['the port of another sign-in', url.replace('41023', '41024'), /another sign-in: this one begins with http:\/\/localhost:41023/],
    ['another state', url.replace(state, `${state.slice(0, -1)}x`), /its state differs/],
    ['the state twice', `${url}&state=${state}`, /more than one/],
    ['the code twice', `${url}&code=x`, /more than one/],
    ['the address twice', `${url}\n${url}`, /more than one/],
    ['an address without its query', 'http://localhost:41023/', /no code in it/],
    ['the clean result page', 'http://localhost:41023/mailauth/AAAAAAAAAAAAAAAA', /no code in it/],
    ['a broken address', 'http://[', /neither/],
    ['64 KB of quotes', `a${'"'.repeat(60_000)}a`, /neither/],
    ['quotes alone', '""', /Nothing was pasted/],
    ['a script', 'javascript:alert(1)', /neither/],
    ['a file', 'file:///etc/passwd', /neither/],
    ['a word', 'yes', /neither/],
    ['a sentence', 'I do not know what to paste here', /neither/],
    ['a GUID', '4d3c2b1a-0000-4000-8000-000000000000', /an id, not the code/],
    ['a token', `eyJ0eXAiOiJKV1Qi.eyJhdWQiOiJ4In0.${'x'.repeat(40)}`, /a token, not the code/],
    ['a code with a broken escape', `${code}%zz`, /damaged/],
    ['a code of 10 KB', 'x'.repeat(10_000), /damaged/],
  ])('for %s', (_name, text, why) => {
    const read = readPasted(text, sent);
    expect(read).toMatchObject({ kind: 'retry', why: expect.stringMatching(why) });
  });

  it('never repeats the code or escape sequences in the complaint', () => {
    const read = readPasted(`https://\u001b[31mevil.example/?code=${code}`, sent);
    expect(read.kind).toBe('retry');
    expect(JSON.stringify(read)).not.toMatch(/u001b|1\.AX0A/);
  });
});

it('never throws, whatever the text', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
    fc.constantFrom('http://localhost:41023/?', 'code=', '&state=', state, '%', '&amp;', '"', '//', '@', '[::1]', '\u001b[200~'),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const read = readPasted(pieces.join(''), sent);
      expect(['answer', 'retry']).toContain(read.kind);
    }),
    { numRuns: 100 },
  );
});
