import { expect, it } from 'vitest';
import { withWholeLists } from '../../../src/cli/list-words.ts';

it.each([
  ['--protocols imap,smtp --yes', '--protocols imap,smtp --yes'],
  ['--protocols imap smtp --yes', '--protocols imap,smtp --yes'],
  ['--protocols|imap smtp', '--protocols|imap,smtp'],
  ['--protocols imap, smtp', '--protocols imap,smtp'],
  ['--protocols=imap smtp', '--protocols imap,smtp'],
  ['--protocols imap --yes --protocols pop smtp', '--protocols imap,pop,smtp --yes'],
  ['osticket --protocols imap smtp', 'osticket --protocols imap,smtp'],
  ['--protocols imap,smtp osticket', '--protocols imap,smtp osticket'],
  ['--test all', '--test all'],
  ['--test imap graph-send', '--test imap,graph-send'],
  ['--protocols', '--protocols'],
  ['--protocols --yes', '--protocols --yes'],
  ['--protocols telepathy', '--protocols telepathy'],
  ['--name x -- --protocols imap smtp', '--name x -- --protocols imap smtp'],
  ['imap smtp', 'imap smtp'],
])('%s is read as %s', (given, read) => {
  // A bar stands between words where a word has spaces of its own.
  const words = (text: string) => text.split(text.includes('|') ? '|' : ' ');
  expect(withWholeLists(words(given))).toEqual(words(read));
});
