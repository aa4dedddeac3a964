import { pbkdf2Sync } from 'node:crypto';
import type { MailHost } from '../core/cloud.ts';
import { type ExportClient, type ExportValues, posixLine, posixWord } from './client.ts';

/**
 * Dovecot signs in at Exchange for programs that only know a password (proxy, `proxy_mech=xoauth2`). It compares the local password itself
 * (passwd-file); checkpassword only adds the token. It is a Dovecot of its own, with its own folders: another one on the machine stays as it is.
 * Its `ssl_ca` is what it checks the certificate and the name of the server against; `ssl_client_ca_file` is not used for a proxy (2.3.19).
 */
export const dovecot: ExportClient = {
  name: 'dovecot',
  title: 'Dovecot, an IMAP server with a password of your own',
  unixOnly: true,
  speaks: ['imap'],
  localPassword: true,
  notes: [
    'A script for sh, to be run as root: mailauth export dovecot | sudo sh. It may be run again, also for another mailbox of the same',
    'MAILAUTH_HOME. Dovecot 2.3 (dovecot-core and dovecot-imapd of Debian); 2.3.19 was tried, 2.4 has other settings.',
    'Programs sign in at 127.0.0.1, port 143, with the address of the mailbox and a local password; this Dovecot signs in at Microsoft. It',
    'runs as the user whom MAILAUTH_HOME belongs to. IMAP only: for POP Dovecot sends XOAUTH2 in one line, and Exchange wants two.',
    'Do not switch on auth_debug: it writes tokens into the log.',
  ],
  render: (values) => {
    const { imap } = values.hosts;
    if (imap === undefined) return '';
    const name = localName(values.mailbox);
    return `(
set -eu
umask 022
folder=/etc/dovecot/mailauth
home=${posixWord(values.home)}
owner=$(ls -ld "$home" | awk '{ print $3 }')
mkdir -p "$folder/mailboxes"

# The authorities that the server's certificate is checked against.
authorities=
for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
  if [ -z "$authorities" ] && [ -r "$file" ]; then authorities=$file; fi
done
${authorities(values)}
# Postfix, where there is one, may ask this Dovecot whether a password is right (smtpd_sasl_path=private/mailauth-sasl).
postfix=
if postconf -h mail_owner > /dev/null 2>&1; then
  postfix="unix_listener $(postconf -h queue_directory)/private/mailauth-sasl {
    mode = 0600
    user = $(postconf -h mail_owner)
  }"
fi

cat > "$folder/dovecot.conf" <<END
${configuration}END

# Called when the password was right: the token and the server for the proxy.
cat > "$folder/checkpassword" <<END
${checkpassword}END
chmod 755 "$folder/checkpassword"

cat > "$folder/mailboxes/${name}" <<'END'
${mailboxFile(imap, values)}END

# Local passwords, one line a mailbox.
touch "$folder/users"
chmod 600 "$folder/users"
${passwords(name, values)}chown "$owner" "$folder/users"

doveconf -c "$folder/dovecot.conf" > /dev/null
echo "Start it: dovecot -c $folder/dovecot.conf (a unit for systemd is in docs/server.md); after a change: kill -HUP \\$(cat /run/mailauth-dovecot/master.pid)"
)
`;
  },
};

/** Dovecot takes only these characters in a user name (auth_username_chars); the name is that of a file, too. */
const localName = (mailbox: string): string => mailbox.replace(/[^a-z0-9.@_-]/g, (c) => `_${c.codePointAt(0)?.toString(16)}`);

const authorities = ({ authorities: file }: ExportValues): string =>
  file === undefined
    ? ''
    : `# NODE_EXTRA_CA_CERTS is set: run this again when one of the two files has changed.
cat "$authorities" ${posixWord(file)} > "$folder/authorities.pem"
authorities=$folder/authorities.pem
`;

const configuration = `base_dir = /run/mailauth-dovecot
state_dir = /run/mailauth-dovecot/state
instance_name = mailauth
protocols = imap
# For other machines: listen = *, and a certificate of your own; without TLS Dovecot takes passwords from this machine alone.
listen = 127.0.0.1
ssl = no
#ssl = yes
#ssl_cert = </etc/dovecot/private/dovecot.pem
#ssl_key = </etc/dovecot/private/dovecot.key
ssl_ca = <$authorities
ssl_require_crl = no
auth_mechanisms = plain login
passdb {
  driver = passwd-file
  args = $folder/users
  result_success = continue-ok
  result_failure = return-fail
  result_internalfail = return-fail
}
passdb {
  driver = checkpassword
  args = $folder/checkpassword
  result_failure = return-fail
  result_internalfail = return-fail
}
service auth {
  user = $owner
  # Node.js reserves more than the 256 MB that Dovecot allows.
  vsz_limit = 2G
  $postfix
}
service imap-login {
  # The proxy stays in this process for as long as the connection lasts.
  service_count = 0
  inet_listener imap {
    port = 143
  }
  inet_listener imaps {
    port = 0
  }
}
`;

/** In the here-document the shell fills in $folder; the other dollar signs are the inner script's own. */
const checkpassword = `#!/bin/sh
set -eu
PATH=/usr/local/bin:/usr/bin:/bin
export PATH
# Name and password, which the passwd-file has checked: Dovecot refuses the sign-in where nobody reads them.
cat <&3 >/dev/null
if [ "\\$SERVICE" = imap ]; then
  . "$folder/mailboxes/\\$AUTH_USER"
  pass=\\$(token) || exit 111
  proxy=y proxy_mech=xoauth2 EXTRA="proxy proxy_mech host port \\$tls destuser pass"
  export proxy proxy_mech host port "\\$tls=yes" destuser pass EXTRA
fi
exec "\\$@"
`;

const mailboxFile = ({ host, port, security }: MailHost, { users, command }: ExportValues): string => `host=${posixWord(host)}
port=${port}
tls=${security === 'tls' ? 'ssl' : 'starttls'}
destuser=${posixWord(users.read)}
token() { ${posixLine(command)}; }
`;

function passwords(name: string, { passwordHash }: ExportValues): string {
  if (passwordHash === undefined) {
    return `if ! grep -q '^${name}:' "$folder/users"; then
  echo "Make a local password: (printf '%s:' '${name}'; doveadm pw -s SHA512-CRYPT) >> $folder/users"
fi
`;
  }
  return `sed -i '/^${name.replaceAll('.', '\\.')}:/d' "$folder/users"
echo '${name}:${passwordHash}' >> "$folder/users"
`;
}

/** Dovecot's scheme PBKDF2: version, salt, rounds, and 20 bytes of HMAC-SHA1 in hexadecimal. */
export function passwdFileHash(password: string, salt: Buffer, rounds = 100_000): string {
  const text = salt.toString('hex');
  return `{PBKDF2}$1$${text}$${rounds}$${pbkdf2Sync(password, text, rounds, 20, 'sha1').toString('hex')}`;
}
