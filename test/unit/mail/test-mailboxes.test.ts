import { describe, expect, test } from 'vitest';
import { namedCloud } from '../../../src/core/cloud.ts';
import { Interrupted } from '../../../src/core/errors.ts';
import type { MailboxRecord } from '../../../src/core/mailbox.ts';
import { problem } from '../../../src/errors/problem.ts';
import { hostPauses, pauseBudgetMs } from '../../../src/mail/host-pauses.ts';
import { type ProtocolResult, protocolResult } from '../../../src/mail/result.ts';
import { type Candidate, type MailboxesRun, testMailboxes } from '../../../src/mail/test-mailboxes.ts';
import { systemClock } from '../../../src/system/clock-and-random.ts';

const host = { host: 'mail.example', port: 993, security: 'tls' } as const;

/** Time that passes only by sleeping. */
function fakeClock() {
  let now = 0;
  const slept: number[] = [];
  const sleep = async (ms: number): Promise<void> => {
    slept.push(ms);
    now += ms;
  };
  return { clock: { ...systemClock, monotonic: () => now, sleep }, slept };
}

const candidate = (i: number): Candidate => {
  const record: MailboxRecord = {
    mailbox: `box${i}@contoso.example`,
    for: 'this-computer',
    tenantId: '',
    cloud: namedCloud('public'),
    endpoints: { issuer: '', authorization: '', token: '' },
    registration: { clientId: '', clientType: 'public', redirectUri: '', madeByMailauth: false },
    protocols: ['imap'],
    scopes: [],
    store: 'keychain',
    createdAt: '2026-11-22T00:00:00Z',
    lastTests: [],
  };
  return { record, protocols: ['imap'] };
};

function green({ record }: Candidate): readonly ProtocolResult[] {
  return [protocolResult({ mailbox: record.mailbox, protocol: 'imap', host, user: record.mailbox }, { stages: [] })];
}

function throttled({ record }: Candidate, reply: string): readonly ProtocolResult[] {
  const { mailbox } = record;
  const error = problem('throttled', { mailbox, user: mailbox, protocol: 'imap', host: host.host, port: 993 }, { detail: { reply } });
  return [protocolResult({ mailbox, protocol: 'imap', host, user: mailbox }, { stages: [], failure: { stage: 'auth', error } })];
}

async function run(count: number, test: MailboxesRun['test'], more: Partial<MailboxesRun> = {}) {
  const { clock, slept } = fakeClock();
  const paused: number[] = [];
  const tested = await testMailboxes({
    candidates: Array.from({ length: count }, (_, i) => candidate(i)),
    concurrency: 3,
    clock,
    signal: new AbortController().signal,
    hostOf: () => host,
    explain: async () => problem('write-failed', { why: 'boom' }),
    onDone: () => undefined,
    onPause: (_, ms) => paused.push(ms),
    ...more,
    test,
  });
  return { tested, slept, paused, verdicts: tested.map((t) => t.results.map((r) => r.diagnosis?.code ?? 'ok').join()) };
}

describe('testMailboxes', () => {
  test('has at most so many in work, and answers in the order asked', async () => {
    let inWork = 0;
    let most = 0;
    const { tested } = await run(20, async (c) => {
      inWork += 1;
      most = Math.max(most, inWork);
      await new Promise((done) => setImmediate(done));
      inWork -= 1;
      return green(c);
    });
    expect(most).toBe(3);
    expect(tested.map((t) => t.mailbox)).toEqual(Array.from({ length: 20 }, (_, i) => `box${i}@contoso.example`));
  });

  test('what throws is red, and stops nobody else', async () => {
    const { verdicts, tested } = await run(4, async (c) => {
      if (c.record.mailbox.startsWith('box1')) throw new TypeError('bug');
      return green(c);
    });
    expect(verdicts).toEqual(['ok', 'write-failed', 'ok', 'ok']);
    expect(tested[1]?.exits).toEqual([1]);
    expect(tested[1]?.results[0]?.stages[0]).toMatchObject({ name: 'token', state: 'failed' });
  });

  test('a throttled mailbox is asked once more after the pause, and nobody else in between', async () => {
    const asked: string[] = [];
    const { verdicts, paused, slept } = await run(
      3,
      async (c) => {
        asked.push(c.record.mailbox);
        return asked.length === 1 ? throttled(c, 'Request is throttled. Suggested Backoff Time: 30000 milliseconds') : green(c);
      },
      { concurrency: 1 },
    );
    expect(verdicts).toEqual(['ok', 'ok', 'ok']);
    expect(asked.slice(0, 2)).toEqual(['box0@contoso.example', 'box0@contoso.example']);
    expect([paused, slept]).toEqual([[30_000], [30_000]]);
  });

  test('a host that throttles for ever is left alone: few questions, the rest is told so', async () => {
    let asked = 0;
    const { verdicts, slept } = await run(
      200,
      async (c) => {
        asked += 1;
        return throttled(c, 'Too many concurrent connections');
      },
      { concurrency: 1 },
    );
    expect(asked).toBeLessThan(10);
    expect(slept.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(pauseBudgetMs);
    expect(verdicts[0]).toBe('throttled');
    expect(verdicts.at(-1)).toBe('mail-host-paused');
  });

  test('the sign-in service’s Retry-After holds everybody back', async () => {
    let asked = 0;
    const { verdicts, paused } = await run(2, async (c) => {
      asked += 1;
      if (asked > 2) return green(c);
      const blanks = { mailbox: c.record.mailbox };
      const error = problem('entra-busy', blanks as never, { detail: { retryAfterSeconds: 7 } });
      return [
        protocolResult({ mailbox: c.record.mailbox, protocol: 'imap', host, user: '' }, { stages: [], failure: { stage: 'token', error } }),
      ];
    });
    expect(verdicts).toEqual(['ok', 'ok']);
    expect(paused).toEqual([7000]);
  });

  test('after an interruption what was finished is kept', async () => {
    const stop = new AbortController();
    const { tested } = await run(
      9,
      async (c) => {
        if (c.record.mailbox.startsWith('box4')) {
          stop.abort(new Interrupted());
          throw stop.signal.reason;
        }
        return green(c);
      },
      { concurrency: 1, signal: stop.signal },
    );
    expect(tested).toHaveLength(4);
  });

  test('keeps no error objects', async () => {
    const { tested } = await run(1, async (c) => throttled(c, 'Suggested Backoff Time: 999999999'));
    expect(tested[0]?.results[0]?.error).toBeUndefined();
    expect(tested[0]?.exits).toEqual([5]);
  });
});

describe('hostPauses', () => {
  test('several that are told the same wait once; other hosts do not wait', async () => {
    const { clock, slept } = fakeClock();
    const shown: string[] = [];
    const pauses = hostPauses({ clock, signal: new AbortController().signal, onPause: (h, ms) => shown.push(`${h} ${ms}`) });
    for (let i = 0; i < 5; i += 1) pauses.throttled('a', 1000);
    expect(await pauses.ready('b')).toBe(true);
    expect(slept).toEqual([]);
    expect(await pauses.ready('a')).toBe(true);
    expect(slept).toEqual([1000]);
    expect(shown).toEqual(['a 1000']);
  });

  test('without a wish the pauses double, each after the one before', async () => {
    const { clock, slept } = fakeClock();
    const pauses = hostPauses({ clock, signal: new AbortController().signal, onPause: () => undefined });
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 6; i += 1) pauses.throttled('a', undefined);
      expect(await pauses.ready('a')).toBe(true);
    }
    expect(slept).toEqual([5_000, 10_000, 20_000]);
  });

  test('a wish beyond the budget is not waited for', async () => {
    const { clock, slept } = fakeClock();
    const pauses = hostPauses({ clock, signal: new AbortController().signal, onPause: () => undefined });
    pauses.throttled('a', pauseBudgetMs + 1);
    expect(await pauses.ready('a')).toBe(false);
    expect(slept).toEqual([]);
  });
});
