import type { MailHost, Protocol } from '../core/cloud.ts';
import { asciiPowerShell, quotePosix, type Shell, shellWord } from '../core/shell/quoting.ts';

/** The values of a configuration: one mailbox that is set up, and the commands that other programs run for it. */
export interface ExportValues {
  readonly mailbox: string;
  /** the name for SASL `user=`; sending may want another one than reading */
  readonly users: { readonly read: string; readonly send: string };
  /** the servers of the protocols that this set-up has */
  readonly hosts: Readonly<Partial<Record<Protocol, MailHost>>>;
  /** `mailauth token get helpdesk@contoso.com`, word by word, with `env` and variables before it */
  readonly command: readonly string[];
  /** `mailauth send --mailbox helpdesk@contoso.com`, likewise */
  readonly sending: readonly string[];
  /** the shell of whoever asked: for lines that a person runs. What a program hands to a shell is for the shell of that program. */
  readonly shell: Shell;
  readonly onWindows: boolean;
  /** MAILAUTH_HOME: who owns it runs these commands */
  readonly home: string;
  /** a PEM file of further authorities, from NODE_EXTRA_CA_CERTS */
  readonly authorities?: string;
  /** what Node reads before the first line of a program: NODE_EXTRA_CA_CERTS, NODE_USE_SYSTEM_CA */
  readonly atStart?: readonly (readonly [name: string, value: string])[];
  /** for programs of Node.js, which run no command */
  readonly library: {
    readonly url: string;
    readonly variables: readonly (readonly [name: string, value: string])[];
    /** where the mailbox is set up for several */
    readonly product?: string;
    readonly sandbox: boolean;
  };
  /** hash of the password that local programs give, for Dovecot's passwd-file */
  readonly passwordHash?: string;
}

/** One program that can take its token from a command, or that can send by `mailauth send`. */
export interface ExportClient {
  readonly name: string;
  readonly title: string;
  /** the protocols it speaks; at least one must be part of the set-up */
  readonly speaks: readonly Protocol[];
  /** where the text belongs and what must be installed: becomes its leading comment */
  readonly notes: readonly string[] | ((values: ExportValues) => readonly string[]);
  /** on Windows it is there in Cygwin, MSYS2 or Git's own shell only */
  readonly unixOnly?: true;
  /** what begins a comment; default: # */
  readonly comment?: '//';
  /** its strings know `\uXXXX`: on Windows the text is in ASCII, because PowerShell's `>` reads it in an old code page */
  readonly jsonEscapes?: true;
  /** the line that must stand before everything else */
  readonly opening?: string;
  /** it sends by `mailauth send`: by SMTP or by Microsoft Graph */
  readonly sends?: true;
  /** why it cannot ask the agent for tokens: `it …` */
  readonly withoutAgent?: string;
  /** it writes a passwd-file with a local password */
  readonly localPassword?: true;
  /** it reads no longer lines than this, as tried with the program */
  readonly longestLine?: number;
  /** the text without the leading comment, ends with a newline */
  readonly render: (values: ExportValues) => string;
}

/**
 * A word of a line for a POSIX shell, which all these programs call. Never `$'…'`: dash, which is /bin/sh of Debian, does not know it.
 */
export const posixWord = (word: string): string => (shellWord(word, 'posix') === word ? word : quotePosix(word));

export const posixLine = (words: readonly string[]): string => words.map(posixWord).join(' ');

/** The token command as one line for a shell. */
export const shellLine = ({ command }: ExportValues): string => posixLine(command);

/** How a person runs an export that is a script of PowerShell. Windows refuses scripts in files unless a flag allows them. */
export const runAsScript = ({ onWindows }: ExportValues): string =>
  `save it as mail.ps1, then ${onWindows ? 'powershell -ExecutionPolicy Bypass -File mail.ps1' : 'pwsh -File mail.ps1'}`;

/**
 * A function of PowerShell that asks mailauth for a token. On Windows its words are in ASCII: there PowerShell takes what a program prints
 * for text in an old code page, and 5.1 does so with a file that has no byte order mark.
 */
export const tokenFunction = ({ command, onWindows }: ExportValues): string => `function Get-MailauthToken {
    $token = & ${command.map((word) => (onWindows ? asciiPowerShell(word) : shellWord(word, 'powershell'))).join(' ')}
    if ($LASTEXITCODE -ne 0) { throw "mailauth ended with $LASTEXITCODE" }
    $token
}
`;

/** Inside the double quotes of a file that knows backslash escapes; `special` are its further magic characters. */
export function escaped(text: string, special = ''): string {
  return [...text].map((c) => (c === '\\' || c === '"' || special.includes(c) ? `\\${c}` : c)).join('');
}

/** A string of Java, C#, TOML and Python: their escapes are those of JSON. */
export const quotedAsJson = (text: string): string => JSON.stringify(text).replaceAll('\x7f', '\\u007f');

/** `imaps://host:port`, or `imap://` where TLS begins after the greeting. */
export function serverUrl(protocol: Protocol, { host, port, security }: MailHost): string {
  const scheme = { imap: 'imap', pop: 'pop3', smtp: 'smtp' }[protocol];
  return `${scheme}${security === 'tls' ? 's' : ''}://${host}:${port}`;
}

/** Sections of a file, of which some protocols may be missing, with an empty line between them. */
export const sections = (...parts: readonly (string | undefined)[]): string => parts.filter((part) => part !== undefined).join('\n');
