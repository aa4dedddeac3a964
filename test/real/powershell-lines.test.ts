import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noted } from '../../src/core/next.ts';
import { shellWord } from '../../src/core/shell/quoting.ts';
import { inTurn, moveFile, removeFile, setVariable, showAccess, unsetVariable } from '../../src/core/shell-lines.ts';
import { shown } from '../../src/core/shown.ts';
import { runPowerShell } from './rigs/powershell.ts';

/** What is printed for PowerShell is run there as it stands, by PowerShell 7 on this machine. */
let folder: string;
const powershell = { shell: 'powershell' } as const;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mailauth-lines-'));
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await symlink(resolve(import.meta.dirname, '../../bin/mailauth.js'), join(bin, 'mailauth'));
  await writeFile(join(bin, 'words'), '#!/usr/bin/env node\nconsole.log(JSON.stringify(process.argv.slice(2)));\n', { mode: 0o755 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The lines, typed one after the other; what each of them said. An error of one does not stop the next. */
async function typed(...lines: readonly string[]): Promise<readonly string[]> {
  const script = lines.map((one) => `'=='; ${one}`).join('\n');
  const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}`, MAILAUTH_HOME: join(folder, 'home'), CI: '1' };
  const { stdout } = await runPowerShell(`$ErrorActionPreference = 'Continue'\n${script}\nexit 0\n`, { folder, env, modules: false });
  return stdout.split(/^==\n/m).slice(1);
}

describe('in PowerShell', { timeout: 60_000 }, () => {
  it('words arrive whole', async () => {
    const words = [
      "o'brien@contoso.com",
      'a b',
      '$HOME',
      '`id`',
      'a;b',
      'a&b',
      '%PATH%',
      'say "hi"',
      '-x',
      '@here',
      '#no',
      '~',
      '*',
      'imap,smtp',
      '‘x’ „y“',
      'tab\there',
      '',
    ];
    const [said = ''] = await typed(`words ${words.map((word) => shellWord(word, 'powershell')).join(' ')}`);
    expect(JSON.parse(said)).toEqual(words);
  });

  it('variables are set and taken away, files moved, shown and removed', async () => {
    const [from, to] = [join(folder, 'a [b] $x.txt'), join(folder, "it's [c].txt")];
    await writeFile(from, 'x');
    const steps = [
      setVariable('X', `it's "$HOME" & more`),
      setVariable('Y', { inHome: 'key.bin' }),
      unsetVariable('CI'),
      inTurn(moveFile(from, to), setVariable('Z', 'file')),
      noted(showAccess(to), 'who owns it'),
      removeFile(join(folder, 'nothing')),
    ];
    const print = `node -p 'JSON.stringify([process.env.X, process.env.Y, process.env.Z, process.env.CI ?? null])'`;
    const said = await typed(...steps.map((step) => shown(step, powershell)), print);
    expect(JSON.parse(said.at(-1) ?? '')).toEqual([`it's "$HOME" & more`, `${folder}/key.bin`, 'file', null]);
    expect(said[4]).toMatch(/^-rw.*it's \[c\]\.txt/);
    expect([existsSync(from), existsSync(to)]).toEqual([false, true]);
    await typed(shown(removeFile(to), powershell));
    expect(existsSync(to)).toBe(false);
  });

  it('mailauth finds it out, and each command that it names runs', async () => {
    const odd = "o'bri^en@fabrikam.example";
    const next = (said = '') => /try: (.*)/.exec(said)?.[1] ?? '';
    const [login] = await typed(`mailauth login "${odd}" --sandbox --store file --key-file "$HOME/a key" 2>&1`);
    expect(next(login)).toBe(`mailauth setup --mailbox 'o''bri^en@fabrikam.example' --sandbox --store file --key-file '${folder}/a key'`);
    const [made, setup] = await typed(`mailauth store keygen "$HOME/a key" 2>&1`, `${next(login)} --yes --no-test 2>&1`);
    expect(made).toContain('Made ');
    expect(setup).toContain(`${odd} is set up and signed in`);
    const [get] = await typed(`mailauth token get --sandbox --key-file "$HOME/a key"`);
    expect(get).toMatch(/^ey[\w.-]+\n$/);
  });

  it('a list of protocols without quotes is one list', async () => {
    const [keepalive, guide] = await typed(
      'mailauth keepalive --test imap,smtp --sandbox --key-file "$HOME/a key"',
      'mailauth guide custom --protocols imap, smtp',
    );
    expect(keepalive).toContain('fabrikam.example');
    expect(guide).toContain('SMTP.Send');
    expect(guide).not.toContain('POP.AccessAsUser.All');
  });
});
