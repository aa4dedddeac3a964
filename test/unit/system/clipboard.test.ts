import { spawnSync } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClipboard } from '../../../src/system/clipboard.ts';
import { temporaryFolder } from '../../support/context.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

/** A program of this name that writes down its arguments, its environment and what it reads. */
async function program(name: string, exit = 0): Promise<void> {
  const file = join(folder.path, name);
  await writeFile(file, `#!/bin/sh\necho "$@" > ${file}.argv\nenv > ${file}.env\ncat > ${file}.stdin\nexit ${exit}\n`);
  await chmod(file, 0o755);
  // A program that another thread starts right now holds this file open for writing for a moment (ETXTBSY).
  while (spawnSync(file, { input: '' }).error !== undefined) await sleep(10);
}
const wrote = (name: string, what: 'argv' | 'env' | 'stdin') => readFile(join(folder.path, `${name}.${what}`), 'utf8');
const clipboard = (env: Readonly<Record<string, string>>, platform: NodeJS.Platform = 'linux') =>
  createClipboard({ env: { PATH: `${folder.path}:/bin:/usr/bin`, ...env }, platform });

describe('the clipboard', () => {
  it.each<[string, Readonly<Record<string, string>>, NodeJS.Platform, string]>([
    ['xclip', { DISPLAY: ':0' }, 'linux', '-selection clipboard'],
    ['xsel', { DISPLAY: ':0' }, 'linux', '--clipboard --input'],
    ['wl-copy', { WAYLAND_DISPLAY: 'wayland-0' }, 'linux', ''],
    ['clip.exe', { WSL_DISTRO_NAME: 'Debian' }, 'linux', ''],
    ['pbcopy', {}, 'darwin', ''],
  ])('%s gets the text on its standard input, never as an argument', async (name, env, platform, argv) => {
    await program(name);
    const { usable, copy } = clipboard({ ...env, MAILAUTH_PASSPHRASE: 'hidden' }, platform);
    expect([usable, await copy('s3cret~value')]).toEqual([true, true]);
    expect([(await wrote(name, 'argv')).trim(), await wrote(name, 'stdin')]).toEqual([argv, 's3cret~value']);
    expect(await wrote(name, 'env')).not.toContain('hidden');
  });

  it.each([
    ['no screen', 'xclip', {}],
    ['a screen of X11 and a program of Wayland', 'wl-copy', { DISPLAY: ':0' }],
  ])('is not there with %s', async (_, name, env) => {
    await program(name);
    expect(clipboard(env).usable).toBe(false);
    expect(await clipboard(env).copy('x')).toBe(false);
  });

  it('is cleared by an empty text, and a program that fails is told', async () => {
    await program('wl-copy');
    expect(await clipboard({ WAYLAND_DISPLAY: 'w' }).copy('')).toBe(true);
    expect((await wrote('wl-copy', 'argv')).trim()).toBe('--clear');
    await program('xclip', 1);
    expect(await clipboard({ DISPLAY: ':0' }).copy('x')).toBe(false);
  });
});
