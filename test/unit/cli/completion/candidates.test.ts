import { describe, expect, it } from 'vitest';
import { type CommandSpec, complete, type FlagSpec } from '../../../../src/cli/completion/candidates.ts';

const commands: readonly CommandSpec[] = [
  {
    name: 'setup',
    summary: 'the wizard',
    args: [],
    flags: [
      { flag: '--for', summary: 'product', values: ['osticket', 'kaseya'] },
      { flag: '--handover', summary: 'file', values: 'files' },
      { flag: '--name', summary: 'display name', values: 'free' },
    ],
  },
  { name: 'token get', summary: 'the token', args: ['mailboxes'], flags: [{ flag: '--force-refresh', summary: 'now' }] },
  { name: 'token show', summary: 'about it', args: ['mailboxes'], flags: [] },
  { name: 'test', summary: 'live', args: [['imap', 'all'], 'mailboxes'], flags: [] },
];
const globals: readonly FlagSpec[] = [
  { flag: '--cloud', summary: 'a cloud', values: ['public', 'china'] },
  { flag: '--json', summary: 'JSON' },
];

const values = (...words: string[]) => complete(commands, globals, words).candidates.map((c) => c.value);

describe('what a shell is offered', () => {
  it('offers commands, a word at a time, each once', () => {
    expect(values('')).toEqual(['setup', 'token', 'test']);
    expect(values('token', '')).toEqual(['get', 'show']);
    expect(values('nonsense', '')).toEqual([]);
  });

  it("offers a command's flags before the global ones, wherever they stand", () => {
    expect(values('setup', '--')).toEqual(['--for', '--handover', '--name', '--cloud', '--json']);
    expect(values('token', 'get', '--force-refresh', '-')).toEqual(['--force-refresh', '--cloud', '--json']);
    expect(values('--')).toEqual(['--cloud', '--json']);
  });

  it.each([
    [
      ['setup', '--for', ''],
      ['osticket', 'kaseya'],
    ],
    [
      ['--cloud', 'china', 'setup', '--for', 'o'],
      ['osticket', 'kaseya'],
    ],
    [
      ['setup', '--cloud', ''],
      ['public', 'china'],
    ],
    [
      ['--cloud', ''],
      ['public', 'china'],
    ],
    [
      ['test', ''],
      ['imap', 'all'],
    ],
    [
      ['test', '--json', ''],
      ['imap', 'all'],
    ],
    [['setup', '--name', ''], []],
    [['setup', '--json', ''], []],
  ])('values after %j', (words, expected) => {
    expect(values(...words)).toEqual(expected);
  });

  it('leaves mailboxes and files to those who know them', () => {
    expect(complete(commands, globals, ['token', 'get', 'h'])).toEqual({ candidates: [], also: 'mailboxes', prefix: '' });
    expect(complete(commands, globals, ['test', '--cloud', 'china', 'imap', '']).also).toBe('mailboxes');
    expect(complete(commands, globals, ['setup', '--handover', '']).also).toBe('files');
    expect(complete(commands, globals, ['token', 'get', 'a@b.example', '']).also).toBeUndefined();
  });

  it('keeps the flag in front of a joined value', () => {
    const joined = complete(commands, globals, ['setup', '--for=k']);
    expect(joined).toMatchObject({ prefix: '--for=', candidates: [{ value: 'osticket' }, { value: 'kaseya' }] });
    expect(complete(commands, globals, ['setup', '--handover=']).also).toBe('files');
    expect(values('setup', '--nonsense=')).toEqual([]);
  });
});
