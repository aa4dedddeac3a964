// Part of `npm run bench`: how large the source is and how it hangs together, and what an installation of the package weighs.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/** Type imports count: a reader follows them too. */
const importPattern = /(?:from|import\(?|typeof import\()\s*'(\.{1,2}\/[^']+\.ts)'/g;

/** Rows about src/: files and lines, the files that most others import, and circles of imports between files and between folders. */
export function sourceSize(root, row) {
  const src = join(root, 'src');
  const files = readdirSync(src, { recursive: true }).filter((name) => name.endsWith('.ts'));
  const imports = new Map();
  let lines = 0;
  for (const file of files) {
    const text = readFileSync(join(src, file), 'utf8');
    lines += text.split('\n').length - 1;
    const targets = [...text.matchAll(importPattern)].map(([, path]) => relative(src, join(src, dirname(file), path)));
    imports.set(file, new Set(targets.filter((target) => target !== file)));
  }
  row('src: files', String(files.length));
  row('src: lines', String(lines), `${(lines / files.length).toFixed(0)} a file on average`);
  const fanIn = new Map(files.map((file) => [file, 0]));
  for (const targets of imports.values()) for (const target of targets) fanIn.set(target, (fanIn.get(target) ?? 0) + 1);
  const most = [...fanIn].toSorted(([, a], [, b]) => b - a).slice(0, 5);
  for (const [file, count] of most) row(`src: imported most: ${file}`, String(count), 'files import it');
  rowOfCircles('files', imports, row);
  rowOfCircles('folders', betweenFolders(imports), row);
}

/** The same graph, one node for each folder; the files of src/ itself are one node each. */
function betweenFolders(imports) {
  const folderOf = (file) => file.split(sep).slice(0, -1).join(sep) || file;
  const folders = new Map();
  for (const [file, targets] of imports) {
    const from = folderOf(file);
    if (!folders.has(from)) folders.set(from, new Set());
    for (const target of targets) if (folderOf(target) !== from) folders.get(from).add(folderOf(target));
  }
  return folders;
}

function rowOfCircles(of, graph, row) {
  const circles = circlesIn(graph);
  const note = circles.map((circle) => circle.toSorted().join(', ')).join('; ');
  row(`src: circles between ${of}`, String(circles.length), note.length > 160 ? `${note.slice(0, 160)} …` : note);
}

/** Strongly connected components of two nodes or more (Tarjan, 1972). */
function circlesIn(graph) {
  const order = new Map();
  const lowest = new Map();
  const stack = [];
  const circles = [];
  const visit = (node) => {
    order.set(node, order.size);
    lowest.set(node, order.get(node));
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) lowest.set(node, Math.min(lowest.get(node), lowest.get(next)));
    }
    if (lowest.get(node) !== order.get(node)) return;
    const circle = stack.splice(stack.indexOf(node));
    if (circle.length > 1) circles.push(circle);
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return circles;
}

/** Rows about the tarball and its installation into an empty folder: packages and the bytes of their files. */
export function installedSize(root, folder, env, row) {
  const npm = (args, cwd) => execFileSync('npm', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const packed = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root));
  // npm 11 answers an array, npm 12 an object by package name.
  const [{ filename, size, unpackedSize }] = Array.isArray(packed) ? packed : Object.values(packed);
  row('tarball', mb(size), `${mb(unpackedSize)} unpacked`);
  const place = join(folder, 'installed');
  mkdirSync(place);
  writeFileSync(join(place, 'package.json'), '{}');
  npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', join(folder, filename)], place);
  const { packages } = JSON.parse(readFileSync(join(place, 'node_modules/.package-lock.json'), 'utf8'));
  const modules = join(place, 'node_modules');
  const sizes = readdirSync(modules, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size);
  row('installed from the tarball: packages', String(Object.keys(packages).length), 'goal at most 80');
  row('installed from the tarball: size', mb(sizes.reduce((sum, bytes) => sum + bytes, 0)), 'goal at most 22 MB');
}

/** The Debian package, where there are Debian's tools. */
export function debianSize(root, folder, env, row) {
  const made = spawnSync(join(root, 'release/deb.sh'), [join(folder, 'deb')], { env, encoding: 'utf8' });
  if (made.status !== 0) return row('Debian package', 'not built', 'dpkg-deb is not here');
  const file = made.stdout.trim();
  const installed = Number(execFileSync('dpkg-deb', ['--field', file, 'Installed-Size'], { encoding: 'utf8' }));
  row('Debian package', mb(statSync(file).size), `${mb(installed * 1024)} installed`);
}

const mb = (bytes) => `${(bytes / 1_000_000).toFixed(1)} MB`;
