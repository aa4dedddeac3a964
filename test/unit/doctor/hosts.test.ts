import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cloud, namedCloud } from '../../../src/core/cloud.ts';
import type { Network } from '../../../src/core/context.ts';
import { line } from '../../../src/core/next.ts';
import { clockCheck } from '../../../src/doctor/check-clock.ts';
import { hostCheck, proxyCheck, type Target, targetsOf } from '../../../src/doctor/check-hosts.ts';
import { systemClock } from '../../../src/system/clock-and-random.ts';
import { createNetwork } from '../../../src/system/network/network.ts';
import { certificate, type HttpsServer, httpsServer } from '../../support/https-server.ts';
import { type Script, scriptedServer } from '../mail/imap-server.ts';

let trusted: { key: string; cert: string };
let server: HttpsServer;
let network: Network;
let dated: string | undefined;
const strangers = createNetwork({ env: {} });
const signal = () => AbortSignal.timeout(10_000);

beforeAll(async () => {
  trusted = await certificate();
  server = await httpsServer(trusted, (_request, raw) => {
    raw.sendDate = false;
    return { status: 404, headers: dated === undefined ? {} : { date: dated } };
  });
  network = createNetwork({ env: {}, ca: [trusted.cert] });
});
afterAll(() => server.close());

const target = (port: number, more: Partial<Target> = {}): Target => ({
  id: 'login',
  title: 'Sign-in service',
  speaks: 'https',
  host: { host: 'localhost', port, security: 'tls' },
  public: false,
  ...more,
});
const check = (where: Target, through: Network = network) => hostCheck(where, { network: through, clock: systemClock }).run(signal());

/** A server that talks as the script says, for the time of `work`. */
async function serving<T>(
  speaks: Target['speaks'],
  security: 'tls' | 'starttls',
  script: Script,
  work: (target: Target) => Promise<T>,
): Promise<T> {
  const scripted = await scriptedServer(security, trusted, script);
  try {
    return await work(target(scripted.host.port, { speaks, host: scripted.host }));
  } finally {
    await scripted.stop();
  }
}

describe('a host over https', () => {
  it('is well: where it is, TLS, who issued its certificate; many at once', async () => {
    const results = await Promise.all([1, 2, 3, 4].map(() => check(target(server.port))));
    for (const { state, detail } of results) {
      expect(state).toBe('ok');
      expect(detail).toMatch(/^localhost:\d+, 127\.0\.0\.1:\d+, TLSv1\.3, certificate of .* by mailauth test authority, valid until/);
    }
  });

  it('names the authority that is not known here, without its escapes', async () => {
    expect(await check(target(server.port), strangers)).toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(/^tls: The certificate of localhost is not trusted/),
      why: expect.stringContaining('mailauth test authority'),
    });
    const { generate } = await import('selfsigned');
    const name = `Evil\u001b]0;owned\u0007\u001b[2J${'A'.repeat(2000)}`;
    const made = await generate([{ name: 'commonName', value: name }], { keyType: 'ec' });
    const evil = await httpsServer({ key: made.private, cert: made.cert }, () => ({}));
    const result = await check(target(evil.port), strangers);
    await evil.close();
    expect(result.state).toBe('failed');
    expect(result.why).toContain('Evil');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there is none is the point
    expect(JSON.stringify(result)).not.toMatch(/[\u0000-\u001f]|\\u001b|owned/);
    expect(result.why?.length).toBeLessThanOrEqual(600);
  });

  it('warns where a private authority answers for Microsoft, although it is trusted here', async () => {
    expect(await check(target(server.port, { public: true }))).toMatchObject({
      state: 'warning',
      next: [expect.objectContaining({ note: expect.stringContaining('TLS inspection') })],
      detail: expect.stringContaining('"mailauth test authority"'),
    });
  });

  it('a certificate for another host, an expired one', async () => {
    for (const [tls, words] of [
      [await certificate(['elsewhere.example']), 'is for another host'],
      [await certificate(['localhost'], new Date(Date.now() - 86_400_000)), 'is not valid today'],
    ] as const) {
      const wrong = await httpsServer(tls, () => ({}));
      const result = await check(target(wrong.port), createNetwork({ env: {}, ca: [tls.cert] }));
      await wrong.close();
      expect(result).toMatchObject({ state: 'failed', detail: expect.stringContaining(words) });
    }
  });

  it('nobody listens, the name is unknown, nobody answers in time', async () => {
    const gone = await httpsServer(trusted, () => ({}));
    await gone.close();
    expect(await check(target(gone.port))).toMatchObject({ state: 'failed', detail: expect.stringMatching(/^connect: .* refuses/) });
    const nowhere = target(443, { host: { host: 'nowhere.invalid', port: 443, security: 'tls' } });
    expect(await check(nowhere)).toMatchObject({ state: 'failed', detail: expect.stringMatching(/^dns: /) });
    const silent: Server = createServer();
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
    const { port } = silent.address() as { port: number };
    const stop = new AbortController();
    silent.once('connection', () => stop.abort(new DOMException('late', 'TimeoutError')));
    const result = await hostCheck(target(port), { network, clock: systemClock }).run(stop.signal);
    silent.close();
    expect(result).toMatchObject({ state: 'failed', detail: expect.stringContaining('does not answer in time') });
  });
});

describe('a mail server, without a sign-in', () => {
  it('IMAP, POP and SMTP that offer XOAUTH2 over TLS', async () => {
    const imap = await serving(
      'imap',
      'tls',
      async (peer) => {
        peer.send('* OK hello\r\n');
        const { tag } = await peer.command();
        peer.send(`* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\n${tag} OK done\r\n`);
        await peer.hang();
      },
      check,
    );
    expect(imap).toMatchObject({ state: 'ok', detail: expect.stringContaining('XOAUTH2 offered') });
    const pop = await serving(
      'pop',
      'tls',
      async (peer) => {
        peer.send('+OK hello\r\n');
        await peer.line();
        peer.send('+OK\r\nSASL XOAUTH2\r\n.\r\n');
        await peer.line();
        peer.send('-ERR no\r\n');
      },
      check,
    );
    expect(pop.state).toBe('ok');
    const smtp = await serving(
      'smtp',
      'starttls',
      async (peer) => {
        peer.send('220 hello\r\n');
        await peer.line();
        peer.send('250-hello\r\n250 STARTTLS\r\n');
        await peer.line();
        peer.send('220 go\r\n');
        peer.startTls();
        await peer.line();
        peer.send('250-hello\r\n250 AUTH LOGIN XOAUTH2\r\n');
        await peer.hang();
      },
      check,
    );
    expect(smtp).toMatchObject({ state: 'ok', detail: expect.stringContaining('TLSv1.3') });
  });

  it('SMTP whose STARTTLS was taken out on the way, IMAP that throws escapes', async () => {
    const smtp = await serving(
      'smtp',
      'starttls',
      async (peer) => {
        peer.send('220 hello\r\n');
        await peer.line();
        peer.send('250-hello\r\n250 XXXXXXXA\r\n');
        await peer.hang();
      },
      check,
    );
    expect(smtp).toMatchObject({ state: 'failed', detail: expect.stringMatching(/^capability: /) });
    const imap = await serving('imap', 'tls', async (peer) => peer.send('* BYE \u001b[31mred\u001b]0;x\u0007\r\n'), check);
    expect(imap).toMatchObject({ state: 'failed', detail: expect.stringMatching(/^greeting: .*red/) });
    expect(JSON.stringify(imap)).not.toContain('u001b');
  });
});

describe('the clock', () => {
  const cloud = (): Cloud => ({ ...namedCloud('public'), login: server.origin });
  const run = (now = systemClock.now()) =>
    clockCheck(cloud(), { clock: { ...systemClock, now: () => now }, network, platform: 'linux', timeoutMs: 5000 }).run(signal());
  const noon = Date.parse('2026-11-22T12:00:00Z');

  it.each([
    [0, 'ok', ''],
    [299_000, 'ok', ''],
    [-299_000, 'ok', ''],
    [360_000, 'failed', '6 minutes ahead'],
    [-3 * 3_600_000, 'failed', '3 hours behind'],
    [800 * 86_400_000, 'failed', '800 days ahead'],
  ])('%d ms off is %s', async (offMs, state, words) => {
    dated = new Date(noon).toUTCString();
    const result = await run(noon + offMs);
    expect(result.state).toBe(state);
    expect(result.detail).toContain(words);
    const said = state === 'ok' ? result.detail : result.why;
    expect(said).toContain('2026-11-22T12:00:00Z at localhost');
    expect(said).toContain(`${new Date(noon + offMs).toISOString().slice(0, 19)}Z here`);
    if (state === 'failed') expect(result.next).toEqual([line`sudo timedatectl set-ntp true`]);
  });

  it.each([undefined, 'the day before yesterday'])('a server that says "%s" tells nothing', async (date) => {
    dated = date;
    expect(await run()).toMatchObject({ state: 'warning', why: 'Its answer has no date.' });
  });
});

describe('which hosts', () => {
  it('five of each cloud, those of a further one only once', () => {
    const ids = (...clouds: Cloud[]) => targetsOf(clouds).map(({ id }) => id);
    const lab = { ...namedCloud('public'), name: 'lab', login: 'https://lab.example:8443/x' };
    expect(ids(namedCloud('public'))).toEqual(['login', 'graph', 'imap', 'pop', 'smtp']);
    expect(ids(namedCloud('public'), lab)).toEqual(['login', 'graph', 'imap', 'pop', 'smtp', 'login-2']);
    expect(targetsOf([namedCloud('public'), lab]).at(-1)).toMatchObject({ host: { host: 'lab.example', port: 8443 }, public: false });
  });

  it('the proxy: for whom, with its password left out; broken', async () => {
    const targets = targetsOf([namedCloud('public')]);
    const run = (env: Record<string, string>) => proxyCheck(targets, createNetwork({ env }), env).run(signal());
    expect(await run({})).toEqual({ state: 'ok', detail: 'none; every host is reached directly' });
    expect(await run({ HTTPS_PROXY: 'http://ada:secret@proxy:3128', NO_PROXY: 'graph.microsoft.com' })).toEqual({
      state: 'ok',
      detail: 'http://proxy:3128, but not for graph',
    });
    await expect(run({ HTTPS_PROXY: 'socks5://proxy' })).rejects.toMatchObject({ code: 'proxy-broken' });
  });
});
