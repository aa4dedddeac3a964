// Part of `npm run bench`: `setup --from` with a hundred mailboxes in ten tenants of the sandbox, beside one set-up.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const mailboxes = 100;
const tenants = 10;

export function manyBench({ bin, folder, env, row, median }) {
  const own = { ...env, MAILAUTH_HOME: join(folder, 'many-home') };
  const timed = (args) => {
    const began = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [bin, 'setup', '--sandbox', '--yes', '--verbose', ...args], {
      env: own,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    if (status !== 0) throw new Error(`setup ${args.join(' ')} ended with ${status}: ${stderr.slice(-2000)}`);
    const calls = [...stderr.matchAll(/(\d+) calls to Microsoft Graph/g)].reduce((sum, [, count]) => sum + Number(count), 0);
    return { seconds: (performance.now() - began) / 1000, calls, signIns: stderr.split('Signed in for Microsoft Graph').length - 1 };
  };
  const one = median(Array.from({ length: 5 }, (_, i) => timed(['--mailbox', `box${i}@one.example`]).seconds));
  const list = join(folder, 'mailboxes.csv');
  const names = Array.from({ length: mailboxes }, (_, i) => `box${i}@tenant${i % tenants}.example`);
  writeFileSync(list, `mailbox\n${names.join('\n')}\n`);
  const { seconds, calls, signIns } = timed(['--from', list]);
  row(
    `setup --from, ${mailboxes} mailboxes in ${tenants} tenants`,
    `${seconds.toFixed(1)} s`,
    `${(seconds / one).toFixed(1)} x one set-up (${one.toFixed(2)} s), ${calls} Graph calls, ${signIns} sign-ins of administrators (must be ${tenants})`,
  );
  if (signIns !== tenants) throw new Error(`${signIns} sign-ins of administrators`);
  const again = timed(['--from', list]);
  row('the same list again, all finished', `${again.seconds.toFixed(1)} s`, `${again.calls} Graph calls, ${again.signIns} sign-ins`);
}
