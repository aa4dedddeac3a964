// Part of `npm run lint`: holds the direction of imports and the sizes of `src`, and says each fault in one line.
import { join, resolve } from 'node:path';
import { floors } from './floors.mjs';
import { aliasesOf, circles, directionFaults, importsOf, readSources, sizeFaults } from './rules.mjs';

const root = resolve(import.meta.dirname, '../..');
const sources = readSources(join(root, 'src'));
const imports = importsOf(sources, aliasesOf(root));
const faults = [
  ...directionFaults(
    imports,
    floors.map(({ folder }) => folder),
  ),
  ...circles(imports).map((circle) => `these files import one another: ${circle.join(', ')}`),
  ...sizeFaults(sources),
];
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.stdout.write(
  `${sources.size} files in ${floors.length} folders: ${faults.length === 0 ? 'each imports only what stands below it' : `${faults.length} faults`}\n`,
);
process.exitCode = faults.length === 0 ? 0 : 1;
