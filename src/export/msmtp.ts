import { type ExportClient, shellLine } from './client.ts';

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
