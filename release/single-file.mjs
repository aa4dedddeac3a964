// Makes mailauth as one executable file for this system: Node.js with the program in it (https://nodejs.org/api/single-executable-applications.html).
// It keeps secrets in the sealed file only, because the binding to a keychain is a library of its own.
// usage: node release/single-file.mjs OUT-FOLDER      (Node.js 24; after `npm ci`)
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { inject } from 'postject';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [out] = process.argv.slice(2);
if (out === undefined) {
  process.stderr.write('usage: node release/single-file.mjs OUT-FOLDER\n');
  process.exit(2);
}
/** Node looks for this word in itself, to find out whether a program was put into it. */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** Each call fails with words that name the sealed file. */
const noKeychain = `
import { KeychainFailure } from './src/core/keychain-port.ts';
const refuse = async () => { throw new KeychainFailure('left-out', 'this is the single-file program'); };
export const createKeychain = () => ({
  label: 'keychain', limit: Infinity, getPassword: refuse, setPassword: refuse, deletePassword: refuse, close: () => undefined,
});`;

const inOneFile = {
  name: 'in-one-file',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/keychain\/keychain\.ts$/ }, () => ({ path: 'no-keychain', namespace: 'single-file' }));
    onLoad({ filter: /./, namespace: 'single-file' }, () => ({ contents: noKeychain, resolveDir: root, loader: 'ts' }));
    // In the package it is loaded from node_modules, which esbuild cannot see through createRequire.
    onLoad({ filter: /src[\\/]oauth[\\/]msal\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const contents = source.replace('const require = createRequire(import.meta.filename);\n', '');
      if (contents === source) throw new Error('msal.ts loads @azure/msal-node in another way now');
      return { contents, loader: 'ts' };
    });
  },
};

const work = mkdtempSync(join(tmpdir(), 'mailauth-single-'));
try {
  const main = join(work, 'mailauth.cjs');
  await build({
    absWorkingDir: root,
    stdin: { contents: "import { start } from './src/app.ts'; void start(process);", resolveDir: root, loader: 'ts' },
    outfile: main,
    ...{ bundle: true, format: 'cjs', platform: 'node', target: 'node24', minify: true, legalComments: 'none', logLevel: 'warning' },
    define: {
      Response: 'undefined',
      'import.meta.filename': '__filename',
      'import.meta.dirname': '__dirname',
      'import.meta.url': 'mailauthFile',
    },
    banner: { js: "const mailauthFile = require('node:url').pathToFileURL(process.execPath).href;" },
    external: ['pg-native', 'pg-cloudflare'],
    plugins: [inOneFile],
  });
  const blob = join(work, 'mailauth.blob');
  writeFileSync(join(work, 'sea.json'), JSON.stringify({ main, output: blob, disableExperimentalSEAWarning: true }));
  execFileSync(process.execPath, ['--experimental-sea-config', join(work, 'sea.json')], { stdio: ['ignore', 'ignore', 'inherit'] });
  mkdirSync(out, { recursive: true });
  const file = join(resolve(out), process.platform === 'win32' ? 'mailauth.exe' : 'mailauth');
  copyFileSync(process.execPath, file);
  chmodSync(file, 0o755);
  const mac = process.platform === 'darwin';
  // The signature of Node.js itself no longer fits; macOS runs nothing that has none.
  if (mac) execFileSync('codesign', ['--remove-signature', file]);
  await inject(file, 'NODE_SEA_BLOB', readFileSync(blob), { sentinelFuse: fuse, ...(mac ? { machoSegmentName: 'NODE_SEA' } : {}) });
  if (mac) execFileSync('codesign', ['--sign', '-', file]);
  process.stdout.write(`${file}\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
