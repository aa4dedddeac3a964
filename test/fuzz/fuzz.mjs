import { spawnSync } from 'node:child_process';

/** `npm run fuzz [RUNS]`: a million inputs, or as many as named, shared among the readers of test/fuzz/targets.ts. */
const [runs = '1000000'] = process.argv.slice(2);
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts', 'test/fuzz'];
const { status } = spawnSync(process.execPath, vitest, { stdio: 'inherit', env: { ...process.env, MAILAUTH_FUZZ_RUNS: runs } });
process.exitCode = status ?? 1;
