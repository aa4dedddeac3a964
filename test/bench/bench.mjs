// `npm run bench`: ratios against a bare Node measured in the same run. Nothing is asserted; the machine decides the milliseconds.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { agentBench } from './agent.mjs';
import { manyBench } from './many.mjs';
import { postgresBench } from './postgres.mjs';
import { sendBench } from './send.mjs';
import { debianSize, installedSize, sourceSize } from './size.mjs';
import { slowWays } from './slow-way.mjs';
import { tokenBench } from './tokens.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = join(root, 'bin/mailauth.js');
const folder = mkdtempSync(join(tmpdir(), 'mailauth-bench-'));
const { NODE_EXTRA_CA_CERTS: _ca, DISPLAY: _d, BROWSER: _b, ...clean } = process.env;
const env = { ...clean, MAILAUTH_HOME: join(folder, 'home') };
const runs = Number(process.env.BENCH_RUNS ?? 21);
const keyring = ['/usr/bin/dbus-run-session', '/usr/bin/gnome-keyring-daemon'].every((file) => existsSync(file));

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const once = ({ file = process.execPath, args, env: own = env }) => {
  const began = performance.now();
  const ended = spawnSync(file, args, { env: own, stdio: ['ignore', 'pipe', 'pipe'] });
  if (ended.status !== 0) throw new Error(`${args.join(' ')} ended with ${ended.status}: ${ended.stderr}`);
  return performance.now() - began;
};

/** Medians by name. Each round runs every command once, so that a slow moment of the machine hits all of them. */
function inTurns(commands) {
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let i = 0; i < runs; i += 1) for (const [name, command] of Object.entries(commands)) times[name].push(once(command));
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, median(values)]));
}

function startUp(commands) {
  const times = inTurns(Object.fromEntries(Object.entries(commands).map(([name, args]) => [name, { args }])));
  const bare = times['node -e 0'];
  for (const [name, ms] of Object.entries(times)) row(name, `${ms.toFixed(1)} ms`, `${(ms / bare).toFixed(2)} x bare`);
}

/** In KiB, as getrusage counts it: written by the process itself at its end. The median of five. */
function peakKib({ args, env: own = env }) {
  const preload = writePeak();
  const peaks = Array.from(
    { length: 5 },
    () => spawnSync(process.execPath, ['-r', preload, ...args], { env: own, encoding: 'utf8' }).stderr,
  );
  return median(peaks.map((text) => Number(/peak (\d+)/.exec(text)?.[1])));
}

const row = (name, value, note = '') => console.log(`${name.padEnd(52)}${value.padStart(12)}   ${note}`);

/** Plays the browser at the sandbox's pages; answers the address that leads back to the loopback listener. */
async function redirectOf(url) {
  const post = (path, fields) => fetch(new URL(path, url), { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' });
  const ticket = async (response) => /name="ticket" value="([^"]+)"/.exec(await response.text())?.[1] ?? '';
  const action = (html, value) =>
    [...html.matchAll(/<form[^>]*action="([^"]+)"[^>]*>(.*?)<\/form>/gs)].find(([, , inside]) => inside.includes(value))?.[1];
  let page = await fetch(url, { redirect: 'manual' });
  let html = await page.clone().text();
  page = await post(action(html, 'account'), { ticket: await ticket(page), account: 'helpdesk@contoso.example' });
  if (page.status === 200) {
    html = await page.clone().text();
    page = await post(action(html, 'decision'), { ticket: await ticket(page), decision: 'accept' });
  }
  return page.headers.get('location');
}

/** From the redirect's arrival at the listener to the answer that it gives once the tokens are stored. */
async function redirectToStored() {
  const times = [];
  for (let i = 0; i < 5; i += 1) {
    const child = spawn(process.execPath, [bin, 'login', '--force', '--sandbox', '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) {
      const event = JSON.parse(line);
      if (event.type !== 'authorization_required') continue;
      const back = await redirectOf(event.url);
      const began = performance.now();
      const answer = await fetch(back, { redirect: 'manual' });
      times.push(performance.now() - began);
      await fetch(new URL(answer.headers.get('location'), back));
    }
  }
  row(
    'redirect arrived -> tokens stored',
    `${median(times).toFixed(0)} ms`,
    'with the token request to the sandbox; goal 150 ms beyond it',
  );
}

/** `--register auto` for each product: Graph calls, and the time from the administrator's approval to the finished hand-over. */
async function registrations() {
  const callback = ['--redirect-uri', 'https://help.contoso.example/callback'];
  const products = {
    osticket: callback,
    supportpal: callback,
    kaseya: [],
    mspbots: [],
    'this-computer': ['--sign-in', 'skip', '--no-test'],
  };
  for (const [product, flags] of Object.entries(products)) {
    const argv = [bin, 'setup', '--sandbox', '--yes', '--verbose', '--mailbox', `${product}@contoso.example`, '--for', product, ...flags];
    const child = spawn(process.execPath, argv, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let approved = 0;
    let calls = '?';
    for await (const line of createInterface({ input: child.stderr })) {
      if (line.includes('Signed in for Microsoft Graph')) approved = performance.now();
      calls = /(\d+) calls to Microsoft Graph/.exec(line)?.[1] ?? calls;
    }
    const seconds = ((performance.now() - approved) / 1000).toFixed(2);
    row(`auto ${product}: approval -> hand-over`, `${seconds} s`, `${calls} Graph calls; goal under 5 s`);
  }
}

/** `test all` beside its slowest protocol, each a process of its own against one running sandbox; then 200 mailboxes at three concurrencies. */
async function mailTests() {
  const home = join(folder, 'mail-home');
  const own = { ...env, MAILAUTH_HOME: home };
  const sandbox = spawn(process.execPath, [bin, 'sandbox'], { env: own, stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    await Promise.race([
      new Promise((ready) => sandbox.stdout.once('data', ready)),
      new Promise((ready) => sandbox.stderr.once('data', ready)),
    ]);
    const writer = join(root, 'node_modules/.cache/mailauth-bench/mailboxes.mjs');
    const esbuild = ['--bundle', '--format=esm', '--platform=node', '--packages=external', '--log-level=error', `--outfile=${writer}`];
    execFileSync('npx', ['esbuild', fileURLToPath(new URL('mailboxes.ts', import.meta.url)), ...esbuild], { cwd: root, stdio: 'ignore' });
    execFileSync(process.execPath, [writer, join(home, 'sandbox'), '200'], { env: own });
    // Written by the process itself at its end: peak memory in KiB, as getrusage counts it, and its CPU, whatever else the machine does.
    const peak = ['-r', writePeak()];
    const timed = async (args) => {
      const began = performance.now();
      const child = spawn(process.execPath, [...peak, bin, ...args, '--sandbox', '--json'], {
        env: own,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const closed = new Promise((done) => child.once('close', done));
      let err = '';
      for await (const chunk of child.stderr) err += chunk;
      const exit = await closed;
      const kib = Number(/peak (\d+)/.exec(err)?.[1]);
      if (exit !== 0 || Number.isNaN(kib)) throw new Error(`${args.join(' ')} ended with ${exit}: ${err}`);
      return { ms: performance.now() - began, mib: kib / 1024, cpuMs: Number(/cpu (\d+)/.exec(err)?.[1]) };
    };
    const times = { imap: [], pop: [], smtp: [], all: [] };
    for (let i = 0; i < Math.min(runs, 9); i += 1)
      for (const name of Object.keys(times)) times[name].push((await timed(['test', name, 'box0@contoso.example'])).ms);
    const { all, ...single } = Object.fromEntries(Object.entries(times).map(([name, values]) => [name, median(values)]));
    const slowest = Math.max(...Object.values(single));
    row(
      'test all / its slowest protocol',
      `${(all / slowest).toFixed(2)} x`,
      `${all.toFixed(0)} ms and ${slowest.toFixed(0)} ms; goal 1.2`,
    );
    const many = async (concurrency, mailboxes, note = '') => {
      const filter = mailboxes === 200 ? [] : ['--for', 'custom'];
      const { ms, mib, cpuMs } = await timed(['test', 'all', '--all-mailboxes', ...filter, '--concurrency', String(concurrency)]);
      const each = `${(cpuMs / mailboxes).toFixed(0)} ms CPU each, peak ${mib.toFixed(0)} MiB`;
      row(
        `${mailboxes} mailboxes${note}, concurrency ${concurrency}`,
        `${(ms / 1000).toFixed(1)} s`,
        `${((mailboxes * 1000) / ms).toFixed(0)} mailboxes/s, ${each}`,
      );
      return ms;
    };
    for (const concurrency of [1, 5, 20]) await many(concurrency, 200);
    const end = await slowWays(join(home, 'sandbox'), 150);
    const serial = await many(1, 40, ', answers after 150 ms');
    for (const concurrency of [5, 20, 64]) {
      // More mailboxes than are in work at once, so that the last ones do not work alone for most of the time.
      const ms = await many(concurrency, 200, ', answers after 150 ms');
      const ratio = serial / 40 / (ms / 200);
      row(
        `  beside one after the other, concurrency ${concurrency}`,
        `${ratio.toFixed(1)} x`,
        concurrency === 20 ? 'goal at least 15' : '',
      );
    }
    end();
  } finally {
    sandbox.kill();
  }
}

function writePeak() {
  const file = join(folder, 'peak.cjs');
  const script = () =>
    process.on('exit', () => {
      const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
      require('node:fs').writeSync(2, `peak ${maxRSS} cpu ${Math.round((userCPUTime + systemCPUTime) / 1000)}\n`);
    });
  writeFileSync(file, `(${script})();\n`);
  return file;
}

/** CPU of a whole run: `explain` on a log of 10 MB, beside `--version`. */
function explainLog() {
  const log = join(folder, 'fetch.log');
  const line = '2026-11-22 10:00:00 relay getmail[4711]: 12 messages for helpdesk@contoso.com from outlook.office365.com:993 OK 100%20\n';
  writeFileSync(log, `${line.repeat(Math.ceil(10_485_760 / line.length))}A1 BAD User is authenticated but not connected.\n`);
  const preload = join(folder, 'cpu.cjs');
  const script = "process.on('exit',()=>{const{user,system}=process.cpuUsage();require('fs').writeSync(2,'cpu '+(user+system)/1000)})";
  writeFileSync(preload, script);
  const cpuMs = (args) =>
    Number(/cpu ([\d.]+)/.exec(spawnSync(process.execPath, ['-r', preload, bin, ...args], { env, encoding: 'utf8' }).stderr)?.[1]);
  const times = (args) => median(Array.from({ length: 5 }, () => cpuMs(args)));
  const seconds = (times(['explain', '--file', log]) - times(['--version'])) / 1000;
  row('explain, 10 MB log: CPU beyond --version', `${seconds.toFixed(2)} s`, 'goal under 1 s');
}

function cleanClone() {
  const clone = join(folder, 'clone');
  const began = performance.now();
  execFileSync('git', ['clone', '-q', root, clone], { stdio: 'ignore' });
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: clone, env, stdio: 'ignore' });
  execFileSync('npx', ['mailauth', 'setup', '--sandbox', '--yes'], {
    cwd: clone,
    env: { ...env, MAILAUTH_HOME: join(folder, 'clone-home') },
    stdio: 'ignore',
  });
  row('clean clone -> finished sandbox set-up', `${((performance.now() - began) / 1000).toFixed(1)} s`, 'npm ci included; goal 60 s');
}

async function main() {
  console.log(
    `Node ${process.version}, ${runs} runs each, medians. Store: ${keyring ? 'Secret Service (gnome-keyring)' : "the sandbox's file: no keyring here"}\n`,
  );
  const postgres = () => postgresBench({ root, bin, env, row, times: inTurns, writePeak });
  if (process.env.BENCH_MAIL === '1') return mailTests();
  if (process.env.BENCH_POSTGRES === '1') return postgres();
  const many = () => manyBench({ bin, folder, env, row, median });
  if (process.env.BENCH_MANY === '1') return many();
  if (process.env.BENCH_TOKENS !== '1') {
    sourceSize(root, row);
    installedSize(root, folder, env, row);
    debianSize(root, folder, env, row);
  }
  if (process.env.BENCH_SIZE === '1') return;
  execFileSync(process.execPath, [bin, 'setup', '--sandbox', '--yes'], { env, stdio: 'ignore' });
  startUp({
    'node -e 0': ['-e', '0'],
    'mailauth --version (goal 1.6)': [bin, '--version'],
    'mailauth --help (goal 1.6)': [bin, '--help'],
    'mailauth token get, stored (goal 1.5)': [bin, 'token', 'get', 'helpdesk@contoso.example', '--sandbox'],
    'mailauth status': [bin, 'status', '--sandbox'],
  });
  const { write, keyFile } = tokenBench({ root, bin, folder, env, keyring, row, times: inTurns, peakKib });
  await sendBench({ bin, folder, env, write, keyFile, row, median, runs });
  await agentBench({ root, bin, folder, env, row, times: inTurns, write, keyFile });
  if (process.env.BENCH_TOKENS === '1') return;
  explainLog();
  await redirectToStored();
  await registrations();
  many();
  await mailTests();
  await postgres();
  if (process.env.BENCH_CLONE !== '0') cleanClone();
}

// The whole run inside a private session with a real keyring, where there is one.
if (keyring && process.env.BENCH_INSIDE === undefined) {
  const rig = fileURLToPath(new URL('../real/rigs/with-keyring.sh', import.meta.url));
  const ended = spawnSync('bash', [rig, process.execPath, fileURLToPath(import.meta.url)], {
    env: { ...clean, BENCH_INSIDE: '1', KR_HOME: join(folder, 'keyring') },
    stdio: ['ignore', 'inherit', 'ignore'],
  });
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = ended.status ?? 1;
} else {
  try {
    await main();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
