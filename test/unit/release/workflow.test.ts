import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

const workflow = new URL('../../../.github/workflows/release.yml', import.meta.url);

// npm-package-arg reads `out/name.tgz` as `github:out/name.tgz`.
it('npm publishes the file that was built, and not a repository of that name', async () => {
  const published = [...(await readFile(workflow, 'utf8')).matchAll(/npm publish (.*)/g)].map(([, words = '']) => words.split(' ').at(-1));
  expect(published).toEqual(['./out/entra-mailauth-*.tgz']);
});
