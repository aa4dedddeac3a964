import { describe, expect, it } from 'vitest';

import { MailauthError } from '../../../src/core/errors.ts';
import { type Asked, outgoing } from '../../../src/sending/outgoing.ts';
import { asSysExit } from '../../../src/sending/sysexits.ts';

const deps = {
  clock: { now: () => Date.UTC(2026, 10, 27, 12), monotonic: () => 0, sleep: async () => undefined },
  random: { bytes: (count: number) => Buffer.alloc(count), uuid: () => '11111111-2222-4333-8444-555555555555' },
};
const complete = 'From: x@y.z\nDate: now\nMessage-ID: <1@x>\n';

const prepare = (text: string, asked: Partial<Asked> = {}) =>
  outgoing(Buffer.from(text), { recipients: ['ada@contoso.com'], fromHeader: false, mailbox: 'helpdesk@contoso.com', ...asked }, deps);

function refusal(text: string, asked: Partial<Asked>): string {
  try {
    prepare(text, asked);
  } catch (error) {
    if (error instanceof MailauthError) return `${error.code} ${asSysExit(error).exit}`;
    throw error;
  }
  return 'none';
}

describe('what is put on top', () => {
  it.each<[string, Partial<Asked>, string]>([
    ['the mailbox', {}, 'From: helpdesk@contoso.com'],
    ['the -f address', { sender: 'News <news@contoso.com>' }, 'From: news@contoso.com'],
    ['the mailbox, for a bounce', { sender: '<>' }, 'From: helpdesk@contoso.com'],
    ['a name', { fullName: 'Cron Daemon' }, 'From: Cron Daemon <helpdesk@contoso.com>'],
    ['a name with signs', { fullName: 'Ada "A", \\ Inc.' }, 'From: "Ada \\"A\\", \\\\ Inc." <helpdesk@contoso.com>'],
    ['a name that is not ASCII', { fullName: 'Jürgen' }, 'From: =?utf-8?B?SsO8cmdlbg==?= <helpdesk@contoso.com>'],
    ['a name that would be a header line', { fullName: 'x\r\nBcc: evil@x.y' }, 'From: "x Bcc: evil@x.y" <helpdesk@contoso.com>'],
  ])('From is %s', (_, asked, line) => {
    const { message } = prepare('Subject: hi\n\nx\n', asked);
    expect(message.bytes.toString()).toBe(
      `${line}\r\nDate: Fri, 27 Nov 2026 12:00:00 +0000\r\nMessage-ID: <11111111-2222-4333-8444-555555555555@contoso.com>\r\nSubject: hi\r\n\r\nx\r\n`,
    );
  });

  it('is nothing where all stands there, in any case', () => {
    const { message, messageId } = prepare('FROM: x@y.z\ndate :\nmessage-id: <1@x>\n\nx\n', { fullName: 'ignored' });
    expect([message.bytes.toString(), messageId]).toEqual(['FROM: x@y.z\r\ndate :\r\nmessage-id: <1@x>\r\n\r\nx\r\n', '<1@x>']);
  });

  it('is divided into words of 75 characters where the name is long', () => {
    const line =
      prepare('\n', { fullName: 'ü'.repeat(60) })
        .message.bytes.toString()
        .split('\r\nDate')[0] ?? '';
    for (const word of line.split(/\s+/).filter((one) => one.startsWith('=?'))) expect(word.length).toBeLessThanOrEqual(75);
  });
});

describe('the envelope', () => {
  const header = `${complete}To: "A, B" <ada@x.y>, Team: bob@x.y;\nCc: Ada@X.Y\nBcc: eve@x.y,\n zoe@x.y\nResent-To: nobody@x.y\n\nBcc: text\n`;

  it('has the recipients of the header with -t, each once, and Bcc leaves the message', () => {
    const { recipients, message, withBcc } = prepare(header, { recipients: [], fromHeader: true });
    expect(recipients).toEqual(['ada@x.y', 'bob@x.y', 'eve@x.y', 'zoe@x.y']);
    expect(message.bytes.toString()).not.toMatch(/eve@x\.y/);
    expect(message.bytes.toString()).toMatch(/\r\n\r\nBcc: text\r\n$/);
    expect(withBcc.bytes.toString()).toMatch(/Bcc: eve@x\.y,\r\n zoe@x\.y\r\n/);
  });

  it('has those of the command line beside them, and alone without -t, where Bcc stays', () => {
    expect(prepare(header, { fromHeader: true }).recipients).toContain('ada@contoso.com');
    const { recipients, message } = prepare(header, { recipients: ['ada@contoso.com, Bob <bob@contoso.com>'] });
    expect(recipients).toEqual(['ada@contoso.com', 'bob@contoso.com']);
    expect(message.bytes.toString()).toMatch(/Bcc: eve@x\.y/);
  });

  it.each([
    [undefined, 'helpdesk@contoso.com'],
    ['', ''],
    ['<>', ''],
    ['News <news@contoso.com>', 'news@contoso.com'],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
  ])('-f %j is the sender %j', (sender, expected) => {
    expect(prepare(complete, { sender }).sender).toBe(expected);
  });

  it.each<[string, string, Partial<Asked>, string]>([
    ['no recipient', complete, { recipients: [] }, 'send-no-recipients 64'],
    ['none in the header', complete, { recipients: [], fromHeader: true }, 'send-no-recipients 65'],
    ['none behind a byte order mark', '\uFEFFTo: a@b.c\n\n', { recipients: [], fromHeader: true }, 'send-no-recipients 65'],
    ['one that cannot be read', complete, { recipients: ['a@b.c', 'x y'] }, 'send-recipients-unreadable 64'],
    ['one in the header', `${complete}To: x y\n`, { fromHeader: true }, 'send-recipients-unreadable 65'],
    ['a local name', complete, { recipients: ['a@b.c', 'root'] }, 'send-recipients-incomplete 67'],
    ['a sender without a domain', complete, { sender: 'www-data' }, 'send-sender-unreadable 64'],
    ['two senders', complete, { sender: 'a@b.c, d@e.f' }, 'send-sender-unreadable 64'],
  ])('refuses %s', (_, text, asked, expected) => {
    expect(refusal(text, asked)).toBe(expected);
  });
});
