import { describe, expect, it } from 'vitest';
import { namedCloud } from '../../../src/core/cloud.ts';
import { Exit } from '../../../src/core/errors.ts';
import { mailauth } from '../../../src/core/next.ts';
import { allShown } from '../../../src/core/shown.ts';
import { aadstsEntries } from '../../../src/errors/catalogue/entra/entra-errors.ts';
import type { Entry } from '../../../src/errors/entry/entry.ts';
import { adminRefusal } from '../../../src/oauth/admin-refusal.ts';
import { posix } from '../../support/next.ts';

const setup = (flags: Readonly<Record<string, string | boolean>>) => mailauth('setup', { mailbox: 'helpdesk@contoso.com', ...flags });
const about = {
  cloud: namedCloud('public'),
  tenant: '5a4db0c5-c0de-4a11-b0b5-c0ffee000365',
  again: setup({ resume: true }),
  otherWays: [setup({ register: 'handoff' }), setup({ register: 'portal' })],
};
const refusal = (number: number, error = 'invalid_grant') =>
  adminRefusal({ error, codes: [number], description: `AADSTS${number}: Something about it. Trace ID: x` }, about);
const numbers = Object.values(aadstsEntries as unknown as Readonly<Record<string, Entry<unknown>>>).flatMap((one) => one.aadsts ?? []);

describe("a refusal of the administrator's sign-in", () => {
  it('leads on, whatever the number: the same or another account, another person, the portal, a token of another app; never mailauth login', () => {
    expect(numbers.length).toBeGreaterThan(150);
    for (const number of [...numbers, 9_999_999]) {
      const error = refusal(number);
      const next = allShown(error.next, posix);
      expect([number, next.filter((line) => line.includes('mailauth login'))]).toEqual([number, []]);
      if (error.exit === Exit.temporary) {
        expect([number, next[0]]).toEqual([number, expect.stringContaining('mailauth setup --mailbox helpdesk@contoso.com --resume')]);
        continue;
      }
      expect([number, error.code, next]).toEqual([
        number,
        'admin-sign-in-refused',
        [
          expect.stringMatching(
            /^mailauth setup --mailbox helpdesk@contoso.com --resume {3}# and (?:sign in with another account|try the password again|finish the multi-factor)/,
          ),
          'mailauth setup --mailbox helpdesk@contoso.com --register handoff',
          'mailauth setup --mailbox helpdesk@contoso.com --register portal',
          expect.stringContaining('MAILAUTH_GRAPH_TOKEN'),
        ],
      ]);
      expect(error.title).toContain('Microsoft Azure CLI');
      expect(error.detail).toMatchObject({ aadsts: number, reply: 'Something about it.' });
      // Of the mailbox and its mail nothing is known here.
      expect([number, `${error.why} ${error.admin ?? ''}`.match(/mailbox|IMAP|Exchange|licen[cs]e|App registrations/)]).toEqual([
        number,
        null,
      ]);
    }
  });

  it.each([
    [53003, 6, 'blocks Microsoft Azure CLI', 'exempt Microsoft Azure CLI'],
    [530084, 6, 'token protection', 'exempt Microsoft Azure CLI'],
    [53000, 6, 'only from certain devices', 'exempt Microsoft Azure CLI'],
    [50076, 4, 'multi-factor authentication', undefined],
    [50105, 6, 'not assigned', 'assign the account'],
    [7000112, 6, 'switched off or missing', 'Enabled for users to sign in?'],
    [65001, 6, 'Nobody consented to Microsoft Azure CLI', 'Grant admin consent'],
    [500011, 6, 'another Microsoft cloud', undefined],
    [65002, 1, 'what was asked for on Microsoft Graph', undefined],
    [50126, 1, 'The user name or the password is wrong.', undefined],
    [9_999_999, 4, 'Microsoft says: Something about it.', undefined],
  ])('AADSTS%i says why', (number, exit, why, admin) => {
    const error = refusal(number);
    expect([error.exit, error.why, error.admin]).toEqual([
      exit,
      expect.stringContaining(why),
      admin === undefined ? undefined : expect.stringContaining(admin),
    ]);
  });

  it.each([
    [50126, 'and try the password again'],
    [50076, 'and finish the multi-factor authentication this time'],
    [53003, 'and sign in with another account'],
  ])('AADSTS%i: what can be mended in the same sign-in comes first', (number, first) => {
    expect(allShown(refusal(number).next, posix)[0]).toBe(`mailauth setup --mailbox helpdesk@contoso.com --resume   # ${first}`);
  });

  it('a cancelled sign-in', () => {
    const error = adminRefusal({ error: 'access_denied', subcode: 'cancel' }, about);
    expect([error.code, error.why]).toEqual(['admin-sign-in-refused', 'The sign-in was cancelled on the page of Microsoft.']);
  });
});
