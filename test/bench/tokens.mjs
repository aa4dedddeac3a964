// Part of `npm run bench`: `token get` served from the store, beside a bare Node and beside mutt_oauth2.py with gpg.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** `times` measures commands in turns and answers medians by name; `peakKib` runs one and answers its peak memory. */
export function tokenBench({ root, bin, folder, env, keyring, row, times, peakKib }) {
  const get = (i) => [bin, 'token', 'get', `box${i}@contoso.example`];
  const write = writer(root, env);
  const keyFile = join(folder, 'key');
  execFileSync(process.execPath, [bin, 'store', 'keygen', keyFile], { env, stdio: 'ignore' });
  const inFile = (name) => ({ ...env, MAILAUTH_HOME: join(folder, name), MAILAUTH_KEY_FILE: keyFile });
  const inKeychain = { ...env, MAILAUTH_HOME: join(folder, 'in-keychain') };

  const one = inFile('in-file-1');
  write(one, 0, 1, keyFile);
  if (keyring) write(inKeychain, 0, 1, keyFile, 'keychain');
  const token = execFileSync(process.execPath, get(0), { env: one, encoding: 'utf8' }).trim();
  const mutt = muttOauth2(folder, env, token);
  const bare = { args: ['-e', '0'] };
  const commands = {
    'node -e 0': bare,
    'token get, file with key file (goal 1.5)': { args: get(0), env: one },
    ...(keyring ? { 'token get, keychain (goal 2.0)': { args: get(0), env: inKeychain } } : {}),
    ...(mutt === undefined ? {} : { 'mutt_oauth2.py with gpg, same token': mutt }),
  };
  const measured = times(commands);
  for (const [name, ms] of Object.entries(measured)) row(name, `${ms.toFixed(1)} ms`, `${(ms / measured['node -e 0']).toFixed(2)} x bare`);
  if (mutt === undefined) row('mutt_oauth2.py', 'missing', 'apt: mutt or neomutt, gnupg, python3');
  if (!keyring) row('token get, keychain', 'missing', 'apt: gnome-keyring, dbus');

  const mib = (kib) => `${(kib / 1024).toFixed(1)} MiB`;
  const bareKib = peakKib(bare);
  for (const [name, command] of Object.entries(commands)) {
    if (command.file !== undefined) continue;
    const kib = peakKib(command);
    row(`peak memory: ${name.replace(/ \(.*/, '')}`, mib(kib), `${(kib / bareKib).toFixed(2)} x bare`);
  }
  // Its agent would outlive the bench.
  mutt?.end();
  flat({ get, times, row, write, keyFile, inFile, inKeychain, keyring });
  return { write, keyFile };
}

/** The last of 1, 10, 100 and 1,000 mailboxes; all sizes in turns. */
function flat({ get, times, row, write, keyFile, inFile, inKeychain, keyring }) {
  const sizes = [1, 10, 100, 1000];
  const show = (store, measured) => {
    for (const size of sizes)
      row(
        `token get, ${store}, of ${size}`,
        `${measured[size].toFixed(1)} ms`,
        `${(measured[size] / measured[1]).toFixed(2)} x one mailbox`,
      );
  };
  for (const size of sizes) write(inFile(`in-file-${size}`), 0, size, keyFile);
  show('file', times(Object.fromEntries(sizes.map((size) => [size, { args: get(size - 1), env: inFile(`in-file-${size}`) }]))));
  if (!keyring) return;
  // One keyring holds them all, so that one size is measured after the other, each beside a bare Node of its own moment.
  let stored = 1;
  let first;
  for (const size of sizes) {
    write(inKeychain, stored, size, keyFile, 'keychain');
    stored = size;
    const { bare, got } = times({ bare: { args: ['-e', '0'] }, got: { args: get(size - 1), env: inKeychain } });
    first ??= got / bare;
    row(
      `token get, keychain, of ${size}`,
      `${got.toFixed(1)} ms`,
      `${(got / bare).toFixed(2)} x bare, ${(got / bare / first).toFixed(2)} x one mailbox`,
    );
  }
}

function writer(root, env) {
  // keychain-child must lie beside it, as in the package.
  const built = join(root, 'node_modules/.cache/mailauth-bench');
  const options = ['--bundle', '--platform=node', '--packages=external', '--log-level=error'];
  const entry = fileURLToPath(new URL('stored.ts', import.meta.url));
  execFileSync('npx', ['esbuild', entry, '--format=esm', ...options, `--outfile=${join(built, 'stored.mjs')}`], {
    cwd: root,
    stdio: 'ignore',
  });
  cpSync(join(root, 'dist/keychain-child.cjs'), join(built, 'keychain-child.cjs'));
  return (own, first, count, keyFile, ...keychain) =>
    execFileSync(process.execPath, [join(built, 'stored.mjs'), own.MAILAUTH_HOME, String(first), String(count), keyFile, ...keychain], {
      env: { ...env, ...own },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
}

const scripts = [
  '/usr/share/doc/mutt/examples/mutt_oauth2.py',
  '/usr/share/neomutt/oauth2/mutt_oauth2.py',
  '/usr/share/doc/neomutt/oauth2/mutt_oauth2.py.gz',
];

/** As its README says to set it up: a key of its own without a passphrase, the token file encrypted to it. */
function muttOauth2(folder, env, accessToken) {
  const found = scripts.find((path) => existsSync(path));
  const runs = (file) => spawnSync(file, ['--version'], { stdio: 'ignore' }).status === 0;
  if (found === undefined || !runs('gpg') || !runs('python3')) return undefined;
  const home = join(folder, 'gnupg');
  mkdirSync(home, { mode: 0o700 });
  // gpg-agent's socket must have a short path.
  const gnupg = { ...env, GNUPGHOME: home };
  const gpg = (args, input) =>
    execFileSync('gpg', ['--batch', '--quiet', ...args], { env: gnupg, input, stdio: ['pipe', 'pipe', 'ignore'] });
  gpg(['--passphrase', '', '--quick-generate-key', 'bench@contoso.example', 'rsa3072', 'encr', 'never']);
  const text = found.endsWith('.gz') ? gunzipSync(readFileSync(found)).toString() : readFileSync(found, 'utf8');
  const script = join(folder, 'mutt_oauth2.py');
  writeFileSync(script, text.replace('YOUR_GPG_IDENTITY', 'bench@contoso.example'));
  const state = {
    registration: 'microsoft',
    authflow: 'authcode',
    email: 'bench@contoso.example',
    access_token: accessToken,
    access_token_expiration: new Date(Date.now() + 86_400_000).toISOString().slice(0, 19),
    refresh_token: 'x',
  };
  const file = join(folder, 'mutt-token');
  writeFileSync(file, gpg(['--trust-model', 'always', '--encrypt', '--recipient', 'bench@contoso.example'], JSON.stringify(state)));
  chmodSync(file, 0o600);
  const command = { file: 'python3', args: [script, file], env: gnupg, end: () => spawnSync('gpgconf', ['--kill', 'all'], { env: gnupg }) };
  const said = spawnSync(command.file, command.args, { env: gnupg, encoding: 'utf8' });
  if (said.stdout.trim() !== accessToken) throw new Error(`mutt_oauth2.py did not print the token: ${said.stderr}`);
  return command;
}
