import { type ExportClient, escaped } from './client.ts';

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
