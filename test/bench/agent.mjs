// Part of `npm run bench`: `mailauth agent` through curl beside a bare Node, how many requests a second, and its memory; the cost of an import.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';

const atOnce = 16;

/** `write` puts mailboxes with tokens into the sealed file of a home. */
export async function agentBench({ root, bin, folder, env, row, times, write, keyFile }) {
  for (const [mailboxes, many] of [
    [1, 100_000],
    [1000, 10_000],
  ]) {
    const home = join(folder, `agent-${mailboxes}`);
    const own = { ...env, MAILAUTH_HOME: home, MAILAUTH_KEY_FILE: keyFile };
    write(own, 0, mailboxes, keyFile);
    const socket = join(home, 'agent.sock');
    const agent = spawn(process.execPath, [bin, 'agent', '--json', '--socket', socket], { env: own, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await new Promise((ready) => agent.stdout.once('data', ready));
      const residentMib = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${agent.pid}/status`, 'utf8'))?.[1]) / 1024;
      const url = `http://mailauth/token/box${mailboxes - 1}@contoso.example`;
      const curl = { file: 'curl', args: ['--silent', '--fail', '--unix-socket', socket, url], env: own };
      const measured = times({ 'node -e 0': { args: ['-e', '0'] }, curl });
      row(
        `agent, ${mailboxes} mailboxes: one call by curl (goal 0.4)`,
        `${measured.curl.toFixed(1)} ms`,
        `${(measured.curl / measured['node -e 0']).toFixed(2)} x bare`,
      );
      const before = residentMib();
      const began = performance.now();
      await ask({ socket, mailboxes, count: many });
      const seconds = (performance.now() - began) / 1000;
      row(`agent, ${mailboxes} mailboxes: ${many} requests`, `${(many / seconds).toFixed(0)}/s`, `${atOnce} at once, by one Node`);
      row(`agent, ${mailboxes} mailboxes: memory`, `${residentMib().toFixed(0)} MiB`, `${before.toFixed(0)} MiB before them`);
    } finally {
      agent.kill();
    }
  }
  importBench({ root, folder, env, row, times });
}

/** Over kept connections, round the mailboxes. */
async function ask({ socket, mailboxes, count }) {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  let next = 0;
  const one = () =>
    new Promise((done, fail) => {
      const path = `/token/box${next % mailboxes}@contoso.example`;
      request({ socketPath: socket, path, agent }, (response) => {
        if (response.statusCode !== 200) fail(new Error(`${path}: ${response.statusCode}`));
        response.resume().once('end', done);
      })
        .once('error', fail)
        .end();
    });
  const worker = async () => {
    while (next < count) {
      next += 1;
      await one();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  agent.destroy();
}

function importBench({ root, folder, env, row, times }) {
  const project = join(folder, 'project');
  mkdirSync(join(project, 'node_modules'), { recursive: true });
  symlinkSync(root, join(project, 'node_modules', 'entra-mailauth'));
  const inside = (script) => ({ args: ['-e', `process.chdir(${JSON.stringify(project)}); ${script}`], env });
  const load = "require('node:module').createRequire(process.cwd() + '/x.js')('entra-mailauth')";
  execFileSync(process.execPath, inside(load).args, { env });
  const measured = times({ bare: inside(''), imported: inside(load), explained: inside(`${load}.openMailauth().explain('AADSTS50034')`) });
  row('library: require', `${measured.imported.toFixed(1)} ms`, `${(measured.imported / measured.bare).toFixed(2)} x bare`);
  row('library: require and explain', `${measured.explained.toFixed(1)} ms`, `${(measured.explained / measured.bare).toFixed(2)} x bare`);
}
