import { spawnSync } from 'node:child_process';

/**
 * `npm run fuzz [RUNS]`: a million inputs, or as many as named, shared among the readers of test/fuzz/targets.ts; and a fiftieth of that as argument vectors.
 * `npm run soak [ROUNDS]`: 10,000 refreshes, or as many as named, with faults of the server between them.
 */
const [what = 'fuzz', count] = process.argv.slice(2);
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts'];
const runs = {
  fuzz: { files: ['test/fuzz/fuzz.test.ts', 'test/fuzz/argv.test.ts'], env: { MAILAUTH_FUZZ_RUNS: count ?? '1000000' }, flags: [] },
  soak: {
    files: ['test/fuzz/soak.test.ts'],
    env: { MAILAUTH_SOAK_ROUNDS: count ?? '10000' },
    flags: ['--pool=forks', '--execArgv=--expose-gc'],
  },
}[what];
if (runs === undefined) throw new Error(`there is no run "${what}"`);
const { status } = spawnSync(process.execPath, [...vitest, ...runs.files, ...runs.flags], {
  stdio: 'inherit',
  env: { ...process.env, ...runs.env },
});
process.exitCode = status ?? 1;
