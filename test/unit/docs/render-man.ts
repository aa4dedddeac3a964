import { topicText } from '../../../src/cli/help-topics.ts';
import { topics } from '../../../src/cli/tree.ts';
import { type CommandPaper, type Flag, usageOf } from './command-tree.ts';

/** man/mailauth.1, in the macros of man(7). */
export function manPage(version: string, papers: readonly CommandPaper[], globals: readonly Flag[]): string {
  return `${[
    '.\\" Generated from the command tree: npm run docs',
    `.TH MAILAUTH 1 "" "mailauth ${version}" "User Commands"`,
    '.SH NAME',
    'mailauth \\- Microsoft 365 mailboxes with OAuth 2, set up and proven',
    '.SH SYNOPSIS',
    '.B mailauth',
    '.I command',
    '.RI [ options ]',
    '.SH DESCRIPTION',
    roff(
      'mailauth takes a Microsoft 365 mailbox from passwords to OAuth 2. It registers the app, signs in, keeps the tokens in the keychain, ' +
        'tests the mail servers, and hands a fresh access token to any program that asks.',
    ),
    '.PP',
    'Begin with',
    '.BR "mailauth setup" ,',
    'or with',
    '.B mailauth setup \\-\\-sandbox \\-\\-yes',
    'to try everything without touching anything real.',
    '.SH COMMANDS',
    ...papers.flatMap(section),
    '.SH GLOBAL OPTIONS',
    'Every command has them.',
    ...globals.flatMap(option),
    ...topics.flatMap((topic) => [`.SH ${topic.toUpperCase().replace('-', ' ')}`, ...verbatim(topicText(topic))]),
    '.SH SEE ALSO',
    roff(
      'The contract of the command line, a page for every product and a page for every error: https://github.com/entra-mailauth/mailauth/tree/main/docs',
    ),
  ].join('\n')}\n`;
}

const section = (paper: CommandPaper): readonly string[] => [
  `.SS ${roff(usageOf(paper))}`,
  roff(sentence(paper.entry.summary)),
  ...paper.args.flatMap(({ name, description }) => ['.TP', `.I ${roff(name)}`, roff(description)]),
  ...paper.flags.flatMap(option),
];

const option = ({ flags, description }: Flag): readonly string[] => ['.TP', `.B ${roff(flags)}`, roff(description)];

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const verbatim = (text: string): readonly string[] => ['.nf', ...text.trimEnd().split('\n').map(roff), '.fi'];

/** A line of text for roff: backslashes, hyphens of options and a dot or quote that would begin a macro. */
const roff = (line: string): string =>
  line
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')
    .replaceAll('…', '...');
