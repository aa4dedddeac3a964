import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { ExportValues } from '../../../src/export/client.ts';
import { exportClients, exportText } from '../../../src/export/clients.ts';

/** All of them pass `checkAddress`: RFC 5322 section 3.2.3 lets these characters stand in a local part. */
const addresses = [
  "o'brien@contoso.com",
  'a`id`b@contoso.com',
  "a'b$HOME{x}@contoso.com",
  'a#b|c&d!e@contoso.com',
  'a*?~/b=c@contoso.com',
  '50%off%(user)s@contoso.com',
];
const host = { host: 'outlook.office365.com', port: 993, security: 'tls' } as const;
const valuesOf = (mailbox: string): ExportValues => ({
  mailbox,
  users: { read: mailbox, send: mailbox },
  hosts: { imap: host, pop: host, smtp: host },
  command: ['mailauth', 'token', 'get', mailbox],
  sending: ['mailauth', 'send', '--mailbox', mailbox],
  shell: 'posix',
  onWindows: false,
  home: '/var/lib/mail auth',
  library: { url: 'file:///opt/mail%20auth/library.mjs', variables: [['MAILAUTH_HOME', '/var/lib/mail auth']], sandbox: false },
});
const exported = (name: string, mailbox: string): string => {
  const client = exportClients.find((one) => one.name === name);
  if (client === undefined) throw new Error(name);
  return exportText(client, valuesOf(mailbox));
};
const setting = (text: string, pattern: RegExp): string => pattern.exec(text)?.[1] ?? '';
/** The last word as a shell hands it to the program. */
const lastWord = (line: string): string =>
  execFileSync('bash', ['-c', `mailauth() { printf %s "$3"; }; ${line}`], { encoding: 'utf8', env: { HOME: '/x' } });

describe.skipIf(process.platform === 'win32')('an address that a shell would run', () => {
  it.each(addresses)('%s reaches the token command as it is', (mailbox) => {
    const muttrc = setting(exported('mutt', mailbox), /imap_oauth_refresh_command = "(.*)"/).replace(/\\(.)/g, '$1');
    const mbsyncrc = setting(exported('mbsync', mailbox), /PassCmd "(.*)"/).replace(/\\(.)/g, '$1');
    const lines = [
      setting(exported('msmtp', mailbox), /^passwordeval "(.*)"$/m),
      setting(exported('mpop', mailbox), /^passwordeval "(.*)"$/m),
      setting(exported('git', mailbox), /sendmailCmd = "(.*)"/).replace(/\\(.)/g, '$1'),
      setting(exported('imapsync', mailbox), /^fresh\(\) \{ (.*) > "\$token.new"/m),
      muttrc,
      mbsyncrc,
      setting(exported('aerc', mailbox), /^source-cred-cmd = `?(.*?)`?$/m),
      setting(exported('curl', mailbox), /token=\$\((.*)\) && /),
    ];
    expect(lines.map(lastWord)).toEqual(lines.map(() => mailbox));
  });
});

it.each(addresses)('%s is one line of every file, and ends no quotes', (mailbox) => {
  for (const { name } of exportClients) {
    const usual = exported(name, 'a@contoso.com').split('\n').length;
    expect(exported(name, mailbox).split('\n'), name).toHaveLength(usual);
  }
});

it('OfflineIMAP reads %% as a percent sign, and refuses a single one', () => {
  const values = exported('offlineimap', '50%off%(user)s@contoso.com')
    .split('\n')
    .filter((line) => /^(?:remoteuser|localfolders|oauth2_access_token_eval)/.test(line));
  expect(values).toHaveLength(3);
  for (const line of values) expect(line).toContain('50%%off%%(user)s@contoso.com');
});

describe('on Windows, where the name of the user is in every path', () => {
  const program = 'C:\\Users\\Jörg’s “$x`\\mailauth.js';
  const written = (name: string): string => {
    const client = exportClients.find((one) => one.name === name);
    if (client === undefined) throw new Error(name);
    const usual = valuesOf('a@contoso.com');
    const library = { ...usual.library, variables: [['MAILAUTH_HOME', program]] as const };
    return exportText(client, { ...usual, command: ['node.exe', program], library, shell: 'powershell', onWindows: true });
  };

  it.each(['python', 'node', 'dotnet', 'java', 'powershell', 'curl'])('the text for %s is in ASCII', (name) => {
    expect(written(name)).toMatch(/^[\n -~]+$/);
  });

  it.each(['python', 'node', 'dotnet', 'java'])('%s has the path in a string with escapes', (name) => {
    const [string = ''] = /"C:[^"]*"/.exec(written(name)) ?? [];
    expect(JSON.parse(string)).toBe(program);
  });

  it.each(['powershell', 'curl'])('%s has it in a string of PowerShell', (name) => {
    const word = '"C:\\Users\\J$([char]0x00f6)rg$([char]0x2019)s $([char]0x201c)`$x``\\mailauth.js"';
    expect(written(name)).toContain(`& node.exe ${word}\n`);
  });
});
