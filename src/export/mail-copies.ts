import type { MailHost } from '../core/cloud.ts';
import { type ExportClient, escaped, posixWord, shellLine } from './client.ts';

/** A server that does not wait for a name may begin with TLS at once or after the greeting; for POP getmail knows only the first. */
function getmailRetriever(imap: MailHost | undefined, pop: MailHost | undefined): string {
  if (imap !== undefined) return `SimpleIMAP${imap.security === 'tls' ? 'SSL' : ''}Retriever`;
  return `SimplePOP3${pop?.security === 'tls' ? 'SSL' : ''}Retriever`;
}

export const getmail: ExportClient = {
  name: 'getmail',
  title: 'getmail 6',
  unixOnly: true,
  speaks: ['imap', 'pop'],
  notes: [
    '~/.config/getmail/getmailrc. IMAP: any getmail 6. POP (where the set-up has no IMAP): 6.19.11 or newer.',
    'The folder of the destination must exist: mkdir -p ~/Mail/inbox/cur ~/Mail/inbox/new ~/Mail/inbox/tmp',
  ],
  render: (values) => {
    const { imap, pop } = values.hosts;
    const server = imap ?? pop;
    if (server === undefined) return '';
    // A tuple of Python, which getmail evaluates.
    const words = values.command.map((word) => `"${escaped(word)}"`).join(', ');
    return `[retriever]
type = ${getmailRetriever(imap, pop)}
server = ${server.host}
port = ${server.port}
username = ${values.users.read}
use_xoauth2 = True
password_command = (${words})
${imap === undefined ? '' : 'mailboxes = ("INBOX",)\n'}
[destination]
type = Maildir
path = ~/Mail/inbox/

[options]
read_all = False
delete = False
`;
  },
};

export const mpop: ExportClient = {
  name: 'mpop',
  title: 'mpop',
  unixOnly: true,
  speaks: ['pop'],
  notes: [
    '~/.mpoprc, mode 0600. mpop 1.4.18 was tried. It leaves the messages on the server: without "keep on" it deletes them there.',
    'The folder must exist: mkdir -p ~/Mail/inbox/cur ~/Mail/inbox/new ~/Mail/inbox/tmp',
  ],
  longestLine: 500,
  render: (values) => {
    const { pop } = values.hosts;
    if (pop === undefined) return '';
    return `account mailauth
host ${pop.host}
port ${pop.port}
tls on
tls_starttls ${pop.security === 'starttls' ? 'on' : 'off'}
auth xoauth2
user "${values.users.read}"
passwordeval "${shellLine(values)}"
delivery maildir ~/Mail/inbox
keep on

account default : mailauth
`;
  },
};

export const mbsync: ExportClient = {
  name: 'mbsync',
  title: 'mbsync (isync)',
  unixOnly: true,
  speaks: ['imap'],
  notes: [
    '~/.mbsyncrc. isync 1.4; from 1.5 on SSLType is called TLSType, and a Channel has Far and Near as here.',
    'Needs a SASL plugin for XOAUTH2: libsasl2-modules-kdexoauth2 (Debian), cyrus-sasl-xoauth2 (others).',
  ],
  longestLine: 1022,
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
  unixOnly: true,
  speaks: ['imap'],
  notes: [
    '~/.offlineimaprc. It asks for oauth2_request_url although the token comes from the command.',
    'It runs the command once a process: start it anew for each run (offlineimap -o, by cron or a timer). With autorefresh or',
    'IDLE its token ends after an hour. Versions with its change #244 (May 2026) run the command again; they were not tried.',
  ],
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

/**
 * imapsync reads the file at each sign-in again. A token can end while it runs, so the loop keeps the file fresh until imapsync ends.
 */
export const imapsync: ExportClient = {
  name: 'imapsync',
  title: 'imapsync',
  unixOnly: true,
  speaks: ['imap'],
  notes: [
    'A script for sh: sh sync.sh --host2 mail.example.org --user2 helpdesk --passfile2 /path/to/file (the other side is yours).',
    'Tried by hand with imapsync 2.229; Debian has no package, so the tests of mailauth do not run it.',
    'imapsync does not check certificates unless it is told to, as here.',
  ],
  render: (values) => {
    const { imap } = values.hosts;
    if (imap === undefined) return '';
    return `set -eu
umask 077
token=$(mktemp)
fresh() { ${shellLine(values)} > "$token.new" && mv "$token.new" "$token"; }
fresh
while sleep 300; do fresh || true; done > /dev/null 2>&1 &
trap 'kill $! 2> /dev/null || true; rm -f "$token" "$token.new"' EXIT
imapsync --host1 ${posixWord(imap.host)} --port1 ${imap.port} ${imap.security === 'tls' ? '--ssl1' : '--tls1'} \\
  --sslargs1 SSL_verify_mode=1 --sslargs1 SSL_verifycn_scheme=imap \\
  --user1 ${posixWord(values.users.read)} --oauthaccesstoken1 "$token" "$@"
`;
  },
};
