import { describe, expect, test } from 'vitest';
import { type Protocol, protocols } from '../../../src/core/cloud.ts';
import { Exit } from '../../../src/core/errors.ts';
import { mailauth } from '../../../src/core/next.ts';
import { catalogue } from '../../../src/errors/catalogue/catalogue.ts';
import { networkEntries } from '../../../src/errors/catalogue/machine/network-errors.ts';
import { mailEntries } from '../../../src/errors/catalogue/mail/mail-errors.ts';
import { popEntries } from '../../../src/errors/catalogue/mail/pop-errors.ts';
import { smtpEntries } from '../../../src/errors/catalogue/mail/smtp-errors.ts';
import type { Entry } from '../../../src/errors/entry/entry.ts';
import { adminOf, nextOf } from '../../support/next.ts';

/** Blanks of other entries that are commands. */
const commandBlanks = { again: mailauth('login'), resume: mailauth('setup'), undo: mailauth('logout') };

const spot = (protocol: Protocol) => ({
  mailbox: 'shared@contoso.com',
  user: 'shared@contoso.com',
  protocol,
  host: 'h.example',
  port: 993,
});
const blanks = (protocol: Protocol) =>
  new Proxy<Readonly<Record<string, unknown>>>(
    {
      ...spot(protocol),
      tokenUser: 'ada@contoso.com',
      timeoutMs: 1000,
      waitMs: 1000,
      tokenLength: 1,
      where: 'tenant',
      tokenLooksRight: true,
      ...commandBlanks,
    },
    { get: (target, name) => (typeof name === 'string' ? (target[name] ?? 'sample') : undefined) },
  );
type Entries = Readonly<Record<string, Entry<unknown>>>;
const linesOf = (e: Entry<unknown>, v: unknown): string =>
  [adminOf({ admin: e.admin?.(v) }), ...nextOf({ next: [e.next(v)].flat() })].join('\n');
const entryOf = (code: keyof typeof catalogue): Entry<unknown> => catalogue[code] as unknown as Entry<unknown>;
const powershell = /\b(?:Set|Add|New|Enable|Remove|Grant)-[A-Z]\w+/;
const others: Readonly<Record<Protocol, RegExp>> = {
  imap: /PopEnabled|SmtpClientAuthenticationDisabled|SendAs/,
  pop: /ImapEnabled|SmtpClientAuthenticationDisabled|SendAs/,
  smtp: /ImapEnabled|PopEnabled|FullAccess/,
};

describe('remedies', () => {
  const all = Object.entries(catalogue as unknown as Entries);
  const noConfiguration = all.filter(
    ([code, e]) => e.exit === Exit.temporary || code in networkEntries || /tls|starttls|throttl|timeout|busy|closed/.test(code),
  );

  test.each(noConfiguration)('%s: no configuration remedy for throttling, network or TLS', (_, e) => {
    for (const protocol of protocols) expect(linesOf(e, blanks(protocol))).not.toMatch(powershell);
  });

  const ofMail = Object.entries({ ...mailEntries, ...popEntries, ...smtpEntries } as unknown as Entries);
  const cases = ofMail.flatMap(([code, e]) =>
    protocols.filter((p) => !/^(imap|pop|smtp)-/.test(code) || code.startsWith(p)).map((p) => [code, p, e] as const),
  );
  test.each(cases)('%s for %s: only the lines of the failing protocol', (code, protocol, e) => {
    const lines = linesOf(e, blanks(protocol));
    // An app needs Full Access to send as well (learn.microsoft.com, "Authenticate an IMAP, POP or SMTP connection using OAuth").
    expect(code === 'mail-app-only' && protocol === 'smtp' ? lines.replace('FullAccess', '') : lines).not.toMatch(others[protocol]);
  });

  test('a shared mailbox gets its rights and its switch', () => {
    const lines = (code: 'mail-no-full-access' | 'smtp-send-as-denied', protocol: Protocol) => linesOf(entryOf(code), blanks(protocol));
    expect(lines('mail-no-full-access', 'imap')).toMatch(
      /Add-MailboxPermission .*-User ada@contoso.com -AccessRights FullAccess.*; Set-CASMailbox .* -ImapEnabled \$true/,
    );
    expect(lines('mail-no-full-access', 'pop')).toMatch(/FullAccess.*; Set-CASMailbox .* -PopEnabled \$true/);
    expect(lines('smtp-send-as-denied', 'smtp')).toMatch(
      /Add-RecipientPermission .*SendAs.*; Set-CASMailbox .* -SmtpClientAuthenticationDisabled \$false/,
    );
  });
});
