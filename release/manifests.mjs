// The manifests for Homebrew, winget and scoop, from the version of package.json and the checksums of a release. Homebrew installs the npm
// package, which uses the keychain of macOS; winget and scoop install the single-file program for Windows.
// usage: node release/manifests.mjs SHA256SUMS OUT-FOLDER      (SHA256SUMS as sha256sum prints it)
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const { name, version, description, homepage, license } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const [sumsFile, out] = process.argv.slice(2);
if (sumsFile === undefined || out === undefined) {
  process.stderr.write('usage: node release/manifests.mjs SHA256SUMS OUT-FOLDER\n');
  process.exit(2);
}
const sums = new Map([...readFileSync(sumsFile, 'utf8').matchAll(/^([0-9a-f]{64}) [ *](.+)$/gm)].map(([, sum, file]) => [file, sum]));

const project = homepage.replace(/#.*$/, '');
const tarball = `${name}-${version}.tgz`;
const windows = 'mailauth-windows-x64.exe';
const address = (file) => `${project}/releases/download/v${version}/${file}`;

function sumOf(file) {
  const sum = sums.get(file);
  if (sum === undefined) throw new Error(`${sumsFile} has no checksum of ${file}`);
  return sum;
}

// https://docs.brew.sh/Node-for-Formula-Authors
const formula = `class Mailauth < Formula
  desc "Takes a Microsoft 365 mailbox from passwords to OAuth 2"
  homepage "${project}"
  url "https://registry.npmjs.org/${name}/-/${tarball}"
  sha256 "${sumOf(tarball)}"
  license "${license}"

  depends_on "node"

  def install
    system "npm", "install", *std_npm_args
    bin.install_symlink libexec.glob("bin/*")
    generate_completions_from_executable(bin/"mailauth", "completion", shells: [:bash, :zsh, :fish])
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/mailauth --version")
    assert_match "AADSTS50076", shell_output("#{bin}/mailauth explain AADSTS50076")
  end
end
`;

// https://learn.microsoft.com/windows/package-manager/package/manifest
const id = 'EntraMailauth.Mailauth';
const winget = (kind, lines) =>
  [
    `# yaml-language-server: $schema=https://aka.ms/winget-manifest.${kind}.1.6.0.schema.json`,
    `PackageIdentifier: ${id}`,
    `PackageVersion: ${version}`,
    ...lines,
    `ManifestType: ${kind}`,
    'ManifestVersion: 1.6.0',
    '',
  ].join('\n');

// https://github.com/ScoopInstaller/Scoop/wiki/App-Manifests
const scoop = {
  version,
  description: `${description} (secrets in the sealed file only)`,
  homepage: project,
  license,
  architecture: { '64bit': { url: `${address(windows)}#/mailauth.exe`, hash: sumOf(windows) } },
  bin: 'mailauth.exe',
  checkver: 'github',
  autoupdate: { architecture: { '64bit': { url: `${project}/releases/download/v$version/${windows}#/mailauth.exe` } } },
};

const files = {
  'homebrew/mailauth.rb': formula,
  [`winget/${id}.yaml`]: winget('version', ['DefaultLocale: en-US']),
  [`winget/${id}.installer.yaml`]: winget('installer', [
    'InstallerType: portable',
    'Commands:',
    '  - mailauth',
    'Installers:',
    '  - Architecture: x64',
    `    InstallerUrl: ${address(windows)}`,
    `    InstallerSha256: ${sumOf(windows).toUpperCase()}`,
  ]),
  [`winget/${id}.locale.en-US.yaml`]: winget('defaultLocale', [
    'PackageLocale: en-US',
    'Publisher: the mailauth authors',
    'PackageName: mailauth',
    `PackageUrl: ${project}`,
    `License: ${license}`,
    'ShortDescription: Takes a Microsoft 365 mailbox from passwords to OAuth 2',
    'Description: A wizard for the registration in Entra, the consent and the sign-in, with live tests of IMAP, POP and SMTP. Keeps secrets in the sealed file only.',
  ]),
  'scoop/mailauth.json': `${JSON.stringify(scoop, null, 2)}\n`,
};
for (const [file, text] of Object.entries(files)) {
  mkdirSync(dirname(join(out, file)), { recursive: true });
  writeFileSync(join(out, file), text);
}
