import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { SecondTries } from './support/second-tries.js';

/** Linux keeps this folder in memory: each of the many fsync calls of a set-up then costs nothing. The suites in `test/real` use the disk. */
const memory = '/dev/shm';
const temporary = existsSync(memory) ? { TMPDIR: memory } : {};

const report = process.env.MAILAUTH_TEST_REPORT;

/** What `npm test` runs: everything that needs only Node. The suites on real components are in `test/real`. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/{unit,commands,flows,bin,fuzz}/**/*.test.ts'],
    env: { NODE_EXTRA_CA_CERTS: '', NO_COLOR: '', FORCE_COLOR: '', ...temporary },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'threads',
    // One thread runs many files, because loading the packages anew for each file takes longer than the tests. Threads need a fifth less CPU
    // than processes.
    isolate: false,
    // Of two cores vitest would use one. While a test waits for a deadline, a third thread has something to do.
    maxWorkers: 3,
    retry: process.env.CI === 'true' ? 1 : 0,
    // The report is for .ci/run, which adds up what passed and failed.
    reporters: [
      'default',
      new SecondTries(),
      ...(report === undefined ? [] : [['json', { outputFile: report }] as [string, { outputFile: string }]]),
    ],
  },
});
