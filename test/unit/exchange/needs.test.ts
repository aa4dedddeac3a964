import { describe, expect, it } from 'vitest';
import type { Protocol } from '../../../src/core/cloud.ts';
import type { ExchangeState } from '../../../src/exchange/exchange-state.ts';
import { changesFor, type ExchangeUse, linesOf, type Opener } from '../../../src/exchange/needs.ts';

const mailbox = 'support@contoso.com';
const appId = '11111111-2222-3333-4444-555555555555';
const objectId = '99999999-2222-3333-4444-555555555555';
const own: Opener = { kind: 'own' };
const delegate: Opener = { kind: 'delegate', user: 'ada@contoso.com' };
const app: Opener = { kind: 'app', appId, objectId, sendsByPermission: true };
const appByRole: Opener = { ...app, sendsByPermission: false };
const all: readonly Protocol[] = ['imap', 'pop', 'smtp'];

const ready: ExchangeState = {
  kind: 'UserMailbox',
  organization: { smtpAuth: 'on' },
  switches: { imap: 'on', pop: 'on', smtpAuth: 'on' },
  rights: { fullAccess: [], sendAs: [] },
  granted: { fullAccess: true, sendAs: true },
  principalName: 'mailauth',
  servicePrincipal: { appId, objectId },
  sendingRole: { scope: true, assignment: true },
};
const bare: ExchangeState = {
  ...ready,
  organization: { smtpAuth: 'off' },
  switches: { imap: 'off', pop: 'off', smtpAuth: 'inherited' },
  granted: { fullAccess: false, sendAs: false },
  servicePrincipal: null,
  sendingRole: { scope: false, assignment: false },
};
const shared = (state: ExchangeState): ExchangeState => ({ ...state, kind: 'SharedMailbox' });
const smtp = (smtpAuth: ExchangeState['switches']['smtpAuth'], organization: 'on' | 'off'): ExchangeState => ({
  ...ready,
  organization: { smtpAuth: organization },
  switches: { ...ready.switches, smtpAuth },
});

const table: readonly [what: string, opener: Opener, protocols: readonly Protocol[], state: ExchangeState | undefined, missing: string][] =
  [
    ['own mailbox, all on', own, all, ready, ''],
    ['own mailbox, all off', own, all, bare, 'imap pop smtpAuth'],
    ['own mailbox, only what it uses', own, ['imap'], bare, 'imap'],
    ['own mailbox, POP off', own, ['pop'], bare, 'pop'],
    ['SMTP AUTH off for the mailbox, on for the organisation', own, all, smtp('off', 'on'), 'smtpAuth'],
    ['SMTP AUTH off for both', own, all, smtp('off', 'off'), 'smtpAuth'],
    ['SMTP AUTH follows an organisation where it is on', own, all, smtp('inherited', 'on'), ''],
    ['SMTP AUTH follows an organisation where it is off', own, all, smtp('inherited', 'off'), 'smtpAuth'],
    ['SMTP AUTH on against the organisation', own, all, smtp('on', 'off'), ''],
    ['SMTP AUTH off, but nothing is sent', own, ['imap', 'pop'], smtp('off', 'off'), ''],
    ['shared mailbox, delegate with both rights', delegate, all, shared(ready), ''],
    ['shared mailbox, delegate without rights', delegate, all, shared(bare), 'fullAccess sendAs imap pop smtpAuth'],
    ['shared mailbox, delegate who only reads', delegate, ['imap'], shared(bare), 'fullAccess imap'],
    [
      'shared mailbox, delegate without Send As',
      delegate,
      all,
      { ...shared(ready), granted: { fullAccess: true, sendAs: false } },
      'sendAs',
    ],
    ['app, everything there', app, all, ready, ''],
    ['app, nothing there', app, all, bare, 'servicePrincipal fullAccess sendAs imap pop smtpAuth'],
    ['app that only reads', app, ['imap', 'pop'], bare, 'servicePrincipal fullAccess imap pop'],
    ['app that only sends, by the permission', app, ['smtp'], bare, 'servicePrincipal sendAs smtpAuth'],
    ['app that only sends, by the role', appByRole, ['smtp'], bare, 'servicePrincipal managementScope roleAssignment smtpAuth'],
    [
      'app that reads, and sends by the role',
      appByRole,
      all,
      { ...bare, servicePrincipal: { appId, objectId } },
      'fullAccess managementScope roleAssignment imap pop smtpAuth',
    ],
    ['app by the role, everything there', appByRole, all, ready, ''],
    ['nobody was asked', own, all, undefined, 'imap pop smtpAuth'],
    ['nobody was asked, app', app, all, undefined, 'servicePrincipal fullAccess sendAs imap pop smtpAuth'],
  ];

describe('what a set-up needs in Exchange Online', () => {
  it.each(table)('%s', (_, opener, protocols, state, missing) => {
    const changes = changesFor({ mailbox, protocols, opener }, state);
    expect(changes.map(({ what }) => what).join(' ')).toBe(missing);
  });

  it('as lines of PowerShell', () => {
    const use: ExchangeUse = { mailbox, protocols: all, opener: delegate };
    expect(linesOf(changesFor(use, bare), { name: 'public' })).toEqual([
      'Connect-ExchangeOnline',
      'Add-MailboxPermission -Identity support@contoso.com -User ada@contoso.com -AccessRights FullAccess -AutoMapping $false',
      'Add-RecipientPermission -Identity support@contoso.com -Trustee ada@contoso.com -AccessRights SendAs -Confirm:$false',
      'Set-CASMailbox -Identity support@contoso.com -ImapEnabled $true',
      'Set-CASMailbox -Identity support@contoso.com -PopEnabled $true',
      'Set-CASMailbox -Identity support@contoso.com -SmtpClientAuthenticationDisabled $false',
    ]);
    expect(linesOf(changesFor({ ...use, protocols: ['smtp'], opener: appByRole }, bare), { name: 'public' })[2]).toBe(
      `New-ManagementScope -Name mailauth-11111111-${mailbox} -RecipientRestrictionFilter "PrimarySmtpAddress -eq '${mailbox}'"`,
    );
  });

  it('and back: an inherited switch inherits again, one that was off is off again', () => {
    const back = (state: ExchangeState) =>
      changesFor({ mailbox, protocols: all, opener: own }, state).map(({ before, after, undo }) => [before, after, undo.parameters]);
    expect(back(bare)).toEqual([
      ['off', 'on', { Identity: mailbox, ImapEnabled: false }],
      ['off', 'on', { Identity: mailbox, PopEnabled: false }],
      ['inherited', 'on', { Identity: mailbox, SmtpClientAuthenticationDisabled: null }],
    ]);
    expect(back(smtp('off', 'on'))).toEqual([['off', 'on', { Identity: mailbox, SmtpClientAuthenticationDisabled: true }]]);
  });
});
