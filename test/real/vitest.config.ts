import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { SecondTries } from '../support/second-tries.js';

const report = process.env.MAILAUTH_TEST_REPORT;

/** Suites on real components (Dovecot, gnome-keyring, Chromium, tmux). A missing component fails the run: nothing is skipped. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/real/**/*.test.ts'],
    env: { NODE_EXTRA_CA_CERTS: '', NO_COLOR: '', FORCE_COLOR: '' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Of two cores vitest would use one. While a test waits for a server or a deadline, a third process has something to do.
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
