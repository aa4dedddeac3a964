import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';

/**
 * A private Dovecot 2.3 with IMAP, POP3 and XOAUTH2 only, as Exchange offers it. It checks tokens by itself (RS256 against
 * the public keys it was given), so a login passes through no code of ours. As root it runs as nobody.
 *
 * A token it accepts (`signToken`) is a JWT with
 * - header `alg: RS256`, `kid` of a key added by `addKey` (`DovecotOptions.keys`, or the rig's own `key`);
 * - `iss` one of `issuers`; `aud` `https://outlook.office.com`; `sub` anything;
 * - `iat` and `nbf` not in the future, `exp` in the future;
 * - `upn` equal (in lower case) to the SASL user: the owner of the mailbox;
 * - no `azp` (Exchange's tokens have `appid`).
 * A key added while it runs works at once. A key replaced under the same `kid` is not noticed: use a new `kid`.
 */
export interface Dovecot {
  readonly ports: {
    readonly imap: number;
    readonly imaps: number;
    readonly pop3: number;
    readonly pop3s: number;
    /** its SASL service, for a Postfix beside it */
    readonly sasl: number;
  };
  readonly dir: string;
  /** PEM of its own authority, for NODE_EXTRA_CA_CERTS or `createNetwork({ ca })`; `caFile` is where it lies */
  readonly ca: string;
  readonly caFile: string;
  /** signs by default */
  readonly key: SigningKey;
  readonly issuer: string;
  addKey(key: SigningKey): Promise<void>;
  /** puts messages into an INBOX */
  deliver(user: string, count: number): Promise<void>;
  /** number of messages still marked \Recent: those that no SELECT has seen */
  recent(user: string): Promise<number>;
  /** why it refused; contains the (worthless) tokens */
  log(): Promise<string>;
  stop(): Promise<void>;
}

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface DovecotOptions {
  /** short: Unix socket paths end at 108 bytes. Default: a folder of its own below the temporary folder */
  readonly dir?: string;
  /** accepted `iss` values; the first is `Dovecot.issuer` */
  readonly issuers?: readonly string[];
  /** more keys, for a fake Entra that signs by itself */
  readonly keys?: readonly SigningKey[];
}

export const mailAudience = 'https://outlook.office.com';
const program = '/usr/sbin/dovecot';
const pop3 = '/usr/lib/dovecot/pop3-login';
const defaultIssuer = 'https://sts.windows.net/11111111-1111-1111-1111-111111111111/';

/** An RSA key of 2048 bits. */
export function signingKey(kid: string): SigningKey {
  return { kid, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) };
}

/** RS256 (RFC 7515). Claims as they are given; see `exchangeClaims`. */
export function signToken(claims: object, key: SigningKey): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ typ: 'JWT', alg: 'RS256', kid: key.kid })}.${part(claims)}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(key.privateKey, 'base64url')}`;
}

/** The claims of a delegated Exchange token (v1.0) of one hour for `upn`. */
export function exchangeClaims(upn: string, issuer: string = defaultIssuer): Record<string, string | number> {
  const now = Math.floor(Date.now() / 1000);
  return {
    aud: mailAudience,
    iss: issuer,
    iat: now - 60,
    nbf: now - 60,
    exp: now + 3600,
    appid: '22222222-2222-2222-2222-222222222222',
    scp: 'IMAP.AccessAsUser.All POP.AccessAsUser.All SMTP.Send',
    sub: 'subject',
    tid: '11111111-1111-1111-1111-111111111111',
    upn,
    ver: '1.0',
  };
}

/** Starts it and waits until both ports greet. Throws when Dovecot is not installed or does not start. */
export async function startDovecot({ dir: wanted, issuers = [defaultIssuer], keys = [] }: DovecotOptions = {}): Promise<Dovecot> {
  for (const file of [program, pop3]) {
    if (!existsSync(file)) throw new Error(`${file} is missing: apt-get install dovecot-imapd dovecot-pop3d`);
  }
  const dir = wanted ?? (await mkdtemp(join(tmpdir(), 'dovecot-')));
  const owner = ownerOfProcess();
  for (const folder of ['run', 'state', 'mail', 'keys/default/RS256', 'certs']) await mkdir(join(dir, folder), { recursive: true });
  makeCertificates(join(dir, 'certs'));
  const ports = {
    imap: await freePort(),
    imaps: await freePort(),
    pop3: await freePort(),
    pop3s: await freePort(),
    sasl: await freePort(),
  };
  const key = signingKey('rig');
  const addKey = ({ kid, publicKey }: SigningKey): Promise<void> =>
    writeFile(join(dir, 'keys/default/RS256', escapeKid(kid)), publicKey.export({ type: 'spki', format: 'pem' }));
  for (const one of [key, ...keys]) await addKey(one);
  await writeFile(join(dir, 'oauth2.conf'), oauthConfiguration(dir, issuers));
  await writeFile(join(dir, 'dovecot.conf'), configuration(dir, owner, ports));
  if (owner.drop) execFileSync('chown', ['-R', `${owner.uid}:${owner.gid}`, dir]);

  const child = launch(dir, owner);
  const log = async (): Promise<string> => (existsSync(join(dir, 'dovecot.log')) ? readFile(join(dir, 'dovecot.log'), 'utf8') : '');
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      // SIGTERM takes a second, SIGQUIT none.
      child.kill('SIGQUIT');
      await gone;
    }
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await Promise.all([greets(ports.imap, child), answers(ports.imaps, child), greets(ports.pop3, child), answers(ports.pop3s, child)]);
  } catch (cause) {
    const why = await log();
    await stop();
    throw new Error(`dovecot did not start: ${why}`, { cause });
  }

  const inbox = (user: string, folder: string): string => join(dir, 'mail', user.toLowerCase(), folder);
  return {
    ports,
    dir,
    ca: await readFile(join(dir, 'certs/ca.crt'), 'utf8'),
    caFile: join(dir, 'certs/ca.crt'),
    key,
    issuer: issuers[0] ?? defaultIssuer,
    addKey,
    async deliver(user, count) {
      for (const folder of ['new', 'cur', 'tmp']) await mkdir(inbox(user, folder), { recursive: true });
      for (let i = 0; i < count; i++) {
        await writeFile(
          join(inbox(user, 'new'), `${Date.now()}.${process.pid}_${i}.rig`),
          `Subject: ${i}\r\nFrom: a@b.example\r\n\r\nhello\r\n`,
        );
      }
      if (owner.drop) execFileSync('chown', ['-R', `${owner.uid}:${owner.gid}`, join(dir, 'mail')]);
    },
    async recent(user) {
      return (await readdir(inbox(user, 'new'))).length;
    },
    log,
    stop,
  };
}

interface Owner {
  readonly name: string;
  readonly group: string;
  readonly uid: number;
  readonly gid: number;
  /** we are root and Dovecot must not be */
  readonly drop: boolean;
}

function ownerOfProcess(): Owner {
  const drop = process.getuid?.() === 0;
  const name = drop ? 'nobody' : userInfo().username;
  const id = (flag: string): string => execFileSync('id', [flag, name], { encoding: 'utf8' }).trim();
  return { name, group: id('-gn'), uid: Number(id('-u')), gid: Number(id('-g')), drop };
}

function launch(dir: string, owner: Owner): ChildProcess {
  const command = [program, '-F', '-c', join(dir, 'dovecot.conf')];
  const [file = program, ...args] = owner.drop
    ? ['setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups', ...command]
    : command;
  return spawn(file, args, { stdio: 'ignore' });
}

/** By the openssl command: an authority of that name (`ca.crt`, `ca.key`) and its certificate for localhost (`srv.crt`, `srv.key`). */
export function makeCertificates(dir: string, authorityName = 'mailauth test CA'): void {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '30', '-subj', `/CN=${authorityName}`, ...authority);
  openssl(
    'req',
    ...key,
    '-keyout',
    'srv.key',
    '-out',
    'srv.csr',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
  );
  openssl(
    'x509',
    '-req',
    '-in',
    'srv.csr',
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-out',
    'srv.crt',
    '-days',
    '29',
    '-copy_extensions',
    'copy',
  );
}

async function greets(port: number, child: ChildProcess): Promise<void> {
  await eventually(child, async () => {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'data', { signal: AbortSignal.timeout(2_000) });
    } finally {
      socket.destroy();
    }
  });
}

/** TLS waits for us to speak: that somebody listens is enough. */
async function answers(port: number, child: ChildProcess): Promise<void> {
  await eventually(child, async () => {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
    } finally {
      socket.destroy();
    }
  });
}

async function eventually(child: ChildProcess, attempt: () => Promise<void>): Promise<void> {
  const until = Date.now() + 10_000;
  for (;;) {
    try {
      return await attempt();
    } catch (cause) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > until) throw cause;
      await new Promise((done) => setTimeout(done, 25));
    }
  }
}

/** Dovecot escapes a kid before it looks for the file. */
function escapeKid(kid: string): string {
  return kid.replaceAll('%', '%25').replaceAll('/', '%2f');
}

function oauthConfiguration(dir: string, issuers: readonly string[]): string {
  return `introspection_mode = local
local_validation_key_dict = fs:posix:prefix=${dir}/keys/
username_attribute = upn
username_format = %Lu
issuers = ${issuers.join(' ')}
audience = ${mailAudience}
openid_configuration_url = https://localhost/.well-known/openid-configuration
`;
}

function configuration(dir: string, { name, group, uid, gid }: Owner, ports: Dovecot['ports']): string {
  return `base_dir = ${dir}/run
state_dir = ${dir}/state
instance_name = mailauth-test
protocols = imap pop3
listen = 127.0.0.1
log_path = ${dir}/dovecot.log
auth_verbose = yes
default_internal_user = ${name}
default_internal_group = ${group}
default_login_user = ${name}
first_valid_uid = 1
mail_location = maildir:${dir}/mail/%u
mail_uid = ${uid}
mail_gid = ${gid}
ssl = yes
ssl_cert = <${dir}/certs/srv.crt
ssl_key = <${dir}/certs/srv.key
disable_plaintext_auth = yes
# Exchange offers no OAUTHBEARER, which clients would prefer
auth_mechanisms = xoauth2
auth_failure_delay = 0 secs
auth_cache_size = 0
passdb {
  driver = oauth2
  mechanisms = xoauth2
  args = ${dir}/oauth2.conf
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${dir}/mail/%u
}
namespace inbox {
  inbox = yes
}
service anvil {
  chroot =
  # no growing delay after refused logins
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  inet_listener {
    address = 127.0.0.1
    port = ${ports.sasl}
  }
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${ports.imap}
  }
  inet_listener imaps {
    port = ${ports.imaps}
    ssl = yes
  }
}
service pop3-login {
  chroot =
  inet_listener pop3 {
    port = ${ports.pop3}
  }
  inet_listener pop3s {
    port = ${ports.pop3s}
    ssl = yes
  }
}
`;
}
