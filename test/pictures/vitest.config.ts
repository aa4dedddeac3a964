import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** `npm run pictures`: records the pictures of README and docs anew. Needs tmux, Chromium and gnome-keyring, as the suites in `test/real` do. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/pictures/**/*.test.ts'],
    env: { NODE_EXTRA_CA_CERTS: '', NO_COLOR: '', FORCE_COLOR: '' },
    testTimeout: 120_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 1,
  },
});
