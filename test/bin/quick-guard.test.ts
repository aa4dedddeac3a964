import { execFile } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { namedCloud } from '../../src/core/cloud.ts';
import type { MailboxRecord, TokenSet } from '../../src/core/mailbox.ts';
import { fileStore } from '../../src/store/file-store.ts';
import { keySource } from '../../src/store/key-source.ts';
import { encodeTokenSet, tokenEntry } from '../../src/store/token-entry.ts';
import { type Machine, machine } from '../support/command-line.ts';
import { testContext } from '../support/context.ts';
import { accessToken, type Lab, labMailbox, labRecord, labTokens, openLab, signInAt } from '../support/lab.ts';

/** `token get` reads the store without the rest of the program (src/quick): it must see what the rest of the program sees. */
const bin = fileURLToPath(new URL('../../bin/mailauth.js', import.meta.url));
let m: Machine;
let lab: Lab;
let env: Record<string, string> = {};
beforeAll(async () => {
  [m, lab] = await Promise.all([machine(), openLab()]);
  const key = join(m.home, 'key');
  await writeFile(key, Buffer.alloc(32, 7), { mode: 0o600 });
  env = { PATH: process.env.PATH ?? '', MAILAUTH_HOME: m.home, MAILAUTH_KEY_FILE: key };
});
afterAll(() => Promise.all([m.end(), lab.server.close()]));

async function signedIn(record: MailboxRecord, isFirstEdition = false, more: Partial<TokenSet> = {}): Promise<void> {
  const kept = { ...record, store: 'file' as const };
  await signInAt(m, kept);
  const ctx = testContext({ env });
  const store = fileStore({ ctx, home: m.home, key: keySource({ ctx, canAsk: false }) });
  await store.write(tokenEntry(kept), encodeTokenSet({ ...labTokens(kept, isFirstEdition), ...more }));
}

const get = (more: Record<string, string> = {}, ...flags: string[]) =>
  new Promise<{ exit: unknown; out: string; err: string }>((done) =>
    execFile(process.execPath, [bin, 'token', 'get', labMailbox, ...flags], { env: { ...env, ...more } }, (error, out, err) =>
      done({ exit: error === null ? 0 : error.code, out, err }),
    ),
  );
const printed = { exit: 0, out: `${accessToken()}\n`, err: '' };

test('prints a sign-in that belongs to what is in force, of the first edition too', async () => {
  await signedIn(labRecord(namedCloud('public')));
  expect(await get()).toEqual(printed);
  expect(await get({ MAILAUTH_CLOUD: 'public' })).toEqual(printed);
  await signedIn(labRecord(namedCloud('public')), true);
  expect(await get()).toEqual(printed);
});

test('hands out nothing where others can change the files', async () => {
  await signedIn(labRecord(namedCloud('public')));
  await chmod(join(m.home, 'mailboxes'), 0o1777);
  expect(await get()).toMatchObject({ exit: 7, out: '', err: expect.stringContaining('mailboxes') });
  await chmod(join(m.home, 'mailboxes'), 0o700);
  expect(await get()).toEqual(printed);
});

test('hands out nothing that is of another account', async () => {
  await signedIn(labRecord(namedCloud('public')), false, { account: { username: 'mallory@evil.example' } });
  expect(await get()).toMatchObject({ exit: 4, out: '', err: expect.stringContaining('is of mallory@evil.example, and not of box@') });
});

test('hands out nothing in another cloud, by flag, variable or file', async () => {
  await signedIn(labRecord(lab.cloud));
  const [own, other] = [join(m.home, 'own.json'), join(m.home, 'other.json')];
  await writeFile(own, JSON.stringify(lab.cloud));
  await writeFile(other, JSON.stringify({ ...lab.cloud, imap: { host: 'mail.evil.example', port: 993, security: 'tls' } }));
  expect(await get({ MAILAUTH_CLOUD_FILE: own })).toEqual(printed);
  for (const ran of [await get({ MAILAUTH_CLOUD_FILE: other }), await get({}, '--cloud', 'public')])
    expect(ran).toMatchObject({ exit: 4, out: '', err: expect.stringContaining('belongs to') });
  await chmod(own, 0o666);
  expect(await get({ MAILAUTH_CLOUD_FILE: own })).toMatchObject({ exit: 7, out: '' });
});
