import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleStoreScript, type KeyringRig, keyringRig } from './rigs/keyring.ts';

let rig: KeyringRig;
let store = '';

beforeAll(async () => {
  rig = await keyringRig();
  store = await bundleStoreScript(rig.folder);
});
afterAll(() => rig.remove());

/** The JSON lines of one run, which must have ended by itself. */
function lines(outcome: { code: number | null; stdout: string; stderr: string }): readonly Record<string, unknown>[] {
  if (outcome.code !== 0) throw new Error(`ended with ${outcome.code}: ${outcome.stderr}`);
  return outcome.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

const node = process.execPath;
const call = async (...args: readonly string[]) => lines(await rig.run([node, store, ...args]))[0];
const shell = (text: string, env: Record<string, string> = {}) => rig.run(['bash', '-c', text], { NODE: node, STORE: store, ...env });

const lock =
  'gdbus call --session --dest org.freedesktop.secrets --object-path /org/freedesktop/secrets --method org.freedesktop.Secret.Service.Lock "[\'/org/freedesktop/secrets/aliases/default\']" >/dev/null';

/** Processes whose environment names this rig's folder: daemons of its sessions, or children of its scripts. */
async function leftovers(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (environ.includes(rig.folder)) found.push(await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => ''));
  }
  return found;
}

describe('the real Secret Service', () => {
  it('keeps what one process wrote for the next, in another session', async () => {
    expect(await call('write', 'token/a')).toMatchObject({ done: null });
    expect(await call('read', 'token/a')).toMatchObject({ found: true, same: true });
    expect(await call('remove', 'token/a')).toMatchObject({ removed: true });
    expect(await call('read', 'token/a')).toMatchObject({ found: false });
    expect(await call('remove', 'token/a')).toMatchObject({ removed: false });
  });

  it('is probed', async () => {
    expect(await call('probe', '')).toMatchObject({ done: null });
  });

  it('keeps 64 KB in one entry', async () => {
    expect(await call('write', 'token/large', '65536')).toMatchObject({ done: null });
    expect(await call('read', 'token/large', '65536')).toMatchObject({ same: true });
    expect(await call('raw', 'token/large#a0')).toMatchObject({ raw: null });
  });

  it('splits with the limit of Windows, and removes every part', async () => {
    expect(await call('write', 'token/split', '5000', '1280')).toMatchObject({ done: null });
    expect(await call('read', 'token/split', '5000', '1280')).toMatchObject({ same: true });
    expect(await call('raw', 'token/split')).toMatchObject({ raw: expect.stringContaining('"generation":"a"') });
    expect(await call('write', 'token/split', '4000', '1280')).toMatchObject({ done: null });
    expect(await call('raw', 'token/split#a0')).toMatchObject({ raw: null });
    expect(await call('read', 'token/split', '4000', '1280')).toMatchObject({ same: true });
    expect(await call('remove', 'token/split', '0', '1280')).toMatchObject({ removed: true });
    expect(await call('raw', 'token/split#b0')).toMatchObject({ raw: null });
  });

  it('loses nothing when ten processes write at once', async () => {
    const outcome = await shell(
      'for i in 0 1 2 3 4 5 6 7 8 9; do "$NODE" "$STORE" write token/p$i 3000 1280 & done; wait; for i in 0 1 2 3 4 5 6 7 8 9; do "$NODE" "$STORE" read token/p$i 3000 1280; done',
    );
    const all = lines(outcome);
    expect(all.filter((line) => line.code !== undefined)).toEqual([]);
    expect(all.filter((line) => line.done === null)).toHaveLength(10);
    expect(all.filter((line) => line.same === true)).toHaveLength(10);
  });
});

describe('an unusable keychain ends in exit 7, by itself, without a hang', () => {
  const each = 'for op in read write probe; do "$NODE" "$STORE" $op token/x; done';

  it('locked, nobody there to ask', async () => {
    const all = lines(await shell(`${lock}; ${each}`));
    expect(all).toHaveLength(3);
    for (const line of all) expect(line).toMatchObject({ code: 'keychain-locked', exit: 7, slow: false });
  });

  /** Xvfb, so that the service's prompt has a place to wait for ever. */
  const display = `exec 3< <(exec Xvfb -displayfd 1 -screen 0 320x240x8 -nolisten tcp 2>/dev/null); xvfb=$!; trap 'kill $xvfb' EXIT
    read -r number <&3; export DISPLAY=:$number; dbus-update-activation-environment DISPLAY 2>/dev/null`;

  it('locked, with a display where a prompt would wait for ever', async () => {
    const all = lines(await shell(`${display}; ${lock}; ${each}`));
    expect(all).toHaveLength(3);
    for (const line of all) expect(line).toMatchObject({ code: 'keychain-locked', exit: 7, slow: false });
  });

  it('locked between our question and the call, when the prompt is open', async () => {
    // The write's process is killed. Reading asks nothing that is locked to open, and so is not held up.
    const late = async (op: string) =>
      lines(await shell(`${display}; "$NODE" "$STORE" ${op} token/x; echo "{\\"status\\":$?}"`, { LOCK: lock }));
    const locked = { code: 'keychain-locked', exit: 7, slow: false };
    expect(await late('late-write')).toEqual([locked, { status: 7 }]);
    expect(await late('late-read')).toEqual([locked, { status: 7 }]);
  });

  it('no bus', async () => {
    for (const env of [{}, { XDG_RUNTIME_DIR: join(rig.folder, 'none') }, { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' }]) {
      expect(lines(await rig.bare([node, store, 'probe'], env))[0]).toMatchObject({ code: 'keychain-no-bus', exit: 7 });
    }
  });

  it('a bus without provider', async () => {
    const config = join(rig.folder, 'bus.conf');
    await writeFile(
      config,
      '<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>',
    );
    const outcome = await rig.bare(['dbus-run-session', `--config-file=${config}`, '--', node, store, 'probe']);
    expect(lines(outcome)[0]).toMatchObject({ code: 'keychain-no-provider', exit: 7 });
  });

  it('a provider without a keyring', async () => {
    const fresh = await keyringRig();
    try {
      expect(lines(await fresh.run([node, store, 'probe'], { KR_UNLOCK: 'no' }))[0]).toMatchObject({
        code: 'keychain-no-collection',
        exit: 7,
      });
    } finally {
      await fresh.remove();
    }
  });

  it('a daemon that hangs', async () => {
    // The stopped daemon is let go afterwards: it could not end with its session.
    const all = lines(
      await shell(
        `pids=$(ps -o pid= --no-headers -C gnome-keyring-daemon -C gnome-keyring-d); for pid in $pids; do grep -qz "KR_HOME=$KR_HOME" /proc/$pid/environ && mine="$mine $pid"; done; kill -STOP $mine; ${each}; kill -CONT $mine`,
      ),
    );
    expect(all).toHaveLength(3);
    for (const line of all) expect(line).toMatchObject({ code: 'keychain-hung', exit: 7, slow: false });
  });

  it('leaves no process behind', async () => {
    for (let tries = 0; tries < 40 && (await leftovers()).length > 0; tries++) await new Promise((done) => setTimeout(done, 50));
    expect(await leftovers()).toEqual([]);
  });
});
