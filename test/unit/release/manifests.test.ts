import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { temporaryFolder } from '../../support/context.ts';

const { homepage, name, version } = packageJson;
const exec = promisify(execFile);
const script = fileURLToPath(new URL('../../../release/manifests.mjs', import.meta.url));
const [sumOfTarball, sumOfWindows] = ['a'.repeat(64), 'b'.repeat(64)];
const project = homepage.replace('#readme', '');
const windows = `${project}/releases/download/v${version}/mailauth-windows-x64.exe`;

let folder = '';
let remove = async () => {};
beforeEach(async () => {
  ({ path: folder, remove } = await temporaryFolder());
});
afterEach(() => remove());

async function made(sums: string): Promise<Record<string, string>> {
  await writeFile(join(folder, 'SHA256SUMS'), sums);
  await exec(process.execPath, [script, join(folder, 'SHA256SUMS'), join(folder, 'out')]);
  const files = (await readdir(join(folder, 'out'), { recursive: true })).filter((one) => /\.\w+$/.test(one)).sort();
  return Object.fromEntries(
    await Promise.all(files.map(async (one) => [one.replaceAll('\\', '/'), await readFile(join(folder, 'out', one), 'utf8')])),
  );
}

it('writes the manifests of this version with the checksums of the release', async () => {
  const files = await made(`${sumOfTarball}  ${name}-${version}.tgz\n${sumOfWindows} *mailauth-windows-x64.exe\n`);
  expect(Object.keys(files)).toEqual([
    'homebrew/mailauth.rb',
    'scoop/mailauth.json',
    'winget/EntraMailauth.Mailauth.installer.yaml',
    'winget/EntraMailauth.Mailauth.locale.en-US.yaml',
    'winget/EntraMailauth.Mailauth.yaml',
  ]);
  const [brew = '', scoop = '', installer = '', locale = '', root = ''] = Object.values(files);
  expect(brew).toContain(`url "https://registry.npmjs.org/${name}/-/${name}-${version}.tgz"\n  sha256 "${sumOfTarball}"`);
  expect(JSON.parse(scoop)).toMatchObject({
    version,
    architecture: { '64bit': { url: `${windows}#/mailauth.exe`, hash: sumOfWindows } },
    bin: 'mailauth.exe',
  });
  expect(installer).toContain(`InstallerUrl: ${windows}\n    InstallerSha256: ${sumOfWindows.toUpperCase()}\n`);
  for (const text of [installer, locale, root])
    expect(text).toMatch(
      new RegExp(`^PackageIdentifier: EntraMailauth\\.Mailauth\nPackageVersion: ${version.replaceAll('.', '\\.')}\n`, 'm'),
    );
});

it('names the file whose checksum is missing, and writes nothing', async () => {
  await expect(made(`${sumOfTarball}  ${name}-${version}.tgz\n`)).rejects.toThrow('no checksum of mailauth-windows-x64.exe');
  expect(await readdir(folder)).toEqual(['SHA256SUMS']);
});
