import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { certificate, httpsServer } from '../support/https-server.ts';
import { checkedJson } from '../support/json-schema.ts';
import { newHome, program } from './rigs/chromium.ts';
import { runToEnd } from './rigs/keyring.ts';

let home: Awaited<ReturnType<typeof newHome>>;
beforeAll(async () => {
  home = await newHome();
  const { code, stderr } = await runToEnd(process.execPath, [program, 'setup', '--sandbox', '--yes', '--no-test'], home.env);
  expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
});
afterAll(() => home?.remove());

it('keepalive posts to an https receiver whose certificate is trusted, and to no other; a pipe of the shell gets the same event', async () => {
  const { key, cert } = await certificate();
  const sink = await httpsServer({ key, cert }, () => ({ status: 200 }));
  try {
    const authority = join(home.path, 'authority.pem');
    await writeFile(authority, cert);
    const flags = ['--notify-url', `${sink.origin}/hook`, '--notify-command', `cat > '${home.path}/event'`];
    const words = [
      program,
      'keepalive',
      '--sandbox',
      '--json',
      '--jitter',
      '0',
      '--renew-after',
      '0',
      '--fault',
      'refresh-revoked',
      ...flags,
    ];
    const foreign = await runToEnd(process.execPath, words, home.env);
    expect(JSON.parse(foreign.stdout).data.notices).toMatchObject({
      sent: 1,
      undelivered: [{ receiver: expect.stringContaining('localhost'), why: expect.stringContaining('certificate') }],
    });
    expect(sink.received).toEqual([]);
    const trusted = await runToEnd(process.execPath, words, { ...home.env, NODE_EXTRA_CA_CERTS: authority });
    expect([trusted.code, JSON.parse(trusted.stdout).data.notices]).toEqual([4, { sent: 1, undelivered: [] }]);
    expect(sink.received).toHaveLength(1);
    expect(checkedJson(sink.received[0]?.body ?? '', 'event')).toEqual(JSON.parse(await readFile(join(home.path, 'event'), 'utf8')));
  } finally {
    await sink.close();
  }
});
