import type { MailHost, Protocol } from '../core/cloud.ts';
import { type ExportClient, type ExportValues, escaped, posixLine, quotedAsJson, sections, serverUrl, shellLine } from './client.ts';

/** mutt and neomutt read the same lines; a muttrc expands `$` and backquotes inside double quotes. */
export const mutt: ExportClient = {
  name: 'mutt',
  title: 'mutt and neomutt',
  unixOnly: true,
  speaks: ['imap', 'smtp'],
  notes: ['~/.muttrc, or ~/.config/neomutt/neomuttrc. mutt 2.0, neomutt 20220429 or newer.'],
  render: (values) => {
    const { imap, smtp } = values.hosts;
    return sections(`set from = "${quoted(values.mailbox)}"\n`, imap && reading(values, imap), smtp && sending(values, smtp));
  },
};

const quoted = (text: string): string => escaped(text, '$`');

function reading(values: ExportValues, imap: MailHost): string {
  return `set imap_user = "${quoted(values.users.read)}"
set imap_authenticators = "xoauth2"
set imap_oauth_refresh_command = "${quoted(shellLine(values))}"
set ssl_force_tls = yes
set folder = "${serverUrl('imap', imap)}/"
set spoolfile = "+INBOX"
`;
}

function sending(values: ExportValues, smtp: MailHost): string {
  const { host, port, security } = smtp;
  return `set smtp_url = "${security === 'tls' ? 'smtps' : 'smtp'}://${quoted(encodeURIComponent(values.users.send))}@${host}:${port}/"
set smtp_authenticators = "xoauth2"
set smtp_oauth_refresh_command = "${quoted(shellLine(values))}"
set ssl_starttls = yes
set ssl_force_tls = yes
`;
}

export const aerc: ExportClient = {
  name: 'aerc',
  title: 'aerc',
  unixOnly: true,
  speaks: ['imap', 'smtp'],
  notes: ['~/.config/aerc/accounts.conf, mode 0600. aerc 0.13 or newer, whose changelog has "Restored XOAUTH2 support".'],
  render: (values) => {
    const { imap, smtp } = values.hosts;
    const lines = [
      `[${values.mailbox}]`,
      ...(imap === undefined
        ? []
        : [`source = ${url('imap', imap, values)}`, `source-cred-cmd = ${iniValue(shellLine(values))}`, 'default = INBOX']),
      ...(smtp === undefined ? [] : [`outgoing = ${url('smtp', smtp, values)}`, `outgoing-cred-cmd = ${iniValue(shellLine(values))}`]),
      `from = ${iniValue(`<${values.mailbox}>`)}`,
    ];
    return `${lines.join('\n')}\n`;
  },
};

/** aerc's reader (go-ini) ends a value at any # or ;, except between backquotes, of which it takes the last one as the end. */
const iniValue = (text: string): string => (/[#;"'`\\]/.test(text) ? `\`${text}\`` : text);

/** aerc's `imap://` and `smtp://` begin with STARTTLS; the ones without TLS are called `+insecure`. */
function url(protocol: Protocol, { host, port, security }: MailHost, { users }: ExportValues): string {
  return `${protocol}${security === 'tls' ? 's' : ''}+xoauth2://${encodeURIComponent(protocol === 'smtp' ? users.send : users.read)}@${host}:${port}`;
}

export const msmtp: ExportClient = {
  name: 'msmtp',
  title: 'msmtp',
  unixOnly: true,
  speaks: ['smtp'],
  notes: ['~/.msmtprc, mode 0600. msmtp 1.8.4 or newer.'],
  longestLine: 500,
  render: (values) => {
    const { smtp } = values.hosts;
    if (smtp === undefined) return '';
    const name = values.mailbox.replace(/[^\w@.+-]/g, '_');
    return `account ${name}
host ${smtp.host}
port ${smtp.port}
tls on
tls_starttls ${smtp.security === 'starttls' ? 'on' : 'off'}
auth xoauth2
user "${values.users.send}"
from "${values.mailbox}"
passwordeval "${shellLine(values)}"

account default : ${name}
`;
  },
};

export const himalaya: ExportClient = {
  name: 'himalaya',
  title: 'himalaya 2',
  speaks: ['imap', 'smtp'],
  notes: [
    '~/.config/himalaya/config.toml. Version 2.0 or newer; 1.x has other keys. Written from its config.sample.toml and not run: Debian',
    'has no package of it.',
  ],
  render: (values) => {
    const { imap, smtp } = values.hosts;
    const backend = (protocol: 'imap' | 'smtp', server: MailHost, user: string) => [
      `${protocol}.server = ${quotedAsJson(serverUrl(protocol, server))}`,
      ...(server.security === 'starttls' ? [`${protocol}.starttls = true`] : []),
      `${protocol}.sasl.xoauth2.username = ${quotedAsJson(user)}`,
      `${protocol}.sasl.xoauth2.token.command = [${values.command.map(quotedAsJson).join(', ')}]`,
    ];
    const lines = [
      `[accounts.${quotedAsJson(values.mailbox)}]`,
      'default = true',
      ...(imap === undefined ? [] : backend('imap', imap, values.users.read)),
      ...(smtp === undefined ? [] : backend('smtp', smtp, values.users.send)),
    ];
    return `${lines.join('\n')}\n`;
  },
};

/** git appends its own options and the recipients, and gives the line to sh (git-send-email(1), sendemail.sendmailCmd). */
export const git: ExportClient = {
  name: 'git',
  title: 'git send-email',
  unixOnly: true,
  speaks: ['smtp'],
  notes: ['~/.gitconfig, for git 2.33 or newer. The message goes out by mailauth send; on Debian the command is in the package git-email.'],
  sends: true,
  withoutAgent: 'sends by mailauth send, and the agent does not send',
  render: (values) => `[sendemail]
\tfrom = "${escaped(values.mailbox)}"
\tsendmailCmd = "${escaped(posixLine(values.sending))}"
`,
};
