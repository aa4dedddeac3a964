import { type ExportClient, escaped, shellLine } from './client.ts';

export const getmail: ExportClient = {
  name: 'getmail',
  title: 'getmail 6',
  speaks: ['imap'],
  notes: [
    '~/.config/getmail/getmailrc. getmail 6 reads IMAP this way; its POP has no XOAUTH2.',
    'The folder of the destination must exist: mkdir -p ~/Mail/inbox/cur ~/Mail/inbox/new ~/Mail/inbox/tmp',
  ],
  render: (values) => {
    const { imap } = values.hosts;
    if (imap === undefined) return '';
    // A tuple of Python, which getmail evaluates.
    const words = values.command.map((word) => `"${escaped(word)}"`).join(', ');
    return `[retriever]
type = SimpleIMAP${imap.security === 'tls' ? 'SSL' : ''}Retriever
server = ${imap.host}
port = ${imap.port}
username = ${values.users.read}
use_xoauth2 = True
password_command = (${words})
mailboxes = ("INBOX",)

[destination]
type = Maildir
path = ~/Mail/inbox/

[options]
read_all = False
delete = False
`;
  },
};

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

export const offlineimap: ExportClient = {
  name: 'offlineimap',
  title: 'OfflineIMAP 3',
  speaks: ['imap'],
  notes: ['~/.offlineimaprc. It asks for oauth2_request_url although the token comes from the command.'],
  render: (values) => {
    const { imap } = values.hosts;
    if (imap === undefined) return '';
    const words = values.command.map((word) => `"${escaped(interpolated(word))}"`).join(', ');
    return `[general]
accounts = mailauth

[Account mailauth]
localrepository = local
remoterepository = remote

[Repository local]
type = Maildir
localfolders = ~/Mail/${interpolated(values.mailbox)}

[Repository remote]
type = IMAP
remotehost = ${imap.host}
remoteport = ${imap.port}
remoteuser = ${interpolated(values.users.read)}
ssl = ${imap.security === 'tls' ? 'yes' : 'no'}
starttls = ${imap.security === 'starttls' ? 'yes' : 'no'}
sslcacertfile = OS-DEFAULT
auth_mechanisms = XOAUTH2
oauth2_request_url = https://login.microsoftonline.com/common/oauth2/v2.0/token
oauth2_access_token_eval = __import__("subprocess").check_output([${words}], text=True).strip()
`;
  },
};

/** Its parser replaces `%(name)s` and refuses any other single % (Python's configparser, BasicInterpolation). */
const interpolated = (text: string): string => text.replaceAll('%', '%%');
