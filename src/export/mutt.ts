import type { MailHost } from '../core/cloud.ts';
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
