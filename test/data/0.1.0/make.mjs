// Made the files beside it, once, with the first edition: see README.md. `node test/data/0.1.0/make.mjs WORKTREE-OF-e137134`
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const worktree = process.argv[2];
if (!existsSync(join(worktree, 'dist/main.cjs'))) throw new Error('name the built worktree of e137134');
const program = join(worktree, 'bin/mailauth.js');
const temporary = mkdtempSync(join(tmpdir(), 'mailauth-0.1.0-'));

/** A home in a folder of that name, and a function that runs the first edition in it. */
function home(name, env) {
  const folder = join(temporary, name);
  mkdirSync(folder, { mode: 0o700 });
  const own = { PATH: process.env.PATH, HOME: folder, MAILAUTH_HOME: folder, MAILAUTH_STORE: 'file', ...env };
  const run = (words, exit = 0, more = {}) => {
    const ended = spawnSync(process.execPath, [program, ...words.split(' ')], { env: { ...own, ...more }, encoding: 'utf8' });
    if (ended.status !== exit) throw new Error(`mailauth ${words}: exit ${ended.status}\n${ended.stderr}`);
  };
  return { folder, env: own, run };
}

/** The keys of the sandbox's servers are made anew where they are missing, and private keys do not belong into a repository. */
function keep(name, { folder }) {
  for (const file of ['keys.json', 'ca.pem']) rmSync(join(folder, 'sandbox', file), { force: true });
  rmSync(join(folder, 'sandbox', 'locks'), { recursive: true, force: true });
  rmSync(join(here, name), { recursive: true, force: true });
  cpSync(folder, join(here, name), { recursive: true });
}

const rig = String.raw`
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { machine } from './support/command-line.ts';

const here = process.env.MADE_IN ?? '';
const tenant = '99999999-1111-4222-8333-444444444444';
const app = '99999999-5555-4666-8777-888888888888';
const mailbox = 'box@contoso.example';
const wanted = (ran, exit = 0) => expect([ran.exit, ran.err, ran.out]).toEqual([exit, ran.err, ran.out]);

it('in the keychain', async () => {
  const pc = await machine();
  wanted(await pc.mailauth('setup --sandbox --yes'));
  const callback = 'https://help.contoso.example/api/auth/oauth2';
  wanted(await pc.mailauth('setup --sandbox --yes --mailbox support@contoso.example --for osticket --redirect-uri ' + callback));
  for (const name of ['keys.json', 'ca.pem']) rmSync(join(pc.home, 'sandbox', name), { force: true });
  cpSync(pc.home, join(here, 'keychain'), { recursive: true });
  writeFileSync(join(here, 'keychain/keychain.json'), JSON.stringify(Object.fromEntries(pc.keychain.entries), null, 2) + '\n');
  await pc.end();
});

const jwt = (claims) => [{ alg: 'none', typ: 'JWT' }, claims, 'signature'].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');

function network(login) {
  const authority = login + '/' + tenant;
  return {
    async request({ url }) {
      const now = Math.floor(Date.now() / 1000);
      const id = { iss: authority + '/v2.0', aud: app, tid: tenant, oid: '99999999-0000-4000-8000-000000000000', preferred_username: mailbox, exp: now + 3600 };
      const access = { aud: 'https://outlook.office.com', tid: tenant, appid: app, upn: mailbox, scp: 'IMAP.AccessAsUser.All SMTP.Send', iat: now, exp: now + 3600 };
      const body = url.includes('devicecode') ? { device_code: 'd', user_code: 'ABCD-EFGH', verification_uri: 'https://login.microsoft.com/device', expires_in: 900, interval: 1 } : url.includes('openid-configuration')
        ? { issuer: authority + '/v2.0', authorization_endpoint: authority + '/oauth2/v2.0/authorize', token_endpoint: authority + '/oauth2/v2.0/token', device_authorization_endpoint: authority + '/oauth2/v2.0/devicecode' }
        : {
            ...{ token_type: 'Bearer', expires_in: 3600, access_token: jwt(access), refresh_token: 'a-refresh-token-of-no-worth', id_token: jwt(id) },
            scope: 'https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send',
          };
      return { status: 200, headers: { 'content-type': 'application/json' }, text: JSON.stringify(body) };
    },
  };
}

it.each([
  ['microsoft', 'https://login.microsoftonline.com'],
  ['lab', 'https://login.lab.example'],
])('%s', async (name, login) => {
  const pc = await machine();
  const host = (of, port, security) => ({ host: of + '.lab.example', port, security });
  const cloud = {
    ...{ name: 'lab', login, graph: login + '/graph', portal: 'https://entra.microsoft.com', outlookScopeBase: 'https://outlook.office.com' },
    ...{ imap: host('imap', 993, 'tls'), pop: host('pop', 995, 'tls'), smtp: host('smtp', 587, 'starttls') },
  };
  const file = join(pc.home, 'lab.json');
  if (name === 'lab') writeFileSync(file, JSON.stringify(cloud, null, 2) + '\n', { mode: 0o600 });
  const words = 'setup --yes --no-test --protocols imap,smtp --register existing --client-type public --redirect-uri http://localhost --sign-in device' +
    ' --mailbox ' + mailbox + ' --tenant ' + tenant + ' --client-id ' + app + (name === 'lab' ? ' --cloud-file ' + file : '');
  wanted(await pc.mailauth(words, { network: network(login), env: { MAILAUTH_STORE: 'file', MAILAUTH_KEY_FILE: join(here, 'key') } }));
  rmSync(join(pc.home, 'sandbox'), { recursive: true, force: true });
  cpSync(pc.home, join(here, name), { recursive: true });
  await pc.end();
});
`;

const keyFile = join(temporary, 'key');
execFileSync(process.execPath, [program, 'store', 'keygen', keyFile]);
cpSync(keyFile, join(here, 'key'));
chmodSync(join(here, 'key'), 0o600);

const withKey = home('key-file', { MAILAUTH_KEY_FILE: keyFile });
withKey.run('setup --sandbox --yes');
withKey.run(
  'setup --sandbox --yes --mailbox support@contoso.example --for osticket --redirect-uri https://help.contoso.example/api/auth/oauth2',
);
withKey.run('setup --sandbox --yes --mailbox shared@contoso.example --sign-in-as ada@contoso.example --for custom --protocols imap,smtp');
withKey.run('setup --sandbox --yes --mailbox bob@contoso.example --register handoff');
withKey.run('setup --sandbox --yes --mailbox ada@contoso.example --fault no-exchange', 6);
await killedRotation(withKey);
keep('key-file', withKey);

const passphrase = 'a passphrase of no worth';
writeFileSync(join(here, 'passphrase.txt'), `${passphrase}\n`);
const withPassphrase = home('passphrase', { MAILAUTH_PASSPHRASE: passphrase });
withPassphrase.run('setup --sandbox --yes --no-test');
keep('passphrase', withPassphrase);

inTestRig();
rmSync(temporary, { recursive: true, force: true });

/** `kill -9` once the note of a rotation is on the disk. */
async function killedRotation({ folder, env }) {
  const words = 'secret rotate support@contoso.example --for osticket --sandbox --yes --fault graph-lag-forever';
  const child = spawn(process.execPath, [program, ...words.split(' ')], { env, stdio: 'ignore' });
  const notes = join(folder, 'sandbox', 'rotations');
  for (let tries = 0; tries < 20_000; tries += 1) {
    if (existsSync(notes) && readdirSync(notes).some((name) => name.endsWith('.json'))) break;
    await sleep(1);
  }
  child.kill('SIGKILL');
  await new Promise((done) => child.once('close', done));
  if (!readdirSync(notes).some((name) => name.endsWith('.json'))) throw new Error('killed too late');
}

/**
 * What a command line cannot make here, the first edition's own test rig made: a keychain in memory, written down as JSON, and sign-ins to
 * Microsoft's cloud and to that of a cloud file, which a network of this test answered.
 */
function inTestRig() {
  for (const name of ['keychain', 'microsoft', 'lab']) rmSync(join(here, name), { recursive: true, force: true });
  writeFileSync(join(worktree, 'test', 'make-0.1.0.test.ts'), rig);
  try {
    execFileSync('npx', ['vitest', 'run', '--root', worktree, '--testTimeout', '60000', 'test/make-0.1.0.test.ts'], {
      cwd: worktree,
      stdio: 'inherit',
      env: { ...process.env, MADE_IN: here },
    });
  } finally {
    rmSync(join(worktree, 'test', 'make-0.1.0.test.ts'));
  }
}
