import { execFile } from 'node:child_process';
import { cp, mkdir, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What the image needs of its base, from this machine: Node.js, a shell and what they are linked with. No registry is asked. */
const programs = [process.execPath, '/bin/dash', '/usr/bin/env', '/bin/sleep'];

export interface Builder {
  /** `buildah ARGS`, with images and containers in a folder of the test's own */
  buildah(...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }>;
  readonly env: Readonly<Record<string, string>>;
  /** removes every container and image */
  close(): Promise<void>;
}

/** buildah without a daemon, with storage that needs neither a file system of its own nor a namespace. */
export async function startBuilder(folder: string): Promise<Builder> {
  const storage = join(folder, 'storage.conf');
  const [graph, work] = [join(folder, 'images'), join(folder, 'run')];
  await writeFile(storage, `[storage]\ndriver = "vfs"\ngraphroot = "${graph}"\nrunroot = "${work}"\n`);
  const env = { PATH: process.env.PATH ?? '', HOME: folder, CONTAINERS_STORAGE_CONF: storage, BUILDAH_ISOLATION: 'chroot', TMPDIR: folder };
  const buildah: Builder['buildah'] = (...args) => run('buildah', [...args], { env, timeout: 120_000 });
  return {
    buildah,
    env,
    async close() {
      await buildah('rm', '--all');
      await buildah('rmi', '--all', '--force');
    },
  };
}

/** An image with Node.js and a shell in it, made from the files of this machine. */
export async function makeBase({ buildah }: Builder, folder: string, image: string): Promise<void> {
  const root = join(folder, 'base');
  const files = new Set<string>();
  for (const program of programs) {
    const { stdout } = await run('ldd', [program]);
    for (const [, file = ''] of stdout.matchAll(/(\/\S+) \(0x/g)) files.add(file);
  }
  for (const file of files) {
    await mkdir(join(root, dirname(file)), { recursive: true });
    await cp(await realpath(file), join(root, file));
  }
  await mkdir(join(root, 'usr/local/bin'), { recursive: true });
  for (const program of programs) {
    const name = program === '/bin/dash' ? 'bin/sh' : program === process.execPath ? 'usr/local/bin/node' : program;
    await mkdir(dirname(join(root, name)), { recursive: true });
    await cp(await realpath(program), join(root, name));
  }
  await mkdir(join(root, 'tmp'), { mode: 0o1777 });
  await mkdir(join(root, 'etc'), { recursive: true });
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  await writeFile(join(root, 'etc/hosts'), '127.0.0.1 localhost\n');
  const container = (await buildah('from', 'scratch')).stdout.trim();
  await buildah('copy', '--quiet', container, root, '/');
  await buildah('commit', '--quiet', container, image);
  await buildah('rm', container);
}
