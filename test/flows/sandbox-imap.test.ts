import { connect } from 'node:tls';
import { ImapFlow } from 'imapflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sandbox } from '../../src/sandbox/start-sandbox.ts';
import { type TestSandbox, testSandbox, tokensFor } from '../support/sandbox.ts';

let sandbox: TestSandbox;
let end: () => Promise<void>;
let token: string;

beforeAll(async () => {
  ({ sandbox, end } = await testSandbox());
  token = (await tokensFor(sandbox, sandbox.network)).body.access_token ?? '';
});
afterAll(() => end());

function client(at: Sandbox, user: string, accessToken: string): ImapFlow {
  const { host, port } = at.cloud.imap;
  const made = new ImapFlow({ host, port, secure: true, auth: { user, accessToken }, tls: { ca: at.ca }, logger: false });
  made.on('error', () => undefined);
  return made;
}

/** Sends these lines over TLS and gives back everything until the server closes. */
function talk(bytes: string, at: Sandbox = sandbox): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: at.cloud.imap.port, servername: 'localhost', ca: at.ca }, () => socket.write(bytes));
    let got = '';
    socket.on('data', (part) => {
      got += part.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(got));
  });
}

const xoauth2 = (user: string, accessToken: string) =>
  Buffer.from(`user=${user}\u0001auth=Bearer ${accessToken}\u0001\u0001`).toString('base64');

describe('imapflow', () => {
  it('signs in and opens INBOX without changing it', async () => {
    const imap = client(sandbox, 'helpdesk@contoso.example', token);
    await imap.connect();
    const inbox = await imap.mailboxOpen('INBOX', { readOnly: true });
    expect(inbox).toMatchObject({ exists: 3, readOnly: true, uidNext: 4 });
    expect((await imap.list()).map((folder) => folder.path)).toContain('Sent Items');
    expect(await imap.status('INBOX', { messages: true })).toMatchObject({ messages: 3 });
    await imap.logout();
  });

  it.each([
    ['a tampered token', () => `${token.slice(0, -8)}AAAAAAAA`, 'helpdesk@contoso.example'],
    ["somebody else's mailbox", () => token, 'ada@contoso.example'],
    ['a shared mailbox without rights', () => token, 'shared@contoso.example'],
  ])('is refused with %s', async (_, tokenOf, user) => {
    const imap = client(sandbox, user, tokenOf());
    await expect(imap.connect()).rejects.toMatchObject({ authenticationFailed: true, responseText: 'AUTHENTICATE failed.' });
  });

  it('opens the shared mailbox for its delegate', async () => {
    const { body } = await tokensFor(sandbox, sandbox.network, { login_hint: 'ada@contoso.example' });
    const imap = client(sandbox, 'shared@contoso.example', body.access_token ?? '');
    await imap.connect();
    expect(imap.authenticated).toBeTruthy();
    await imap.logout();
  });

  it('is refused with an expired token and with a token for Graph', async () => {
    const clock = { ...sandbox.ctx.clock, now: () => Date.now() + 7_200_000 };
    const later = await sandbox.again({ ctx: { ...sandbox.ctx, clock } });
    await expect(client(later, 'helpdesk@contoso.example', token).connect()).rejects.toMatchObject({ authenticationFailed: true });
    const { body } = await tokensFor(sandbox, sandbox.network, { scope: 'IMAP.AccessAsUser.All' });
    await expect(client(sandbox, 'helpdesk@contoso.example', body.access_token ?? '').connect()).rejects.toMatchObject({
      authenticationFailed: true,
    });
  });
});

describe('on the wire', () => {
  it('takes XOAUTH2 in two steps and uses the words of Exchange', async () => {
    const said = await talk(
      `a CAPABILITY\r\nb LOGIN u p\r\nc AUTHENTICATE XOAUTH2\r\n${xoauth2('helpdesk@contoso.example', token)}\r\nd EXAMINE INBOX\r\ne LOGOUT\r\n`,
    );
    expect(said).toMatch(/^\* OK The Microsoft Exchange IMAP4 service is ready\.\r\n/);
    expect(said).toContain('AUTH=XOAUTH2 SASL-IR');
    expect(said).toContain('b NO Basic authentication is disabled.\r\n+ \r\nc OK AUTHENTICATE completed.\r\n');
    expect(said).toContain('d OK [READ-ONLY] EXAMINE completed.\r\n');
    expect(said).toMatch(/e OK LOGOUT completed\.\r\n$/);
  });

  it('survives bad tags, literals, idling and lines without end', async () => {
    const login = `a AUTHENTICATE XOAUTH2 ${xoauth2('helpdesk@contoso.example', token)}\r\n`;
    const said = await talk(`\r\n{} x\r\n${login}b SELECT {5+}\r\nINBOX\r\nc IDLE\r\nDONE\r\nd CLOSE\r\ne CLOSE\r\nf LOGOUT\r\n`);
    expect(said.match(/^\* BAD Command Argument Error\. 12\r$/gm)).toHaveLength(2);
    expect(said).toContain('b OK [READ-WRITE] SELECT completed.');
    expect(said).toContain('c OK IDLE completed.\r\nd OK CLOSE completed.\r\ne BAD Command received in Invalid state.');
    expect(await talk('x'.repeat(40_000))).toContain('* BAD Command line too long.');
    expect(await talk('?\r\n'.repeat(20))).toMatch(/\* BYE Connection closed\. 14\r\n$/);
  });

  it.each([
    ['imap-auth-failed', 'a NO AUTHENTICATE failed.'],
    ['imap-not-connected', 'b BAD User is authenticated but not connected.\r\n* BYE Connection closed. 14'],
  ])('fault %s', async (fault, reply) => {
    const faulty = await sandbox.again({ fault });
    const said = await talk(`a AUTHENTICATE XOAUTH2 ${xoauth2('helpdesk@contoso.example', token)}\r\nb NOOP\r\nc LOGOUT\r\n`, faulty);
    expect(said).toContain(reply);
  });
});
