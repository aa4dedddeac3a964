import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const json = async (file: string) => JSON.parse(await readFile(join(root, file), 'utf8'));

interface LockedPackage {
  readonly integrity?: string;
  readonly resolved?: string;
}

test('package-lock.json has the checksum of every package, and names no other registry than the public one', async () => {
  const { packages } = await json('package-lock.json');
  const locked = Object.entries<LockedPackage>(packages).filter(([path]) => path !== '');
  expect(locked.length).toBeGreaterThan(50);
  expect(locked.filter(([, { integrity }]) => !/^sha512-/.test(integrity ?? '')).map(([path]) => path)).toEqual([]);
  const elsewhere = locked.filter(([, { resolved }]) => resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/'));
  expect(elsewhere.map(([path]) => path)).toEqual([]);
});

test('every package that the build puts into dist/ has its licence in THIRD-PARTY-NOTICES', async () => {
  const { dependencies } = await json('package.json');
  const notices = await readFile(join(root, 'THIRD-PARTY-NOTICES'), 'utf8');
  const sources = (await readdir(join(root, 'src'), { recursive: true })).filter((name) => name.endsWith('.ts'));
  const imported = new Set<string>();
  for (const source of sources) {
    const text = await readFile(join(root, 'src', source), 'utf8');
    for (const [, name = ''] of text.matchAll(/(?<!\btype .*)(?:from|import\() ?'((?:@[\w.-]+\/)?[\w-]+)(?:\/[\w/-]+)?'/g))
      imported.add(name);
  }
  const bundled = [...imported].filter((name) => !Object.hasOwn(dependencies, name));
  expect(bundled).toEqual(expect.arrayContaining(['@inquirer/core', 'chalk', 'commander', 'zod']));
  // And two that only other packages import.
  for (const name of [...bundled, '@peculiar/x509', 'signal-exit'])
    expect(notices).toMatch(new RegExp(`^${name} \\d\\S+ \\(\\S+\\)$`, 'm'));
});

test('what the installer gets runs no script at installation', async () => {
  const { scripts } = await json('package.json');
  const atInstall = ['preinstall', 'install', 'postinstall', 'prepublish', 'preprepare', 'prepare', 'postprepare'];
  expect(atInstall.filter((name) => Object.hasOwn(scripts, name))).toEqual([]);
});
