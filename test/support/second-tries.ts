import type { Reporter, TestCase } from 'vitest/node';

/**
 * Names each test that passed only at its second try. Programs of others crash and stall now and then (KeePassXC 2.7.4 does), and on a busy
 * machine a port is taken between two lines, so `.ci/run` tries a failed test once more. A name that stands here often is a fault to mend, not
 * luck. `npm test` on a machine of one's own tries nothing twice.
 */
export class SecondTries implements Reporter {
  readonly #names: string[] = [];

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky === true) this.#names.push(`${test.module.relativeModuleId} > ${test.fullName}`);
  }

  onTestRunEnd(): void {
    if (this.#names.length > 0)
      process.stdout.write(`\npassed only at the second try:\n${this.#names.map((name) => `  ${name}\n`).join('')}`);
  }
}
