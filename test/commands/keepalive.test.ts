import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/system/clock.ts';
import { type Machine, machine } from '../support/command-line.ts';

const day = 86_400_000;
const mailbox = 'helpdesk@contoso.example';
let pc: Machine;

beforeAll(async () => {
  pc = await machine();
  const setup = await pc.mailauth('setup --sandbox --yes --no-test');
  expect(setup.exit, setup.err).toBe(0);
});
afterAll(() => pc.end());

/** The same machine so many days later; what it sleeps is noted instead. */
function later(days: number, slept: number[] = []) {
  const sleep = async (ms: number) => {
    slept.push(ms);
  };
  return { clock: { ...systemClock, now: () => Date.now() + days * day, sleep } };
}

const stateOf = async (words: string, more = {}) => {
  const ran = await pc.mailauth(`keepalive --sandbox --json ${words}`.trim(), more);
  return { exit: ran.exit, ...ran.json() };
};

describe('mailauth keepalive', () => {
  it('leaves a fresh sign-in alone: no network, no pause', async () => {
    const slept: number[] = [];
    const { exit, data } = await stateOf('', later(1, slept));
    expect(exit).toBe(0);
    expect(data.mailboxes).toMatchObject([{ mailbox, for: 'this-computer', state: 'fresh', daysLeft: 88, results: [] }]);
    expect(slept).toEqual([]);
  });

  it('renews after a week, with a random pause below --jitter, and then it is fresh', async () => {
    const slept: number[] = [];
    const renewed = await stateOf('--jitter 7', later(8, slept));
    expect(renewed.data.mailboxes).toMatchObject([{ state: 'renewed', daysLeft: 89 }]);
    expect(slept).toHaveLength(1);
    expect(slept[0]).toBeLessThan(7000);
    expect((await stateOf('', later(9))).data.mailboxes).toMatchObject([{ state: 'fresh', daysLeft: 88 }]);
    expect((await stateOf('--renew-after 1', later(9))).data.mailboxes).toMatchObject([{ state: 'renewed' }]);
  });

  it('tests what it is asked to test, and remembers it', async () => {
    const { exit, data } = await stateOf('--jitter 0 --test imap,smtp');
    expect(exit).toBe(0);
    expect(data.mailboxes[0].results.map((r: { protocol: string; ok: boolean }) => [r.protocol, r.ok])).toEqual([
      ['imap', true],
      ['smtp', true],
    ]);
    const text = await pc.mailauth('keepalive --sandbox --jitter 0 --test pop');
    expect(text.out).toMatch(new RegExp(`✔ ${mailbox} for this-computer: (fresh|renewed), the sign-in lasts \\d+ days unused; pop ok\n`));
  });

  it('a red test and a sign-in that ended keep their own exit codes', async () => {
    const red = await stateOf('--jitter 0 --test imap --fault imap-auth-failed');
    expect(red).toMatchObject({ exit: 4, ok: false, data: { mailboxes: [{ results: [{ ok: false }] }] } });
    const over = await stateOf('--fault refresh-expired', later(30));
    expect(over).toMatchObject({ exit: 4, error: { code: 'sign-in-expired' } });
    expect(over.data.mailboxes).toMatchObject([{ state: 'failed', error: { code: 'sign-in-expired', exit: 4 } }]);
    expect(over.data.mailboxes[0].error.next[0]).toBe(`mailauth login ${mailbox} --sandbox`);
    expect((await stateOf('--fault token-unavailable', later(30))).exit).toBe(5);
  });

  it('several mailboxes: one that fails stops no other; a handed-over set-up has nothing to renew', async () => {
    const many = await machine();
    try {
      await many.mailauth('setup --sandbox --yes --no-test');
      const uri = 'https://help.contoso.example/api/auth/oauth2';
      const product = await many.run(['setup', '--sandbox', '--yes', '--for', 'osticket', '--mailbox', mailbox, '--redirect-uri', uri]);
      expect(product.exit, product.err).toBe(0);
      const { out } = await many.mailauth('keepalive --sandbox', { ...later(20), tty: false });
      expect(out).toContain(`✔ ${mailbox} for this-computer: renewed`);
      expect(out).toContain(`${mailbox} for osticket: nobody is signed in here, nothing to renew`);
      const ending = await many.mailauth('keepalive --sandbox --json --warn-days 400', later(20));
      expect(ending.exit).toBe(1);
      expect(ending.json().error).toMatchObject({ code: 'secret-ends-soon', next: [`mailauth secret rotate ${mailbox} --sandbox`] });
      const only = await many.mailauth('keepalive --sandbox --json --for osticket --warn-days 0');
      expect(only.json().data.mailboxes).toMatchObject([{ for: 'osticket', state: 'idle' }]);
    } finally {
      await many.end();
    }
  });

  it('nothing set up is nothing to do', async () => {
    const empty = await machine();
    try {
      expect(await empty.mailauth('keepalive')).toMatchObject({ exit: 0, out: expect.stringContaining('nothing to keep alive') });
    } finally {
      await empty.end();
    }
  });

  it.each(['--test telnet', '--renew-after soon', '--jitter -1', '--for nothing'])('%s is wrong usage', async (words) => {
    expect((await pc.mailauth(`keepalive ${words}`)).exit).toBe(2);
  });
});

describe('mailauth status for monitoring', () => {
  const nagios = async (days: number, words = '') => {
    const { exit, out, err } = await pc.mailauth(`status --sandbox --format nagios ${words}`.trim(), later(days));
    expect(err).toBe('');
    return { exit, out };
  };

  it('nagios: one line, performance data, the plugin exit codes', async () => {
    expect(await nagios(0)).toEqual({
      exit: 0,
      out: expect.stringMatching(
        /^MAILAUTH OK - 1 mailbox, the first to end: helpdesk@contoso\.example \d+ days \| 'helpdesk@contoso\.example\/this-computer'=\d+;14;0\n$/,
      ),
    });
    expect(await nagios(85)).toEqual({ exit: 1, out: expect.stringMatching(/^MAILAUTH WARNING - helpdesk@contoso\.example \d+ days \|/) });
    expect(await nagios(200)).toEqual({ exit: 2, out: expect.stringMatching(/^MAILAUTH CRITICAL - helpdesk@contoso\.example is over \|/) });
  });

  it('nagios: what cannot be read is unknown', async () => {
    const empty = await machine();
    try {
      const { exit, out } = await empty.mailauth('status --format nagios');
      expect({ exit, out }).toEqual({ exit: 3, out: 'MAILAUTH UNKNOWN - no mailbox is set up\n' });
    } finally {
      await empty.end();
    }
  });

  it('nagios: a mailbox that nobody knows is unknown as well', async () => {
    const { exit, out, err } = await pc.mailauth('status nobody@contoso.example --sandbox --format nagios');
    expect({ exit, out, err }).toEqual({
      exit: 3,
      out: 'MAILAUTH UNKNOWN - nobody@contoso.example is not set up on this computer\n',
      err: '',
    });
  });

  it('prometheus: gauges in seconds, for the textfile collector', async () => {
    const { exit, out } = await pc.mailauth('status --sandbox --format prometheus');
    expect(exit).toBe(0);
    expect(out).toContain(`# TYPE mailauth_signed_in gauge\nmailauth_signed_in{mailbox="${mailbox}",for="this-computer"} 1\n`);
    expect(out).toMatch(/^mailauth_refresh_token_idle_deadline_seconds\{[^}]+\} 1[0-9]{9}$/m);
    expect(out).toMatch(/^mailauth_last_test_ok\{[^}]+protocol="pop"\} 1$/m);
    for (const line of out.trimEnd().split('\n')) expect(line).toMatch(/^(?:# (?:HELP|TYPE) mailauth_\w+ .+|mailauth_\w+\{.*\} -?\d+)$/);
    expect((await pc.mailauth('status --sandbox --format prometheus', later(200))).exit).toBe(1);
  });

  it.each(['--format xml', '--format nagios --json', '--warn-days x'])('%s is wrong usage', async (words) => {
    expect((await pc.mailauth(`status ${words}`)).exit).toBe(2);
  });
});
