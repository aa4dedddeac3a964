import { mkdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newHome, startMailauth } from './rigs/chromium.ts';
import { openTerminal, type Terminal } from './rigs/tmux.ts';

const program = resolve(import.meta.dirname, '../../bin/mailauth.js');
const mailbox = 'helpdesk@contoso.example';

let home: Awaited<ReturnType<typeof newHome>>;
let env: Record<string, string>;

beforeAll(async () => {
  home = await newHome();
  const bin = join(home.path, 'bin');
  await mkdir(bin);
  await symlink(program, join(bin, 'mailauth'));
  // The folder of `node` as well, for the script's first line.
  env = { ...home.env, HOME: home.path, PATH: `${bin}:${process.env.PATH}`, LANG: 'C.UTF-8' };
  const setup = startMailauth(['setup', '--sandbox', '--yes', '--no-test'], env);
  expect(await setup.ended).toBe(0);
});
afterAll(() => home?.remove());

const shells = {
  bash: { start: 'bash --norc --noprofile -i', load: 'eval "$(mailauth completion bash)"' },
  zsh: { start: 'zsh -f -i', load: 'autoload -U compinit; compinit -u -D; source <(mailauth completion zsh)' },
  fish: { start: 'fish --no-config -i', load: 'mailauth completion fish | source' },
};

describe.each(Object.entries(shells))('Tab in %s', (_, { start, load }) => {
  it('completes commands, values, joined values and mailboxes', async () => {
    const terminal = await openTerminal([], { folder: home.path, env, columns: 120, program: start });
    try {
      await terminal.until(prompt);
      await terminal.type(load);
      await terminal.press('Enter');
      await tab(terminal, 'mailauth stat', 'mailauth status');
      await tab(terminal, 'mailauth setup --for os', 'mailauth setup --for osticket');
      await tab(terminal, 'mailauth setup --register=por', 'mailauth setup --register=portal');
      await tab(terminal, 'mailauth token get --sandbox hel', `mailauth token get --sandbox ${mailbox}`);
      await tab(terminal, 'mailauth token get --sandbox helpdesk@con', `mailauth token get --sandbox ${mailbox}`);
    } finally {
      await terminal.close();
    }
  });
});

/** The last line is a prompt alone: the shell reads keys itself now. */
const prompt = /(?:^|\n).*[#$%>]$/;

async function tab(terminal: Terminal, typed: string, expected: string): Promise<void> {
  await terminal.until(prompt);
  await terminal.type(typed);
  await terminal.until(typed);
  await terminal.press('Tab');
  await terminal.until(expected);
  await terminal.press('C-c');
}
