import type { MailHost, Protocol } from '../core/cloud.ts';
import { type ExportClient, type ExportValues, escaped, sections, serverUrl, shellLine } from './client.ts';

/** mutt and neomutt read the same lines; a muttrc expands `$` and backquotes inside double quotes. */
export const mutt: ExportClient = {
  name: 'mutt',
  title: 'mutt and neomutt',
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
  speaks: ['imap', 'smtp'],
  notes: ['~/.config/aerc/accounts.conf, mode 0600. aerc 0.9 or newer.'],
  render: (values) => {
    const { imap, smtp } = values.hosts;
    const lines = [
      `[${values.mailbox}]`,
      ...(imap === undefined ? [] : [`source = ${url('imap', imap, values)}`, `source-cred-cmd = ${shellLine(values)}`, 'default = INBOX']),
      ...(smtp === undefined ? [] : [`outgoing = ${url('smtp', smtp, values)}`, `outgoing-cred-cmd = ${shellLine(values)}`]),
      `from = <${values.mailbox}>`,
    ];
    return `${lines.join('\n')}\n`;
  },
};

/** aerc's `imap://` and `smtp://` begin with STARTTLS; the ones without TLS are called `+insecure`. */
function url(protocol: Protocol, { host, port, security }: MailHost, { users }: ExportValues): string {
  return `${protocol}${security === 'tls' ? 's' : ''}+xoauth2://${encodeURIComponent(protocol === 'smtp' ? users.send : users.read)}@${host}:${port}`;
}

export const msmtp: ExportClient = {
  name: 'msmtp',
  title: 'msmtp',
  speaks: ['smtp'],
  notes: ['~/.msmtprc, mode 0600. msmtp 1.8.4 or newer.'],
  render: (values) => {
    const { smtp } = values.hosts;
    if (smtp === undefined) return '';
    return `account ${values.mailbox}
host ${smtp.host}
port ${smtp.port}
tls on
tls_starttls ${smtp.security === 'starttls' ? 'on' : 'off'}
auth xoauth2
user ${values.users.send}
from ${values.mailbox}
passwordeval "${shellLine(values)}"

account default : ${values.mailbox}
`;
  },
};
