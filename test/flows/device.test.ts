import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock, HttpRequest, Network } from '../../src/core/context.ts';
import { Interrupted, MailauthError } from '../../src/core/errors.ts';
import type { TokenSet } from '../../src/core/mailbox.ts';
import { mailauth } from '../../src/core/next.ts';
import { problem } from '../../src/errors/problem.ts';
import { type DeviceSignIn, deviceSignIn } from '../../src/oauth/device.ts';
import { systemClock } from '../../src/system/clock-and-random.ts';
import { reportNoting, testContext } from '../support/context.ts';
import { nextOf } from '../support/next.ts';
import { mailScope, type TestSandbox, testSandbox } from '../support/sandbox.ts';

let ends: (() => Promise<void>)[] = [];
beforeEach(() => {
  ends = [];
});
afterEach(async () => {
  for (const end of ends) await end();
});

/** A clock whose sleep ends at once and moves the time on. `slept` keeps how long each sleep was. */
function sleeper(signal?: AbortSignal) {
  let ahead = 0;
  const slept: number[] = [];
  const clock: Clock = {
    ...systemClock,
    now: () => Date.now() + ahead,
    async sleep(ms) {
      if (signal?.aborted) throw signal.reason;
      slept.push(ms);
      ahead += ms;
    },
  };
  return { clock, slept };
}

interface Try {
  readonly fault?: string;
  readonly as?: string;
  readonly mailbox?: string;
  readonly network?: (real: Network) => Network;
  readonly request?: Partial<DeviceSignIn>;
  readonly confidential?: boolean;
  /** nobody types the code */
  readonly nobody?: boolean;
  /** Ctrl-C when the code is on the screen */
  readonly interrupted?: boolean;
}

async function attempt({ fault, as = 'helpdesk@contoso.example', mailbox = as, network = (real) => real, ...more }: Try = {}) {
  const { sandbox, end } = await testSandbox(fault === undefined ? {} : { fault });
  ends.push(end);
  const stop = new AbortController();
  const { clock, slept } = sleeper(stop.signal);
  const kept: TokenSet[] = [];
  const shown: { userCode: string; deadline: number; url: string }[] = [];
  const done = deviceSignIn(
    { clock, signal: stop.signal, keys: testContext().keys },
    {
      app: {
        cloud: sandbox.cloud,
        tenantId: sandbox.tenant.id,
        endpoints: endpointsOf(sandbox),
        clientId: more.confidential === true ? sandbox.ready.confidential.clientId : sandbox.ready.public.clientId,
        network: network(sandbox.network),
        clock,
        timeoutMs: 5000,
        signal: stop.signal,
      },
      mailbox,
      scopes: mailScope.split(' '),
      waitMs: undefined,
      again: mailauth('login', mailbox),
      async shown(url, code) {
        if (more.interrupted === true) stop.abort(new Interrupted());
        else if (more.nobody !== true) await sandbox.approveDevice(url, code, as);
      },
      ...more.request,
    },
    {
      async codeRequired({ userCode, verificationUri }, deadline) {
        shown.push({ userCode, deadline: deadline - clock.now(), url: verificationUri });
      },
      ...{ report: reportNoting(), step: 'sign-in' },
    },
    async (set) => {
      kept.push(set);
    },
  );
  const error = await done.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { error, kept, shown, slept };
}

function endpointsOf(sandbox: TestSandbox) {
  const base = `${sandbox.cloud.login}/${sandbox.tenant.id}/oauth2/v2.0`;
  return { authorization: `${base}/authorize`, token: `${base}/token`, issuer: `${sandbox.cloud.login}/${sandbox.tenant.id}/v2.0` };
}

/** The first polls of the token endpoint end with these errors. */
const troubled = (ends: readonly (() => never)[]) => (real: Network) => {
  let polls = 0;
  return {
    ...real,
    request: async (request: HttpRequest) => {
      const trouble = request.url.endsWith('/token') ? ends[polls++] : undefined;
      return trouble === undefined ? real.request(request) : trouble();
    },
  };
};

/** The answer of the device code endpoint with something else in it. */
const changed = (what: RegExp, instead: string) => (real: Network) => ({
  ...real,
  request: async (request: HttpRequest) => {
    const response = await real.request(request);
    return request.url.endsWith('/devicecode') ? { ...response, text: response.text.replace(what, instead) } : response;
  },
});

const coded = (error: unknown) => (error instanceof MailauthError ? [error.exit, error.code] : error);

describe('with a device code', () => {
  it('signs in, and keeps tokens that can be refreshed', async () => {
    const { error, kept, shown, slept } = await attempt();
    expect(error).toBeUndefined();
    expect(kept).toMatchObject([{ account: { username: 'helpdesk@contoso.example' } }]);
    expect(kept[0]?.refreshToken).toBeDefined();
    expect(shown).toMatchObject([
      { userCode: expect.stringMatching(/^[A-Z]{9}$/), url: expect.stringMatching(/^http:\/\/localhost:\d+\//) },
    ]);
    expect(Math.round((shown[0]?.deadline ?? 0) / 60_000)).toBe(15);
    expect(slept).toEqual([1000]);
  });

  it('waits five seconds longer after slow_down', async () => {
    const { error, slept } = await attempt({ fault: 'device-slow-down' });
    expect([error, slept]).toEqual([undefined, [1000, 6000]]);
  });

  it('goes on after a lost connection and a server error, with a longer wait each time', async () => {
    const lost = () => {
      throw problem('connection-closed', { host: 'localhost', port: 443 });
    };
    const { error, slept } = await attempt({ network: troubled([lost, lost]) });
    expect([error, slept]).toEqual([undefined, [1000, 2000, 4000]]);
    expect((await attempt({ fault: 'device-unavailable' })).error).toBeUndefined();
  });

  it('reports the last trouble when it never ends, and not that the code was not used', async () => {
    const { error } = await attempt({ fault: 'token-unavailable' });
    expect(coded(error)).toEqual([5, 'entra-busy']);
  });

  it.each([
    ['device-declined', 6, 'device-declined', '--sign-in device'],
    ['consent-denied', 6, 'device-declined', '--sign-in device'],
    ['device-expired', 4, 'device-code-expired', '--sign-in device'],
    ['device-blocked', 6, 'device-blocked', '--sign-in paste'],
    ['device-security-defaults', 6, 'device-blocked', '--sign-in paste'],
    ['client-unknown', 1, 'client-unknown', 'mailauth'],
    ['wrong-scope', 6, 'scope-missing', 'mailauth'],
  ])('%s: exit %i, %s', async (fault, exit, code, next) => {
    const { error, kept } = await attempt({ fault });
    expect(coded(error)).toEqual([exit, code]);
    expect(error instanceof MailauthError && nextOf(error)[0]).toContain(next);
    expect(kept).toEqual([]);
  });

  it('says how to switch on public client flows where the registration lacks them', async () => {
    const { error } = await attempt({ confidential: true });
    expect(coded(error)).toEqual([6, 'device-needs-public-client']);
    expect(error).toMatchObject({ detail: { aadsts: 7000218 } });
    expect(error instanceof MailauthError && nextOf(error).join()).toMatch(/Allow public client flows/);
  });

  it('refuses another account, and names both', async () => {
    const { error, kept } = await attempt({ as: 'ada@contoso.example', mailbox: 'helpdesk@contoso.example' });
    expect(coded(error)).toEqual([1, 'wrong-account']);
    expect(error instanceof MailauthError && error.title).toMatch(/ada@contoso.example.*helpdesk@contoso.example/);
    expect(kept).toEqual([]);
  });

  it('ends when the code expires or --timeout is over, and never polls faster than the interval', async () => {
    const { error, slept } = await attempt({ nobody: true, network: changed(/"expires_in":900/, '"expires_in":9') });
    expect(coded(error)).toEqual([4, 'device-code-expired']);
    expect(slept.slice(0, -1).every((ms) => ms >= 1000)).toBe(true);
    const short = await attempt({ nobody: true, request: { waitMs: 3500 } });
    expect(coded(short.error)).toEqual([4, 'device-timeout']);
    expect(short.slept.length).toBeLessThan(6);
  });

  it('Ctrl-C ends it at once', async () => {
    const { error, kept, slept } = await attempt({ interrupted: true });
    expect(error).toBeInstanceOf(Interrupted);
    expect([kept, slept]).toEqual([[], []]);
  });

  it('never shows an address that is not https', async () => {
    const { error, shown } = await attempt({ network: changed(/http:\/\/localhost:\d+/g, 'http://evil.example') });
    expect(coded(error)).toEqual([1, 'token-answer-unreadable']);
    expect(shown).toEqual([]);
  });
});
