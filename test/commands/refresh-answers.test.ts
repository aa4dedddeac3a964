import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/core/context.ts';
import { systemClock } from '../../src/system/clock-and-random.ts';
import { type Machine, machine } from '../support/command-line.ts';

/** Everything a refresh can be answered with, for a token that is still valid and for one that is not: what comes out, and with which exit. */
const mailbox = 'helpdesk@contoso.example';
let person: Machine;
let app: Machine;
let token = '';
beforeAll(async () => {
  [person, app] = await Promise.all([machine(), machine()]);
  await person.ready('setup --sandbox --yes --no-test --register existing');
  await app.ready('setup --sandbox --yes --no-test --client-type confidential');
  token = (await person.mailauth('token get --sandbox')).out;
}, 60_000);
afterAll(() => Promise.all([person.end(), app.end()]));

const hour = 3_600_000;
const clockAt = (offsetMs: number): Clock => ({ ...systemClock, now: () => systemClock.now() + offsetMs });

describe('temporary: the old token as long as it is valid, then exit 5', () => {
  it.each([
    ['token-unavailable', 'entra-busy'],
    ['throttled', 'entra-busy'],
    ['login-mute', 'connect-timeout'],
    ['login-closed', 'connection-closed'],
    ['login-refused', 'connect-refused'],
  ])('%s', async (fault, code) => {
    const how = `--sandbox --fault ${fault} --timeout ${fault === 'login-mute' ? 1 : 20}`;
    expect(await person.mailauth(`token get ${how} --min-validity 999999`)).toMatchObject({ exit: 0, out: token, err: '' });
    const late = await person.mailauth(`token get ${how} --json`, { clock: clockAt(2 * hour) });
    expect(late.exit).toBe(5);
    expect(late.json().error).toMatchObject({
      code,
      exit: 5,
      ...(fault === 'throttled' ? { detail: { retryAfterSeconds: expect.any(Number) } } : {}),
    });
    expect(late.out).not.toContain(token.trim());
  });
});

describe('final: said at once, also while the old token is still valid', () => {
  const login = `mailauth login ${mailbox} --sandbox`;
  it.each([
    ['refresh-revoked', 4, 'sign-in-expired', login],
    ['refresh-expired', 4, 'sign-in-expired', login],
    ['refresh-two-numbers', 4, 'sign-in-expired', login],
    ['refresh-malformed', 4, 'sign-in-expired', login],
    ['sign-in-expired', 4, 'sign-in-expired', login],
    ['mfa-needed', 4, 'mfa-needed', login],
    ['password-expired', 4, 'password-expired', login],
    ['policy-blocked', 4, 'refresh-policy', login],
    ['device-required', 4, 'refresh-policy', login],
    ['consent-needed', 4, 'consent-needed', login],
    ['client-disabled', 6, 'client-disabled', undefined],
    ['account-disabled', 6, 'account-disabled', undefined],
  ])('%s is exit %i', async (fault, exit, code, command) => {
    for (const clock of [systemClock, clockAt(2 * hour)]) {
      const ran = await person.mailauth(`token get --sandbox --fault ${fault} --min-validity 999999 --json`, { clock });
      expect(ran.json().error).toMatchObject({ code, exit, detail: { aadsts: expect.any(Number) } });
      expect(ran.exit).toBe(exit);
      if (command !== undefined) expect(ran.json().error?.next[0]).toBe(command);
    }
  });

  it.each([
    ['secret-expired', 'stored-secret-expired', 'expired'],
    ['client-secret-wrong', 'stored-secret-wrong', 'does not accept'],
  ])('%s says which secret, and how it is rotated', async (fault, code, word) => {
    const ran = await app.mailauth(`token get --sandbox --fault ${fault} --force-refresh --json`);
    expect(ran.exit).toBe(1);
    expect(ran.json().error).toMatchObject({ code, title: expect.stringContaining(word), detail: { aadsts: expect.any(Number) } });
    expect(ran.json().error?.title).toContain(mailbox);
    expect(ran.json().error?.next[0]).toBe(`mailauth secret rotate ${mailbox} --for this-computer --sandbox`);
  });
});

describe('a clock that is wrong', () => {
  it('ahead: one refresh and a token; put right again one more, for nobody knows when that token ends', async () => {
    const own = await machine();
    try {
      await own.ready('setup --sandbox --yes --no-test --register existing');
      const ahead = await own.mailauth('token get --sandbox', { clock: clockAt(48 * hour) });
      expect(ahead).toMatchObject({ exit: 0, err: '' });
      expect(await own.mailauth('token get --sandbox', { clock: clockAt(48 * hour) })).toMatchObject({ exit: 0, out: ahead.out });
      const right = await own.mailauth('token get --sandbox');
      expect(right).toMatchObject({ exit: 0, err: '' });
      expect(right.out).not.toBe(ahead.out);
      expect((await own.mailauth('token get --sandbox')).out).toBe(right.out);
    } finally {
      await own.end();
    }
  });

  it('behind: likewise, and without a network the token that was issued later still does', async () => {
    const own = await machine();
    try {
      await own.ready('setup --sandbox --yes --no-test --register existing');
      const stored = (await own.mailauth('token get --sandbox')).out;
      const clock = clockAt(-48 * hour);
      expect(await own.mailauth('token get --sandbox --fault token-unavailable', { clock })).toMatchObject({ exit: 0, out: stored });
      const behind = await own.mailauth('token get --sandbox', { clock });
      expect(behind).toMatchObject({ exit: 0, err: '' });
      expect(behind.out).not.toBe(stored);
      expect((await own.mailauth('token get --sandbox', { clock })).out).toBe(behind.out);
      const right = await own.mailauth('token get --sandbox');
      expect(right.exit).toBe(0);
      expect(right.out).not.toBe(behind.out);
    } finally {
      await own.end();
    }
  });
});
