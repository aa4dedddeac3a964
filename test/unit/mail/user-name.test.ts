import { describe, expect, test } from 'vitest';
import { namedCloud, type Protocol } from '../../../src/core/cloud.ts';
import type { MailboxRecord } from '../../../src/core/mailbox.ts';
import { problem } from '../../../src/errors/problem.ts';
import { type MailResult, protocolResult } from '../../../src/mail/result.ts';
import { rememberTests } from '../../../src/mail/run-tests.ts';
import { type StageName, stageOrder } from '../../../src/mail/stages.ts';
import { namesToTry, testByName } from '../../../src/mail/user-name.ts';
import { saslUser } from '../../../src/tokens/formats.ts';

const mailbox = 'sales@contoso.example';
const ada = 'ada@contoso.example';
const host = { host: 'mail.contoso.example', port: 993, security: 'tls' } as const;
type Code =
  | 'ok'
  | 'refused'
  | 'mail-no-full-access'
  | 'mail-token-user'
  | 'mail-token-scope'
  | 'throttled'
  | 'tls-untrusted'
  | 'smtp-send-as-denied';

const record: MailboxRecord = {
  mailbox,
  for: 'this-computer',
  tenantId: 'x',
  cloud: namedCloud('public'),
  endpoints: { issuer: '', authorization: '', token: '' },
  registration: { clientId: 'x', clientType: 'public', redirectUri: 'http://localhost', madeByMailauth: false },
  protocols: ['imap', 'pop', 'smtp'],
  scopes: [],
  store: 'keychain',
  createdAt: '2026-11-22T00:00:00Z',
  lastTests: [],
};

/** A server that answers each name as it is told to; `heard` is who asked. */
function server(protocol: Protocol, answers: Readonly<Record<string, Code | `${Code}@${StageName}`>>) {
  const heard: string[] = [];
  const ask = async (user: string): Promise<MailResult> => {
    heard.push(user);
    const [code = '', at = 'auth'] = (answers[user] ?? 'refused').split('@');
    const spot = { mailbox, user, protocol, host: host.host, port: host.port };
    const order = stageOrder(protocol, 'tls');
    const stage = order.find((name) => name === at) ?? 'auth';
    const blanks = { ...spot, tokenLooksRight: true, tokenUser: ada, scope: 'X', purpose: 'the mail server', issuer: 'X' };
    const failing = code === 'refused' ? (`${protocol}-authenticate-failed` as const) : (code as Exclude<Code, 'ok' | 'refused'>);
    const failure = code === 'ok' ? undefined : { stage, error: problem(failing, blanks, { detail: { reply: 'no' } }) };
    const state = (i: number) =>
      failure === undefined || i < order.indexOf(stage) ? 'ok' : i === order.indexOf(stage) ? 'failed' : 'skipped';
    const stages = order.map((name, i) => ({ name, state: state(i), ms: 1, detail: '' }) as const);
    return protocolResult({ mailbox, protocol, host, user }, failure === undefined ? { stages } : { stages, failure });
  };
  return { heard, ask };
}

const outcome = (r: MailResult) => `${r.user}: ${r.ok ? 'ok' : `${r.error?.code} ${r.error?.exit}`}${r.note ? ` (${r.note.code})` : ''}`;

describe('the names', () => {
  test('are the mailbox, who signed in and the delegate, each once whatever its case', () => {
    expect(namesToTry(record, 'imap')).toEqual([mailbox]);
    const shared = { ...record, account: { username: 'Ada@Contoso.example' }, signInAs: ada };
    expect(namesToTry(shared, 'smtp')).toEqual([mailbox, 'Ada@Contoso.example']);
    expect(namesToTry({ ...shared, signInAs: 'kim@contoso.example' }, 'pop')).toHaveLength(3);
  });

  test('begin with what SMTP was found to want, for SMTP only', () => {
    const found = { ...record, smtpUser: ada, account: { username: ada } };
    expect(namesToTry(found, 'smtp')).toEqual([ada, mailbox]);
    expect(namesToTry(found, 'imap')).toEqual([mailbox, ada]);
  });

  test('that could add fields to the SASL message are no second choice', () => {
    expect(namesToTry({ ...record, account: { username: 'a\x01b' } }, 'imap')).toEqual([mailbox]);
  });
});

describe('testByName', () => {
  const cases: [string, Protocol, Parameters<typeof server>[1], string, number][] = [
    ['the mailbox works: nobody else is tried', 'smtp', { [mailbox]: 'ok' }, `${mailbox}: ok`, 1],
    ['SMTP takes the one who signed in', 'smtp', { [ada]: 'ok' }, `${ada}: ok (smtp-user-name)`, 2],
    ['SMTP takes the name, but not the sender', 'smtp', { [ada]: 'smtp-send-as-denied@mailbox' }, `${ada}: smtp-send-as-denied 6`, 2],
    ['IMAP opens the own mailbox: rights are missing', 'imap', { [ada]: 'ok' }, `${mailbox}: mail-no-full-access 6`, 2],
    [
      'POP signs in, and fails behind: rights are missing too',
      'pop',
      { [ada]: 'throttled@mailbox' },
      `${mailbox}: mail-no-full-access 6`,
      2,
    ],
    ['no name works: then it is not the rights', 'imap', { [mailbox]: 'mail-no-full-access' }, `${mailbox}: imap-authenticate-failed 4`, 2],
    ["somebody else's token stays that", 'imap', { [mailbox]: 'mail-token-user' }, `${mailbox}: mail-token-user 4`, 2],
    ['a bad token is no question of names', 'imap', { [mailbox]: 'mail-token-scope' }, `${mailbox}: mail-token-scope 4`, 1],
    ['throttling is never answered by another try', 'smtp', { [mailbox]: 'throttled' }, `${mailbox}: throttled 5`, 1],
    ['nor is a broken TLS', 'pop', { [mailbox]: 'tls-untrusted@tls' }, `${mailbox}: tls-untrusted 1`, 1],
    [
      'nor a refused mailbox after the sign-in',
      'imap',
      { [mailbox]: 'mail-no-full-access@mailbox' },
      `${mailbox}: mail-no-full-access 6`,
      1,
    ],
    ['throttled at the second name: the first refusal stands', 'imap', { [ada]: 'throttled' }, `${mailbox}: imap-authenticate-failed 4`, 2],
  ];
  test.each(cases)('%s', async (_, protocol, answers, expected, tries) => {
    const { heard, ask } = server(protocol, answers);
    const result = await testByName([mailbox, ada], ada, ask);
    expect(outcome(result)).toBe(expected);
    expect(heard).toHaveLength(tries);
    expect(result.diagnosis?.code).toBe(result.error?.code);
  });

  test('stops at the first that works', async () => {
    const { heard, ask } = server('smtp', { [ada]: 'ok', 'kim@contoso.example': 'ok' });
    await testByName([mailbox, ada, 'kim@contoso.example'], undefined, ask);
    expect(heard).toEqual([mailbox, ada]);
  });

  test('without a delegate, a token that opens under another name is that one’s', async () => {
    const result = await testByName([mailbox, ada], undefined, server('imap', { [ada]: 'ok' }).ask);
    expect(result.error?.code).toBe('mail-token-user');
    expect(result.diagnosis?.why).toContain(ada);
    expect(result.error?.detail.reply).toBe('no');
  });

  test('says which names were refused as well', async () => {
    const result = await testByName([mailbox, ada], ada, server('pop', {}).ask);
    expect(result.diagnosis?.why).toContain(`${ada} is refused as well`);
  });
});

describe('the mailbox file', () => {
  test('remembers the name that SMTP took, and forgets it when the mailbox itself works again', async () => {
    const found = await testByName([mailbox, ada], ada, server('smtp', { [ada]: 'ok' }).ask);
    const after = rememberTests(record, [found], 0);
    expect(after.smtpUser).toBe(ada);
    expect([saslUser(after), saslUser(after, 'imap'), saslUser(after, 'smtp')]).toEqual([mailbox, mailbox, ada]);
    expect(saslUser({ ...after, protocols: ['smtp'] })).toBe(ada);
    const red = await testByName([ada], ada, server('smtp', { [ada]: 'throttled' }).ask);
    expect(rememberTests(after, [red], 0).smtpUser).toBe(ada);
    const own = await testByName([mailbox], ada, server('smtp', { [mailbox]: 'ok' }).ask);
    expect(rememberTests(after, [own], 0)).not.toHaveProperty('smtpUser');
  });
});
