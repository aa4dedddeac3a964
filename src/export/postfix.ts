import { type ExportClient, posixLine, posixWord } from './client.ts';

/**
 * A pipe transport (pipe(8)), so that Postfix's queue and its retries stand before `mailauth send`. Nothing of the mailbox or of paths stands in
 * master.cf, whose words have quotes of their own: they are in the small script that Postfix starts.
 */
export const postfix: ExportClient = {
  name: 'postfix',
  title: 'Postfix',
  unixOnly: true,
  speaks: ['smtp'],
  sends: true,
  withoutAgent: 'sends by mailauth send, and the agent does not send',
  notes: [
    'A script for sh, to be run as root: mailauth export postfix | sudo sh. It may be run again. Postfix 3.4 or newer; 3.7.11 was tried.',
    'For a machine that receives no mail from outside: from now on all mail that is not for its own users goes out through mailauth send,',
    'with Postfix’s queue before it. Postfix runs that as the user whom MAILAUTH_HOME belongs to, who may not be root. What',
    'main.cf and master.cf were before is kept beside them as *.before-mailauth.',
    'Nothing here lets other machines in: that stays what mynetworks and smtpd_relay_restrictions say (docs/server.md).',
  ],
  render: ({ mailbox, home, sending }) => `(
set -eu
home=${posixWord(home)}
owner=$(ls -ld "$home" | awk '{ print $3 }')
if [ "$owner" = root ]; then
  echo "Postfix runs no command as root, and $home belongs to root: set the mailbox up as another user." >&2
  exit 1
fi
folder=$(postconf -h config_directory)
for file in main.cf master.cf; do
  [ -e "$folder/$file.before-mailauth" ] || cp -p "$folder/$file" "$folder/$file.before-mailauth"
done

# What Postfix starts for each recipient: the sender and the recipient are its words, the message is its input.
# A code that it does not name here keeps the message in the queue: no network, a sign-in that has ended, a program that is not there.
cat > "$folder/mailauth-send" <<'END'
#!/bin/sh
code=0
${posixLine(sending)} -i -f "$1" -- "$2" || code=$?
case $code in
  0 | 64 | 65 | 67 | 69 | 77) exit "$code" ;;
  *) exit 75 ;;
esac
END
chmod 755 "$folder/mailauth-send"

# Three at once, which is what Exchange Online allows a mailbox.
postconf -M mailauth/unix="mailauth unix - n n - 3 pipe flags=q null_sender= user=$owner argv=$folder/mailauth-send \\\${sender} \\\${recipient}"

# Who may send. Add a line for each address that the mailbox may send as (Send As in Exchange); Postfix refuses all others at once.
[ -e "$folder/mailauth-senders" ] || echo "# Senders that Postfix takes: an address or a domain, and OK." > "$folder/mailauth-senders"
add_sender() { grep -qixF "$1 OK" "$folder/mailauth-senders" || printf '%s OK\\n' "$1" >> "$folder/mailauth-senders"; }
add_sender ${posixWord(mailbox)}

# Mail of this machine's own users (cron, root) goes out as the mailbox, because Exchange takes no other sender.
origin=$(postconf -xh myorigin)
case $origin in /*) read -r origin < "$origin" ;; esac
add_sender "$origin"
printf '@%s %s\\n' "$origin" ${posixWord(mailbox)} > "$folder/mailauth-origin"

# One recipient a delivery, so that one who is refused takes nobody else's message along. One call of postconf for all: it waits a second
# after each change.
postconf -e mailauth_destination_recipient_limit=1 default_transport=mailauth \\
  "smtpd_sender_restrictions=check_sender_access texthash:$folder/mailauth-senders, reject" \\
  "sender_canonical_maps=texthash:$folder/mailauth-origin"

postfix check
if postfix status 2> /dev/null; then postfix reload; fi
)
`,
};
