import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Machine, machine } from '../support/command-line.ts';

const message = (text: string) => ({
  longInput: {
    isTerminal: false,
    async *pieces() {},
    async *bytes() {
      yield Buffer.from(text, 'latin1');
    },
  },
});
const mail = 'From: helpdesk@contoso.example\nDate: x\nMessage-ID: <1@x>\nTo: ada@contoso.example\nBcc: eve@contoso.example\n\n.\n\xe9\n';

async function last(pc: Machine): Promise<{ readonly envelope: object; readonly bytes: string }> {
  const folder = join(pc.home, 'sandbox', 'sent');
  const [json = '', eml = ''] = (await readdir(folder)).sort().slice(-2).reverse();
  return { envelope: JSON.parse(await readFile(join(folder, json), 'utf8')), bytes: await readFile(join(folder, eml), 'latin1') };
}

describe('a set-up with graph-send', () => {
  let pc: Machine;
  beforeAll(async () => {
    pc = await machine();
    await pc.ready('setup --sandbox --yes --protocols imap,smtp,graph-send --register auto');
  });
  afterAll(() => pc.end());

  it('is tested by the scope of its token alone, and sends nothing', async () => {
    const { exit, json } = await pc.mailauth('test graph-send --sandbox --json');
    expect([exit, json().data.results]).toEqual([
      0,
      [
        expect.objectContaining({
          protocol: 'graph-send',
          ok: true,
          stages: [
            expect.objectContaining({ name: 'token' }),
            expect.objectContaining({ name: 'scope', detail: expect.stringContaining('Mail.Send') }),
          ],
        }),
      ],
    ]);
    await expect(readdir(join(pc.home, 'sandbox', 'sent'))).rejects.toThrow('ENOENT');
    expect((await pc.mailauth('status --sandbox --json')).json().data.mailboxes[0].lastTest).toMatchObject({
      protocol: 'graph-send',
      ok: true,
    });
  });

  it('has one sign-in, and a token for each of the two services', async () => {
    const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const token = (await pc.mailauth('token get --sandbox')).out;
    expect(claimsOf(token)).toMatchObject({ aud: 'https://outlook.office.com', scp: 'IMAP.AccessAsUser.All SMTP.Send' });
    const secrets = [...pc.keychain.entries.values()].join('');
    expect(secrets.match(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g)?.map((one) => claimsOf(one).aud)).toEqual(
      expect.arrayContaining(['https://outlook.office.com', 'https://graph.microsoft.com']),
    );
  });

  it('sends the same bytes by both ways; Bcc leaves the message only where there is an envelope', async () => {
    const wanted = mail.replaceAll('\n', '\r\n');
    expect((await pc.run(['send', '--sandbox', '-t', '-i', '--via', 'graph'], message(mail))).exit).toBe(0);
    expect(await last(pc)).toEqual({
      envelope: {
        via: 'graph',
        user: 'helpdesk@contoso.example',
        sender: 'helpdesk@contoso.example',
        recipients: ['ada@contoso.example', 'eve@contoso.example'],
      },
      bytes: wanted,
    });
    expect((await pc.run(['send', '--sandbox', '-t', '-i'], message(mail))).exit).toBe(0);
    expect(await last(pc)).toMatchObject({ envelope: { via: 'smtp' }, bytes: wanted.replace('Bcc: eve@contoso.example\r\n', '') });
  });

  it('goes through Graph by itself only where SMTP AUTH is switched off', async () => {
    const off = ['send', '--sandbox', '--json', '-t', '-i', '--fault', 'smtp-auth-disabled-tenant'];
    expect((await pc.run(off, message(mail))).json().data).toMatchObject({
      via: 'graph',
      accepted: ['ada@contoso.example', 'eve@contoso.example'],
    });
    const bySmtp = await pc.run([...off, '--via', 'smtp'], message(mail));
    expect([bySmtp.exit, bySmtp.json().error?.code]).toEqual([69, 'smtp-auth-disabled']);
    expect((await pc.run(['send', '--sandbox', '-t', '-i', '--fault', 'smtp-busy'], message(mail))).exit).toBe(75);
  });
});

describe('graph-send', () => {
  it('alone needs no mail server: its one token is for Graph', async () => {
    const pc = await machine();
    try {
      await pc.ready('setup --sandbox --yes --protocols graph-send --register auto');
      expect((await pc.run(['send', '--sandbox', '-t', '-i'], message(mail))).exit).toBe(0);
      expect((await last(pc)).envelope).toMatchObject({ via: 'graph' });
      const { exit, json } = await pc.run(['send', '--sandbox', '--json', '--via', 'smtp', '-t'], message(mail));
      expect([exit, json().error?.code]).toEqual([78, 'send-not-set-up']);
    } finally {
      await pc.end();
    }
  });

  it('of a delegate asks for Mail.Send.Shared and posts to the mailbox', async () => {
    const pc = await machine();
    try {
      await pc.mailauth(
        'setup --sandbox --yes --no-test --protocols graph-send --mailbox shared@contoso.example --sign-in-as ada@contoso.example --register auto',
      );
      const tested = await pc.mailauth('test graph-send --sandbox --json');
      expect(tested.json().data.results[0].stages.at(-1).detail).toMatch(/Mail\.Send\.Shared/);
      const { exit } = await pc.run(['send', '--sandbox', 'bob@contoso.example'], message('Subject: x\n\n'));
      expect([exit, (await last(pc)).envelope]).toEqual([
        0,
        { via: 'graph', user: 'ada@contoso.example', sender: 'shared@contoso.example', recipients: ['bob@contoso.example'] },
      ]);
      // Sending through Graph needs Send As, and neither Full Access nor a switch.
      expect(
        (await pc.mailauth('exchange show --sandbox --through api --yes --json'))
          .json()
          .data.missing.map((one: { what: string }) => one.what),
      ).toEqual([]);
    } finally {
      await pc.end();
    }
  });

  it.each(['--access app-only --protocols smtp,graph-send', '--for osticket --protocols imap,graph-send'])(
    'is refused with %s',
    async (flags) => {
      const pc = await machine();
      try {
        const { exit, err } = await pc.mailauth(`setup --sandbox --yes ${flags}`);
        expect([exit, err]).toEqual([2, expect.stringContaining('is not a valid list of protocols')]);
      } finally {
        await pc.end();
      }
    },
  );

  it('that nobody agreed to is red in the test', async () => {
    const pc = await machine();
    try {
      await pc.ready('setup --sandbox --yes --no-test --protocols smtp --register auto');
      const { exit, json } = await pc.mailauth('test graph-send --sandbox --json');
      expect([exit, json().data.results[0].ok]).toEqual([6, false]);
    } finally {
      await pc.end();
    }
  });
});
