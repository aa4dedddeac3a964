import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../support/context.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
let folder = '';
let remove = async () => {};
let files: string[] = [];
let tarball = '';

beforeAll(async () => {
  ({ path: folder, remove } = await temporaryFolder());
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
  const packed: unknown = JSON.parse(stdout);
  // npm 11 answers an array, npm 12 an object by package name.
  const [one] = Array.isArray(packed) ? packed : Object.values(packed as object);
  files = one.files.map((f: { path: string }) => f.path).sort();
  tarball = join(folder, one.filename);
});

afterAll(() => remove());

test('the package holds what runs and nothing else', () => {
  expect(files).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'THIRD-PARTY-NOTICES',
    'bin/mailauth.js',
    'bin/package.json',
    'dist/app.cjs',
    'dist/certificates.cjs',
    'dist/csv.cjs',
    'dist/explain-now.cjs',
    'dist/inquirer.cjs',
    'dist/keychain-child.cjs',
    'dist/library.cjs',
    'dist/library.d.cts',
    'dist/library.d.mts',
    'dist/library.mjs',
    'dist/main.cjs',
    'dist/postgresql.cjs',
    'dist/quick-database.cjs',
    'dist/quick.cjs',
    'docs/schemas/mailauth-1.schema.json',
    'docs/schemas/mailauth-event-1.schema.json',
    'man/mailauth.1',
    'package.json',
  ]);
});

test('the packed tarball, installed into an empty folder, does the main job with both names', { timeout: 120_000 }, async () => {
  const place = join(folder, 'place');
  await mkdir(place);
  const { PATH = '' } = process.env;
  const env = {
    PATH,
    HOME: place,
    MAILAUTH_HOME: join(place, 'home'),
    npm_config_cache: process.env.npm_config_cache ?? join(process.env.HOME ?? place, '.npm'),
  };
  await run('npm', ['init', '-y'], { cwd: place, env });
  const installed = await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], { cwd: place, env });
  expect(installed.stderr).toBe('');
  const setup = await run('npx', ['--no-install', 'mailauth', 'setup', '--sandbox', '--yes'], { cwd: place, env });
  expect(setup.stdout).toContain('is set up and signed in');
  const token = await run('npx', ['--no-install', 'entra-mailauth', 'token', 'get', '--sandbox'], { cwd: place, env });
  expect(token.stdout).toMatch(/^ey[\w.-]+\n$/);
  const use = 'const m = openMailauth({ sandbox: true }); m.token().then((t) => { console.log(t.accessToken); return m.close(); });';
  const asModule = await run('node', ['--input-type=module', '-e', `import { openMailauth } from 'entra-mailauth'; ${use}`], {
    cwd: place,
    env,
  });
  const asCommonJs = await run('node', ['-e', `const { openMailauth } = require('entra-mailauth'); ${use}`], { cwd: place, env });
  expect([asModule.stdout, asCommonJs.stdout]).toEqual([token.stdout, token.stdout]);
  const title = (name: string) => `console.log(require('entra-mailauth/schemas/${name}.schema.json').title);`;
  const titles = await run('node', ['-e', title('mailauth-1') + title('mailauth-event-1')], { cwd: place, env });
  expect(titles.stdout).toBe('mailauth/1\nmailauth-event/1\n');
});
