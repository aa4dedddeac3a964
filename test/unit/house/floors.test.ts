import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { floors } from '../../house/floors.mjs';
import { aliasesOf, circles, directionFaults, importsIn, importsOf, readSources, sizeFaults } from '../../house/rules.mjs';

const root = join(import.meta.dirname, '../../..');
const sources = readSources(join(root, 'src'));
const aliases = aliasesOf(root);
const folders = floors.map(({ folder }) => folder);
const imports = importsOf(sources, aliases);
const faultsOf = (found: ReadonlyMap<string, readonly string[]>) => directionFaults(found, folders);

/** The imports of `src` after somebody wrote one more line into a file. */
const planted = (file: string, line: string) =>
  new Map(imports).set(file, importsIn(file, `${line}\n${sources.get(file) ?? ''}`, sources, aliases));

/** Any file of a folder. */
const fileIn = (folder: string) => [...sources.keys()].find((file) => posix.dirname(file) === folder) ?? '';

describe('the floors of src', () => {
  it('hold for every folder: each imports only what stands below it', () => {
    expect(faultsOf(imports)).toEqual([]);
    expect(circles(imports)).toEqual([]);
    expect(sizeFaults(sources)).toEqual([]);
  });

  it.each([
    ['a value', "import { globals } from '../session/globals.ts';"],
    ['a type', "import type { Globals } from '../session/globals.ts';"],
    ['a re-export', "export { globals } from '../session/globals.ts';"],
    ['a lazy import', "const later = () => import('../session/globals.ts');"],
  ])('refuse %s that is imported from above', (_, line) => {
    expect(faultsOf(planted('export/mail-programs.ts', line))).toEqual([
      'src/export/mail-programs.ts imports src/session/globals.ts: session stands above export in test/house/floors.mjs',
    ]);
  });

  it.each(folders.slice(1).map((folder, floor) => [folder, folders[floor] ?? '']))(
    'refuse an import from %s into the floor above it, %s',
    (below, above) => {
      const target = posix.relative(below, fileIn(above));
      expect(faultsOf(planted(fileIn(below), `import '${target.startsWith('.') ? target : `./${target}`}';`))).toHaveLength(1);
    },
  );

  it('refuse a folder without a floor and a floor without a folder', () => {
    expect(faultsOf(new Map(imports).set('helpers/strings.ts', []))).toEqual([
      'src/helpers has no floor: give it a line in test/house/floors.mjs',
    ]);
    expect(directionFaults(imports, [...folders, 'cellar'])).toEqual(['test/house/floors.mjs names src/cellar, which holds no file']);
  });

  it('refuse files that import one another, also through a third and by types alone', () => {
    const ring = new Map([
      ['core/a.ts', "import type { B } from './b.ts';"],
      ['core/b.ts', "import { c } from './c.ts';"],
      ['core/c.ts', "export * from './a.ts';"],
      ['core/d.ts', "import './a.ts';"],
    ]);
    expect(circles(importsOf(ring))).toEqual([['core/a.ts', 'core/b.ts', 'core/c.ts']]);
  });

  it('refuse a file name used twice, a file over 250 lines and more than 30 files side by side', () => {
    const crowd = Array.from({ length: 31 }, (_, i): [string, string] => [`mail/file-${i}.ts`, '']);
    expect(sizeFaults(new Map([...crowd, ['core/text.ts', '\n'.repeat(251)], ['ui/text.ts', '']]))).toEqual([
      'text.ts is the name of 2 files: core/text.ts, ui/text.ts',
      'src/mail holds 31 files side by side; 30 are allowed',
      'src/core/text.ts has 251 lines; 250 are allowed',
    ]);
  });
});
