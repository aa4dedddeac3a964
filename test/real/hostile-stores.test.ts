import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyringRig } from './rigs/keyring.ts';
import { type Office, openOffice, type Seat } from './rigs/office.ts';

/** What happens to stores over the years, by other hands and by disks: the program says what it is and nothing of it gets worse. */
let office: Office;
beforeAll(async () => {
  office = await openOffice();
});
afterAll(() => office?.close());

const printed = (token: string) => ({ code: 0, stdout: `${token}\n`, stderr: '' });
const tokenEntry = (seat: Seat) => `token/this-computer/${seat.mailbox}`;

/** Another program of the same person: `secret-tool` (apt: libsecret-tools). */
async function byHand(seat: Seat, verb: 'clear' | 'store', value = ''): Promise<void> {
  const { id } = JSON.parse(await readFile(join(seat.home, 'home.json'), 'utf8'));
  const attributes = ['service', 'mailauth', 'username', `${id}:${tokenEntry(seat)}`];
  // As the library makes them, so that it is the same item.
  const more = verb === 'store' ? ['target', 'default', 'application', 'rust-keyring'] : [];
  const label = verb === 'store' ? ['--label=mailauth'] : [];
  const env = { ...seat.env };
  const { status, stderr } = spawnSync('secret-tool', [verb, ...label, ...attributes, ...more], { env, input: value, encoding: 'utf8' });
  if (status !== 0) throw new Error(`secret-tool ${verb}: ${stderr}`);
}

describe.concurrent('gnome-keyring', () => {
  it('an entry deleted by hand: exit 4, and the command that is named repairs it', async () => {
    const seat = await office.seat();
    await seat.ready();
    await byHand(seat, 'clear');
    expect(await seat.keyringEntries()).toEqual([]);
    const { code, error } = await seat.failure(['token', 'get']);
    expect([code, error.code, error.next[0]]).toEqual([4, 'not-signed-in', `mailauth login ${seat.mailbox}`]);
    expect((await seat.run(['login', seat.mailbox])).code).toBe(0);
    expect(await seat.run(['token', 'get'])).toEqual(printed(seat.lastToken));
  });

  it.each(['', '{"version":1', '{"version":1,"accessToken":"x"}', 'something else'])(
    'an entry changed by hand to %j: exit 7, it stays as it is, and the command that is named repairs it',
    async (value) => {
      const seat = await office.seat();
      await seat.ready();
      await byHand(seat, 'clear');
      await byHand(seat, 'store', value);
      const refreshes = seat.app.refreshes;
      for (const words of [
        ['token', 'get'],
        ['token', 'get', '--force-refresh'],
        ['token', 'show'],
      ]) {
        expect(await seat.failure(words)).toMatchObject({ code: 7, error: { code: 'store-damaged' } });
      }
      expect(seat.app.refreshes).toBe(refreshes);
      const { error } = await seat.failure(['token', 'get']);
      expect(error.next[0]).toBe(`mailauth login ${seat.mailbox} --force`);
      const repaired = await seat.run(['login', '--force', seat.mailbox]);
      expect(repaired.code, repaired.stderr).toBe(0);
      expect(await seat.run(['token', 'get'])).toEqual(printed(seat.lastToken));
    },
  );

  it('replaced by another keyring: exit 4 there, nothing is written to it, and the first one still works', async () => {
    const seat = await office.seat();
    const token = await seat.ready();
    const fresh = await keyringRig();
    try {
      const session = await fresh.session();
      const { code, error } = await seat.failure(['token', 'get'], { env: session.env });
      expect([code, error.code]).toEqual([4, 'not-signed-in']);
      const search = spawnSync('secret-tool', ['search', '--all', 'service', 'mailauth'], { env: session.env, encoding: 'utf8' });
      expect(search.stdout + search.stderr).toBe('');
      await session.close();
    } finally {
      await fresh.remove();
    }
    expect(await seat.run(['token', 'get'])).toEqual(printed(token));
  });
});

const noBus = { DBUS_SESSION_BUS_ADDRESS: undefined, XDG_RUNTIME_DIR: undefined };
type Env = Readonly<Record<string, string | undefined>>;

async function sealedSeat(home?: string): Promise<{ seat: Seat; env: Env }> {
  const seat = await office.seat();
  const key = join(office.folder, 'shared-key');
  await seat.run(['store', 'keygen', key]);
  const env = { ...noBus, MAILAUTH_KEY_FILE: key, MAILAUTH_HOME: home ?? seat.home };
  const setup = await seat.setup(['--no-test', '--store', 'file'], { env });
  expect(setup.code, setup.stderr).toBe(0);
  return { seat, env };
}

describe('the sealed file', () => {
  /** A home on a small disk of its own: `"$@"` is the program with its arguments. Root of a user namespace may mount there. */
  const onDisk = (script: string) => [
    ...['unshare', '--map-root-user', '--mount', 'bash', '-c'],
    `set -eu; mount -t tmpfs -o size=256k none "$DISK"; cp -a "$MAILAUTH_HOME"/. "$DISK"/; export MAILAUTH_HOME=$DISK
     try() { set +e; "$@"; echo "exit $?"; set -e; }
     ${script}`,
    '_',
  ];

  it('on a full disk: what is stored is served, a refresh says why it cannot be stored, and nothing is lost', async () => {
    const { seat, env } = await sealedSeat();
    const token = seat.lastToken;
    const DISK = join(seat.folder, 'disk');
    await mkdir(DISK);
    const script = `dd if=/dev/zero of="$DISK/fill" bs=1k 2>/dev/null || true
      try "$@"; try "$@" --force-refresh --json; try "$@"; ls -A "$DISK" "$DISK/locks" | grep -c '.tmp$' || true
      rm "$DISK/fill"; try "$@" --force-refresh`;
    const { stdout, stderr } = await seat.run(['token', 'get'], { env: { ...env, DISK }, under: onDisk(script) });
    const [first, firstExit, failed = '', failedExit, again, againExit, temporaries, last, lastExit] = stdout.trimEnd().split('\n');
    expect([first, firstExit, again, againExit], stderr).toEqual([token, 'exit 0', token, 'exit 0']);
    expect(JSON.parse(failed).error).toMatchObject({ code: 'home-not-writable', why: expect.stringContaining('full') });
    expect(failedExit).toBe('exit 1');
    expect(temporaries).toBe('0');
    expect([last, lastExit]).toEqual([seat.lastToken, 'exit 0']);
  });

  it('on a read-only disk: what is stored is served, and a refresh says why not', async () => {
    const { seat, env } = await sealedSeat();
    const token = seat.lastToken;
    const DISK = join(seat.folder, 'disk');
    await mkdir(DISK);
    const script = 'mount -o remount,ro "$DISK"; try "$@"; try "$@" --force-refresh --json';
    const { stdout, stderr } = await seat.run(['token', 'get'], { env: { ...env, DISK }, under: onDisk(script) });
    const [first, firstExit, failed = '', failedExit] = stdout.trimEnd().split('\n');
    expect([first, firstExit], stderr).toEqual([token, 'exit 0']);
    expect(JSON.parse(failed).error).toMatchObject({ code: 'home-not-writable', why: expect.stringContaining('read-only') });
    expect(failedExit).toBe('exit 1');
  });

  it('of a home that two computers share, an hour apart by their clocks: each change of each is kept', async () => {
    const first = await sealedSeat();
    const second = await sealedSeat(first.seat.home);
    const preload = join(office.folder, 'computer.cjs');
    await writeFile(
      preload,
      `const os = require('node:os'); os.hostname = () => process.env.COMPUTER;
       const now = Date.now; const ahead = Number(process.env.AHEAD_MS); Date.now = () => now() + ahead;
       const Real = Date; globalThis.Date = class extends Real { constructor(...given) { given.length === 0 ? super(Real.now()) : super(...given); } };`,
    );
    const on = (computer: string, aheadMs: number) => ({
      NODE_OPTIONS: `--require ${preload}`,
      COMPUTER: computer,
      AHEAD_MS: String(aheadMs),
    });
    const computers = [on('relay-a', 0), on('relay-b', 3_600_000), on('relay-c', -3_600_000)];
    for (let round = 0; round < 3; round += 1) {
      const runs = computers.flatMap((computer) =>
        [first, second].map(({ seat, env }) =>
          seat.run(['token', 'get', seat.mailbox, '--force-refresh', '--timeout', '40'], { env: { ...env, ...computer } }),
        ),
      );
      for (const outcome of await Promise.all(runs)) expect(outcome).toMatchObject({ code: 0, stderr: '' });
      // What Microsoft gave last to each mailbox is what the file has of each: no write of one took back another's.
      for (const { seat, env } of [first, second]) {
        const show = await seat.run(['token', 'show', seat.mailbox, '--reveal', '--json'], { env });
        expect(JSON.parse(show.stdout).data.accessToken).toBe(seat.lastToken);
      }
    }
    expect((await readdir(first.seat.home, { recursive: true })).filter((name) => /\.(tmp|lock|takeover)$|\.by-/.test(name))).toEqual([]);
  });
});
