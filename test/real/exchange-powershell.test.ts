import { readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasExchangeModule } from '../../src/exchange/through-powershell.ts';
import { systemClock } from '../../src/system/clock-and-random.ts';
import { createPowerShell } from '../../src/system/powershell.ts';
import { type Machine, machine } from '../support/command-line.ts';

/** `mailauth exchange … --through pwsh` in the real PowerShell 7. A module of the rig stands in for Microsoft's. */
const mailbox = 'helpdesk@contoso.example';
const tenant = '5a4db0c5-c0de-4a11-b0b5-c0ffee000365';
const modules = join(import.meta.dirname, 'rigs', 'powershell');

let m: Machine;
beforeEach(async () => {
  m = await machine();
  expect((await m.mailauth(`setup --sandbox --yes --no-test --register existing --mailbox ${mailbox}`)).exit).toBe(0);
  await writeFile(state(), JSON.stringify(tenantWith({ ImapEnabled: true, PopEnabled: false, SmtpClientAuthenticationDisabled: null })));
});
afterEach(() => m.end());

const state = () => join(m.home, 'exchange.json');
const tenantWith = (box: object) => ({ mailboxes: { [mailbox]: box }, permissions: [], trustees: [], servicePrincipals: [], calls: [] });
const read = async () => JSON.parse(await readFile(state(), 'utf8'));

async function exchange(words: string, more: Readonly<Record<string, string>> = {}) {
  const env = {
    PATH: `${join(homedir(), '.dotnet', 'tools')}:${process.env.PATH}`,
    HOME: m.home,
    DOTNET_ROOT: process.env.DOTNET_ROOT ?? '',
    DOTNET_CLI_TELEMETRY_OPTOUT: '1',
    PSModulePath: modules,
    RIG_EXCHANGE: state(),
    RIG_TENANT: tenant,
    MAILAUTH_EXCHANGE_TOKEN: '',
    ...more,
  };
  const powershell = createPowerShell({ env, platform: 'linux', signal: new AbortController().signal });
  expect(powershell.program, 'pwsh is missing: dotnet tool install --global PowerShell --version 7.6.9').toBeDefined();
  return m.mailauth(`exchange ${words} --sandbox --through pwsh --json`, { powershell });
}

describe('exchange through PowerShell', () => {
  it('reads, changes what this set-up needs and nothing else, and puts it back', async () => {
    const shown = (await exchange(`show ${mailbox}`)).json();
    expect([shown.error?.code, shown.data.through, shown.data.switches]).toEqual([
      'exchange-not-ready',
      'pwsh',
      { imap: 'on', pop: 'off', smtpAuth: 'inherited' },
    ]);
    expect((await read()).calls).toEqual([]);
    const applied = (await exchange(`apply ${mailbox} --yes`)).json();
    expect([applied.ok, applied.data.changed.map(({ what }: { what: string }) => what)]).toEqual([true, ['pop', 'smtpAuth']]);
    const { mailboxes, calls } = await read();
    expect(mailboxes[mailbox]).toEqual({ ImapEnabled: true, PopEnabled: true, SmtpClientAuthenticationDisabled: false });
    expect(calls.every((call: string) => call.startsWith(`Set-CASMailbox ${mailbox}`))).toBe(true);
    expect((await exchange(`show ${mailbox}`)).exit).toBe(0);
    expect((await exchange(`undo ${mailbox} --yes`)).exit).toBe(0);
    expect((await read()).mailboxes[mailbox]).toEqual({ ImapEnabled: true, PopEnabled: false, SmtpClientAuthenticationDisabled: null });
  });

  it('a mailbox that Exchange does not know, another tenant, and no module: each says so, and nothing is changed', async () => {
    await writeFile(state(), JSON.stringify({ ...tenantWith({}), mailboxes: {} }));
    expect((await exchange(`show ${mailbox}`)).json().error?.code).toBe('exchange-not-found');
    const elsewhere = (await exchange(`apply ${mailbox} --yes`, { RIG_TENANT: '00000000-0000-0000-0000-000000000000' })).json();
    expect([elsewhere.error?.code, elsewhere.error?.why]).toEqual(['exchange-token-refused', expect.stringContaining('another tenant')]);
    expect((await exchange(`show ${mailbox}`, { PSModulePath: m.home })).json().error?.code).toBe('powershell-module-missing');
    expect((await read()).calls).toEqual([]);
  });

  it('knows whether the module is there', async () => {
    const at = (PSModulePath: string) =>
      createPowerShell({
        env: { PATH: `${join(homedir(), '.dotnet', 'tools')}:${process.env.PATH}`, HOME: m.home, PSModulePath },
        platform: 'linux',
        signal: new AbortController().signal,
      });
    expect(await Promise.all([modules, m.home].map((folder) => hasExchangeModule(at(folder), systemClock)))).toEqual([true, false]);
  });

  it('hands PowerShell none of its secrets', async () => {
    const powershell = createPowerShell({
      env: {
        ...process.env,
        PATH: `${join(homedir(), '.dotnet', 'tools')}:${process.env.PATH}`,
        HOME: m.home,
        MAILAUTH_PASSPHRASE: 'hidden',
      },
      platform: 'linux',
      signal: new AbortController().signal,
    });
    const talk = powershell.start('[Console]::Out.WriteLine("seen: $env:MAILAUTH_PASSPHRASE$env:MAILAUTH_EXCHANGE_TOKEN.")');
    expect(await talk.read()).toBe('seen: .');
    await talk.end();
  });
});
