import type { MailHost, Protocol } from '../core/cloud.ts';
import { type ExportClient, type ExportValues, shellLine } from './client.ts';

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
