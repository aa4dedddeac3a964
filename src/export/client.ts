import type { MailHost, Protocol } from '../core/cloud.ts';
import { shellWord } from '../core/quoting.ts';

/** The values of a configuration: one mailbox that is set up, and the command that prints its token. */
export interface ExportValues {
  readonly mailbox: string;
  /** the name for SASL `user=`; sending may want another one than reading */
  readonly users: { readonly read: string; readonly send: string };
  /** the servers of the protocols that this set-up has */
  readonly hosts: Readonly<Partial<Record<Protocol, MailHost>>>;
  /** `mailauth token get helpdesk@contoso.com`, word by word */
  readonly command: readonly string[];
}

/** One program that can take its token from a command. */
export interface ExportClient {
  readonly name: string;
  readonly title: string;
  /** the protocols it speaks; at least one must be part of the set-up */
  readonly speaks: readonly Protocol[];
  /** where the text belongs and what must be installed: becomes its leading comment */
  readonly notes: readonly string[];
  /** the text without the leading comment, ends with a newline */
  readonly render: (values: ExportValues) => string;
}

/** A word of a line for a POSIX shell, which all these programs call. */
export const posixWord = (word: string): string => shellWord(word, 'posix');

/** The token command as one line for a shell. */
export const shellLine = ({ command }: ExportValues): string => command.map(posixWord).join(' ');

/** Inside the double quotes of a file that knows backslash escapes; `special` are its further magic characters. */
export function escaped(text: string, special = ''): string {
  return [...text].map((c) => (c === '\\' || c === '"' || special.includes(c) ? `\\${c}` : c)).join('');
}

/** `imaps://host:port`, or `imap://` where TLS begins after the greeting. */
export function serverUrl(protocol: Protocol, { host, port, security }: MailHost): string {
  const scheme = { imap: 'imap', pop: 'pop3', smtp: 'smtp' }[protocol];
  return `${scheme}${security === 'tls' ? 's' : ''}://${host}:${port}`;
}

/** Sections of a file, of which some protocols may be missing, with an empty line between them. */
export const sections = (...parts: readonly (string | undefined)[]): string => parts.filter((part) => part !== undefined).join('\n');
