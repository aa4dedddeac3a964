import type { Reporter, TestCase } from 'vitest/node';

/**
 * Names each test that passed only at its second try, with what the first one said. Programs of others crash and stall now and then (KeePassXC
 * 2.7.4 does), and on a busy machine a port is taken between two lines, so `.ci/run` tries a failed test once more. A name that stands here often
 * is a fault to mend, not luck. `npm test` on a machine of one's own tries nothing twice.
 */
export class SecondTries implements Reporter {
  readonly #tests: string[] = [];

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky !== true) return;
    const first = test.result().errors?.[0]?.message ?? 'it was not said why';
    this.#tests.push(`  ${test.module.relativeModuleId} > ${test.fullName}\n${first.replace(/^/gm, '    ')}\n`);
  }

  onTestRunEnd(): void {
    if (this.#tests.length > 0) process.stdout.write(`\npassed only at the second try:\n${this.#tests.join('')}`);
  }
}
