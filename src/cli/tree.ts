import type { CommandName } from '../core/command-name.ts';
import { chosenStores } from '../core/stores.ts';

export interface CommandEntry {
  readonly name: CommandName;
  readonly args?: string;
  readonly summary: string;
  readonly group: 'Set up' | 'Use' | 'Check' | 'More';
  /** prints one JSON object a line with --json, the last of type "result" */
  readonly stream?: boolean;
  /** `data` with --json where the command failed: a program that reads its results finds an empty list */
  readonly nothing?: object;
  /** ends with the exit codes that callers of sendmail know */
  readonly sysexits?: true;
}

/** `<bash|zsh|fish>` */
const choice = (words: readonly string[]): string => `<${words.join('|')}>`;

/** The command tree at a glance. Each command's own file is named in `modules.ts`. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'setup',
    summary: 'the wizard: tenant, registration, sign-in, storage, tests',
    group: 'Set up',
    stream: true,
  },
  {
    name: 'login',
    args: '[mailbox]',
    summary: 'only the sign-in, for a mailbox already set up',
    group: 'Set up',
    stream: true,
  },
  {
    name: 'logout',
    args: '[mailbox]',
    summary: 'remove every local trace of a mailbox',
    group: 'Set up',
  },
  {
    name: 'token get',
    args: '[mailbox]',
    summary: 'the access token on stdout, for other programs',
    group: 'Use',
  },
  {
    name: 'token show',
    args: '[mailbox]',
    summary: 'what the token is: account, scopes, lifetimes, store',
    group: 'Use',
  },
  {
    name: 'status',
    args: '[mailbox]',
    summary: 'how everything stands and what ends; also: mailauth list',
    group: 'Check',
  },
  {
    name: 'test',
    args: '[protocol|all] [mailbox]',
    summary: 'sign in to the mail server for real, stage by stage',
    group: 'Check',
    nothing: { results: [] },
  },
  {
    name: 'doctor',
    summary: 'check this computer: keychain, loopback, network, clock',
    group: 'Check',
  },
  {
    name: 'explain',
    args: '<code or text>',
    summary: 'what an error, a server reply or a log line means; offline',
    group: 'Check',
  },
  {
    name: 'secret show',
    args: '[mailbox]',
    summary: "the client secret's id and expiry; its value with --reveal",
    group: 'Use',
  },
  {
    name: 'secret rotate',
    args: '[mailbox]',
    summary: 'a new client secret, proven before the old goes',
    group: 'Use',
  },
  {
    name: 'exchange show',
    args: '[mailbox]',
    summary: 'what Exchange Online lets this set-up do; changes nothing',
    group: 'Check',
  },
  {
    name: 'exchange apply',
    args: '[mailbox]',
    summary: 'switch on there what this set-up needs, after asking',
    group: 'Set up',
  },
  {
    name: 'exchange undo',
    args: '[mailbox]',
    summary: 'put back there what apply changed',
    group: 'Set up',
  },
  {
    name: 'keepalive',
    summary: 'for cron or a timer: renew every sign-in that needs it',
    group: 'Use',
  },
  {
    name: 'send',
    args: '[recipient...]',
    summary: 'send the message on standard input, as sendmail does',
    group: 'Use',
    sysexits: true,
  },
  {
    name: 'agent',
    summary: 'one process that gives every program its token, by a socket',
    group: 'Use',
  },
  {
    name: 'export',
    args: '<client> [mailbox]',
    summary: 'configuration for msmtp, mutt, Postfix, Dovecot and others',
    group: 'Use',
  },
  {
    name: 'store move',
    args: choice(chosenStores),
    summary: 'move every secret to another store, proven first',
    group: 'More',
  },
  {
    name: 'store init',
    summary: 'prepare the database of the store postgres',
    group: 'More',
  },
  {
    name: 'store restore',
    summary: 'take the kept copy of a damaged sealed file',
    group: 'More',
  },
  {
    name: 'store keygen',
    args: '<file>',
    summary: 'a new key file for the sealed file',
    group: 'More',
  },
  {
    name: 'guide',
    args: '[name]',
    summary: 'the manual steps of a guide, with your own values',
    group: 'More',
  },
  {
    name: 'completion',
    args: '<bash|zsh|fish|powershell>',
    summary: 'a completion script for your shell',
    group: 'More',
  },
  {
    name: 'sandbox',
    summary: 'run the stand-in for Microsoft 365 in the foreground',
    group: 'More',
  },
];

/** Other words for a command that people try. */
export const aliases: ReadonlyMap<string, CommandName> = new Map([['list', 'status']]);

export const topics = ['environment', 'exit-codes', 'clouds', 'stores'] as const;

/** `mailauth --help`: examples first, then the commands by group. */
export function rootHelp(version: string): string {
  const width = Math.max(...commands.map((c) => heading(c).length)) + 2;
  const groups = [...new Set(commands.map((c) => c.group))];
  const list = groups.map((group) => {
    const rows = commands.filter((c) => c.group === group).map((c) => `  ${heading(c).padEnd(width)}${c.summary}`);
    return `${group}:\n${rows.join('\n')}`;
  });
  return `mailauth ${version}: Microsoft 365 mailboxes with OAuth 2, set up and proven

Examples:
  $ mailauth setup --sandbox --yes              try everything, nothing real is touched
  $ mailauth setup                              set up a mailbox, question by question
  $ mailauth test imap                          prove that it works
  $ mailauth token get helpdesk@contoso.com     the access token, for a script

${list.join('\n\n')}

Help:
  mailauth COMMAND --help                       options of one command
  mailauth help ${choice(topics)}

Global options (every command): --json --no-input --yes --quiet --verbose
  --no-color --cloud NAME --cloud-file FILE --store NAME --home FOLDER --key-file FILE
  --sandbox --timeout SECONDS
`;
}

/** `mailauth token --help`; undefined where no command's first word is this. */
export function groupHelp(group: string): string | undefined {
  const inGroup = commands.filter((c) => c.name.startsWith(`${group} `));
  if (inGroup.length === 0) return undefined;
  const width = Math.max(...inGroup.map((c) => heading(c).length)) + 2;
  return `Usage: mailauth ${group} <${inGroup.map((c) => c.name.slice(group.length + 1)).join('|')}>

Commands:
${inGroup.map((c) => `  ${heading(c).padEnd(width)}${c.summary}\n`).join('')}
Help:
${inGroup.map((c) => `  mailauth ${c.name} --help\n`).join('')}`;
}

function heading(c: CommandEntry): string {
  return c.args === undefined ? c.name : `${c.name} ${c.args}`;
}
