import type { MailHost, Protocol } from '../core/cloud.ts';
import { shellWord } from '../core/shell/quoting.ts';
import {
  type ExportClient,
  type ExportValues,
  posixWord,
  quotedAsJson,
  runAsScript,
  sections,
  serverUrl,
  shellLine,
  tokenFunction,
} from './client.ts';

/**
 * curl takes the token from a configuration file (`-K`) that is a file descriptor, so that it stands in no argument list.
 * `printf` is a builtin of bash, so its arguments are not visible in the list of processes either.
 */
export const curl: ExportClient = {
  name: 'curl',
  title: 'curl',
  speaks: ['imap', 'pop', 'smtp'],
  notes: (values) =>
    values.shell === 'posix'
      ? ['curl 7.61 or newer, in bash. The token goes through a file descriptor, never through an argument list.']
      : [
          `curl 7.61 or newer, in PowerShell: ${runAsScript(values)}`,
          'The token goes through standard input, never through an argument list.',
        ],
  render: (values) => {
    if (values.shell !== 'posix') return inPowerShell(values);
    const { imap, pop, smtp } = values.hosts;
    return sections(
      `bearer() { local token; token=$(${shellLine(values)}) && printf 'oauth2-bearer = "%s"\\n' "$token"; }\n`,
      imap && `# the folders of the mailbox\n${call('imap', imap, values)} --url ${posixWord(`${serverUrl('imap', imap)}/`)}\n`,
      pop && `# its messages, by POP\n${call('pop', pop, values)} --url ${posixWord(`${serverUrl('pop', pop)}/`)}\n`,
      smtp &&
        `# send the file message.eml\n${call('smtp', smtp, values)} --url ${posixWord(serverUrl('smtp', smtp))} \\\n  --mail-from ${posixWord(values.mailbox)} --mail-rcpt someone@example.com --upload-file message.eml\n`,
    );
  },
};

function call(protocol: Protocol, { security }: MailHost, { users }: ExportValues): string {
  const tls = security === 'starttls' ? ' --ssl-reqd' : '';
  return `curl --silent --show-error${tls} --user ${posixWord(`${protocol === 'smtp' ? users.send : users.read}:`)} --config <(bearer)`;
}

/** The curl of Windows is `curl.exe`; in Windows PowerShell 5.1 `curl` is the name of a command of its own. */
function inPowerShell(values: ExportValues): string {
  const { imap, pop, smtp } = values.hosts;
  const word = (text: string) => shellWord(text, 'powershell');
  const asked = (protocol: Protocol, { security }: MailHost) =>
    `Get-Bearer | ${values.onWindows ? 'curl.exe' : 'curl'} --silent --show-error${security === 'starttls' ? ' --ssl-reqd' : ''} --user ${word(`${protocol === 'smtp' ? values.users.send : values.users.read}:`)} --config -`;
  return sections(
    `$ErrorActionPreference = 'Stop'\n\n${tokenFunction(values)}\nfunction Get-Bearer { "oauth2-bearer = \`"$(Get-MailauthToken)\`"" }\n`,
    imap && `# the folders of the mailbox\n${asked('imap', imap)} --url ${word(`${serverUrl('imap', imap)}/`)}\n`,
    pop && `# its messages, by POP\n${asked('pop', pop)} --url ${word(`${serverUrl('pop', pop)}/`)}\n`,
    smtp &&
      `# send the file message.eml\n${asked('smtp', smtp)} --url ${word(serverUrl('smtp', smtp))} \`\n  --mail-from ${word(values.mailbox)} --mail-rcpt someone@example.com --upload-file message.eml\n`,
  );
}

export const python: ExportClient = {
  name: 'python',
  jsonEscapes: true,
  title: 'Python 3, its standard library',
  speaks: ['imap', 'pop', 'smtp'],
  notes: ['Python 3.7 or newer, nothing to install.'],
  render: (values) =>
    sections(
      `import base64, imaplib, poplib, smtplib, ssl, subprocess

TLS = ssl.create_default_context()


def xoauth2(user):
    token = subprocess.run(${list(values)}, check=True, capture_output=True, text=True).stdout.strip()
    return f"user={user}\\x01auth=Bearer {token}\\x01\\x01"

`,
      imap(values),
      pop(values),
      smtp(values),
    ),
};

const list = ({ command }: ExportValues): string => `[${command.map(quotedAsJson).join(', ')}]`;

function imap({ hosts, users }: ExportValues): string | undefined {
  if (hosts.imap === undefined) return undefined;
  const { host, port, security } = hosts.imap;
  const open =
    security === 'tls' ? `imaplib.IMAP4_SSL("${host}", ${port}, ssl_context=TLS)` : `imaplib.IMAP4("${host}", ${port})\nimap.starttls(TLS)`;
  return `imap = ${open}
imap.authenticate("XOAUTH2", lambda challenge: b"" if challenge else xoauth2(${quotedAsJson(users.read)}).encode())
print("IMAP", imap.select("INBOX", readonly=True))
imap.logout()
`;
}

/** Two lines, because a token is longer than a POP command may be (RFC 5034 section 4). */
function pop({ hosts, users }: ExportValues): string | undefined {
  if (hosts.pop === undefined) return undefined;
  const { host, port, security } = hosts.pop;
  const open = security === 'tls' ? `poplib.POP3_SSL("${host}", ${port}, context=TLS)` : `poplib.POP3("${host}", ${port})\npop.stls(TLS)`;
  return `pop = ${open}
pop._putcmd("AUTH XOAUTH2")
pop._getline()
pop._shortcmd(base64.b64encode(xoauth2(${quotedAsJson(users.read)}).encode()).decode())
print("POP", pop.stat())
pop.quit()
`;
}

function smtp({ hosts, users }: ExportValues): string | undefined {
  if (hosts.smtp === undefined) return undefined;
  const { host, port, security } = hosts.smtp;
  const open =
    security === 'tls'
      ? `smtplib.SMTP_SSL("${host}", ${port}, context=TLS)`
      : `smtplib.SMTP("${host}", ${port})\nsmtp.starttls(context=TLS)`;
  return `smtp = ${open}
smtp.ehlo()
print("SMTP", smtp.auth("XOAUTH2", lambda challenge=None: xoauth2(${quotedAsJson(users.send)}), initial_response_ok=True))
smtp.quit()
`;
}
