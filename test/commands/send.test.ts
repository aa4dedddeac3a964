import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Machine, machine, type Ran } from '../support/command-line.ts';

let pc: Machine;
beforeAll(async () => {
  pc = await machine();
  await pc.ready('setup --sandbox --yes');
});
afterAll(() => pc.end());

const stdin = (...texts: readonly (string | Buffer)[]) => ({
  longInput: {
    isTerminal: false,
    async *pieces() {},
    async *bytes() {
      for (const text of texts) yield Buffer.from(text);
    },
  },
});
const hello = 'Subject: hi\n\nhello\n';
const send = (argv: readonly string[], text: string | Buffer = hello, env = {}): Promise<Ran> =>
  pc.run(['--sandbox', 'send', ...argv], { ...stdin(text), env });

/** What the sandbox took last. */
async function last(): Promise<{ readonly envelope: unknown; readonly bytes: string }> {
  const folder = join(pc.home, 'sandbox', 'sent');
  const [json, eml] = (await readdir(folder)).sort().slice(-2).reverse();
  return {
    envelope: JSON.parse(await readFile(join(folder, json ?? ''), 'utf8')),
    bytes: await readFile(join(folder, eml ?? ''), 'latin1'),
  };
}

describe('mailauth send', () => {
  it('is silent, and the server has the message byte for byte with what was missing on top of it', async () => {
    const text = Buffer.from(
      `Subject: =?utf-8?q?hi?=\n x\nTo: ada@contoso.example\n\n.\n..dots\n.\r\nCR\ralone \0 \xe9 \n${'x'.repeat(20_000)}`,
      'latin1',
    );
    const { exit, out, err } = await send(['-i', '-f', 'helpdesk@contoso.example', 'ada@contoso.example'], text);
    expect([exit, out, err]).toEqual([0, '', '']);
    const { envelope, bytes } = await last();
    expect(envelope).toEqual({
      via: 'smtp',
      user: 'helpdesk@contoso.example',
      sender: 'helpdesk@contoso.example',
      recipients: ['ada@contoso.example'],
    });
    const [, top = ''] = /^((?:(?:From|Date|Message-ID): .*\r\n){3})/.exec(bytes) ?? [];
    expect(bytes.slice(top.length)).toBe(`${text.toString('latin1').replace(/\r?\n/g, '\r\n')}\r\n`);
  });

  it.each<[string, readonly string[]]>([
    ['cron', ['-FCronDaemon', '-i', '-B8BITMIME', '-oem', 'ada@contoso.example']],
    ['PHP', ['-t', '-i', '-fhelpdesk@contoso.example']],
    ['mutt', ['-oem', '-oi', '-f', 'helpdesk@contoso.example', '--', 'ada@contoso.example']],
    ['git send-email', ['-f', 'helpdesk@contoso.example', '-i', 'ada@contoso.example']],
    [
      'a pipe of Postfix',
      ['-G', '-i', '-f', 'helpdesk@contoso.example', '-N', 'never', '-R', 'hdrs', '-V', 'x42', '-bm', '--', 'ada@contoso.example'],
    ],
    ['an old script', ['-ti', '-v', '-m', '-h', '5', '-odb', '-O', 'ErrorMode=m', '-n', '-U', '-r', 'helpdesk@contoso.example']],
  ])('as %s calls sendmail', async (_, argv) => {
    const { exit, out, err } = await send(argv, `To: ada@contoso.example\n${hello}`);
    expect([exit, out, err]).toEqual([0, '', '']);
    expect((await last()).envelope).toMatchObject({ recipients: ['ada@contoso.example'], sender: 'helpdesk@contoso.example' });
  });

  it('ends at a lone dot without -i', async () => {
    await send(['ada@contoso.example'], `${hello}.\nlost\n`);
    expect((await last()).bytes).toMatch(/hello\r\n$/);
  });

  it('takes Bcc out with -t', async () => {
    await send(['-t'], `Bcc: eve@contoso.example\nTo: ada@contoso.example\n${hello}`);
    const { envelope, bytes } = await last();
    expect(envelope).toMatchObject({ recipients: ['eve@contoso.example', 'ada@contoso.example'] });
    expect(bytes).not.toMatch(/eve/i);
  });

  it('says with --json what went where', async () => {
    const ran = await send(['--json', 'ada@contoso.example'], `Message-ID: <42@x.y>\n${hello}`);
    expect(ran.json()).toMatchObject({
      ok: true,
      data: { mailbox: 'helpdesk@contoso.example', messageId: '<42@x.y>', via: 'smtp', accepted: ['ada@contoso.example'], refused: [] },
    });
  });

  it.each<[string, readonly string[], string, number, string]>([
    ['no recipient', [], hello, 64, 'send-no-recipients'],
    ['an unknown option', ['--frobnicate'], hello, 64, 'usage'],
    ['a mode of sendmail that is none of ours', ['-bs'], hello, 64, 'usage'],
    ['a way that is none', ['--via', 'pigeon', 'a@b.c'], hello, 64, 'value-invalid'],
    ['a local name', ['root'], hello, 67, 'send-recipients-incomplete'],
    ['no recipient in the header', ['-t'], hello, 65, 'send-no-recipients'],
    ['a header that cannot be read', ['-t'], `To: a b c\n${hello}`, 65, 'send-recipients-unreadable'],
    ['a mailbox that is not set up', ['--mailbox', 'bob@contoso.example', 'a@b.c'], hello, 78, 'mailbox-unknown'],
    ['a sender who is somebody else', ['-f', 'ceo@contoso.example', 'a@b.c'], hello, 77, 'smtp-send-as-denied'],
    ['Graph, which is not set up', ['--via', 'graph', 'a@b.c'], hello, 78, 'send-not-set-up'],
  ])('ends with the code of sysexits.h: %s', async (_, argv, text, code, name) => {
    const ran = await send(['--json', ...argv], text);
    expect([ran.exit, ran.json().error?.exit, ran.json().error?.code]).toEqual([code, code, name]);
    const plain = await send(argv, text);
    expect([plain.exit, plain.out]).toEqual([code, '']);
    expect(plain.err).toMatch(/^✖ /);
  });

  it.each([
    ['-f', ['-f', 'ceo@contoso.example'], hello],
    ['From', ['--fault', 'smtp-message-send-as-denied'], `From: CEO <ceo@contoso.example>\n${hello}`],
  ])('a refused sender is named as it stands in %s', async (_, argv, text) => {
    const { exit, err } = await send([...argv, 'a@b.c'], text);
    expect([exit, err.split('\n')[0]]).toEqual([77, expect.stringMatching(/ is not allowed to send as ceo@contoso\.example$/)]);
  });

  it.each<[string, number]>([
    ['smtp-busy', 75],
    ['smtp-silent', 75],
    ['smtp-throttled', 75],
    ['smtp-closed-in-auth', 75],
    ['smtp-no-starttls', 75],
    ['smtp-injection', 75],
    ['smtp-greeting-refused', 75],
    ['mail-tls-untrusted', 75],
    ['mail-refused', 75],
    ['mail-closed', 75],
    ['smtp-auth-failed', 78],
    ['smtp-auth-disabled-mailbox', 69],
    ['smtp-sender-restricted', 69],
    ['smtp-not-accepted', 69],
    ['smtp-send-as-denied', 77],
    ['smtp-recipient-refused', 67],
  ])('%s is exit %i, and nobody has the message', async (fault, code) => {
    const before = (await readdir(join(pc.home, 'sandbox', 'sent'))).length;
    const { exit, err } = await send(['--fault', fault, ...(fault === 'smtp-silent' ? ['--timeout', '1'] : []), 'ada@contoso.example']);
    expect([exit, err !== '']).toEqual([code, true]);
    expect((await readdir(join(pc.home, 'sandbox', 'sent'))).length).toBe(before);
  });

  it('sends to the others where one is refused for good, and says who has it', async () => {
    const { exit, err } = await send(['--fault', 'smtp-one-recipient-refused', 'nobody@contoso.example', 'ada@contoso.example']);
    expect([exit, err]).toEqual([
      67,
      expect.stringMatching(/nobody@contoso\.example \(550 5\.1\.10.*\n.*must not be sent to them again: ada@contoso\.example/),
    ]);
    expect((await last()).envelope).toMatchObject({ recipients: ['ada@contoso.example'] });
  });

  it('names the way through Graph where SMTP AUTH is switched off and Graph is not set up', async () => {
    const { err } = await send(['--fault', 'smtp-auth-disabled-tenant', 'ada@contoso.example']);
    expect(err).toMatch(/mailauth setup --mailbox helpdesk@contoso\.example --for this-computer --protocols imap,pop,smtp,graph-send/);
  });

  it('sends from the mailbox that -f names, where several are set up', async () => {
    const other = await machine();
    try {
      await other.ready('setup --sandbox --yes --no-test', 'setup --sandbox --yes --no-test --mailbox ada@contoso.example');
      const run = (...argv: readonly string[]) => other.run(['--sandbox', 'send', ...argv], stdin(hello));
      expect((await run('bob@contoso.example')).exit).toBe(64);
      expect((await run('-f', 'ada@contoso.example', 'bob@contoso.example')).exit).toBe(0);
      expect((await run('--mailbox', 'helpdesk@contoso.example', 'bob@contoso.example')).exit).toBe(0);
      expect(
        (await other.run(['--sandbox', 'send', 'b@c.d'], { ...stdin(hello), env: { MAILAUTH_MAILBOX: 'ada@contoso.example' } })).exit,
      ).toBe(0);
    } finally {
      await other.end();
    }
  });

  it('is exit 78 where nothing is set up', async () => {
    const other = await machine();
    try {
      expect((await other.run(['send', 'a@b.c'], stdin(hello))).exit).toBe(78);
    } finally {
      await other.end();
    }
  });
});
