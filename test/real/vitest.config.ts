import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

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
    // Of two cores vitest would use one.
    maxWorkers: 2,
    // For .ci/run, which adds up what passed and failed.
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
  },
});
