import { describe, expect, it } from 'vitest';
import { namedCloud } from '../../../../src/core/cloud.ts';
import type { MailboxRecord } from '../../../../src/core/mailbox.ts';
import { Secret } from '../../../../src/core/secret.ts';
import { mailHosts } from '../../../../src/products/form-facts.ts';
import { productNamed, products } from '../../../../src/products/products.ts';
import { sheetOf } from '../../../../src/products/sheet/sheet.ts';
import { factsOf } from '../../../../src/products/sheet/sheet-facts.ts';
import { posix } from '../../../support/next.ts';
import { exampleFacts } from './example.ts';

const sheet = (name: string, more: Parameters<typeof exampleFacts>[1] = {}, here = posix) => {
  const product = productNamed(name)!;
  return sheetOf(product, exampleFacts(product, more), here);
};

describe('the sheet', () => {
  it.each(products)('$name: nothing in it is empty', (product) => {
    const made = sheetOf(product, exampleFacts(product), posix);
    expect(made).toMatchObject({ mailbox: 'helpdesk@contoso.com', for: product.name, title: `${product.title}: helpdesk@contoso.com` });
    for (const { label, value } of [...made.parts.flatMap((part) => part.fields), ...made.registered]) {
      expect(label.trim()).not.toBe('');
      expect(value instanceof Secret || value.trim() !== '').toBe(true);
    }
    expect(made.servers.map((server) => server.protocol.toLowerCase())).toEqual(product.protocols);
    expect(made.renewal.what).not.toBe('');
    expect(made.renewal.steps.length).toBeGreaterThan(0);
  });

  it('says when the client secret ends, and how it gets into the product then', () => {
    expect(sheet('osticket').renewal).toEqual({
      at: '2027-11-22T02:51:00Z',
      what: 'The client secret expires on 2027-11-22. From that day on, no mail is read or sent.',
      steps: [
        { text: 'mailauth secret rotate helpdesk@contoso.com --for osticket', copied: true },
        {
          text:
            'Put the new value into "Client Secret" (osTicket: Admin Panel > Emails > Emails > (the system email) > Remote Mailbox > Config > ' +
            'IdP Config) and repeat the steps that follow it there',
          copied: false,
        },
        { text: 'mailauth secret rotate helpdesk@contoso.com --for osticket --finish', copied: true },
      ],
    });
    const { secretExpiresAt: _, ...facts } = exampleFacts(productNamed('osticket')!);
    expect(sheetOf(productNamed('osticket')!, facts, posix).renewal).not.toHaveProperty('at');
    expect(sheet('kaseya').renewal.what).toContain('MFA');
    expect(sheet('this-computer').renewal.steps).toEqual([{ text: 'mailauth login helpdesk@contoso.com', copied: true }]);
    // Here mailauth keeps the secret: no product, nothing to paste.
    expect(sheet('this-computer', { clientType: 'confidential' }).renewal.steps).toHaveLength(1);
  });

  it('has the notes for a shared mailbox, quoted for PowerShell', () => {
    const { notes } = sheet('osticket', { mailbox: "o'neil@contoso.com", signsIn: 'ada\u2019s@contoso.com' });
    expect(notes).toHaveLength(1);
    expect(notes[0]?.commands).toEqual([
      "Add-MailboxPermission -Identity 'o''neil@contoso.com' -User 'ada\u2019\u2019s@contoso.com' -AccessRights FullAccess -AutoMapping $false",
      "Add-RecipientPermission -Identity 'o''neil@contoso.com' -Trustee 'ada\u2019\u2019s@contoso.com' -AccessRights SendAs -Confirm:$false",
    ]);
    expect(notes[0]?.lines.join('\n')).toContain('Strict Matching');
    expect(sheet('osticket', { signsIn: 'ada@contoso.com', protocols: ['imap'] }).notes[0]?.commands).toHaveLength(1);
    expect(sheet('kaseya', { signsIn: 'ada@contoso.com' }).notes[0]?.lines.join('\n')).toContain('licensed mailbox');
    expect(sheet('osticket').notes).toEqual([]);
  });

  it('sends personal accounts to their own SMTP server and tells what is switched off', () => {
    const tenantId = '9188040d-6c67-4c5b-b112-36a304b66dad';
    expect(mailHosts(namedCloud('public'), tenantId).smtp).toEqual({ host: 'smtp-mail.outlook.com', port: 587, security: 'starttls' });
    expect(mailHosts(namedCloud('public'), 'contoso.com').smtp.host).toBe('smtp.office365.com');
    expect(mailHosts(namedCloud('usgov'), tenantId).smtp.host).toBe('outlook.office365.us');
    expect(sheet('supportpal', { tenantId }).notes[0]?.title).toBe('Personal account');
  });

  it('needs no secret for a public client, and keeps control characters out', () => {
    const field = sheet('custom').parts[0]?.fields.find(({ label }) => label === 'Client secret');
    expect(field).toEqual({ label: 'Client secret', value: 'none: public client with PKCE' });
    const hostile = '\u001b]0;owned\u0007\u001b[31mred\u202e\n@contoso.com';
    const text = JSON.stringify(sheet('osticket', { mailbox: hostile, clientId: hostile, redirectUri: hostile, signsIn: hostile }));
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]|\\u001b|\\n/u);
  });

  it('names commands that work in the sandbox', () => {
    const here = { ...posix, sandbox: true };
    expect(sheet('this-computer', {}, here).parts[0]?.press[0]?.text).toBe('mailauth test all helpdesk@contoso.com --sandbox');
    expect(sheet('osticket', {}, here).renewal.steps[0]?.text).toBe('mailauth secret rotate helpdesk@contoso.com --for osticket --sandbox');
  });

  it('is made from the mailbox file', () => {
    const record: MailboxRecord = {
      ...{ mailbox: 'shared@contoso.com', for: 'osticket', tenantId: 't-1', cloud: namedCloud('public'), store: 'keychain' },
      endpoints: { issuer: 'https://i', authorization: 'https://a', token: 'https://t' },
      registration: {
        ...{ clientId: 'c-1', clientType: 'confidential', redirectUri: 'https://r', secretExpiresAt: '2027-01-02T00:00:00Z' },
        madeByMailauth: true,
      },
      ...{ protocols: ['imap'], scopes: ['s'], signInAs: 'ada@contoso.com', createdAt: '2026-11-22T00:00:00Z', lastTests: [] },
    };
    expect(factsOf(record, { secretId: 'k-1' })).toMatchObject({
      ...{ mailbox: 'shared@contoso.com', signsIn: 'ada@contoso.com', tenantId: 't-1', clientId: 'c-1', clientType: 'confidential' },
      ...{ redirectUri: 'https://r', secretExpiresAt: '2027-01-02T00:00:00Z', secretId: 'k-1', protocols: ['imap'] },
      endpoints: { authorization: 'https://a', token: 'https://t' },
    });
  });
});
