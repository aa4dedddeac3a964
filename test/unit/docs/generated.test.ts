import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { byNumber } from '../../../src/errors/recognise/needles.ts';
import { products } from '../../../src/products/products.ts';
import { judgeCases, listedNumbers, sharesByKind } from '../../measure/explain-cases.ts';
import { ownValues } from '../../support/blanks.ts';
import { type CommandPaper, commandPapers, globalFlags } from './command-tree.ts';
import { withBlock } from './markdown.ts';
import { commandList } from './render-commands.ts';
import { type ErrorPaper, errorIndex, errorPage, errorPapers, type Measured } from './render-errors.ts';
import { floors, floorsPicture } from './render-floors.ts';
import { libraryPage } from './render-library.ts';
import { manPage } from './render-man.ts';
import { productFacts } from './render-products.ts';

const path = (name: string): string => `../../../${name}`;
const read = (name: string): string => readFileSync(new URL(path(name), import.meta.url), 'utf8');

async function measured(): Promise<Measured> {
  const isKnown = ({ number }: { readonly number: number }): boolean => byNumber.has(number);
  const met = listedNumbers.filter((one) => one.met !== 'no');
  return {
    shares: sharesByKind(await judgeCases()),
    ...{ listed: listedNumbers.length, known: listedNumbers.filter(isKnown).length },
    ...{ met: met.length, metKnown: met.filter(isKnown).length },
  };
}

/** These papers are made from the program. Where this test fails, `npm run docs` writes them anew. */
describe('generated papers are up to date (npm run docs writes them)', () => {
  let commands: readonly CommandPaper[];
  let errors: readonly ErrorPaper[];

  beforeAll(async () => {
    commands = await commandPapers();
    errors = await errorPapers();
  });

  it('the command list of docs/contract.md', async () => {
    const whole = withBlock(read('docs/contract.md'), 'commands', commandList(commands, globalFlags()));
    await expect(whole).toMatchFileSnapshot(path('docs/contract.md'));
  });

  it('the manual page', async () => {
    await expect(manPage(packageJson.version, commands, globalFlags())).toMatchFileSnapshot(path('man/mailauth.1'));
  });

  it('a page for every error', async () => {
    for (const paper of errors) await expect(errorPage(paper)).toMatchFileSnapshot(path(`docs/errors/${paper.code}.md`));
    await expect(errorIndex(errors, await measured())).toMatchFileSnapshot(path('docs/errors/README.md'));
  });

  it('whose values are all filled in (test/support/blanks.ts)', () => {
    const empty = errors.filter((paper) => /undefined|NaN|\[object|\bsample\b/.test(errorPage(paper)));
    expect(empty.map(({ code }) => code)).toEqual([]);
  });

  it('and every code that has values of its own is in the catalogue', () => {
    expect(ownValues.filter((code) => errors.every((paper) => paper.code !== code))).toEqual([]);
  });

  it('no page for an error that is gone (delete the file)', () => {
    const pages = readdirSync(new URL(path('docs/errors/'), import.meta.url)).filter((name) => name !== 'README.md');
    expect(pages.sort()).toEqual(errors.map(({ code }) => `${code}.md`).sort());
  });

  it.each(products.map((product) => [product.name, product] as const))('the facts of docs/%s.md', async (name, product) => {
    const whole = withBlock(read(`docs/${name}.md`), 'facts', productFacts(product));
    await expect(whole).toMatchFileSnapshot(path(`docs/${name}.md`));
  });

  it('what is public of the library', async () => {
    const whole = withBlock(read('docs/library.md'), 'library', libraryPage(read('src/library/mailauth.ts')));
    await expect(whole).toMatchFileSnapshot(path('docs/library.md'));
  });

  it('the picture of the floors', async () => {
    await expect(floorsPicture(await floors())).toMatchFileSnapshot(path('docs/pictures/floors.svg'));
  });
});
