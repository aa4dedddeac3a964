import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix, relative, resolve, sep } from 'node:path';
import ts from 'typescript';

/** @typedef {ReadonlyMap<string, string>} Sources path below `src` with forward slashes → text */

/**
 * Every TypeScript file below `folder`.
 * @param {string} folder
 * @returns {Map<string, string>}
 */
export function readSources(folder) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return new Map(names.sort().map((name) => [name.split(sep).join('/'), readFileSync(join(folder, name), 'utf8')]));
}

/**
 * What each file imports inside `src`.
 * @param {Sources} sources
 * @param {Readonly<Record<string, string>>} aliases `#catalogue` → path below `src`
 * @returns {Map<string, string[]>}
 */
export function importsOf(sources, aliases = {}) {
  return new Map([...sources].map(([file, text]) => [file, importsIn(file, text, sources, aliases)]));
}

/**
 * What one file imports: types, `export … from` and `import()` included.
 * @param {string} file
 * @param {string} text
 * @param {Sources} sources
 * @param {Readonly<Record<string, string>>} aliases
 * @returns {string[]}
 */
export function importsIn(file, text, sources, aliases = {}) {
  const named = ts.preProcessFile(text, true, true).importedFiles.map((imported) => imported.fileName);
  const targets = named.map((name) => aliases[name] ?? (name.startsWith('.') ? posix.join(posix.dirname(file), name) : name));
  return [...new Set(targets.filter((target) => sources.has(target)))];
}

/**
 * Imports that do not point down, folders without a floor and floors without a folder, as sentences.
 * @param {ReadonlyMap<string, readonly string[]>} imports
 * @param {readonly string[]} folders from the roof to the ground
 * @returns {string[]}
 */
export function directionFaults(imports, folders) {
  const floorOf = new Map(folders.map((folder, floor) => [folder, floor]));
  const used = new Set([...imports.keys()].map((file) => posix.dirname(file)));
  const faults = [];
  for (const folder of used) if (!floorOf.has(folder)) faults.push(`src/${folder} has no floor: give it a line in test/house/floors.mjs`);
  for (const folder of folders) if (!used.has(folder)) faults.push(`test/house/floors.mjs names src/${folder}, which holds no file`);
  for (const [file, targets] of imports) {
    for (const target of targets) {
      const [from, to] = [posix.dirname(file), posix.dirname(target)];
      if (from !== to && Number(floorOf.get(from)) >= Number(floorOf.get(to)))
        faults.push(`src/${file} imports src/${target}: ${to} stands above ${from} in test/house/floors.mjs`);
    }
  }
  return faults;
}

/**
 * Circles of files, each as the files that import one another.
 * @param {ReadonlyMap<string, readonly string[]>} imports
 * @returns {string[][]}
 */
export function circles(imports) {
  const state = { count: 0, index: new Map(), low: new Map(), stack: [], found: [] };
  for (const file of imports.keys()) if (!state.index.has(file)) visit(file, imports, state);
  return state.found;
}

/** One step of Tarjan's algorithm for strongly connected components (SIAM Journal on Computing 1 (2), 1972). */
function visit(file, imports, state) {
  state.index.set(file, state.count);
  state.low.set(file, state.count);
  state.count += 1;
  state.stack.push(file);
  for (const next of imports.get(file) ?? []) {
    if (!state.index.has(next)) visit(next, imports, state);
    if (state.stack.includes(next)) state.low.set(file, Math.min(state.low.get(file), state.low.get(next)));
  }
  if (state.low.get(file) !== state.index.get(file)) return;
  const circle = state.stack.splice(state.stack.indexOf(file));
  if (circle.length > 1) state.found.push(circle.sort());
}

/**
 * Names used twice, files that are too long, folders that hold too many files.
 * @param {Sources} sources
 * @returns {string[]}
 */
export function sizeFaults(sources) {
  const faults = [];
  for (const [name, files] of grouped([...sources.keys()], (file) => basename(file)))
    if (files.length > 1) faults.push(`${name} is the name of ${files.length} files: ${files.join(', ')}`);
  for (const [folder, files] of grouped([...sources.keys()], (file) => dirname(file)))
    if (files.length > 30) faults.push(`src/${folder} holds ${files.length} files side by side; 30 are allowed`);
  for (const [file, text] of sources) {
    const lines = text.split('\n').length - 1;
    if (lines > 250) faults.push(`src/${file} has ${lines} lines; 250 are allowed`);
  }
  return faults;
}

function grouped(items, keyOf) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/**
 * The `imports` of package.json that lead into `src`.
 * @param {string} root
 * @returns {Record<string, string>}
 */
export function aliasesOf(root) {
  const { imports = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const src = resolve(root, 'src');
  return Object.fromEntries(
    Object.entries(imports).map(([name, target]) => [
      name,
      relative(src, resolve(root, target.default ?? target))
        .split(sep)
        .join('/'),
    ]),
  );
}
