import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckResult } from '../../src/doctor/check.ts';
import { bundleScript, type KeyringRig, keyringRig } from './rigs/keyring.ts';

let rig: KeyringRig;
let program = '';
let home = '';

beforeAll(async () => {
  rig = await keyringRig();
  home = join(rig.folder, 'mailauth');
  await mkdir(home, { mode: 0o700 });
  program = await bundleScript(rig.folder, 'doctor', "import { start } from 'SRC/app.ts';\nvoid start(process);\n");
});
afterAll(() => rig.remove());

const lock =
  'gdbus call --session --dest org.freedesktop.secrets --object-path /org/freedesktop/secrets --method org.freedesktop.Secret.Service.Lock "[\'/org/freedesktop/secrets/aliases/default\']" >/dev/null';
const command = () => [process.execPath, program, 'doctor', '--sandbox', '--store', 'keychain', '--json'];
const keychainOf = (stdout: string): CheckResult | undefined =>
  JSON.parse(stdout).data.checks.find((check: CheckResult) => check.id === 'keychain');

describe('mailauth doctor on the real Secret Service', () => {
  it('writes, reads and deletes an entry, and is content with a whole machine', async () => {
    const { code, stdout, stderr } = await rig.run(command(), { MAILAUTH_HOME: home });
    expect(code, stdout + stderr).toBe(0);
    expect(keychainOf(stdout)).toMatchObject({
      state: 'ok',
      detail: expect.stringContaining('Secret Service (service "mailauth-sandbox")'),
    });
  });

  it('a locked keyring is a failure that is told, not a hang', async () => {
    const { code, stdout } = await rig.run(['bash', '-c', `${lock}; exec "$@"`, '_', ...command()], { MAILAUTH_HOME: home });
    expect(code).toBe(1);
    expect(keychainOf(stdout)).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('The keyring is locked'),
      next: [expect.stringContaining('seahorse'), expect.stringContaining('gnome-keyring-daemon'), expect.anything(), expect.anything()],
    });
  });

  it('no session bus', async () => {
    const { code, stdout } = await rig.bare(command(), { MAILAUTH_HOME: home });
    expect([code, keychainOf(stdout)?.state]).toEqual([1, 'failed']);
  });
});
