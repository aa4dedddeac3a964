import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { freePort } from '../support/free-port.ts';
import { newHome, program } from './rigs/chromium.ts';
import { runToEnd } from './rigs/keyring.ts';

const mailbox = 'helpdesk@contoso.example';
const page = resolve(import.meta.dirname, '../../docs/server.md');
const collectorFolder = '/var/lib/prometheus/node-exporter';

/** What Alertmanager posts to a webhook, as far as it counts here. */
const webhook = z.object({
  alerts: z.array(
    z.object({
      status: z.enum(['firing', 'resolved']),
      labels: z.record(z.string(), z.string()),
      annotations: z.record(z.string(), z.string()),
    }),
  ),
});
type Alert = z.infer<typeof webhook>['alerts'][number];

let home: Awaited<ReturnType<typeof newHome>>;
/** the folder that node exporter looks into */
let collector: string;
/** the line of cron in the page, without its times */
let job: string;
let rules: string;
const daemons: { readonly child: ChildProcess; said(): string }[] = [];
const received: Alert[] = [];
const receiver = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    received.push(...webhook.parse(JSON.parse(Buffer.concat(pieces).toString())).alerts);
    response.end();
  });
});

const mailauth = (...args: readonly string[]) => runToEnd(process.execPath, [program, ...args, '--sandbox'], home.env);

async function fromPage(pattern: RegExp): Promise<string> {
  const found = pattern.exec(await readFile(page, 'utf8'))?.[1];
  if (found === undefined) throw new Error(`${page} has nothing like ${pattern}`);
  return found;
}

/** Runs the job as cron does: with `sh`, and with a `mailauth` in its PATH. */
async function runJob(): Promise<void> {
  await runToEnd('sh', ['-c', job], { ...home.env, PATH: `${join(home.path, 'bin')}:${home.env.PATH}` });
}

function start(command: string, args: readonly string[]): void {
  const child = spawn(command, args, { cwd: home.path, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  child.on('error', (error) => (text += error.message));
  daemons.push({ child, said: () => `${command}: ${text.slice(-2000)}` });
}

async function until(isSo: () => boolean | Promise<boolean>, limitMs = 20_000): Promise<void> {
  const began = performance.now();
  while (!(await isSo())) {
    if (performance.now() - began > limitMs)
      throw new Error(`not so after ${limitMs} ms; received ${JSON.stringify(received)}\n${daemons.map(({ said }) => said()).join('\n')}`);
    await sleep(100);
  }
}

const isUp = (port: number, path: string) => async (): Promise<boolean> =>
  (await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined))?.ok === true;

beforeAll(async () => {
  home = await newHome();
  collector = join(home.path, 'collector');
  for (const folder of ['bin', 'collector', 'prometheus']) await mkdir(join(home.path, folder));
  await writeFile(join(home.path, 'bin/mailauth'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@" --sandbox\n`, { mode: 0o755 });
  const line = await fromPage(/^\*\/15 \* \* \* \* (.*mailauth\.prom)$/m);
  expect(line).toContain(collectorFolder);
  job = line.replaceAll(collectorFolder, collector);
  rules = await fromPage(/^```yaml\n(groups:\n {2}- name: mailauth\n.*?)^```$/ms);
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
});

afterAll(async () => {
  for (const { child } of daemons) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  receiver.closeAllConnections();
  receiver.close();
  await home?.remove();
});

/** Node exporter with nothing but its textfile collector, Prometheus with the rules of the page, Alertmanager with this test's webhook. */
async function startMonitoring(): Promise<void> {
  const address = receiver.address();
  if (address === null || typeof address === 'string') throw new Error('the webhook has no port');
  const ports = { exporter: await freePort(), prometheus: await freePort(), alertmanager: await freePort() };
  const file = (name: string, content: object | string) =>
    writeFile(join(home.path, name), typeof content === 'string' ? content : JSON.stringify(content));
  await file('mailauth.yml', rules);
  // JSON is YAML.
  await file('prometheus.yml', {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ['mailauth.yml'],
    scrape_configs: [{ job_name: 'node', static_configs: [{ targets: [`127.0.0.1:${ports.exporter}`] }] }],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${ports.alertmanager}`] }] }] },
  });
  await file('alertmanager.yml', {
    route: { receiver: 'test', group_wait: '1s', group_interval: '1s', repeat_interval: '1h' },
    receivers: [{ name: 'test', webhook_configs: [{ url: `http://127.0.0.1:${address.port}/` }] }],
  });
  start('prometheus-node-exporter', [
    ...['--collector.disable-defaults', '--collector.textfile', `--collector.textfile.directory=${collector}`],
    `--web.listen-address=127.0.0.1:${ports.exporter}`,
  ]);
  start('prometheus-alertmanager', [
    ...['--config.file=alertmanager.yml', '--storage.path=alertmanager', '--cluster.listen-address='],
    `--web.listen-address=127.0.0.1:${ports.alertmanager}`,
  ]);
  await Promise.all([until(isUp(ports.exporter, '/metrics')), until(isUp(ports.alertmanager, '/-/ready'))]);
  start('prometheus', [
    ...['--config.file=prometheus.yml', '--storage.tsdb.path=prometheus'],
    `--web.listen-address=127.0.0.1:${ports.prometheus}`,
  ]);
  await until(isUp(ports.prometheus, '/-/ready'));
  // The mailbox has been seen while it was well.
  const query = `/api/v1/query?query=${encodeURIComponent('mailauth_sign_in_lost')}`;
  await until(async () => (await (await fetch(`http://127.0.0.1:${ports.prometheus}${query}`)).text()).includes(mailbox));
}

it('promtool takes the rules of the page', async () => {
  const file = join(home.path, 'checked.yml');
  await writeFile(file, rules);
  const { stdout } = await promisify(execFile)('promtool', ['check', 'rules', file]);
  expect(stdout).toContain('SUCCESS: 5 rules found');
});

it('a sign-in that is lost is one alert with the labels of its mailbox, and it resolves when the mailbox is well again', async () => {
  const setup = await mailauth('setup', '--yes', '--no-test');
  expect(setup.code, setup.stderr).toBe(0);
  await runJob();
  expect(await readdir(collector)).toEqual(['mailauth.prom']);
  await startMonitoring();
  expect(received).toEqual([]);

  const lost = await mailauth('token', 'get', '--force-refresh', '--fault', 'refresh-expired');
  expect(lost.code, lost.stderr).toBe(4);
  await runJob();
  await until(() => received.length > 0);
  // Time for an alert that ought not to come.
  await sleep(3000);
  expect(received).toEqual([
    expect.objectContaining({
      status: 'firing',
      labels: expect.objectContaining({ alertname: 'MailauthSignInLost', severity: 'critical', mailbox, for: 'this-computer' }),
      annotations: expect.objectContaining({ summary: `Nothing gets a token for ${mailbox} (this-computer)` }),
    }),
  ]);

  const login = await mailauth('login', '--yes', '--force');
  expect(login.code, login.stderr).toBe(0);
  await runJob();
  await until(() => received.length > 1);
  expect(received.slice(1)).toEqual([
    expect.objectContaining({ status: 'resolved', labels: expect.objectContaining({ alertname: 'MailauthSignInLost', mailbox }) }),
  ]);
});

it('a status that cannot be had leaves the old file, and no half of one', async () => {
  const before = await readFile(join(collector, 'mailauth.prom'), 'utf8');
  await writeFile(join(home.path, 'bin/mailauth'), '#!/bin/sh\nexit 7\n');
  await runJob();
  expect(await readFile(join(collector, 'mailauth.prom'), 'utf8')).toBe(before);
});
