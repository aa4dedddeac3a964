import { code, codeCell, table } from '../../../src/core/markdown.ts';
import { type CommandPaper, type Flag, usageOf } from './command-tree.ts';
import { prose } from './markdown.ts';

/** The command list of docs/contract.md. */
export function commandList(papers: readonly CommandPaper[], globals: readonly Flag[]): string {
  const parts = papers.map((paper) => {
    const { entry, args, flags } = paper;
    return [
      `### ${entry.name}`,
      '',
      `${code(usageOf(paper))}: ${prose(entry.summary)}.`,
      ...(args.length === 0
        ? []
        : [
            '',
            ...args.map(
              ({ name, required, description }) => `- ${code(name)}${required ? '' : ' (may be left out)'}: ${prose(description)}`,
            ),
          ]),
      ...(flags.length === 0 ? [] : ['', flagTable(flags)]),
      '',
    ].join('\n');
  });
  const everywhere = ['### Global options', '', 'Every command has them.', '', flagTable(globals)].join('\n');
  return [...parts, everywhere].join('\n');
}

const flagTable = (flags: readonly Flag[]): string =>
  table(
    ['Flag', 'What it does'],
    flags.map(({ flags: words, description }) => [codeCell(words), prose(description)]),
  );
