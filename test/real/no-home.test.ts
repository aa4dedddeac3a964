import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/context.ts';
import { program } from './rigs/chromium.ts';

/** A user that is in no list of the system, as containers with a random user id have it. */
const uid = 40_000 + Math.floor(Math.random() * 20_000);

let folder = '';
let remove = async () => {};
beforeAll(async () => {
  ({ path: folder, remove } = await temporaryFolder());
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'own'), { mode: 0o700 });
  chownSync(join(folder, 'own'), uid, uid);
});
afterAll(() => remove());

function asNobodyKnown(words: string, env: Readonly<Record<string, string>>) {
  const vars = Object.entries({ PATH: '/usr/bin:/bin', ...env }).map(([name, value]) => `${name}=${value}`);
  const argv = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', 'env', '-i', ...vars, process.execPath, program, ...words.split(' ')];
  const { status, stdout, stderr } = spawnSync('setpriv', argv, { cwd: join(folder, 'own'), encoding: 'utf8' });
  expect(`${stdout}${stderr}`).not.toMatch(/\n {4}at |SystemError/);
  return { status, stdout, stderr };
}

describe('a user without an entry in the list of users', () => {
  const home = () => ({ MAILAUTH_HOME: join(folder, 'own', 'mailauth') });

  it.each([
    ['status', 0],
    ['token get', 4],
    ['token show', 4],
    ['test all', 4],
    ['keepalive', 0],
    ['export curl', 4],
    ['explain AADSTS50076', 0],
    ['guide osticket', 0],
    ['completion bash', 0],
    ['help exit-codes', 0],
    ['setup --no-input', 3],
    ['setup --sandbox --yes --no-test', 0],
    ['token get --sandbox', 0],
    ['status --sandbox', 0],
    ['logout --all --sandbox --yes', 0],
  ])('mailauth %s works with MAILAUTH_HOME and without HOME: exit %i', (words, exit) => {
    const { status, stderr } = asNobodyKnown(words, home());
    expect(status, stderr).toBe(exit);
  });

  it.each([{}, { HOME: '' }, { HOME: 'own' }])('%j without MAILAUTH_HOME: exit 1, and the command that helps', async (env) => {
    for (const words of ['status', 'token get ada@contoso.com', 'doctor', 'setup --sandbox --yes']) {
      const { status, stderr } = asNobodyKnown(words, env);
      expect([status, stderr]).toEqual([
        1,
        expect.stringMatching(/✖ mailauth does not know where to keep its files\n.*\n {2}try: export MAILAUTH_HOME=/),
      ]);
    }
    expect(await readdir(join(folder, 'own'))).toEqual(['mailauth']);
  });

  it('HOME=/ is no place for the files, and the printed command works', () => {
    const { status, stderr } = asNobodyKnown('setup --sandbox --yes --no-test', { HOME: '/' });
    expect([status, stderr]).toEqual([1, expect.stringContaining('/.config/mailauth/sandbox')]);
    const [, line = ''] = /(?:try|or): (MAILAUTH_HOME=.*)/.exec(stderr) ?? [];
    expect(line).toMatch(/^MAILAUTH_HOME="\$\(mktemp -d \S+\)" mailauth setup .*--sandbox/);
    const shell = `mailauth() { '${process.execPath}' '${program}' "$@"; }\n${line.replace('/var/tmp', join(folder, 'own'))}`;
    const argv = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', 'env', '-i', 'PATH=/usr/bin:/bin', 'HOME=/', 'sh', '-c', shell];
    const pasted = spawnSync('setpriv', argv, { encoding: 'utf8' });
    expect(pasted.status, pasted.stderr).toBe(0);
  });
});
