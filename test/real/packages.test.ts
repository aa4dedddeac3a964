import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/context.ts';
import { type Builder, makeBase, startBuilder } from './rigs/image-base.ts';

const exec = promisify(execFile);
const release = resolve(import.meta.dirname, '../../release');
let folder = '';
let staged = '';
let remove = async () => {};

beforeAll(async () => {
  ({ path: folder, remove } = await temporaryFolder());
  staged = join(folder, 'staged');
  await exec(join(release, 'stage.sh'), [staged]);
}, 120_000);
afterAll(() => remove());

it('the scripts of the release are shell scripts without a fault', async () => {
  const scripts = (await readdir(release)).filter((name) => name.endsWith('.sh'));
  expect(scripts.length).toBeGreaterThan(3);
  await exec(
    'shellcheck',
    scripts.map((name) => join(release, name)),
  );
});

const token = /^ey[\w.-]+\n$/;

describe('the Debian package', { timeout: 120_000 }, () => {
  let file = '';
  let root = '';
  beforeAll(async () => {
    const deb = (...words: readonly string[]) => exec(join(release, 'deb.sh'), [...words]);
    const made = await Promise.all([deb(join(folder, 'one')), deb(join(folder, 'two'), staged)]);
    [file = ''] = made.map(({ stdout }) => stdout.trim());
    root = join(folder, 'root');
    await mkdir(join(root, 'var/lib/dpkg/updates'), { recursive: true });
    await mkdir(join(root, 'var/lib/dpkg/info'), { recursive: true });
    await writeFile(join(root, 'var/lib/dpkg/status'), '');
  }, 120_000);

  /** Into a root of its own: this machine's packages stay as they are. */
  const dpkg = (...args: readonly string[]) => exec('dpkg', [`--root=${root}`, '--force-script-chrootless', ...args]);
  const mailauth = (args: readonly string[]) =>
    exec(join(root, 'usr/bin/mailauth'), [...args], {
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        CI: '1',
        MAILAUTH_HOME: join(folder, 'home'),
        MAILAUTH_KEY_FILE: join(folder, 'deb.key'),
      },
    });

  it('is the same, byte for byte, when it is built again elsewhere', async () => {
    const sums = await Promise.all(
      ['one', 'two'].map(async (name) => {
        const [deb = ''] = await readdir(join(folder, name));
        return createHash('sha256')
          .update(await readFile(join(folder, name, deb)))
          .digest('hex');
      }),
    );
    expect(sums[0]).toBe(sums[1]);
  });

  it('wants Node.js 20.19 or newer', async () => {
    await expect(dpkg('--install', file)).rejects.toThrow(/depends on nodejs \(>= 20\.19\)/);
    for (const version of ['18.20.4', process.versions.node]) await standIn(version);
    await dpkg('--configure', 'entra-mailauth');
  });

  /** A package by the name of nodejs, for the Node.js that this machine has without one. */
  async function standIn(version: string): Promise<void> {
    const tree = join(folder, `nodejs-${version}`);
    await mkdir(join(tree, 'DEBIAN'), { recursive: true });
    const control = `Package: nodejs\nVersion: ${version}\nArchitecture: all\nMaintainer: rig <rig@example.com>\nDescription: stands in\n`;
    await writeFile(join(tree, 'DEBIAN/control'), control);
    await exec('dpkg-deb', ['--root-owner-group', '--build', tree, `${tree}.deb`]);
    await dpkg('--install', `${tree}.deb`);
    if (version.startsWith('18.')) await expect(dpkg('--configure', 'entra-mailauth')).rejects.toThrow(/nodejs/);
  }

  it('installed, does the main job, with page and completion where Debian looks for them', async () => {
    await mailauth(['store', 'keygen', join(folder, 'deb.key')]);
    await mailauth(['setup', '--sandbox', '--yes', '--no-test', '--store', 'file']);
    expect((await mailauth(['token', 'get', '--sandbox', '--force-refresh'])).stdout).toMatch(token);
    const { stdout } = await exec('bash', ['-c', `zcat ${root}/usr/share/man/man1/entra-mailauth.1.gz | head -3`]);
    expect(stdout).toContain('.TH');
    for (const [shell, path] of [
      ['bash', 'bash-completion/completions/mailauth'],
      ['zsh', 'zsh/vendor-completions/_mailauth'],
      ['fish', 'fish/vendor_completions.d/mailauth.fish'],
    ] as const)
      await exec(shell, ['-n', join(root, 'usr/share', path)]);
    await exec('bash', ['-c', `cd ${root} && md5sum --check --quiet var/lib/dpkg/info/entra-mailauth.md5sums`]);
  });

  it('removed, leaves nothing but what mailauth keeps in the home', async () => {
    await dpkg('--remove', 'entra-mailauth');
    expect(existsSync(join(root, 'usr/lib/entra-mailauth'))).toBe(false);
    expect(existsSync(join(folder, 'home/sandbox/secrets.sealed'))).toBe(true);
  });
});

describe('the container', { timeout: 120_000 }, () => {
  let builder: Builder;
  let container = '';
  const image = 'localhost/mailauth:test';
  beforeAll(async () => {
    builder = await startBuilder(folder);
    await makeBase(builder, folder, 'localhost/base:test');
    await exec(join(release, 'container.sh'), [image, 'localhost/base:test', staged], { env: builder.env });
    container = (await builder.buildah('from', image)).stdout.trim();
    const [home, key] = [join(folder, 'volume'), join(folder, 'container.key')];
    await mkdir(home, { mode: 0o700 });
    await chown(home, 10001, 10001);
    await exec(process.execPath, [resolve(release, '../bin/mailauth.js'), 'store', 'keygen', key], {
      env: { ...process.env, MAILAUTH_HOME: folder },
    });
    // As a secret of Docker is mounted: everybody in the container may read it, nobody may write to it.
    await exec('chmod', ['444', key]);
    inside = [
      'run',
      '--user',
      '10001:10001',
      '--env',
      'CI=1',
      '--volume',
      `${home}:/var/lib/mailauth`,
      '--volume',
      `${key}:/run/secrets/mailauth-key:ro`,
    ];
  }, 180_000);
  afterAll(() => builder?.close());

  let inside: readonly string[] = [];
  const started = (...words: readonly string[]) => builder.buildah(...inside, container, '--', 'container-start', ...words);

  it('runs as a user without rights, with the sealed file, and tells its health', async () => {
    const { stdout } = await builder.buildah('inspect', '--type', 'image', image);
    const { config } = JSON.parse(stdout).Docker;
    expect(config).toMatchObject({ User: '10001:10001', Entrypoint: ['container-start'] });
    expect(config.Env).toEqual(expect.arrayContaining(['MAILAUTH_STORE=file', 'MAILAUTH_KEY_FILE=/run/secrets/mailauth-key']));
    expect(config.Healthcheck.Test).toEqual(['CMD', 'mailauth', 'status', '--quiet', '--warn-days', '0']);
    expect(JSON.stringify(config)).not.toMatch(/PASSPHRASE|TOKEN|SECRET/);
  });

  it('does the main job, keeps it in the volume, and is healthy', async () => {
    await started('setup', '--sandbox', '--yes', '--no-test');
    expect((await started('token', 'get', '--sandbox', '--force-refresh')).stdout).toMatch(token);
    expect(JSON.parse((await started('status', '--sandbox', '--json', '--warn-days', '0')).stdout).data).toMatchObject({
      summary: { total: 1, ok: 1 },
      mailboxes: [{ store: 'file' }],
    });
    expect(await readdir(join(folder, 'volume/sandbox'))).toContain('secrets.sealed');
  });

  it('without words renews again and again, until it is told to stop', async () => {
    const loop = spawn(
      'buildah',
      [...inside, '--env', 'KEEPALIVE_EVERY=0.2', container, '--', 'container-start', '--sandbox', '--jitter', '0'],
      {
        stdio: ['ignore', 'pipe', 'pipe'],

        env: builder.env,
      },
    );
    let said = '';
    for (const stream of [loop.stdout, loop.stderr]) stream.on('data', (text) => (said += text));
    await expect.poll(() => said, { timeout: 90_000 }).toMatch(/(?:helpdesk@contoso\.example[\s\S]*){2}/);
    loop.kill('SIGTERM');
    await once(loop, 'exit');
  });
});

describe('the start script of the container', () => {
  let bin = '';
  beforeAll(async () => {
    bin = join(folder, 'bin');
    await mkdir(bin);
    // It stands in for mailauth: it says its words, and ends as --exit wants it.
    await writeFile(join(bin, 'mailauth'), '#!/bin/sh\necho "$*"\ncase "$*" in *--exit=1) exit 1 ;; *--exit=2) exit 2 ;; esac\n', {
      mode: 0o755,
    });
  });

  /** Stopped after a second and a half, where it does not end by itself. */
  const start = async (every: string | undefined, ...words: readonly string[]) => {
    const child = spawn(join(release, 'container-start.sh'), words, {
      env: { PATH: `${bin}:${process.env.PATH}`, ...(every === undefined ? {} : { KEEPALIVE_EVERY: every }) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
    const stop = setTimeout(() => child.kill('SIGTERM'), 1_500);
    const [code] = await once(child, 'close');
    clearTimeout(stop);
    return { code, said };
  };

  it.each(['12 h', 'daily', '-1', 'h'])('%s as KEEPALIVE_EVERY is refused, and nothing runs', async (every) => {
    expect(await start(every)).toEqual({ code: 2, said: expect.stringContaining(`KEEPALIVE_EVERY is "${every}", which is no duration`) });
  });

  it('a duration that only sleep refuses ends it after one run', async () => {
    const { code, said } = await start('1h1');
    expect(code).toBe(2);
    expect(said.match(/keepalive --no-input/g)).toHaveLength(1);
  });

  it.each([
    { words: ['--exit=2'], code: 2, said: 'keepalive --no-input --exit=2\n' },
    { words: ['--exit=1'], code: 143, said: 'keepalive --no-input --exit=1\nkeepalive ended with exit 1; the next run is in 12h\n' },
    { words: ['--version'], code: 0, said: '--version\n' },
    { words: ['status', '--json'], code: 0, said: 'status --json\n' },
  ])('$words ends with $code', async ({ words, code, said }) => {
    expect(await start(undefined, ...words)).toEqual({ code, said });
  });
});
