import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkedJson } from '../support/json-schema.ts';
import { newHome, program, startMailauth } from './rigs/chromium.ts';
import { runToEnd } from './rigs/keyring.ts';

const mailbox = 'helpdesk@contoso.example';
let home: Awaited<ReturnType<typeof newHome>>;
let socket = '';

const mailauth = (...args: readonly string[]) => runToEnd(process.execPath, [program, ...args], home.env);

/** `curl --unix-socket`, as a program of the user asks. */
async function curl(path: string, ...more: readonly string[]) {
  const args = ['--silent', '--max-time', '10', '--unix-socket', socket, '--write-out', '\n%{http_code} %{content_type} %{header_json}'];
  const { code, stdout } = await runToEnd('curl', [...args, ...more, `http://mailauth${path}`], home.env);
  const [, body = '', status = '', type = '', headers = '{}'] = /^(.*)\n(\d{3}) ([^{]*) (\{.*\})\s*$/s.exec(stdout) ?? [];
  return { code, body, status: Number(status), type, headers: JSON.parse(headers) };
}

interface Agent {
  readonly pid: number;
  stderr(): string;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly ms: number }>;
  kill(signal: NodeJS.Signals): void;
}

const running = new Set<Agent>();

/** The agent of the sandbox, ready for requests. */
async function startAgent(args: readonly string[] = [], file = process.execPath, ahead: readonly string[] = []): Promise<Agent> {
  const argv = [...ahead, ...(file === process.execPath ? [] : [process.execPath]), program, 'agent', '--sandbox', ...args];
  const child = spawn(file, argv, { env: home.env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  let killedAt = 0;
  child.stderr.on('data', (chunk) => (stderr += chunk));
  let over = false;
  const ended = once(child, 'exit').then(([code, signal]) => {
    over = true;
    return { code, signal, ms: performance.now() - killedAt };
  });
  const agent: Agent = {
    pid: child.pid ?? 0,
    stderr: () => stderr,
    ended,
    kill(signal) {
      killedAt = performance.now();
      child.kill(signal);
    },
  };
  running.add(agent);
  void ended.then(() => running.delete(agent));
  if (ahead.length === 0)
    await until(
      () => over || stderr.includes('Listening on'),
      () => stderr,
    );
  return agent;
}

async function until(isSo: () => boolean | Promise<boolean>, otherwise: () => string, limitMs = 15_000): Promise<number> {
  const began = performance.now();
  while (!(await isSo())) {
    if (performance.now() - began > limitMs) throw new Error(`not so after ${limitMs} ms: ${otherwise()}`);
    await sleep(50);
  }
  return performance.now() - began;
}

/** Moves the stored token to another place in its life, in milliseconds from now. */
async function ageToken({ issuedMs, expiresMs }: { readonly issuedMs: number; readonly expiresMs: number }): Promise<void> {
  const file = join(home.path, 'sandbox', 'secrets.json');
  const { secrets, ...rest } = JSON.parse(await readFile(file, 'utf8'));
  const [entry = ''] = Object.keys(secrets).filter((name) => name.startsWith('token/') && name.endsWith(mailbox));
  const at = (ms: number) => `${new Date(Date.now() + ms).toISOString().slice(0, 19)}Z`;
  const aged = { ...JSON.parse(secrets[entry]), issuedAt: at(issuedMs), expiresAt: at(expiresMs) };
  await writeFile(file, JSON.stringify({ ...rest, secrets: { ...secrets, [entry]: JSON.stringify(aged) } }));
}

beforeAll(async () => {
  home = await newHome();
  socket = join(home.path, 'sandbox', 'agent.sock');
  const { code, stderr } = await mailauth('setup', '--sandbox', '--yes', '--no-test');
  expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
});
afterEach(async () => {
  for (const agent of running) {
    agent.kill('SIGKILL');
    await agent.ended;
  }
});
afterAll(() => home?.remove());

describe('mailauth agent', () => {
  it('gives exactly what token get prints, in three formats; status; and says in a problem document what is wrong', async () => {
    await startAgent();
    for (const format of ['raw', 'xoauth2', 'json']) {
      const { stdout } = await mailauth('token', 'get', mailbox, '--sandbox', '--format', format);
      expect(await curl(`/token/${mailbox}?format=${format}`)).toMatchObject({ status: 200, body: stdout });
    }
    expect((await curl(`/token/${mailbox.toUpperCase()}?min_validity=60&for=this-computer`)).status).toBe(200);
    const status = await curl('/status');
    const told = await mailauth('status', '--sandbox', '--json');
    expect([status.type, checkedJson(status.body, 'status')]).toEqual(['application/json', JSON.parse(told.stdout).data]);
    const { id } = JSON.parse(await readFile(join(home.path, 'sandbox', 'home.json'), 'utf8'));
    expect((await curl(`/token/${mailbox}`, '--header', `X-Mailauth-Home: ${id}`)).status).toBe(200);
    const wrong: readonly (readonly [path: string, status: number, code: string, ...more: string[]])[] = [
      ['/token/nobody@contoso.example', 404, 'mailbox-unknown'],
      [`/token/${mailbox}?for=osticket`, 404, 'product-unknown'],
      [`/token/${mailbox}?for=outlook`, 400, 'value-invalid'],
      // As --for '' of the command line; the token without it is held just now.
      [`/token/${mailbox}?for=`, 400, 'value-invalid'],
      [`/token/${mailbox}?format=env`, 400, 'value-invalid'],
      [`/token/${mailbox}?min_validity=-1`, 400, 'value-invalid'],
      [`/token/${mailbox}?minvalidity=1`, 400, 'agent-query'],
      [`/token/${mailbox}?format=raw&format=json`, 400, 'agent-query'],
      ['/token/%E0%A4%A', 404, 'agent-path'],
      ['/token/', 404, 'agent-path'],
      ['/', 404, 'agent-path'],
      ['/status', 405, 'agent-method', '--request', 'DELETE'],
      [`/token/${mailbox}`, 405, 'agent-method', '--data', 'x'],
      [`/token/${mailbox}`, 404, 'other-home', '--header', 'X-Mailauth-Home: 0123456789abcdef'],
    ];
    for (const [path, code, name, ...more] of wrong) {
      const answer = await curl(path, ...more);
      const body = checkedJson(answer.body, 'agent-problem');
      expect([path, answer.status, body.code, answer.type, Object.keys(body)]).toEqual([
        ...[path, code, name, 'application/problem+json'],
        ['title', 'code', 'exit', 'next'],
      ]);
      expect(body.next[0], path).toMatch(/^mailauth /);
    }
    expect((await curl('/status', '--request', 'PUT')).headers.allow).toEqual(['GET']);
  });

  it('is for its user alone: 0600 in a 0700 folder; another user gets nothing, and a folder that others can reach is refused', async () => {
    await startAgent();
    expect([(await stat(socket)).mode & 0o777, (await stat(join(home.path, 'sandbox'))).mode & 0o777]).toEqual([0o600, 0o700]);
    const neighbour = ['--reuid=nobody', '--regid=nogroup', '--clear-groups'];
    const asked = await runToEnd('setpriv', [...neighbour, 'curl', '-s', '--unix-socket', socket, 'http://mailauth/status'], home.env);
    expect([asked.code, asked.stdout]).toEqual([7, '']);
    const open = join(home.path, 'open');
    await mkdir(open);
    await chmod(open, 0o755);
    const refused = await mailauth('agent', '--sandbox', '--json', '--socket', join(open, 'a.sock'));
    expect([refused.code, JSON.parse(refused.stdout).error.code]).toEqual([2, 'agent-folder-open']);
    const foreign = await mailauth('agent', '--sandbox', '--json', '--socket', '/tmp/a.sock');
    expect([foreign.code, JSON.parse(foreign.stdout).error.code]).toEqual([2, 'agent-folder-open']);
    const long = await mailauth('agent', '--sandbox', '--json', '--socket', join(home.path, 'x'.repeat(120), 'a.sock'));
    expect([long.code, JSON.parse(long.stdout).error.code]).toEqual([2, 'agent-socket-unusable']);
  });

  it('a second one is exit 1; after kill -9 the next takes over; a file that is no socket is left alone; SIGTERM ends it', async () => {
    const first = await startAgent();
    const second = await mailauth('agent', '--sandbox', '--json');
    expect([second.code, JSON.parse(second.stdout).error.code]).toEqual([1, 'agent-running']);
    first.kill('SIGKILL');
    await first.ended;
    expect((await stat(socket)).isSocket()).toBe(true);
    // Two at once find the same stale socket: one of them serves.
    const both = await Promise.all([startAgent(), startAgent()]);
    await Promise.race(both.map(({ ended }) => ended));
    expect(running.size).toBe(1);
    expect((await curl('/status')).status).toBe(200);
    for (const agent of running) {
      agent.kill('SIGTERM');
      const { code, ms } = await agent.ended;
      expect([code, ms < 1_000]).toEqual([143, true]);
    }
    await expect(stat(socket)).rejects.toThrow('ENOENT');
    await writeFile(join(home.path, 'sandbox', 'notes'), 'mine');
    const file = await mailauth('agent', '--sandbox', '--json', '--socket', join(home.path, 'sandbox', 'notes'));
    expect([file.code, JSON.parse(file.stdout).error.code]).toEqual([2, 'agent-socket-unusable']);
    expect(await readFile(join(home.path, 'sandbox', 'notes'), 'utf8')).toBe('mine');
    await symlink('/dev/null', join(home.path, 'sandbox', 'link.sock'));
    const link = await mailauth('agent', '--sandbox', '--json', '--socket', join(home.path, 'sandbox', 'link.sock'));
    expect(link.code).toBe(2);
  });

  it('sees within 5 seconds what another process has changed', async () => {
    await startAgent();
    const before = (await curl(`/token/${mailbox}`)).body;
    const { stdout } = await mailauth('token', 'get', mailbox, '--sandbox', '--force-refresh');
    expect(stdout).not.toBe(before);
    await until(
      async () => (await curl(`/token/${mailbox}`)).body === stdout,
      () => 'the old token',
      5_000,
    );
    await mailauth('setup', '--sandbox', '--yes', '--no-test', '--mailbox', 'bob@contoso.example');
    expect((await curl('/token/bob@contoso.example')).status).toBe(200);
    await mailauth('logout', 'bob@contoso.example', '--sandbox', '--yes');
    await until(
      async () => (await curl('/token/bob@contoso.example')).status === 404,
      () => 'still there',
      5_000,
    );
  });

  it('renews a token before it ends, without being asked', async () => {
    const shown = async () => JSON.parse((await mailauth('token', 'show', mailbox, '--sandbox', '--json')).stdout).data;
    await ageToken({ issuedMs: -3_300_000, expiresMs: 300_000 });
    expect((await shown()).expiresInSeconds).toBeLessThan(301);
    await startAgent();
    await until(
      async () => (await shown()).expiresInSeconds > 600,
      () => 'the old token',
    );
  });

  it('says in its answer when Microsoft is away, and gives out no token that has ended', async () => {
    await startAgent(['--fault', 'token-unavailable', '--timeout', '2']);
    const answer = await curl(`/token/${mailbox}?min_validity=999999`);
    // The stored token is still valid, so it is given out as token get does.
    expect(answer.status).toBe(200);
    await ageToken({ issuedMs: -7_200_000, expiresMs: -3_600_000 });
    await sleep(4_100);
    const away = await curl(`/token/${mailbox}`);
    expect([away.status, checkedJson(away.body, 'agent-problem').exit]).toEqual([503, 5]);
    expect(Number(away.headers['retry-after'][0])).toBeGreaterThan(0);
    expect((await mailauth('token', 'get', mailbox, '--sandbox', '--force-refresh')).code).toBe(0);
  });

  it('killed at any moment of a renewal, it leaves a mailbox that works', async () => {
    // Its Microsoft is another process, which lives on.
    const sandbox = startMailauth(['sandbox', '--json'], home.env);
    await sandbox.line('listening');
    try {
      for (let round = 0; round < 8; round += 1) {
        const agent = await startAgent();
        const asked = curl(`/token/${mailbox}?min_validity=99999`);
        await sleep(15 * round);
        agent.kill('SIGKILL');
        await Promise.all([asked, agent.ended]);
        const { code, stderr } = await mailauth('token', 'get', mailbox, '--sandbox', '--force-refresh');
        expect([round, code, code === 0 ? '' : stderr]).toEqual([round, 0, '']);
      }
    } finally {
      sandbox.kill();
      await sandbox.ended;
    }
  });

  it('goes on serving beside hostile clients: silent, endless, cut off, and six hundred at once', async () => {
    await startAgent();
    const silent = Array.from({ length: 400 }, () => connect(socket).on('error', () => undefined));
    const endless = connect(socket).on('error', () => undefined);
    endless.write(`GET /status HTTP/1.1\r\nHost: a\r\n${'X-Long: '.padEnd(70_000, 'x')}\r\n`);
    const cut = connect(socket).on('error', () => undefined);
    cut.write(`GET /token/${mailbox} HTTP/1.1\r\nHost: a\r\n\r\n`, () => cut.destroy());
    const garbage = connect(socket).on('error', () => undefined);
    garbage.write(Buffer.alloc(10_000, 0xff));
    const many = connect(socket).on('error', () => undefined);
    many.resume();
    for (let i = 0; i < 500; i += 1) many.write(`GET /token/${mailbox}?format=json HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect((await curl(`/token/${mailbox}`)).status).toBe(200);
    const flood = Array.from({ length: 300 }, () => connect(socket).on('error', () => undefined));
    // The silent ones are let go after five seconds.
    await until(
      async () => (await curl(`/token/${mailbox}`)).status === 200,
      () => 'no answer',
      15_000,
    );
    for (const one of [...silent, ...flood, endless, garbage, many]) one.destroy();
    expect((await curl('/status')).status).toBe(200);
  });

  it('takes the socket that systemd hands over, and refuses TCP', async () => {
    const path = join(home.path, 'by-systemd.sock');
    const activate = await startAgent([], 'systemd-socket-activate', [
      '--listen',
      path,
      '--setenv=PATH',
      '--setenv=HOME',
      '--setenv=MAILAUTH_HOME',
    ]);
    const ask = async () => runToEnd('curl', ['-s', '--max-time', '10', '--unix-socket', path, 'http://mailauth/status'], home.env);
    await until(async () => (await ask()).stdout.startsWith('{"mailboxes"'), activate.stderr);
    activate.kill('SIGTERM');
    await activate.ended;
    expect((await stat(path)).isSocket()).toBe(true);
    const tcp = await startAgent([], 'systemd-socket-activate', [
      '--listen',
      '127.0.0.1:47113',
      '--setenv=PATH',
      '--setenv=HOME',
      '--setenv=MAILAUTH_HOME',
    ]);
    await until(() => tcp.stderr().includes('Listening on 127'), tcp.stderr);
    await promisify(execFile)('curl', ['-s', '--max-time', '5', 'http://127.0.0.1:47113/status']).catch(() => undefined);
    expect((await tcp.ended).code).toBe(2);
    expect(tcp.stderr()).toContain('ListenStream= must name a path');
  });
});
