import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { findCommand } from '../../../src/cli/find-command.ts';
import { modules } from '../../../src/cli/modules.ts';
import { parse } from '../../../src/cli/parse.ts';
import { commands, topics } from '../../../src/cli/tree.ts';
import { Exit, MailauthError } from '../../../src/core/errors.ts';
import { testContext } from '../../support/context.ts';
import { commandPapers, globalFlags } from './command-tree.ts';
import { codeBlocks } from './markdown.ts';
import { shellWords } from './shell-words.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const texts = new Map<string, string>();
const read = (name: string): string => {
  const text = texts.get(name) ?? readFileSync(join(root, name), 'utf8');
  texts.set(name, text);
  return text;
};

const filesIn = (folder: string, ending: RegExp): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name).replaceAll('\\', '/'))
    .filter((name) => ending.test(name));

const errorPages = filesIn('docs/errors', /\.md$/);
const handwritten = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', ...filesIn('docs', /\.md$/)].filter(
  (name) => !errorPages.includes(name),
);
const papers = [...handwritten, ...errorPages];

const codeSpans = (text: string): readonly string[] =>
  [...text.replace(/^```.*?^```$/gms, '').matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map(([, span = '']) => span);

/** As GitHub makes the anchor of a heading. */
const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchors = new Map<string, readonly string[]>();
const anchorsOf = (name: string): readonly string[] => {
  const all = anchors.get(name) ?? [...read(name).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading));
  anchors.set(name, all);
  return all;
};

/** Of Markdown, and of `<picture>`. */
const linksOf = (text: string): readonly string[] =>
  [...text.matchAll(/\]\(([^()\s]+)\)|\bsrc(?:set)?="([^"\s]+)"/g)].map(([, inText, inPicture]) => inText ?? inPicture ?? '');

describe('links', () => {
  it('lead to a file of the repository, and to a heading that is there', () => {
    const broken = papers.flatMap((name) => {
      const text = read(name).replace(/^```.*?^```$/gms, '');
      return linksOf(text).flatMap((link) => {
        if (/^[a-z]+:/.test(link)) return [];
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? name : join(dirname(name), path);
        if (!existsSync(join(root, target))) return [`${name}: ${link}`];
        return anchor === undefined || anchorsOf(target).includes(anchor) ? [] : [`${name}: ${link}`];
      });
    });
    expect(broken).toEqual([]);
  });

  it('files and folders of the repository that are named exist', () => {
    const missing = handwritten.flatMap((name) =>
      codeSpans(read(name))
        .filter((span) => /^(?:src|test|docs|bin|man|\.ci|\.github)(?:\/[\w./-]+)?$/.test(span))
        .filter((span) => !existsSync(join(root, span)) && span !== 'docs/NAME.md')
        .map((span) => `${name}: ${span}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('commands', () => {
  /** What is after `mailauth` in each line of the code blocks. */
  const lines = handwritten.flatMap((name) =>
    codeBlocks(read(name)).flatMap((block) =>
      block.split('\n').flatMap((line) => {
        const words = shellWords(line);
        return words === undefined ? [] : [{ name, line, words }];
      }),
    ),
  );

  it('in code blocks are parsed by the program itself', async () => {
    expect(lines.length).toBeGreaterThan(40);
    const refused: string[] = [];
    for (const { name, line, words } of lines) {
      const why = await refusal(words);
      if (why !== undefined) refused.push(`${name}: ${line} (${why})`);
    }
    expect(refused).toEqual([]);
  });

  it('in sentences and tables are commands of the tree, with flags that they have', async () => {
    const trees = await commandPapers();
    const everywhere = [...globalFlags().map(({ long }) => long), '--help', '--version'];
    const wrong = handwritten
      .filter((name) => name !== 'CHANGELOG.md')
      .flatMap((name) =>
        codeSpans(read(name)).flatMap((span) => {
          const words = shellWords(span);
          if (words === undefined || words.length === 0) return [];
          const found = findCommand(words);
          const paper = trees.find(({ entry }) => entry.name === found.words.join(' '));
          const isGroup = commands.some((c) => c.name.startsWith(`${found.words.join(' ')} `));
          if (paper === undefined) return isGroup || found.words[0] === 'help' ? [] : [`${name}: ${span}`];
          const flags = [...everywhere, ...paper.flags.map(({ long }) => long)];
          return words.some((word) => word.startsWith('--') && !flags.includes(word)) ? [`${name}: ${span}`] : [];
        }),
      );
    expect(wrong).toEqual([]);
  });

  async function refusal(argv: readonly string[]): Promise<string | undefined> {
    const { words, rest } = findCommand(argv);
    if (words[0] === 'help') return topics.some((topic) => topic === rest[0] || topic === words[1]) ? undefined : 'no such topic';
    const entry = commands.find((c) => c.name === words.join(' '));
    if (entry === undefined) return 'no such command';
    try {
      await parse(entry, await modules[entry.name](), rest, testContext());
      return undefined;
    } catch (error) {
      if (error instanceof MailauthError) return error.title;
      throw error;
    }
  }
});

describe('docs/contract.md', () => {
  const contract = read('docs/contract.md');
  const section = (heading: string): string => contract.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';

  it('has every exit code, and no other', () => {
    const told = [...section('Exit codes').matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(told).toEqual(Object.values(Exit));
  });

  it('has every variable that the source names, and no other', () => {
    const named = (text: string) => new Set(text.match(/\bMAILAUTH_[A-Z_]+\b/g));
    const inSource = new Set([...filesIn('src', /\.ts$/), ...filesIn('bin', /\.js$/)].flatMap((name) => [...named(read(name))]));
    expect([...named(section('Environment'))].sort()).toEqual([...inSource].sort());
  });
});

describe('README.md', () => {
  const readme = read('README.md');

  it('has at most 9 kB', () => {
    expect(Buffer.byteLength(readme)).toBeLessThanOrEqual(9000);
  });

  it('begins with the first command, and names the test command that .ci/run runs', () => {
    expect(codeBlocks(readme)[0]).toBe('npm ci && npx mailauth setup --sandbox --yes\n');
    expect(readme).toContain('npm ci && npm test');
  });

  it('names every command and every product', () => {
    const list = readme.split('\n## Commands\n')[1]?.split('\n## ')[0] ?? '';
    for (const { name } of commands) expect(list, name).toContain(name.split(' ').at(-1));
    for (const page of filesIn('docs', /^docs\/[\w-]+\.md$/))
      if (read(page).includes('<!-- generated: facts -->')) expect(readme).toContain(page);
  });
});

it('CHANGELOG.md has the version of the package, and what is not released yet', () => {
  expect(read('CHANGELOG.md')).toContain('## [Unreleased]');
  expect(read('CHANGELOG.md')).toContain(`## [${packageJson.version}]`);
});

describe('papers and comments', () => {
  const sources = [
    ...filesIn('src', /\.ts$/),
    ...filesIn('test', /\.(?:ts|mjs)$/).filter((name) => name !== 'test/unit/docs/papers.test.ts'),
  ];

  it('name nothing that is not in the repository', () => {
    const foreign = [...papers, ...sources].filter((name) =>
      /\.\.\/shared(?!-)|contract,? section|shared facts|facts on Microsoft/i.test(read(name)),
    );
    expect(foreign).toEqual([]);
  });

  it('cite headings that are there', () => {
    const broken = sources.flatMap((name) =>
      [...read(name).matchAll(/((?:docs\/)?[\w-]+\.md)((?:,| and) "[^"\n]+"(?: and "[^"\n]+")*)/g)].flatMap(([, file = '', cited = '']) =>
        [...cited.matchAll(/"([^"]+)"/g)]
          .filter(([, heading = '']) => !existsSync(join(root, file)) || !anchorsOf(file).includes(slug(heading)))
          .map(([, heading]) => `${name}: ${file}, "${heading}"`),
      ),
    );
    expect(broken).toEqual([]);
  });
});

it('the issue form for faults asks for the report of doctor', () => {
  expect(read('.github/ISSUE_TEMPLATE/bug.yml')).toContain('mailauth doctor --report');
});
