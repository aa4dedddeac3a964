import { describe, expect, test } from 'vitest';
import { problem } from '../../../src/errors/problem.ts';
import { type RunOptions, runStages, stageOrder } from '../../../src/mail/stages.ts';
import { systemClock } from '../../../src/system/clock-and-random.ts';

const where = { host: 'localhost', port: 993 };

function options(o: Partial<RunOptions>): RunOptions {
  return {
    order: ['token', 'dns', 'connect'],
    work: {},
    clock: systemClock,
    signal: new AbortController().signal,
    timeoutMs: 5_000,
    late: (stage) => problem('mail-stage-timeout', { ...where, stage, timeoutMs: 5_000 }),
    ...o,
  };
}

describe('stageOrder', () => {
  test('is that of docs/contract.md for tls, and has the handshake after the capabilities for starttls', () => {
    const smtp = ['token', 'dns', 'connect', 'tls', 'greeting', 'capability', 'auth', 'mailbox', 'send', 'quit'];
    expect(stageOrder('smtp', 'tls')).toEqual(smtp);
    expect(stageOrder('imap', 'tls')).toEqual(['token', 'dns', 'connect', 'tls', 'greeting', 'capability', 'auth', 'mailbox', 'quit']);
    expect(stageOrder('imap', 'starttls')).toEqual(['token', 'dns', 'connect', 'greeting', 'capability', 'tls', 'auth', 'mailbox', 'quit']);
    expect([...stageOrder('smtp', 'starttls')].sort()).toEqual([...smtp].sort());
  });
});

describe('runStages', () => {
  test('times each stage on the monotonic clock', async () => {
    let now = 0;
    const clock = { ...systemClock, monotonic: () => now };
    const step = (ms: number) => async () => {
      now += ms;
      return 'done';
    };
    const { stages } = await runStages(options({ clock, work: { token: step(1.4), dns: step(20), connect: step(300) } }));
    expect(stages.map((s) => s.ms)).toEqual([1, 20, 300]);
    expect(stages.every((s) => s.state === 'ok' && s.detail === 'done')).toBe(true);
  });

  test('stops at the first failure, lists the rest as skipped and tells each as it ends', async () => {
    const told: string[] = [];
    const error = problem('connect-refused', where, { detail: { reply: 'nobody home' } });
    const run = await runStages(
      options({
        work: { token: async () => 'x', dns: () => Promise.reject(error), connect: async () => 'never' },
        onStage: (s) => told.push(`${s.name} ${s.state}`),
      }),
    );
    expect(told).toEqual(['token ok', 'dns failed', 'connect skipped']);
    expect(run.failure).toEqual({ stage: 'dns', error });
    expect(run.stages[1]?.detail).toContain('nobody home');
    expect(run.stages[2]).toEqual({ name: 'connect', state: 'skipped', ms: 0, detail: '' });
  });

  test('a stage that never ends is failed at its deadline, and its work is told to stop', async () => {
    let stopped = false;
    const run = await runStages(
      options({
        timeoutMs: 20,
        work: {
          token: (signal) =>
            new Promise(() => {
              signal.addEventListener('abort', () => {
                stopped = true;
              });
            }),
        },
      }),
    );
    expect(run.failure?.error.code).toBe('mail-stage-timeout');
    expect(run.failure?.error.exit).toBe(5);
    expect(stopped).toBe(true);
  });

  test('does not abort the signal of a stage that succeeded: its socket lives on', async () => {
    let seen: AbortSignal | undefined;
    await runStages(
      options({
        work: {
          token: async (signal) => {
            seen = signal;
            return '';
          },
        },
      }),
    );
    expect(seen?.aborted).toBe(false);
  });

  test('rejects with the reason when interrupted, before and during a stage', async () => {
    const reason = new Error('ctrl-c');
    await expect(runStages(options({ signal: AbortSignal.abort(reason), work: { token: async () => 'x' } }))).rejects.toBe(reason);
    const controller = new AbortController();
    const running = runStages(options({ signal: controller.signal, work: { token: () => new Promise(() => {}) } }));
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
  });

  test('lets a bug of ours through', async () => {
    await expect(runStages(options({ work: { token: () => Promise.reject(new TypeError('bug')) } }))).rejects.toThrow(TypeError);
  });
});
