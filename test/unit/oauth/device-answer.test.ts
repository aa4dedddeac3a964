import { describe, expect, it } from 'vitest';
import { judgePoll, readDeviceAuthorization } from '../../../src/oauth/device-answer.ts';

const answer = {
  device_code: 'GMMhmHCXhWEzkobqIHGG_EnNYYsAkukHspeYUk9E8',
  user_code: 'RAQQWVJKD',
  verification_uri: 'https://microsoft.com/devicelogin',
  expires_in: 900,
  interval: 5,
  message: 'To sign in, use a web browser …',
};
const read = (more: Readonly<Record<string, unknown>>, sandbox = false) => readDeviceAuthorization({ ...answer, ...more }, 1_000, sandbox);

describe('the answer of the device code endpoint', () => {
  it('is read, its times in milliseconds', () => {
    const got = read({});
    expect(got).toMatchObject({
      kind: 'ok',
      device: { userCode: 'RAQQWVJKD', verificationUri: 'https://microsoft.com/devicelogin', expiresAt: 901_000, intervalMs: 5000 },
    });
    expect(got.kind === 'ok' && got.device.deviceCode.reveal()).toBe(answer.device_code);
    expect(JSON.stringify(got)).not.toContain(answer.device_code);
  });

  it.each([
    ['no interval: five seconds', { interval: undefined }, 5000],
    ['an interval as text', { interval: '7' }, 7000],
    ['an interval of nothing', { interval: 0 }, 1000],
    ['an endless interval', { interval: 100_000 }, 300_000],
    ['an interval that is none', { interval: 'soon' }, 5000],
  ])('%s', (_, more, intervalMs) => {
    expect(read(more)).toMatchObject({ device: { intervalMs } });
  });

  it.each([
    ['no code', { user_code: undefined }],
    ['an escape sequence as code', { user_code: '\u001b]0;evil\u0007' }],
    ['a code of a page', { user_code: 'x'.repeat(41) }],
    ['no device code', { device_code: '' }],
    ['plain http', { verification_uri: 'http://microsoft.com/devicelogin' }],
    ['plain http on this computer, outside of the sandbox', { verification_uri: 'http://localhost:1/' }],
    ['a script', { verification_uri: 'javascript:alert(1)' }],
    ['a user name that looks like a host', { verification_uri: 'https://microsoft.com@evil.example/' }],
    ['no life time', { expires_in: 0 }],
    ['a life time that is none', { expires_in: 'long' }],
  ])('refused: %s', (_, more) => {
    const got = read(more);
    expect(got.kind).toBe('unreadable');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is in it is the point
    expect(got.kind === 'unreadable' && got.why).not.toMatch(/[\u0000-\u001f]/);
  });

  it('writes odd characters of the address in their escaped form', () => {
    const got = read({ verification_uri: 'https://micrоsoft.com/\u001b[31mlogin' });
    expect(got).toMatchObject({ device: { verificationUri: 'https://xn--micrsoft-qbh.com/%1B[31mlogin' } });
  });

  it('in the sandbox the page is plain http on this computer', () => {
    expect(read({ verification_uri: 'http://localhost:4711/common/oauth2/deviceauth' }, true).kind).toBe('ok');
    expect(read({ verification_uri: 'http://evil.example/' }, true).kind).toBe('unreadable');
  });

  it('anything else is none', () => {
    for (const body of [undefined, null, '', [], { error: 'x' }]) expect(readDeviceAuthorization(body, 0, false).kind).toBe('unreadable');
  });
});

describe('a poll', () => {
  it.each([
    ['authorization_pending', {}, 'pending'],
    ['slow_down', {}, 'slow-down'],
    ['authorization_declined', {}, 'declined'],
    ['access_denied', {}, 'declined'],
    ['access_denied', { codes: [65004] }, 'declined'],
    ['access_denied', { codes: [53003] }, 'refused'],
    ['expired_token', { codes: [70020] }, 'expired'],
    ['code_expired', {}, 'expired'],
    ['bad_verification_code', {}, 'unknown-code'],
    ['temporarily_unavailable', { status: 400 }, 'hiccup'],
    ['', { status: 502 }, 'hiccup'],
    ['', { status: 429, retryAfter: 7 }, 'hiccup'],
    ['invalid_grant', { status: 400, codes: [53003] }, 'refused'],
    ['invalid_client', { status: 401, codes: [7000218] }, 'refused'],
  ])('%s %j', (error, more, kind) => {
    expect(judgePoll({ error: { error, ...more } }).kind).toBe(kind);
  });

  it('without an error is the token; a Retry-After is kept', () => {
    expect(judgePoll({})).toEqual({ kind: 'granted' });
    expect(judgePoll({ error: { error: '', status: 429, retryAfter: 7 } })).toEqual({ kind: 'hiccup', waitMs: 7000 });
  });
});
