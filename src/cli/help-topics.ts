import { cloudNames, doubtOf, namedCloud, unverifiedWords } from '../core/cloud.ts';
import { type ChosenStore, chosenStores, defaultStore } from '../core/stores.ts';
import { anyOf } from '../core/text.ts';
import type { topics } from './tree.ts';

type Topic = (typeof topics)[number];

/** `mailauth help TOPIC`. */
export function topicText(topic: Topic): string {
  return { environment, 'exit-codes': exitCodes, clouds: cloudsText(), stores: storesText() }[topic];
}

const environment = `Environment variables. A flag wins over its variable.

  MAILAUTH_HOME            the one folder for everything mailauth writes (--home)
  MAILAUTH_MAILBOX         default of --mailbox and of the mailbox argument (status: all are listed)
  MAILAUTH_TENANT          default of --tenant
  MAILAUTH_CLIENT_ID       default of --client-id
  MAILAUTH_CLOUD           default of --cloud
  MAILAUTH_CLOUD_FILE      default of --cloud-file
  MAILAUTH_STORE           ${anyOf(chosenStores)}
                           a store that was asked for never falls back to another
  MAILAUTH_KEY_FILE        default of --key-file: 32 random bytes that open the store "file"
                           (mailauth store keygen FILE)
  MAILAUTH_PASSPHRASE_FILE, MAILAUTH_PASSPHRASE
                           open the store "file" without a question; a key file wins over both
  MAILAUTH_DATABASE_URL, MAILAUTH_DATABASE_URL_FILE
                           the database of the store "postgres": its address, or a file of
                           mode 0600 with it; its set-ups are known beside those of MAILAUTH_HOME
  MAILAUTH_GRAPH_TOKEN     a Graph token to register, rotate and delete with, instead of an
                           administrator's sign-in; stays in memory, is never stored
  MAILAUTH_EXCHANGE_TOKEN  an Exchange Online token for mailauth exchange, instead of an
                           administrator's sign-in; stays in memory, is never stored
  MAILAUTH_DEBUG           1: a log in MAILAUTH_HOME/debug.log, without secrets
  MAILAUTH_PLAIN           1: lines only follow each other and nothing is redrawn, as a screen
                           reader needs it; TERM=dumb does the same
  MAILAUTH_SHELL           posix, powershell or cmd: the shell that printed commands are for,
                           where mailauth does not find it out by itself
  BROWSER                  command that is run with the address as its last argument
  HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY
                           used for HTTP and for the mail protocols; the lower-case names win
  NODE_EXTRA_CA_CERTS      PEM file of a further certificate authority
  NODE_USE_SYSTEM_CA       1: what the system trusts is trusted too, such as Windows' own store
                           (Node.js 22.19, 24.6 or newer)
  NODE_TLS_REJECT_UNAUTHORIZED
                           ignored: mailauth always checks certificates; doctor warns of 0
  NODE_OPTIONS, NODE_DEBUG, SSLKEYLOGFILE
                           not mailauth's own; doctor warns where they let others read
                           tokens (--tls-keylog, --inspect, http …)
  NO_COLOR, FORCE_COLOR    colours; --no-color beats NO_COLOR beats FORCE_COLOR
  TERM, CI                 TERM=dumb: no colours, no questions; CI: no browser is opened

Read only, to find out where mailauth runs:

  DISPLAY, WAYLAND_DISPLAY, PATH
                           whether a browser can be opened, and with what
  SSH_CONNECTION, SSH_CLIENT, SSH_TTY, USER, LOGNAME
                           over SSH: no browser is opened, and which port to forward
  WSL_DISTRO_NAME, CODESPACES, KUBERNETES_SERVICE_HOST
                           the browser may be on another computer
  DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR
                           where the keychain of Linux and mailauth agent answer
  LISTEN_PID, LISTEN_FDS   systemd has handed a socket to mailauth agent
  CREDENTIALS_DIRECTORY    systemd: key and passphrase files in there may be its own
  PSModulePath, PROMPT, MSYSTEM
                           PowerShell, cmd or Git's own shell: commands to copy are quoted for it
  HOME, XDG_CONFIG_HOME, APPDATA, SYSTEMROOT, USERDOMAIN, USERNAME
                           where MAILAUTH_HOME is by default; the programs of Windows, its user

Node.js needs 1.2 GB of address space, from Node 24 on 1.7 GB, of which it uses a tenth. Under a
smaller limit (ulimit -v, LimitAS= of systemd, vsz_limit of Dovecot: set 2G) it dies with exit 133
or 134 before mailauth can say why. mailauth doctor shows the limit in force.
`;

const exitCodes = `Exit codes.

  0    done, also where nothing was left to do
  1    something failed, or a test is red
  2    wrong usage
  3    an answer is needed but prompts are off; the message names the flag
  4    sign-in needed: no token, expired, revoked
  5    temporary: network, throttling, server error; a retry may help
  6    not allowed: consent, policy, protocol switched off; an administrator must act
  7    no usable secret store
  129  stopped, because the terminal was closed (SIGHUP)
  130  stopped with Ctrl-C or Ctrl-D (SIGINT)
  143  stopped by the system (SIGTERM)

mailauth send ends with the codes of sysexits.h, which callers of sendmail know:

    0    a server has the message
    64   wrong usage
    65   the message is at fault: its header, its size
    67   a recipient is refused; the message names them, and who has it
    69   refused for good
    75   later: network, throttling, a disk that is full. Nobody has it, unless the
         message says that the answer of the server was lost
    77   this mailbox may not send as this address
    78   not set up, or a sign-in is needed
`;

const storeText: Readonly<Record<ChosenStore, string>> = {
  keychain: `(default) entries of the operating system's keychain, service "mailauth":
Secret Service (GNOME Keyring, KWallet, KeePassXC) on Linux, Keychain on
macOS, Credential Manager on Windows. Tested with a random entry before any
browser opens; when it is locked or missing, mailauth ends with exit 7
and says what to do. On a terminal setup asks where the tokens are kept
instead. It never falls back to a file by itself.`,
  file: `one sealed file, MAILAUTH_HOME/secrets.sealed, for servers and containers:
AES-256-GCM, mode 0600, written whole or not at all. What opens it, the first
that is set:
  MAILAUTH_KEY_FILE         32 random bytes: mailauth store keygen FILE
  the key file that setup has made for this MAILAUTH_HOME, outside of it: its
                            path is in home.json
  MAILAUTH_PASSPHRASE_FILE  one line; stretched with scrypt, half a second each time
  MAILAUTH_PASSPHRASE       the same, from the environment
  a question, on a terminal
The sealed file, key file and passphrase file must belong to the user who runs
mailauth, and nobody else may read them (chmod 600; on Windows an access list,
which store keygen sets and doctor looks at). Two places are taken as a
service manager makes them, as long as nobody else can change them:
  systemd   LoadCredential=mailauth-key:/etc/mailauth/key
            Environment=MAILAUTH_STORE=file MAILAUTH_KEY_FILE=%d/mailauth-key
            (under $CREDENTIALS_DIRECTORY: 0400, or 0440 by an access list)
  Docker    docker secret create mailauth-key /etc/mailauth/key
            MAILAUTH_KEY_FILE=/run/secrets/mailauth-key
            (under /run/secrets: 0444; only the container can read it)
Kubernetes: mount the secret with defaultMode: 0400.
When the file is damaged, mailauth ends with exit 7 and leaves it as it is. A copy
is kept beside it, which only "mailauth store restore" opens, after asking.`,
  postgres: `PostgreSQL (13 or newer), for several machines with the same mailboxes: each
sees every set-up, and a token is renewed once over all of them.
  MAILAUTH_DATABASE_URL     postgresql://USER:PASSWORD@HOST/DATABASE, or
  MAILAUTH_DATABASE_URL_FILE
                            a file of mode 0600 with that line
  MAILAUTH_KEY_FILE         seals every secret before it leaves this machine:
                            the same key file on each
"mailauth store init" makes the schema "mailauth" there. The address alone makes
its set-ups known beside those of MAILAUTH_HOME; new ones go there with
--store postgres. TLS is checked always (?sslrootcert=FILE adds an authority);
without TLS it connects on this computer alone. When the database is away,
mailauth ends with exit 5 and uses no other store in its place.`,
};

function storesText(): string {
  const width = Math.max(...chosenStores.map((name) => name.length)) + 3;
  const rows = chosenStores.map((name) => `  ${name.padEnd(width)}${storeText[name].replaceAll('\n', `\n${' '.repeat(width + 2)}`)}`);
  return `Where tokens and client secrets are kept.

${rows.join('\n\n')}

Which one: --store, MAILAUTH_STORE, else the one the mailbox was set up with, else ${defaultStore}.
mailauth store move ${chosenStores.join('|')} moves everything and proves it before it deletes.

Everything that is not secret is readable JSON under MAILAUTH_HOME.
Without a keychain the sandbox keeps its worthless secrets in a file of its own folder.
`;
}

function cloudsText(): string {
  const rows = cloudNames.map((name) => {
    const c = namedCloud(name);
    const unverified = unverifiedWords(c);
    const doubt = doubtOf(c)?.replace(': other', ':\n             other');
    const mark = unverified === undefined ? '' : `   (${unverified})`;
    return `  ${name.padEnd(11)}${c.login}${mark}\n${' '.repeat(13)}IMAP ${c.imap.host}, SMTP ${c.smtp.host}\n${' '.repeat(13)}scopes ${c.outlookScopeBase}/…${doubt === undefined ? '' : `\n${' '.repeat(13)}${doubt}`}`;
  });
  return `Microsoft's clouds, for --cloud. GCC (not High) uses public.

${rows.join('\n')}

A cloud file (--cloud-file FILE) describes any other, for example a laboratory:

{
  "name": "lab",
  "login": "https://localhost:8443",
  "graph": "https://localhost:8443/graph",
  "portal": "https://entra.microsoft.com",
  "outlookScopeBase": "https://outlook.office.com",
  "imap": { "host": "localhost", "port": 10993, "security": "tls" },
  "pop":  { "host": "localhost", "port": 10995, "security": "tls" },
  "smtp": { "host": "localhost", "port": 10587, "security": "starttls" }
}

"login" must be https; NODE_EXTRA_CA_CERTS adds a certificate authority. "security" is tls
or starttls, never none. "exchangeAdmin" may be left out (https://outlook.office365.com):
mailauth exchange calls <exchangeAdmin>/adminapi/beta/TENANT/InvokeCommand.
`;
}
