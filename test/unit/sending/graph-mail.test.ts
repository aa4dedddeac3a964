import { describe, expect, it } from 'vitest';
import { namedCloud } from '../../../src/core/cloud.ts';
import type { HttpRequest, HttpResponse } from '../../../src/core/context.ts';
import { MailauthError } from '../../../src/core/errors.ts';
import type { MailboxRecord } from '../../../src/core/mailbox.ts';
import { Secret } from '../../../src/core/secret.ts';
import { problem } from '../../../src/errors/problem.ts';
import { mimeFor, sendByGraph } from '../../../src/sending/graph-mail.ts';
import { type Asked, outgoing } from '../../../src/sending/outgoing.ts';
import { asSysExit } from '../../../src/sending/sysexits.ts';
import { systemClock, systemRandom } from '../../../src/system/clock-and-random.ts';
import { realNetwork } from '../../support/context.ts';

const cloud = namedCloud('public');
const record: MailboxRecord = {
  mailbox: 'helpdesk@contoso.com',
  for: 'this-computer',
  tenantId: 'contoso.com',
  cloud,
  endpoints: { issuer: '', authorization: '', token: '' },
  registration: { clientId: 'x', clientType: 'public', redirectUri: 'http://localhost', madeByMailauth: true },
  protocols: ['graph-send'],
  scopes: [],
  store: 'file',
  createdAt: '2026-11-27T00:00:00Z',
  lastTests: [],
};
const head = 'From: helpdesk@contoso.com\r\nDate: x\r\nMessage-ID: <1@x>\r\n';

const prepared = (text: string, asked: Partial<Asked> = {}) =>
  mimeFor(
    record,
    outgoing(
      Buffer.from(text, 'latin1'),
      { recipients: [], fromHeader: false, mailbox: record.mailbox, ...asked },
      { clock: systemClock, random: systemRandom },
    ),
  );
const decoded = (base64: string) => Buffer.from(base64, 'base64').toString('latin1');

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof MailauthError) return `${error.code} ${asSysExit(error).exit}`;
    throw error;
  }
  return 'none';
}

describe('the MIME that Graph gets', () => {
  it('is the message byte for byte, with its Bcc', () => {
    const text = `${head}To: ada@x.y\r\nBcc: eve@x.y\r\n\r\n.\r\n\xe9\0\ry\r\n`;
    expect(decoded(prepared(text, { fromHeader: true }))).toBe(text);
  });

  it('has recipients of the envelope that the header lacks as Bcc on top', () => {
    const text = `${head}To: ada@x.y\r\n\r\nx\r\n`;
    expect(decoded(prepared(text, { recipients: ['ADA@x.y', 'eve@x.y', 'zoe@x.y'] }))).toBe(`Bcc: eve@x.y,\r\n zoe@x.y\r\n${text}`);
  });

  it.each<[string, string, Partial<Asked>, string]>([
    ['somebody in To who is not meant', 'To: ada@x.y, bob@x.y\n', { recipients: ['ada@x.y'] }, 'graph-send-recipients 65'],
    ['somebody in Bcc who is not meant', 'To: ada@x.y\nBcc: eve@x.y\n', { recipients: ['ada@x.y'] }, 'graph-send-recipients 65'],
    ['a header that cannot be read', 'To: ada x.y\n', { recipients: ['ada@x.y'] }, 'graph-send-recipients 65'],
    ['another sender than From', 'To: ada@x.y\n', { recipients: ['ada@x.y'], sender: 'bounce@contoso.com' }, 'graph-send-sender 77'],
    ['the empty sender', 'To: ada@x.y\n', { recipients: ['ada@x.y'], sender: '<>' }, 'graph-send-sender 77'],
    ['the sender of From', 'To: ada@x.y\n', { recipients: ['ada@x.y'], sender: 'helpdesk@contoso.com' }, 'none'],
    ['more than 4 MB of Base64', `To: ada@x.y\n\n${'x'.repeat(3_200_000)}`, { recipients: ['ada@x.y'] }, 'send-too-large 65'],
    ['a little less', `To: ada@x.y\n\n${'x'.repeat(3_100_000)}`, { recipients: ['ada@x.y'] }, 'none'],
  ])('refuses what cannot be done: %s', (_, text, asked, expected) => {
    expect(refusal(() => prepared(head + text, asked))).toBe(expected);
  });
});

describe('sendMail', () => {
  const seen: HttpRequest[] = [];
  const asked = (answer: () => Promise<HttpResponse>, who: Partial<MailboxRecord> = {}) =>
    sendByGraph({ ...record, ...who }, 'TUlNRQ==', {
      ctx: { signal: new AbortController().signal, random: systemRandom },
      network: {
        ...realNetwork,
        request: (request) => {
          seen.push(request);
          return answer();
        },
      },
      cloud,
      token: new Secret('token'),
      timeoutMs: 1_000,
    });
  const answered = (status: number, code?: string) => async () => ({
    status,
    headers: {},
    text: code === undefined ? '' : JSON.stringify({ error: { code, message: 'words' } }),
  });
  const exitOf = async (answer: () => Promise<HttpResponse>): Promise<string> => {
    const error: unknown = await asked(answer).then(
      () => 'sent',
      (cause: unknown) => cause,
    );
    return error instanceof MailauthError ? `${error.code} ${asSysExit(error).exit}` : String(error);
  };

  it('posts Base64 as plain text to the mailbox itself, or to the one of a delegate', async () => {
    await asked(answered(202));
    await asked(answered(202), { signInAs: 'ada@contoso.com' });
    expect(seen.splice(0).map(({ method, url, body, headers }) => [method, url, body, headers?.['content-type']])).toEqual([
      ['POST', 'https://graph.microsoft.com/v1.0/me/sendMail', 'TUlNRQ==', 'text/plain'],
      ['POST', 'https://graph.microsoft.com/v1.0/users/helpdesk%40contoso.com/sendMail', 'TUlNRQ==', 'text/plain'],
    ]);
  });

  it.each<[number, string | undefined, string]>([
    [202, undefined, 'sent'],
    [200, undefined, 'send-answer-lost 75'],
    [204, undefined, 'send-answer-lost 75'],
    [302, undefined, 'send-answer-lost 75'],
    [400, 'ErrorInvalidRecipients', 'send-recipients-refused 67'],
    [400, 'ErrorMimeContentInvalid', 'graph-send-refused 65'],
    [401, 'InvalidAuthenticationToken', 'graph-send-token-refused 78'],
    [403, 'ErrorAccessDenied', 'graph-send-denied 77'],
    [403, 'ErrorSendAsDenied', 'graph-send-denied 77'],
    [404, 'MailboxNotEnabledForRESTAPI', 'graph-send-refused 69'],
    [413, undefined, 'send-too-large 65'],
    [429, 'ApplicationThrottled', 'graph-send-later 75'],
    [500, undefined, 'send-answer-lost 75'],
    [503, 'serviceNotAvailable', 'graph-send-later 75'],
    [504, undefined, 'send-answer-lost 75'],
  ])('%i %s: %s', async (status, code, expected) => {
    expect(await exitOf(answered(status, code))).toBe(expected);
  });

  const where = { host: 'graph.microsoft.com', port: 443 };
  it.each<[string, MailauthError, string]>([
    ['lost', problem('connection-closed', where), 'send-answer-lost 75'],
    ['late', problem('connect-timeout', where), 'send-answer-lost 75'],
    ['refused before it was sent', problem('connect-refused', where), 'connect-refused 75'],
    ['not trusted', problem('tls-untrusted', where), 'tls-untrusted 75'],
  ])('a connection that is %s', async (_, error, expected) => {
    expect(await exitOf(() => Promise.reject(error))).toBe(expected);
  });
});
