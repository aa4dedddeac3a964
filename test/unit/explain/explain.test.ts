import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { line } from '../../../src/core/next.ts';
import { entries } from '../../../src/errors/recognise/needles.ts';
import { explain } from '../../../src/explain/explain-text.ts';
import { adminOf, nextOf } from '../../support/next.ts';
import { codesOf, known, sentences } from './texts.ts';

const numbers = entries.flatMap(([code, { aadsts = [] }]) => aadsts.map((number) => [number, code] as const));
const body = (number: number) => ({
  error: 'invalid_grant',
  error_description: `AADSTS${number}: It's "refused". Trace ID: a Correlation ID: 9d0c1111-2222-3333-4444-555555555555 Timestamp: 2026-11-21 23:40:00Z`,
  error_codes: [number],
});

/** Those of these texts that are explained with anything else than just this one entry. */
async function misread(texts: readonly (readonly [code: string, text: string])[]): Promise<readonly (readonly string[])[]> {
  const wrong: (readonly string[])[] = [];
  for (const [code, text] of texts) {
    const codes = await codesOf(text);
    if (codes.length !== 1 || codes[0] !== code) wrong.push([code, text, ...codes]);
  }
  return wrong;
}

describe('a number of Microsoft', () => {
  const written = (number: number): readonly string[] => {
    const json = JSON.stringify(body(number));
    return [
      `${number}`,
      `AADSTS${number}`,
      `aadsts${number}: x`,
      json,
      JSON.stringify(json),
      JSON.stringify({ log: JSON.stringify(json) }),
      json.replaceAll('"', '&quot;').replaceAll("'", '&#39;'),
      `http://localhost:8400/?error=invalid_grant&error_description=${encodeURIComponent(body(number).error_description)}`,
      `https://login.microsoftonline.com/error?code=${number}`,
      `2026-11-22 10:00:01 AADSTS${number}\n2026-11-22 10:00:02 next`,
    ];
  };

  /** "Request is malformed", said of a grant, means the grant. */
  const meant = (code: string, text: string) => (text.includes('9002313') && text.includes('invalid_grant') ? 'sign-in-expired' : code);

  it('is found however it is written', async () => {
    expect(await misread(numbers.flatMap(([number, code]) => written(number).map((text) => [meant(code, text), text] as const)))).toEqual(
      [],
    );
  });

  const wraps = ['\n', '\r\n    ', '=\r\n', '\n> '];
  const broken = (number: number, at: number, wrap: string): string => {
    const text = `Error: AADSTS${number}: The request was refused.`;
    return text.slice(0, at) + wrap + text.slice(at);
  };

  it('is found when its line was broken in the middle of it', async () => {
    const wrapped = numbers.flatMap(([number, code]) =>
      wraps.map((wrap, i) => [code, broken(number, 'Error: AADST'.length + i, wrap)] as const),
    );
    expect(await misread(wrapped)).toEqual([]);
  });

  it('is found wherever its line was broken', async () => {
    const places = Array.from({ length: broken(50076, 0, '').length - 1 }, (_, i) => i + 1);
    expect(await misread(places.flatMap((at) => wraps.map((wrap) => ['mfa-needed', broken(50076, at, wrap)] as const)))).toEqual([]);
  });

  it('that nobody knows: said so, with the sentence and the look-up, and no entry', async () => {
    const { entries: found, unknown } = await explain(['AADSTS9876543: A new thing happened. Trace ID: 1'], known);
    expect(found).toEqual([]);
    expect(unknown).toEqual([
      {
        text: 'AADSTS9876543',
        lookUp: 'https://login.microsoftonline.com/error?code=9876543',
        title: 'AADSTS9876543 is not known to mailauth',
        why: 'Microsoft says: A new thing happened.',
        next: ['https://login.microsoftonline.com/error?code=9876543'],
      },
    ]);
    expect((await explain(['9876543'], known)).unknown).toMatchObject([{ text: 'AADSTS9876543' }]);
  });
});

describe('a sentence', () => {
  it('is found however it is encoded', async () => {
    const encoded = sentences.flatMap(([code, text]) => {
      const json = JSON.stringify({ message: text });
      const ways = [text, text.toUpperCase(), json, JSON.stringify(json), encodeURIComponent(text), text.replaceAll("'", '&#39;')];
      return ways.map((one) => [code, one] as const);
    });
    expect(await misread(encoded)).toEqual([]);
  });

  it('is found when its line was broken between words', async () => {
    const wrapped = sentences.flatMap(([code, text]) => {
      // A reply code on a line of its own is a line of its own.
      const blanks = [...text.matchAll(/ /g)].map(({ index }) => index).filter((index) => index >= 4);
      const ways = blanks.flatMap((at) =>
        ['\n', '\r\n      ', '=\r\n ', '\n> '].map((wrap) => text.slice(0, at) + wrap + text.slice(at + 1)),
      );
      return ways.map((one) => [code, one] as const);
    });
    expect(await misread(wrapped)).toEqual([]);
  });

  it('over several lines of an SMTP reply', async () => {
    expect(
      await codesOf('535-5.7.139 Authentication unsuccessful, the request did not\r\n535 5.7.139 meet the criteria to be authenticated'),
    ).toEqual(['smtp-sign-in-blocked']);
  });

  it('in a challenge in base64', async () => {
    const challenge = Buffer.from('{"status":"401","schemes":"bearer","scope":"https://outlook.office.com/"}').toString('base64');
    expect(await codesOf(`S: + ${challenge}`)).toEqual(['sasl-challenge']);
  });

  it('is not found in words that only look like it', async () => {
    const others = [
      'FileNotFound',
      'version 5.7.60 released',
      'the throttled pump',
      'disconnection refused',
      'X-5.7.139',
      'AADSTSxxxxx',
      'ok',
    ];
    for (const text of others) expect([text, await codesOf(text)]).toEqual([text, []]);
  });
});

describe('several errors', () => {
  it('each once, in the order of appearance, the inner one of two that say the same', async () => {
    const log = `AADSTS50076: x\nconnect ECONNREFUSED 10.0.0.1:993\nAADSTS50079: x\n530 5.7.57 Client not authenticated to send mail. Error: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant`;
    expect(await codesOf(log)).toEqual(['mfa-needed', 'connect-refused', 'smtp-auth-disabled']);
  });

  it('are found wherever a long log is cut into pieces', async () => {
    const noise = 'fetched 12 messages from outlook.office365.com:993 OK 100%20 \\n =20\n'.repeat(12_000);
    const text = `AADSTS53003: x\n${noise}A1 BAD User is authenticated but not connected.\n${noise}AADSTS65001: y\n`;
    const expected = ['policy-blocked', 'imap-not-connected', 'consent-needed'];
    for (const size of [65_536, 99_991, 700_001]) {
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));
      expect(await codesOf(...pieces)).toEqual(expected);
    }
  });
});

it.each([
  'An error occurred during a connection to localhost:41023. SSL received a record that exceeded the maximum permissible length. Error code: SSL_ERROR_RX_RECORD_TOO_LONG',
  'This site can’t provide a secure connection. localhost sent an invalid response. ERR_SSL_PROTOCOL_ERROR',
])('a browser in https-only mode: %s', async (text) => {
  expect(await codesOf(text)).toEqual(['loopback-https']);
});

describe('what mailauth itself printed', () => {
  it.each([
    ['not-signed-in', '✖ Nobody is signed in for helpdesk@contoso.com\n  The mailbox is set up, but there is no token in the store.'],
    ['pop-authenticate-failed', '✖ outlook.office365.com refuses the sign-in of helpdesk@contoso.com for POP\n'],
    ['imap-authenticate-failed', '✖ outlook.office365.com refuses the sign-in of helpdesk@contoso.com\n'],
    ['smtp-auth-disabled', '✖ sending by SMTP AUTH is switched off for the\n  mailbox helpdesk@contoso.com'],
    ['throttled', '{"schema":"mailauth/1","error":{"code":"throttled","exit":5}}'],
    ['throttled', 'throttled'],
    ['wrong-account', '"code":"wrong-account"'],
  ])('%s: %j', async (code, text) => {
    expect(await codesOf(text)).toEqual([code]);
  });

  it('every code, without a gap in the words of its entry', async () => {
    for (const [code] of entries) {
      const { entries: found } = await explain([code], known);
      expect(found.map(({ error }) => error.code)).toEqual([code]);
      for (const { error, source } of found) {
        const lines = [error.title, error.why ?? '', ...nextOf(error), adminOf(error)];
        expect([code, lines.filter((line) => /undefined|NaN|\[object/.test(line))]).toEqual([code, []]);
        expect(source, code).toMatch(/^(?:https:\/\/\S+|RFC \d{4}.*|\S+ .*)$/);
      }
    }
  });
});

it.each(['Connection unexpectedly closed', 'connect ETIMEDOUT 40.99.1.2:993', 'read ECONNRESET'])(
  '%s: no proxy that the text does not name',
  async (text) => {
    const [one] = (await explain([text], known)).entries;
    expect(one?.error.why).not.toMatch(/proxy [A-Z]/);
  },
);

describe('values', () => {
  const wordsFor = async (text: string) => {
    const [one] = (await explain([text], known)).entries;
    if (one === undefined) throw new Error('not explained');
    const { title, why = '' } = one.error;
    return [title, why, ...nextOf(one.error), adminOf(one.error)].join('\n');
  };

  it('are those of the text', async () => {
    const text =
      "AADSTS700016: Application with identifier '11111111-2222-3333-4444-555555555555' was not found in the directory 'contoso.com'. Correlation ID: 9d0c1111-2222-3333-4444-555555555555";
    expect(await wordsFor(text)).toContain('No application 11111111-2222-3333-4444-555555555555 in the tenant contoso.com');
    expect(await wordsFor('554 5.2.252 SendAsDenied; ada@contoso.com not allowed to send as bob@contoso.com')).toContain(
      'Add-RecipientPermission -Identity bob@contoso.com -Trustee ada@contoso.com',
    );
    expect(await wordsFor('Error: connect ECONNREFUSED 10.0.0.1:993')).toContain('10.0.0.1:993');
  });

  it('stay in capitals where the text names none, or two', async () => {
    expect(await wordsFor('AADSTS700016')).toContain('No application CLIENT-ID in the tenant TENANT');
    const two = "AADSTS50020: User account 'a@contoso.com' from …\nUser account 'b@contoso.com'";
    expect(await wordsFor(two)).not.toMatch(/[ab]@contoso/);
    expect(await wordsFor('A1 BAD User is authenticated but not connected. (for ada@contoso.com)')).toContain('MAILBOX');
  });

  it('are the only mailbox here, when the text names no other', async () => {
    const { entries: found } = await explain(['AADSTS700082'], { ...known, mailbox: 'helpdesk@contoso.com' });
    expect(nextOf(found[0]?.error)[0]).toBe('mailauth login helpdesk@contoso.com');
  });
});

describe('secrets', () => {
  const jwt = `eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.${'eyJhdWQiOiJodHRwczovL291dGxvb2su'.repeat(3)}.c2lnbmF0dXJl`;
  it.each([
    ['a token', `Bearer ${jwt}`, 'eyJhdWQi'],
    ['a refresh token', 'refresh: 0.AXoAbcdefghijklmnopqrstuvwxyz0123456789', 'AXoAbcdef'],
    ['a refresh token of a personal account', 'M.C5_BAY.0.U.-Cabcdefghijkl', 'BAY.0.U'],
    ['a client secret', 'grant_type=x&client_secret=Abc8Q~secretvalue&x=1', 'secretvalue'],
    ['a client secret in JSON', '{"client_secret":"Abc8Q~secretvalue"}', 'secretvalue'],
    ['a password in an address', 'imaps://ada:hunter22@outlook.office365.com', 'hunter22'],
    ['a password of IMAP', 'A1 LOGIN ada@contoso.com hunter22', 'hunter22'],
    ['a SASL response', 'AUTHENTICATE XOAUTH2 dXNlcj1hZGFAY29udG9zby5jb20', 'dXNlcj1h'],
    ['a code', 'http://localhost/?code=0.AAAbbbcccddd&state=xyz123', 'AAAbbbccc'],
  ])('%s is not said again', async (_, text, secret) => {
    expect(JSON.stringify(await explain([`${text} AADSTS50076`], known))).not.toContain(secret);
    expect(JSON.stringify(await explain([`AADSTS9876543: ${text}.`], known))).not.toContain(secret);
  });
});

describe('any text', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  const control = /[\u0000-\u001f\u007f-\u009f\u202e\u200b]/;
  const pieces = [
    'AADSTS',
    '50076',
    '\u001b[31m',
    '\u001b]0;x\u0007',
    '%1b%5b',
    '\\u001b',
    '&#27;',
    '=\r\n',
    'eyJ',
    '{"code":"',
    '535-',
    '\n',
  ];
  const textsOf = (...words: readonly string[]) =>
    fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...words), fc.constantFrom(...sentences.map(([, text]) => text))), {
      maxLength: 12,
    });

  // Where mailauth's own mark begins a line, the titles of the whole catalogue are tried on it, which takes twenty times as long.
  it.each([
    ['without the mark of an error that mailauth printed', textsOf(...pieces), 130],
    ['with that mark in it', textsOf(...pieces, '✖ ', '\n✖ '), 20],
  ])('%s is answered without a throw, an escape sequence or a control character', async (_, texts, numRuns) => {
    await fc.assert(
      fc.asyncProperty(texts, async (parts) => {
        const { input, entries: found, unknown } = await explain(parts, known);
        const said = [
          input,
          ...found.flatMap(({ error }) => [error.title, error.why ?? '', ...nextOf(error), adminOf(error)]),
          ...unknown.flatMap(({ title, why = '', next }) => [title, why, ...nextOf({ next })]),
        ];
        expect(said.filter((line) => control.test(line))).toEqual([]);
        expect(input.length).toBeLessThanOrEqual(2100);
      }),
      { numRuns },
    );
  });

  it('of nothing but half a million backslashes comes to an end', async () => {
    const { entries: found } = await explain([`\\n${'\\'.repeat(600_000)}nAADSTS50076: x`], known);
    expect(found.map(({ error }) => error.detail.aadsts)).toEqual([50076]);
  });

  it('is read through any mix of escapes in each other', async () => {
    for (const wrapped of ['AADSTS&amp;amp;#x20;50076', 'AADSTS%2525252050076', 'AADSTS\\\\\\\\u002050076', 'AADST=\r\nS=2050076']) {
      const { entries: found } = await explain([wrapped], known);
      expect(
        found.map(({ error }) => error.detail.aadsts),
        wrapped,
      ).toEqual([50076]);
    }
  });

  it('that is long is echoed cut, and says so', async () => {
    const { input } = await explain(['word '.repeat(100_000)], known);
    expect(input).toMatch(/… \(500000 characters in all\)$/);
    expect(input.length).toBeLessThan(2100);
  });
});

describe('a message of a keychain', () => {
  const one = async (text: string) => (await explain([text], known)).entries[0]?.error;

  it('of macOS has the advice of macOS, also by its number alone', async () => {
    for (const text of ['Platform failure: User interaction is not allowed.', 'OSStatus -25308', '(-25308)', '-25308']) {
      const error = await one(text);
      expect([text, error?.title, error?.next]).toEqual([text, 'The keychain is locked', [line`security unlock-keychain`]]);
    }
    expect(await codesOf('25308')).toEqual([]);
    expect(await codesOf('x-25308')).toEqual([]);
  });

  it('of KWallet does not lead to GNOME Keyring', async () => {
    const error = await one('The name org.kde.kwalletd5 was not provided by any .service files');
    expect(error?.next[0]).toEqual(expect.objectContaining({ texts: ['sudo apt-get install kwalletmanager'] }));
  });

  it('is repeated as the reason', async () => {
    expect((await one('secret-tool: Cannot get secret of a locked object'))?.why).toContain('Cannot get secret of a locked object');
  });
});
