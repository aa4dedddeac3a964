import { type ExportClient, escaped, shellLine } from './client.ts';

export const mbsync: ExportClient = {
  name: 'mbsync',
  title: 'mbsync (isync)',
  speaks: ['imap'],
  notes: [
    '~/.mbsyncrc. isync 1.4; from 1.5 on SSLType is called TLSType, and a Channel has Far and Near as here.',
    'Needs a SASL plugin for XOAUTH2: libsasl2-modules-kdexoauth2 (Debian), cyrus-sasl-xoauth2 (others).',
  ],
  render: (values) => {
    const { imap } = values.hosts;
    if (imap === undefined) return '';
    const name = escaped(values.mailbox);
    return `IMAPAccount "${name}"
Host ${imap.host}
Port ${imap.port}
User "${escaped(values.users.read)}"
PassCmd "${escaped(shellLine(values))}"
AuthMechs XOAUTH2
SSLType ${imap.security === 'tls' ? 'IMAPS' : 'STARTTLS'}

IMAPStore "${name}-remote"
Account "${name}"

MaildirStore "${name}-local"
Path "~/Mail/${name}/"
Inbox "~/Mail/${name}/INBOX"
SubFolders Verbatim

Channel "${name}"
Far ":${name}-remote:"
Near ":${name}-local:"
Patterns *
Create Near
SyncState *
`;
  },
};
