import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Interrupted, MailauthError } from '../../../src/core/errors.ts';
import { line, mailauth, noted } from '../../../src/core/next.ts';
import { unsetVariable } from '../../../src/core/shell-lines.ts';
import { type Check, type CheckResult, ok, runChecks } from '../../../src/doctor/check.ts';
import { environmentCheck, withoutPassword } from '../../../src/doctor/check-environment.ts';
import { loopbackCheck, type Visit, visitByHttp } from '../../../src/doctor/check-loopback.ts';
import { authoritiesCheck, browserCheck, homeCheck, mailboxesCheck, nodeCheck } from '../../../src/doctor/check-machine.ts';
import { storeCheck, storesToCheck } from '../../../src/doctor/check-store.ts';
import { problem } from '../../../src/errors/problem.ts';
import { keychainStore } from '../../../src/store/keychain-store.ts';
import { systemClock, systemRandom } from '../../../src/system/clock-and-random.ts';
import { systemFiles } from '../../../src/system/disk/files.ts';
import { brokenKeychain } from '../../support/command-line.ts';
import { MemoryKeychain, temporaryFolder, testContext } from '../../support/context.ts';
import { nextOf } from '../../support/next.ts';
import { inheritedList, ownSid, privateList, windowsPrograms } from '../../support/windows.ts';

const asMailauth = async (thrown: unknown) => {
  if (thrown instanceof MailauthError) return thrown;
  throw thrown;
};
const never = new AbortController().signal;
const all = (checks: readonly Check[], more: { signal?: AbortSignal; limitMs?: number; clock?: typeof systemClock } = {}) =>
  runChecks(checks, { clock: systemClock, signal: never, limitMs: 20_000, meaning: asMailauth, ...more });
const one = async (check: Check): Promise<CheckResult> => (await all([check]))[0] as CheckResult;

let home = '';
let remove: () => Promise<void>;
beforeEach(async () => {
  const folder = await temporaryFolder();
  home = folder.path;
  remove = folder.remove;
});
afterEach(() => remove());

describe('running checks', () => {
  const green: Check = { id: 'green', title: 'Green', run: async () => ok('fine') };

  it('goes on after a failure and keeps the order', async () => {
    const red: Check = { id: 'red', title: 'Red', run: () => Promise.reject(problem('no-mailbox', {})) };
    const results = await all([red, green]);
    expect(results.map(({ id, state }) => `${id} ${state}`)).toEqual(['red failed', 'green ok']);
    expect(results[0]?.next?.length).toBeGreaterThan(0);
  });

  it('gives up a check that hangs, and tells one that listens to its signal to stop', async () => {
    // The limit and the grace pass at once.
    const clock = { ...systemClock, sleep: async () => undefined };
    let told = false;
    const hung: Check = { id: 'hung', title: 'Hung', run: () => new Promise(() => undefined) };
    const polite: Check = {
      id: 'polite',
      title: 'Polite',
      run: (signal) =>
        new Promise((_, reject) =>
          signal.addEventListener('abort', () => {
            told = true;
            reject(signal.reason);
          }),
        ),
    };
    const results = await all([hung, polite], { clock, limitMs: 7000 });
    expect(results.map(({ state, detail }) => [state, detail])).toEqual([
      ['failed', 'No result within 7 seconds'],
      ['failed', 'No result within 7 seconds'],
    ]);
    expect(told).toBe(true);
  });

  it('ends with Ctrl-C', async () => {
    const stop = new AbortController();
    const hung: Check = { id: 'hung', title: 'Hung', run: () => new Promise(() => undefined) };
    const running = all([green, hung], { signal: stop.signal });
    stop.abort(new Interrupted());
    await expect(running).rejects.toBeInstanceOf(Interrupted);
  });
});

describe('this machine', () => {
  it.each([
    ['20.20.2', 'ok'],
    ['20.19.0', 'ok'],
    ['24.0.0', 'ok'],
    ['20.18.9', 'failed'],
    ['18.20.0', 'failed'],
  ])('Node.js %s is %s', async (node, state) => {
    const ctx = testContext();
    expect((await one(nodeCheck({ ...ctx, platform: 'linux', machine: { ...ctx.machine, node } }, '1.2.3'))).state).toBe(state);
  });

  it.each([
    ['20.20.2', 'unlimited', 'ok', undefined],
    ['20.20.2', '2048000000', 'ok', 'address space limited to 2048 MB (1200 MB are needed)'],
    ['22.23.0', '1200000000', 'ok', 'address space limited to 1200 MB'],
    ['20.20.2', '1199000000', 'failed', 'too little address space: 1199 MB'],
    ['20.20.2', '268435456', 'failed', 'too little address space: 268 MB'],
    ['24.0.0', '1700000000', 'ok', 'address space limited to 1700 MB (1700 MB are needed)'],
    ['26.10.0', '1699000000', 'failed', 'too little address space: 1699 MB'],
  ])('with Node.js %s, an address space of %s is %s', async (node, limit, state, words) => {
    const ctx = testContext();
    const files = {
      ...ctx.files,
      read: async () => `Limit      Soft Limit   Hard Limit   Units\nMax address space         ${limit}   unlimited   bytes\n`,
    };
    const found = await one(nodeCheck({ ...ctx, platform: 'linux', machine: { ...ctx.machine, node }, files }, '1.2.3'));
    expect(found.state).toBe(state);
    if (words === undefined) expect(found.detail).not.toContain('address space');
    else expect(found.detail).toContain(words);
  });

  it.each([
    [{ NODE_OPTIONS: '--max-old-space-size=512 --tls-keylog=/tmp/keys' }, '--tls-keylog'],
    [{ NODE_OPTIONS: '--tls_keylog /tmp/keys' }, '--tls-keylog'],
    [{ NODE_OPTIONS: '--trace-warnings --inspect' }, '--inspect'],
    [{ NODE_OPTIONS: '--inspect-brk=0.0.0.0:9229' }, '--inspect-brk'],
    [{ NODE_OPTIONS: '--trace-tls' }, '--trace-tls'],
    [{ NODE_OPTIONS: '--heapsnapshot-signal=SIGUSR2' }, '--heapsnapshot-signal'],
    [{ NODE_OPTIONS: '-r ./agent.js' }, '-r'],
    [{ NODE_DEBUG: 'http,net' }, 'http,net'],
    [{ SSLKEYLOGFILE: '/tmp/keys' }, '/tmp/keys'],
  ])('%j lets others read tokens', async (env, option) => {
    const [name = ''] = Object.keys(env);
    expect(await one(environmentCheck({ env }))).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining(`${name} has ${option}, which lets others read`),
      next: [noted(unsetVariable(name), 'or leave that part of it out')],
    });
  });

  it('other options of Node are left alone', async () => {
    for (const env of [{ NODE_OPTIONS: '--inspector-off-topic --no-warnings' }, { NODE_DEBUG: 'timer' }])
      expect(await one(environmentCheck({ env }))).toMatchObject({ state: 'ok' });
  });

  it('a missing browser is a warning', async () => {
    const { browser } = testContext();
    expect(await one(browserCheck({ browser, env: {} }))).toMatchObject({
      state: 'warning',
      next: [noted(mailauth('setup', { signIn: 'paste' }), 'signs in with a browser on another computer')],
    });
    const usable = { ...browser, usable: true };
    expect(await one(browserCheck({ browser: usable, env: { BROWSER: 'firefox' } }))).toMatchObject({
      state: 'ok',
      detail: 'the command in BROWSER: firefox',
    });
  });

  const needs = () => ({ ...testContext(), home });

  it('on Windows: who gets at the folder, the key file and the sealed file, and the one command that mends it', async () => {
    const key = join(home, 'key');
    await writeFile(key, '');
    await writeFile(join(home, 'secrets.sealed'), '');
    const onWindows = (lists: (path: string) => string | undefined) => {
      const windowsProgram = windowsPrograms({ asked: [], lists });
      return one(homeCheck({ ...needs(), platform: 'win32', env: { MAILAUTH_KEY_FILE: key }, windowsProgram }));
    };
    expect(await onWindows(() => privateList)).toMatchObject({ state: 'ok', detail: `${home}, for this user only` });
    expect(await onWindows((path) => (path === key ? 'D:(A;;FR;;;BU)' : privateList))).toMatchObject({
      state: 'warning',
      detail: `Others can read ${key}: Users (S-1-5-32-545)`,
      next: [
        noted(
          line`icacls ${key} ${'/inheritance:r'} ${'/remove:g'} ${'*S-1-5-32-545'} ${'/grant:r'} ${'*S-1-5-18:F'} ${'*S-1-5-32-544:F'} ${`*${ownSid}:F`}`,
          'leaves it to you, SYSTEM and the administrators',
        ),
      ],
    });
    // What can be changed comes first.
    expect(await onWindows((path) => (path === home ? inheritedList : 'D:(A;;FR;;;BU)'))).toMatchObject({
      detail: `Others can change ${home}: Users (S-1-5-32-545), Authenticated Users (S-1-5-11)`,
      why: expect.stringContaining('The same is true of 2 more.'),
    });
    expect(await onWindows(() => undefined)).toMatchObject({
      state: 'ok',
      detail: `${home} (icacls did not say who can read ${key})`,
    });
  });

  it('the folder: private, readable by others, changeable by others, not writable', async () => {
    expect(await one(homeCheck(needs()))).toMatchObject({ state: 'ok' });
    expect(await systemFiles.list(home)).toEqual([]);
    await mkdir(join(home, 'mailboxes'), { mode: 0o700 });
    await writeFile(join(home, 'mailboxes', 'a.json'), '', { mode: 0o644 });
    expect(await one(homeCheck(needs()))).toMatchObject({ state: 'warning', detail: expect.stringContaining('a.json (mode 644)') });
    await chmod(home, 0o777);
    expect(await one(homeCheck(needs()))).toMatchObject({
      state: 'failed',
      detail: `Other users of this computer can change ${home} (mode 777)`,
      next: [line`chmod -R go-rwx ${home}`],
    });
    await writeFile(join(home, 'file'), '');
    expect(await one(homeCheck({ ...needs(), home: join(home, 'file') }))).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('cannot write to its folder'),
    });
  });

  it('a damaged mailbox file', async () => {
    expect(await one(mailboxesCheck(needs(), async () => undefined))).toMatchObject({ state: 'ok' });
    await mkdir(join(home, 'mailboxes'));
    await writeFile(join(home, 'mailboxes', 'a@b.example~custom.json'), '{');
    expect(await one(mailboxesCheck(needs(), async () => undefined))).toMatchObject({
      state: 'failed',
      next: [expect.objectContaining({ kind: 'line' }), expect.anything()],
    });
  });

  it('NODE_EXTRA_CA_CERTS: none, missing, no PEM, good', async () => {
    const check = (file?: string) =>
      one(authoritiesCheck({ files: systemFiles, env: file === undefined ? {} : { NODE_EXTRA_CA_CERTS: file } }));
    expect((await check()).state).toBe('ok');
    expect(await check(join(home, 'none.pem'))).toMatchObject({ state: 'failed', why: expect.stringContaining('no such file') });
    await writeFile(join(home, 'a.pem'), 'nonsense');
    expect(await check(join(home, 'a.pem'))).toMatchObject({ state: 'failed', why: expect.stringContaining('no PEM') });
    expect(await check(home)).toMatchObject({ state: 'failed', why: expect.stringContaining('cannot be read') });
    await writeFile(join(home, 'a.pem'), '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n');
    expect(await check(join(home, 'a.pem'))).toMatchObject({ state: 'ok', detail: expect.stringMatching(/^1 in /) });
  });
});

describe('the environment', () => {
  const shown = (env: Record<string, string>) => one(environmentCheck({ env }));

  it('is shown without secrets', async () => {
    const { state, detail } = await shown({
      HTTPS_PROXY: 'http://ada:hunter2@proxy.contoso.com:3128',
      MAILAUTH_PASSPHRASE: 'correct horse',
      MAILAUTH_GRAPH_TOKEN: 'eyJ.a.b',
      NO_COLOR: '1',
      OTHER: 'not ours',
    });
    expect([state, detail]).toEqual([
      'ok',
      'MAILAUTH_PASSPHRASE=[set] MAILAUTH_GRAPH_TOKEN=[set] HTTPS_PROXY=http://***@proxy.contoso.com:3128 NO_COLOR=1',
    ]);
  });

  it('names a variable that mailauth does not know, and certificates that nobody checks', async () => {
    expect(await shown({ MAILAUTH_STOER: 'file' })).toMatchObject({ state: 'warning', detail: expect.stringContaining('MAILAUTH_STOER') });
    expect(await shown({ NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toMatchObject({
      state: 'warning',
      next: [unsetVariable('NODE_TLS_REJECT_UNAUTHORIZED')],
    });
  });

  it.each([
    ['http://proxy:3128', 'http://proxy:3128'],
    ['http://u:p@proxy:3128/path?x=secret', 'http://***@proxy:3128'],
    ['http://u:p@ss/w#o@proxy:1', 'http://***@proxy:1'],
    ['u:secret@proxy:1', '***@proxy:1'],
    ['http://u:1/secret@proxy', 'http://***@proxy'],
  ])('%s is shown as %s', (address, masked) => expect(withoutPassword(address)).toBe(masked));
});

describe('the store', () => {
  const open =
    (keychain = brokenKeychain('locked')) =>
    async () =>
      keychainStore({ keychain, service: 'mailauth', homeId: '0123456789abcdef', random: systemRandom });

  it('is tried for real, and nothing is left behind', async () => {
    const keychain = new MemoryKeychain();
    expect(await one(storeCheck({ name: 'keychain' }, open(keychain)))).toMatchObject({
      state: 'ok',
      detail: expect.stringContaining('memory'),
    });
    expect(keychain.entries.size).toBe(0);
  });

  it.each(['locked', 'no-bus', 'no-provider', 'no-collection', 'hung', 'denied', 'other'] as const)(
    '%s is a failure with its fix',
    async (trouble) => {
      const result = await one(storeCheck({ name: 'keychain' }, open(brokenKeychain(trouble))));
      expect(result).toMatchObject({ state: 'failed', id: 'keychain' });
      expect(nextOf(result)[0]).toMatch(/\S/);
    },
  );

  it('where no mailbox needs it, is a warning', async () => {
    expect(await one(storeCheck({ name: 'keychain', spare: 'no mailbox is in it' }, open()))).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining('no mailbox is in it: '),
    });
  });

  it('which ones: asked for, recorded, or the keychain', () => {
    const which = (asked: 'file' | undefined, recorded: readonly ('keychain' | 'file' | 'sandbox-file')[], sandbox = false) =>
      storesToCheck({ asked, recorded, sandbox }).map(({ name, spare }) => (spare === undefined ? name : `(${name})`));
    expect(which('file', ['keychain'])).toEqual(['file']);
    expect(which(undefined, [])).toEqual(['keychain']);
    expect(which(undefined, ['file', 'keychain', 'file'])).toEqual(['file', 'keychain']);
    expect(which(undefined, ['file'])).toEqual(['(keychain)', 'file']);
    expect(which(undefined, ['sandbox-file'], true)).toEqual(['(keychain)', 'sandbox-file']);
  });
});

describe('the loopback', () => {
  const run = (visit: Visit = visitByHttp) => one(loopbackCheck({ clock: systemClock, random: systemRandom }, visit));
  const refused = (code: string) => Promise.reject(Object.assign(new Error(code), { code }));

  it('goes around for real, by address and by name', async () => {
    expect(await run()).toMatchObject({ state: 'ok', detail: expect.stringMatching(/127\.0\.0\.1,.*localhost$/) });
  });

  it('a computer without ::1 is no failure', async () => {
    const result = await run((address, ...more) => (address === '::1' ? refused('EADDRNOTAVAIL') : visitByHttp(address, ...more)));
    expect(result).toMatchObject({ state: 'ok', detail: 'bound, answered and fetched at 127.0.0.1, localhost' });
  });

  it('a firewall, a missing localhost, and somebody else who answers', async () => {
    expect(
      await run((address, ...more) => (address === '127.0.0.1' ? refused('ECONNREFUSED') : visitByHttp(address, ...more))),
    ).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('127.0.0.1'),
      next: [noted(mailauth('setup', { signIn: 'paste' }), 'signs in without it'), expect.anything()],
    });
    expect(await run((address, ...more) => (address === 'localhost' ? refused('ENOTFOUND') : visitByHttp(address, ...more)))).toMatchObject(
      {
        state: 'failed',
        why: expect.stringContaining('hosts file'),
      },
    );
    const other = createServer((socket) => {
      // The doctor hangs up as soon as it has read the status; from Node 24 on the server's socket reports that as ECONNRESET.
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi');
    });
    await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening));
    const { port } = other.address() as { port: number };
    const hijacked = await run((_address, _port, path, signal) => visitByHttp('127.0.0.1', port, path, signal));
    other.close();
    expect(hijacked).toMatchObject({ state: 'failed', why: expect.stringContaining('Something else answered (200)') });
  });
});
