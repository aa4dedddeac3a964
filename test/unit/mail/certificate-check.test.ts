import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/core/secret.ts';
import { imapSession } from '../../../src/mail/imap-session.ts';
import { smtpSession } from '../../../src/mail/smtp-session.ts';
import { createNetwork } from '../../../src/system/network/network.ts';
import { machine } from '../../support/command-line.ts';
import { politely, type Script, type ScriptedServer, scriptedServer, selfSigned } from './imap-server.ts';

/** A careless line in somebody's profile must not send a token to whoever answers. In a file of its own: the variable is the whole process's. */
const variable = 'NODE_TLS_REJECT_UNAUTHORIZED';
const before = process.env[variable];
beforeAll(() => {
  process.env[variable] = '0';
});
afterAll(() => {
  if (before === undefined) delete process.env[variable];
  else process.env[variable] = before;
});

const common = {
  network: createNetwork({ env: {} }),
  user: 'ada@contoso.example',
  token: new Secret('not-for-strangers'),
  timeoutMs: 5_000,
};
const { signal } = new AbortController();

const submission: Script = async (peer) => {
  peer.send('220 ready\r\n');
  for (;;) {
    const line = await peer.line();
    if (line === 'STARTTLS') {
      peer.send('220 begin\r\n');
      peer.startTls();
    } else peer.send(line.startsWith('EHLO') ? '250-hello\r\n250-STARTTLS\r\n250 AUTH XOAUTH2\r\n' : '334 \r\n');
  }
};

describe(`with ${variable}=0 in the environment`, () => {
  const signInTo = async (server: ScriptedServer, open: typeof imapSession | typeof smtpSession): Promise<string> => {
    try {
      const session = await open({ ...common, host: server.host }, signal);
      try {
        await session.signIn(signal);
        return 'signed in';
      } finally {
        session.close();
      }
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      await server.stop();
    }
  };

  it.each(['tls', 'starttls'] as const)('imapflow refuses a certificate of a stranger: %s', async (security) => {
    const server = await scriptedServer(
      security,
      await selfSigned(),
      politely({ capabilities: 'IMAP4rev1 STARTTLS AUTH=XOAUTH2 SASL-IR' }),
    );
    expect(await signInTo(server, imapSession)).toMatch(/self.signed/i);
    expect(server.heard.join('')).not.toContain('AUTHENTICATE');
  });

  it('nodemailer refuses a certificate of a stranger: starttls', async () => {
    const server = await scriptedServer('starttls', await selfSigned(), submission);
    expect(await signInTo(server, smtpSession)).toMatch(/self.signed/i);
    expect(server.heard.join('')).not.toContain('AUTH');
  });

  it('every test, and the token endpoint, still end at the certificate', async () => {
    const pc = await machine();
    try {
      expect((await pc.mailauth('setup --sandbox --yes --no-test --register existing')).exit).toBe(0);
      const ran = await pc.mailauth('test all --sandbox --json --fault mail-tls-untrusted');
      const { results } = ran.json().data;
      expect(results.map(({ protocol }: { protocol: string }) => protocol)).toEqual(['imap', 'pop', 'smtp']);
      for (const { stages, diagnosis } of results) {
        expect(stages.find((stage: { state: string }) => stage.state === 'failed')?.name).toBe('tls');
        expect(diagnosis.code).toBe('tls-untrusted');
      }
      expect(ran.json().error).toMatchObject({ code: 'tls-untrusted', exit: 1 });
      const token = await pc.mailauth('token get --sandbox --force-refresh --json --fault login-tls-untrusted');
      expect(token.json().error).toMatchObject({ code: 'tls-untrusted' });
    } finally {
      await pc.end();
    }
  });
});
