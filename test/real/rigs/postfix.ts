import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import type { Dovecot } from './dovecot.ts';

/** A real submission server of our own: Postfix, which asks that Dovecot whether a token is good, and keeps what it takes in files, delivered to nobody. Needs root. */
export interface Postfix {
  readonly ports: { readonly submission: number; readonly smtps: number };
  /** the bytes of each message that it took, as its pipe transport delivers them: line ends are LF, and Received stands on top */
  kept(): Promise<readonly Buffer[]>;
  /** what it logged so far: `sasl_username=`, `message-id=`, `status=sent` */
  log(): Promise<string>;
  stop(): Promise<void>;
}

/** Tokens of Entra are longer than Postfix's usual line. */
const lineLimit = 16_384;

export async function startPostfix(dovecot: Dovecot): Promise<Postfix> {
  if (!existsSync('/usr/sbin/postfix')) throw new Error('postfix is missing: apt-get install postfix');
  if (process.getuid?.() !== 0) throw new Error('postfix starts only as root');
  const dir = await mkdtemp(join(tmpdir(), 'postfix-'));
  // Its daemons are other users.
  await chmod(dir, 0o755);
  for (const folder of ['etc', 'queue', 'data', 'kept']) await mkdir(join(dir, folder));
  await chmod(join(dir, 'kept'), 0o1777);
  execFileSync('chown', ['postfix', join(dir, 'data')]);
  const ports = { submission: await freePort(), smtps: await freePort() };
  await writeFile(join(dir, 'etc/main.cf'), settings(dir, dovecot));
  await writeFile(join(dir, 'etc/master.cf'), services(ports, dir));
  const log = async (): Promise<string> => readFile(join(dir, 'mail.log'), 'utf8').catch(() => '');
  const postfix = (word: string) => execFileSync('postfix', ['-c', join(dir, 'etc'), word], { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = async (): Promise<void> => {
    postfix('stop');
    await rm(dir, { recursive: true, force: true });
  };
  try {
    postfix('start');
  } catch (cause) {
    const why = await log();
    await rm(dir, { recursive: true, force: true });
    throw new Error(`postfix did not start: ${why}`, { cause });
  }
  const kept = async (): Promise<readonly Buffer[]> => {
    const names = await readdir(join(dir, 'kept'));
    return Promise.all(names.map((name) => readFile(join(dir, 'kept', name))));
  };
  return { ports, kept, log, stop };
}

function settings(dir: string, { dir: certificates, ports }: Dovecot): string {
  return `compatibility_level = 3.6
queue_directory = ${dir}/queue
data_directory = ${dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = ${dir}/mail.log
maillog_file_prefixes = ${dir}
mail_owner = postfix
setgid_group = postdrop
myhostname = localhost
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
mynetworks = 127.0.0.2/32
default_transport = keep
local_header_rewrite_clients =
relay_transport = keep
message_size_limit = 52428800
alias_maps =
local_recipient_maps =
line_length_limit = ${lineLimit}
smtpd_tls_cert_file = ${certificates}/certs/srv.crt
smtpd_tls_key_file = ${certificates}/certs/srv.key
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:${ports.sasl}
smtpd_sasl_security_options = noanonymous
smtpd_relay_restrictions = permit_sasl_authenticated,reject
smtpd_peername_lookup = no
smtpd_delay_reject = no
`;
}

function services({ submission, smtps }: Postfix['ports'], dir: string): string {
  return `127.0.0.1:${submission} inet n - n - - smtpd
127.0.0.1:${smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
tlsmgr unix - - n 1000? 1 tlsmgr
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
keep unix - n n - 10 pipe flags= user=nobody argv=/bin/dd status=none of=${dir}/kept/\${queue_id}
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;
}
