import { connect as connectTcp, type Socket } from 'node:net';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { protocols } from '../../src/core/cloud.ts';
import type { MailboxRecord } from '../../src/core/mailbox.ts';
import { Secret } from '../../src/core/secret.ts';
import type { ProtocolResult } from '../../src/mail/result.ts';
import { runTests, type TestRun } from '../../src/mail/run-tests.ts';
import type { Sandbox } from '../../src/sandbox/start-sandbox.ts';
import { adminOf } from '../support/next.ts';
import { type TestSandbox, testSandbox, tokensFor } from '../support/sandbox.ts';

const helpdesk = 'helpdesk@contoso.example';
const shared = 'shared@contoso.example';
const allScopes = ['IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'SMTP.Send'].map((s) => `https://outlook.office.com/${s}`).join(' ');
let sandbox: TestSandbox;
let end: () => Promise<void>;
let token: string;
let tokensAsked = 0;

beforeAll(async () => {
  ({ sandbox, end } = await testSandbox());
  token = await tokenOf(helpdesk);
});
afterAll(() => end());

async function tokenOf(who: string, scope = allScopes): Promise<string> {
  const { body } = await tokensFor(sandbox, sandbox.network, { login_hint: who, scope: `${scope} offline_access openid profile` });
  return body.access_token ?? '';
}

interface How extends Partial<Pick<TestRun, 'sendTo' | 'protocols'>> {
  at?: Sandbox;
  mailbox?: string;
  signInAs?: string;
  token?: string;
}

function test({ at = sandbox, mailbox = helpdesk, signInAs, ...how }: How = {}): Promise<readonly ProtocolResult[]> {
  const record: MailboxRecord = {
    mailbox,
    for: 'this-computer',
    tenantId: at.tenant.id,
    cloud: at.cloud,
    endpoints: { issuer: '', authorization: '', token: '' },
    registration: { clientId: at.ready.public.clientId, clientType: 'public', redirectUri: 'http://localhost', madeByMailauth: false },
    protocols,
    scopes: [],
    store: 'file',
    createdAt: '2026-11-22T00:00:00Z',
    lastTests: [],
    ...(signInAs === undefined ? {} : { signInAs }),
  };
  return runTests({
    ctx: sandbox.ctx,
    network: sandbox.network,
    cloud: at.cloud,
    record,
    protocols: how.protocols ?? protocols,
    token: async () => {
      tokensAsked += 1;
      return { accessToken: new Secret(how.token ?? token) };
    },
    timeoutMs: 10_000,
    ...(how.sendTo === undefined ? {} : { sendTo: how.sendTo }),
  });
}

/** `smtp auth: smtp-auth-disabled 6` */
const verdicts = (results: readonly ProtocolResult[]) =>
  results.map((r) => `${r.protocol} ${r.stages.find((s) => s.state === 'failed')?.name ?? 'ok'}: ${r.error?.code} ${r.error?.exit}`);

/** Sends these lines and gives back everything until the server closes. */
function talk(socket: Socket, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = '';
    socket.on('data', (part: Buffer) => {
      got += part.toString();
    });
    socket.on('error', reject).on('close', () => resolve(got));
    socket.write(bytes);
  });
}

const tlsTo = (port: number) => connect({ host: '127.0.0.1', port, servername: 'localhost', ca: sandbox.ca });
const xoauth2 = (user: string, accessToken: string) =>
  Buffer.from(`user=${user}\u0001auth=Bearer ${accessToken}\u0001\u0001`).toString('base64');

describe('all three protocols', () => {
  it('are green side by side, with one token, and mail goes out when asked for', async () => {
    tokensAsked = 0;
    const results = await test({ sendTo: 'ada@contoso.example' });
    expect(results.map((r) => `${r.protocol} ${r.ok}`)).toEqual(['imap true', 'pop true', 'smtp true']);
    expect(tokensAsked).toBe(1);
    expect(results.map((r) => r.stages.find((s) => s.name === 'mailbox')?.detail)).toEqual([
      '3 messages',
      '3 messages',
      `may send as ${helpdesk}`,
    ]);
    expect(results[2]?.stages.find((s) => s.name === 'send')?.detail).toMatch(
      /^Message-ID <[^>]+> to ada@contoso\.example: 250 2\.0\.0 OK <[0-9a-f]{16}@contoso\.example>/,
    );
  });

  it('open the shared mailbox for its delegate only', async () => {
    const ada = await tokenOf('ada@contoso.example');
    const granted = await test({ mailbox: shared, signInAs: 'ada@contoso.example', token: ada });
    expect(granted.map((r) => r.ok)).toEqual([true, true, true]);
    const wanted = { mailbox: shared, signInAs: helpdesk, protocols: ['pop', 'smtp'] as const };
    // POP opens the delegate's own mailbox, so the rights are missing. SMTP accepts the delegate's name, and then refuses the sender.
    const refused = await test(wanted);
    expect(verdicts(refused)).toEqual(['pop auth: mail-no-full-access 6', 'smtp mailbox: smtp-send-as-denied 6']);
    expect(adminOf(refused[0]?.diagnosis)).toBe(
      `Add-MailboxPermission -Identity ${shared} -User ${helpdesk} -AccessRights FullAccess -AutoMapping $false; ` +
        `Set-CASMailbox -Identity ${shared} -PopEnabled $true`,
    );
    expect(adminOf(refused[1]?.diagnosis)).toBe(
      `Add-RecipientPermission -Identity ${shared} -Trustee ${helpdesk} -AccessRights SendAs -Confirm:$false`,
    );
  });

  it('open an alias and a room for users with access; SMTP needs the user name of the token, and says so', async () => {
    const ada = { token: await tokenOf('ada@contoso.example'), signInAs: 'ada@contoso.example' };
    const alias = await test({ ...ada, mailbox: 'sales@contoso.example' });
    expect(alias.map((r) => `${r.protocol} ${r.ok} ${r.user}`)).toEqual([
      'imap true sales@contoso.example',
      'pop true sales@contoso.example',
      'smtp true ada@contoso.example',
    ]);
    expect(alias[2]?.note).toMatchObject({ code: 'smtp-user-name', title: expect.stringContaining('SMTP needs ada@contoso.example') });
    expect(alias[2]?.stages.find((s) => s.name === 'mailbox')?.detail).toBe('may send as sales@contoso.example');
    const room = await test({ ...ada, mailbox: 'room@contoso.example' });
    expect(room.map((r) => r.ok)).toEqual([true, true, true]);
  });

  it('name the scope that the token lacks', async () => {
    // A user who consented to less: Entra grants what was consented to before, also when it is not asked for.
    const kim = 'kim@contoso.example';
    const imapOnly = await tokenOf(kim, 'https://outlook.office.com/IMAP.AccessAsUser.All');
    const results = await test({ mailbox: kim, token: imapOnly });
    expect(verdicts(results)).toEqual(['imap ok: undefined undefined', 'pop auth: mail-token-scope 4', 'smtp auth: mail-token-scope 4']);
    expect(results.slice(1).map((r) => r.error?.title)).toEqual([
      'The token does not contain POP.AccessAsUser.All',
      'The token does not contain SMTP.Send',
    ]);
  });

  it.each([
    ['pop-auth-failed', 'pop auth: pop-authenticate-failed 4', '-PopEnabled $true'],
    ['pop-disabled', 'pop mailbox: pop-disabled 6', `Set-CASMailbox -Identity ${helpdesk} -PopEnabled $true`],
    ['smtp-auth-failed', 'smtp auth: smtp-authenticate-failed 4', 'fl SmtpClientAuthenticationDisabled'],
    [
      'smtp-auth-disabled-tenant',
      'smtp auth: smtp-auth-disabled 6',
      `Set-CASMailbox -Identity ${helpdesk} -SmtpClientAuthenticationDisabled $false`,
    ],
    ['smtp-auth-disabled-mailbox', 'smtp auth: smtp-auth-disabled 6', '-SmtpClientAuthenticationDisabled $false'],
    ['smtp-send-as-denied', 'smtp mailbox: smtp-send-as-denied 6', `Add-RecipientPermission -Identity ${helpdesk}`],
    ['smtp-throttled', 'smtp mailbox: smtp-throttled 5', undefined],
  ])('fault %s → %s, and the others stay green', async (fault, expected, admin) => {
    const faulty = await sandbox.again({ fault });
    const results = await test({ at: faulty });
    expect(verdicts(results).filter((v) => !v.endsWith(': undefined undefined'))).toEqual([expected]);
    const red = results.find((r) => !r.ok);
    if (admin === undefined) expect(red?.diagnosis?.admin).toBeUndefined();
    else expect(adminOf(red?.diagnosis)).toContain(admin);
  });
});

describe('POP on the wire', () => {
  it('uses the words of Exchange, takes the token in a second line, and survives nonsense', async () => {
    const lines = [
      'CAPA',
      'USER x',
      'STAT',
      'AUTH XOAUTH2 x',
      '',
      'AUTH XOAUTH2',
      xoauth2(helpdesk, token),
      'STAT',
      'UIDL',
      'DELE 1',
      'QUIT',
    ];
    const said = await talk(tlsTo(sandbox.cloud.pop.port), lines.map((line) => `${line}\r\n`).join(''));
    expect(said).toMatch(/^\+OK The Microsoft Exchange POP3 service is ready\.\r\n\+OK\r\n[\s\S]*SASL XOAUTH2\r\n[\s\S]*\r\n\.\r\n/);
    expect(said).toContain('-ERR Logon failure: Basic authentication is disabled.\r\n-ERR Command is not valid in this state.\r\n');
    expect(said).toContain('\r\n+ \r\n+OK User successfully authenticated.\r\n+OK 3 1536\r\n+OK\r\n1 sandbox-1\r\n');
    expect(said).toMatch(/-ERR Protocol error\. 14\r\n\+OK Microsoft Exchange Server POP3 server signing off\.\r\n$/);
    expect(await talk(tlsTo(sandbox.cloud.pop.port), 'x'.repeat(40_000))).toContain('-ERR Command line too long.');
  });
});

describe('SMTP on the wire', () => {
  /** EHLO and STARTTLS in clear, then these lines over TLS. */
  async function inside(lines: readonly string[], early = ''): Promise<string> {
    const raw = connectTcp(sandbox.cloud.smtp.port, '127.0.0.1');
    await new Promise<void>((resolve) => {
      let got = '';
      const listen = (part: Buffer): void => {
        got += part.toString();
        if (!got.includes('220 2.0.0 SMTP server ready\r\n')) return;
        raw.off('data', listen);
        resolve();
      };
      raw.on('data', listen);
      raw.write(`EHLO x\r\nSTARTTLS\r\n${early}`);
    });
    const secure = connect({ socket: raw, servername: 'localhost', ca: sandbox.ca });
    return talk(secure, [...lines, 'QUIT'].map((line) => `${line}\r\n`).join(''));
  }

  it('offers only STARTTLS before TLS, and accepts no token there', async () => {
    const said = await talk(
      connectTcp(sandbox.cloud.smtp.port, '127.0.0.1'),
      `MAIL FROM:<a@b.example>\r\nEHLO x\r\nAUTH XOAUTH2\r\nMAIL FROM:<${helpdesk}>\r\nNONSENSE\r\nQUIT\r\n`,
    );
    expect(said).toMatch(/^220 \S+ Microsoft ESMTP MAIL Service ready at .* \+0000\r\n503 /);
    expect(said).toContain('250-STARTTLS\r\n');
    expect(said).not.toContain('XOAUTH2');
    expect(said).toContain('530 5.7.0 Must issue a STARTTLS command first\r\n530 5.7.57 Client not authenticated');
    expect(said).toMatch(/500 5\.3\.3 Unrecognized command\r\n221 2\.0\.0 .*\r\n$/);
  });

  it('needs EHLO again after STARTTLS, and accepts a message from its owner only', async () => {
    const said = await inside([
      ...['MAIL FROM:<x@y.example>', 'EHLO x', 'AUTH LOGIN', 'AUTH PLAIN', `AUTH XOAUTH2 ${xoauth2(helpdesk, token)}`],
      ...[
        'MAIL FROM:<ada@contoso.example>',
        `MAIL FROM:<${helpdesk}> SIZE=10`,
        'DATA',
        'RCPT TO:<nobody>',
        'RCPT TO:<ada@contoso.example>',
      ],
      ...['DATA', 'Subject: x', '', '..', 'QUIT is no command here', '.', 'RSET'],
    ]);
    expect(
      said
        .split('\r\n')
        .map((line) => line.slice(0, 9))
        .filter((line) => !line.startsWith('250-')),
    ).toEqual([
      ...['503 5.5.1', '250 SMTPU', '535 5.7.1', '504 5.7.4', '235 2.7.0'],
      ...['550 5.7.6', '250 2.1.0', '503 5.5.1', '501 5.1.3', '250 2.1.5'],
      ...['354 Start', '250 2.0.0', '250 2.0.0', '221 2.0.0', ''],
    ]);
    expect(said).toContain('250-AUTH LOGIN XOAUTH2\r\n');
    expect(said).not.toContain('STARTTLS');
  });

  it('discards what was sent in clear after STARTTLS', async () => {
    expect(await inside(['NOOP'], 'EHLO injected\r\n')).toMatch(/^250 2\.0\.0 OK\r\n221 /);
  });

  it('ends the connection at a line without end', async () => {
    expect(await talk(connectTcp(sandbox.cloud.smtp.port, '127.0.0.1'), 'x'.repeat(40_000))).toContain('500 5.5.2 Line too long');
  });
});
