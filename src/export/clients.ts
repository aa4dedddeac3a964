import type { ExportClient, ExportValues } from './client.ts';
import { dotnet } from './dotnet.ts';
import { dovecot } from './dovecot.ts';
import { java } from './java.ts';
import { getmail, imapsync, mbsync, mpop, offlineimap } from './mail-copies.ts';
import { aerc, git, himalaya, msmtp, mutt } from './mail-programs.ts';
import { node } from './node.ts';
import { php } from './php.ts';
import { postfix } from './postfix.ts';
import { powershell } from './powershell-script.ts';
import { curl, python } from './scripts.ts';

/** Every program that `mailauth export` knows. A new one is its entry in a file beside these and a line here. */
export const exportClients: readonly ExportClient[] = [
  curl,
  msmtp,
  mutt,
  { ...mutt, name: 'neomutt' },
  mbsync,
  getmail,
  mpop,
  offlineimap,
  imapsync,
  aerc,
  himalaya,
  git,
  postfix,
  dovecot,
  python,
  powershell,
  node,
  php,
  dotnet,
  java,
];

/** The whole text: first a comment that says where to put it and what is left out, then the configuration. */
export function exportText(client: ExportClient, values: ExportValues, leftOut: readonly string[] = []): string {
  const { opening, comment: mark = '#' } = client;
  const secret = values.passwordHash === undefined ? 'No secret is in here.' : 'The only secret in here is the hash of a local password.';
  const notes = typeof client.notes === 'function' ? client.notes(values) : client.notes;
  const shell =
    client.unixOnly === true && values.onWindows ? ["For Cygwin, MSYS2 or Git's own shell: its sh reads the commands in here."] : [];
  const lines = [`${client.title} for ${values.mailbox}, made by mailauth. ${secret}`, ...notes, ...shell, ...leftOut];
  const head = [...(opening === undefined ? [] : [opening]), ...lines.map((line) => `${mark} ${line}`)];
  const text = `${head.join('\n')}\n\n${client.render(values)}`;
  return client.jsonEscapes === true && values.onWindows ? text.replace(/[^\n -~]/g, unicodeEscape) : text;
}

const unicodeEscape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** The first line that the program would not read, for one that has a limit. */
export const tooLongLine = ({ longestLine = Number.POSITIVE_INFINITY }: ExportClient, text: string): string | undefined =>
  text.split('\n').find((line) => Buffer.byteLength(line) > longestLine);
