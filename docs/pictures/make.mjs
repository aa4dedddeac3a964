// `npm run docs:picture`: runs a set-up and a test in the sandbox and draws what they print as docs/pictures/setup.svg, for light and dark.
// The lines are real. Left out, and marked by ⋮, are the summary and the addresses of the sign-ins, which are different in every run.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'mailauth-picture-'));
const hasKeyring = ['/usr/bin/dbus-run-session', '/usr/bin/gnome-keyring-daemon'].every((file) => existsSync(file));
const { DISPLAY: _display, BROWSER: _browser, NODE_EXTRA_CA_CERTS: _authorities, ...clean } = process.env;

const shown = [
  { command: 'mailauth setup --sandbox --yes', keeps: (line) => /^(?:\S*✔| {2}next:|\S*helpdesk@)/.test(plain(line)) },
  { command: 'mailauth test imap --sandbox', keeps: () => true },
];

/** Both commands in one session, so that they share a keychain; their lines apart. */
function run() {
  const mailauth = `"${process.execPath}" "${join(root, 'bin/mailauth.js')}"`;
  const script = shown.map(({ command }) => `${command.replace('mailauth', mailauth)} 2>&1`).join('; echo @@@; ');
  const words = [...(hasKeyring ? ['bash', join(root, 'test/real/rigs/with-keyring.sh')] : []), 'sh', '-c', script];
  const { stdout, status, error } = spawnSync(words[0], words.slice(1), {
    encoding: 'utf8',
    env: { ...clean, MAILAUTH_HOME: join(home, 'home'), KR_HOME: join(home, 'keyring'), FORCE_COLOR: '1', CI: 'true' },
  });
  if (status !== 0) throw new Error(`the run ended with ${status ?? error}:\n${stdout}`);
  return stdout.split('@@@\n').map((text) => text.trimEnd().split('\n'));
}

/** Select graphic rendition: the only escape sequences of a run that is piped. */
const colour = new RegExp(`${String.fromCharCode(27)}\\[([\\d;]*)m`, 'g');
const plain = (line) => line.replaceAll(colour, '');

/** No line is wider than a terminal of 100 columns; only lines that end in plain text are that long. */
const cut = (line) => (plain(line).length <= 100 ? line : `${line.slice(0, 99 + line.length - plain(line).length)}…`);

function screen() {
  const rows = [];
  run().forEach((lines, i) => {
    const { command, keeps } = shown[i];
    if (i > 0) rows.push('');
    rows.push(`$ ${command}`);
    let left = false;
    for (const line of lines) {
      if (!keeps(line)) {
        left = true;
        continue;
      }
      if (left) rows.push(plain(line).startsWith('✔') ? '  ⋮' : '');
      left = false;
      rows.push(cut(line));
    }
  });
  return rows;
}

const classes = { 1: 'b', 2: 'd', 31: 'r', 32: 'g', 33: 'y', 36: 'c' };
const xml = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** One line with the colours of SGR as spans. */
function spans(line) {
  let style = '';
  return line
    .split(colour)
    .map((part, i) => {
      if (i % 2 === 1) {
        style = classes[part] ?? '';
        return '';
      }
      return part === '' ? '' : style === '' ? xml(part) : `<tspan class="${style}">${xml(part)}</tspan>`;
    })
    .join('');
}

function picture(rows) {
  const columns = Math.max(...rows.map((row) => plain(row).length));
  const [width, height] = [Math.ceil(columns * 7.85) + 40, rows.length * 19 + 34];
  const texts = rows.flatMap((row, i) =>
    plain(row) === '' ? [] : [`  <text x="20" y="${32 + i * 19}" xml:space="preserve">${spans(row)}</text>`],
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="t">
  <title id="t">A set-up and a test in the sandbox of mailauth</title>
  <style>
    text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1f2328 }
    .b { font-weight: 600 } .d { fill: #59636e } .r { fill: #cf222e } .g { fill: #1a7f37 } .y { fill: #9a6700 } .c { fill: #0969da }
    rect { fill: #f6f8fa; stroke: #d1d9e0 }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .d { fill: #9198a1 } .r { fill: #ff7b72 } .g { fill: #3fb950 } .y { fill: #d29922 } .c { fill: #58a6ff }
      rect { fill: #0d1117; stroke: #3d444d }
    }
  </style>
  <rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${texts.join('\n')}
</svg>
`;
}

try {
  writeFileSync(join(root, 'docs/pictures/setup.svg'), picture(screen()));
} finally {
  rmSync(home, { recursive: true, force: true });
}
