import { type ExportClient, escaped } from './client.ts';

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
