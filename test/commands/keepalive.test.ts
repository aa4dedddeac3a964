import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/system/clock-and-random.ts';
import { brokenKeychain, type Machine, machine } from '../support/command-line.ts';

const day = 86_400_000;
const mailbox = 'helpdesk@contoso.example';
let pc: Machine;

beforeAll(async () => {
  pc = await machine();
  await pc.ready('setup --sandbox --yes --no-test');
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

  it('a sign-in without a refresh token: warned from the first minute, red when it is over', async () => {
    const own = await machine();
    try {
      await own.mailauth('setup --sandbox --yes --no-test --fault no-refresh-token');
      const all = async (more = {}) => {
        const run = async (words: string) => own.mailauth(`${words} --sandbox`, more);
        const status = (await run('status --json')).json();
        return {
          status: [(await run('status')).exit, status.error?.code, status.data.mailboxes[0].signedIn, status.data.mailboxes[0].daysLeft],
          nagios: (await run('status --format nagios')).out.replace(/ - .*\n/, ''),
          lost: /mailauth_sign_in_lost\{.*\} (\d)/.exec((await run('status --format prometheus')).out)?.[1],
          keepalive: [(await run('keepalive')).exit, (await run('keepalive --json')).json().error?.code],
        };
      };
      expect(await all()).toEqual({
        status: [1, 'expires-soon', true, 0],
        nagios: 'MAILAUTH WARNING',
        lost: '0',
        keepalive: [1, 'expires-soon'],
      });
      expect((await own.mailauth('status --sandbox')).out).toContain('cannot be renewed: there is no refresh token');
      expect(await all(later(1))).toEqual({
        status: [4, 'sign-in-lost', false, -1],
        nagios: 'MAILAUTH CRITICAL',
        lost: '1',
        keepalive: [4, 'sign-in-lost'],
      });
    } finally {
      await own.end();
    }
  });

  it('several mailboxes: one that fails stops no other; a handed-over set-up has nothing to renew', async () => {
    const many = await machine();
    try {
      await many.ready('setup --sandbox --yes --no-test');
      const uri = 'https://help.contoso.example/api/auth/oauth2';
      const product = await many.run(['setup', '--sandbox', '--yes', '--for', 'osticket', '--mailbox', mailbox, '--redirect-uri', uri]);
      expect(product.exit, product.err).toBe(0);
      const { out } = await many.mailauth('keepalive --sandbox', { ...later(20), tty: false });
      expect(out).toContain(`✔ ${mailbox} for this-computer: renewed`);
      expect(out).toContain(`${mailbox} for osticket: no sign-in on this computer, nothing to renew`);
      const ending = await many.mailauth('keepalive --sandbox --json --warn-days 400', later(20));
      expect(ending.exit).toBe(1);
      const title = expect.stringMatching(/^helpdesk@contoso\.example for osticket, client secret: \d+ days left$/);
      const next = [`mailauth secret rotate ${mailbox} --for osticket --sandbox`];
      expect(ending.json().error).toMatchObject({ code: 'secret-ends-soon', title, next });
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

  it.each(['--test telnet', '--renew-after soon', '--renew-after 90', '--jitter -1', '--for nothing'])(
    '%s is wrong usage',
    async (words) => {
      expect((await pc.mailauth(`keepalive ${words}`)).exit).toBe(2);
    },
  );
});

describe('a sign-in that is lost', () => {
  let own: Machine;
  beforeEach(async () => {
    own = await machine();
    await own.ready('setup --sandbox --yes --no-test');
  });
  afterEach(() => own.end());
  const state = async (words: string, more = {}) => {
    const { exit, out } = await own.mailauth(`${words} --sandbox`, more);
    return [exit, out];
  };

  it('is no OK anywhere when its tokens are gone', async () => {
    for (const account of own.keychain.entries.keys()) own.keychain.entries.delete(account);
    expect(await state('status --format nagios')).toEqual([
      2,
      expect.stringContaining('CRITICAL - helpdesk@contoso.example: its sign-in is no longer on this computer'),
    ]);
    const { exit, json } = await own.mailauth('status --sandbox --json');
    expect([exit, json().error]).toMatchObject([
      4,
      { code: 'sign-in-lost', next: [`mailauth login ${mailbox} --for this-computer --sandbox`] },
    ]);
    const kept = await own.mailauth('keepalive --sandbox --json');
    expect([kept.exit, kept.json().data.mailboxes]).toMatchObject([4, [{ state: 'failed', error: { code: 'sign-in-lost' } }]]);
  });

  it('is remembered when Microsoft refused, tried again by keepalive, and forgotten once it works', async () => {
    expect((await own.mailauth('token get --sandbox --force-refresh --fault refresh-revoked')).exit).toBe(4);
    expect(await state('status --format nagios')).toEqual([
      2,
      expect.stringMatching(/CRITICAL .*refused the last renewal \(sign-in-expired, /),
    ]);
    expect(await state('status --format prometheus')).toEqual([4, expect.stringMatching(/^mailauth_sign_in_lost\{[^}]+\} 1$/m)]);
    // What the store has is served all the same: it works until it ends.
    expect((await own.mailauth('token get --sandbox')).exit).toBe(0);
    expect((await own.mailauth('keepalive --sandbox --jitter 0 --fault refresh-revoked')).exit).toBe(4);
    expect((await own.mailauth('keepalive --sandbox --jitter 0')).exit).toBe(0);
    expect((await state('status --format nagios'))[0]).toBe(0);
  });

  it('is over after a sign-in', async () => {
    await own.mailauth('token get --sandbox --force-refresh --fault refresh-revoked');
    expect((await own.mailauth('login --sandbox --yes --force --no-test')).exit).toBe(0);
    expect((await own.mailauth('status --sandbox')).exit).toBe(0);
  });

  it('a busy service, or a page of a proxy in its place, is no refusal: the valid token is served', async () => {
    for (const fault of ['throttled', 'token-page']) {
      expect(await state(`token get --min-validity 999999 --fault ${fault}`)).toEqual([0, expect.stringMatching(/^\S+\n$/)]);
      expect((await own.mailauth(`token get --sandbox --force-refresh --fault ${fault}`)).exit).toBe(5);
    }
    expect((await own.mailauth('status --sandbox')).exit).toBe(0);
  });

  it('is not said of a store that cannot be read', async () => {
    const keychain = brokenKeychain('locked');
    const { exit, out } = await own.mailauth('status --sandbox', { keychain });
    expect([exit, out]).toEqual([7, expect.stringContaining('not known: the store cannot be read')]);
    const { out: metrics } = await own.mailauth('status --sandbox --format prometheus', { keychain });
    expect(metrics).toMatch(/^mailauth_store_ok\{[^}]+\} 0$/m);
    expect(metrics).not.toContain('mailauth_signed_in');
  });
});

describe('mailauth status for monitoring', () => {
  beforeAll(() => pc.mailauth('login --force --sandbox --yes'));
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

  it('nagios: a database that cannot be asked is unknown, in one line', async () => {
    const env = { MAILAUTH_DATABASE_URL: 'mysql://db.contoso.com/mailauth' };
    const { exit, out, err } = await pc.mailauth('status --sandbox --format nagios', { env });
    expect([exit, out, err]).toEqual([3, 'MAILAUTH UNKNOWN - The address of the database in MAILAUTH_DATABASE_URL cannot be used\n', '']);
    expect((await pc.mailauth('status --sandbox', { env })).exit).toBe(7);
  });

  it('a press of Tab and an explanation ask no database', async () => {
    const env = { MAILAUTH_DATABASE_URL: 'mysql://db.contoso.com/mailauth' };
    const tab = await pc.run(['completion', 'complete', '--', 'status', '--sandbox', 'help'], { env });
    expect([tab.exit, tab.out]).toEqual([0, 'helpdesk@contoso.example\t\n']);
    expect((await pc.run(['completion', 'complete', '--', 'status', 'help'], { env })).exit).toBe(0);
    expect((await pc.run(['explain', 'AADSTS50076'], { env })).exit).toBe(0);
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
