import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeBlocks } from '../unit/docs/markdown.ts';
import { runPowerShell } from './rigs/powershell.ts';

/** What the README says to try, typed line by line into bash and into PowerShell, on a computer where nothing is set up. */
const root = resolve(import.meta.dirname, '../..');
let folder: string;
let lines: readonly string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mailauth-readme-'));
  await mkdir(join(folder, 'bin'));
  await symlink(join(root, 'bin/mailauth.js'), join(folder, 'bin/mailauth'));
  lines = codeBlocks(await readFile(join(root, 'README.md'), 'utf8'))
    .flatMap((block) => block.split('\n'))
    .map((line) => line.replace(/^npm ci && /, ''))
    .filter((line) => /^(?:npx )?mailauth .*--sandbox/.test(line))
    // The wizard asks; test/real/terminal.test.ts answers.
    .filter((line) => !/^mailauth setup --sandbox +#/.test(line));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const env = (shell: string) => ({ PATH: `${join(folder, 'bin')}:${process.env.PATH}`, MAILAUTH_HOME: join(folder, shell), CI: '1' });
/** A line whose comment says "red" fails, every other one succeeds. */
const wanted = () => lines.map((line) => (/# red$/.test(line) ? 'red' : 'done'));

describe('the README', { timeout: 90_000 }, () => {
  it('has the whole job on the sandbox in its first command, and the other half of it further down', () => {
    expect(lines[0]).toBe('npx mailauth setup --sandbox --yes');
    expect(wanted().filter((one) => one === 'red')).toHaveLength(1);
    expect(lines.length).toBeGreaterThan(7);
  });

  it('is true in bash', async () => {
    const script = lines.map((line) => `${line}\n[ $? = 0 ] && echo == done || echo == red`).join('\n');
    const said = await new Promise<string>((done) => {
      const child = execFile('bash', ['-c', script], { cwd: root, env: { ...env('bash'), HOME: folder } }, (_, stdout) => done(stdout));
      child.stdin?.end();
    });
    expect([...said.matchAll(/^== (\w+)$/gm)].map(([, how]) => how)).toEqual(wanted());
  });

  it('is true in PowerShell', async () => {
    const script = lines.map((line) => `${line}\nif ($LASTEXITCODE -eq 0) { '== done' } else { '== red' }`).join('\n');
    const { stdout } = await runPowerShell(`Set-Location '${root}'\n${script}\nexit 0\n`, {
      folder,
      env: env('powershell'),
      modules: false,
    });
    expect([...stdout.matchAll(/^== (\w+)$/gm)].map(([, how]) => how)).toEqual(wanted());
  });
});
