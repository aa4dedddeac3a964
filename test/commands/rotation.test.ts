import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Interrupted } from '../../src/core/errors.ts';
import type { Keychain } from '../../src/core/keychain-port.ts';
import { systemClock } from '../../src/system/clock-and-random.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import { type Machine, machine } from '../support/command-line.ts';
import { stream } from '../support/json-stream.ts';
import { beside, countOf, hurried, onlyApp, stoppedAt, tenantOf, writtenBy } from '../support/tenant.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const mailbox = 'helpdesk@contoso.example';
const here = 'setup --sandbox --yes --no-test --client-type confidential';
const osticket = 'setup --sandbox --yes --for osticket --redirect-uri https://helpdesk.contoso.example/oauth';
const rotate = 'secret rotate --sandbox --yes --json';
const show = async () => (await m.mailauth('secret show --sandbox --json --reveal')).json().data;
const secretIds = async () => (await onlyApp(m)).secrets.map((one) => one.id);
const box = (name: string) => join(m.home, 'sandbox', name);
const notes = () => readdir(box('rotations')).catch(() => []);
const waiting = () => [...m.keychain.entries.keys()].filter((key) => key.includes('/rotated'));
const works = async () => (await m.mailauth('token get --sandbox --force-refresh')).exit;

/** Somebody deletes the app in the portal. */
const deletedByHand = async () => {
  const { registration } = await onlyApp(m);
  await beside(m, (graph) => graph.call('DELETE', `/applications/${registration?.objectId}`));
};

/** The administrator needs no sign-in: for faults of the token endpoint, which that would meet first. */
const withToken = async () => ({ env: { MAILAUTH_GRAPH_TOKEN: await beside(m, async (graph) => graph.token) } });

/** Ctrl-C while Microsoft still publishes the new secret. */
const stoppedInProof = () => {
  const stop = new AbortController();
  const sleep: typeof systemClock.sleep = async (ms, other) => {
    if (other !== stop.signal) return systemClock.sleep(ms, other);
    stop.abort(new Interrupted());
    throw stop.signal.reason;
  };
  return { clock: { ...systemClock, sleep }, signal: stop.signal };
};

/** Ends the command once a set-up's notes with these words are on disk. */
const stopper = (words: string) => {
  const stop = new AbortController();
  const writeAtomic: typeof systemFiles.writeAtomic = async (path, text) => {
    await systemFiles.writeAtomic(path, text);
    if (!path.includes('/setups/') || !String(text).includes(words)) return;
    stop.abort(new Interrupted());
    throw stop.signal.reason;
  };
  return { files: { ...systemFiles, writeAtomic }, signal: stop.signal };
};

/** The store fails at the nth write of an entry whose name says so. */
const breaksAt = (name: string): Keychain => ({
  limit: m.keychain.limit,
  label: m.keychain.label,
  getPassword: (service, account) => m.keychain.getPassword(service, account),
  deletePassword: (service, account) => m.keychain.deletePassword(service, account),
  close: () => undefined,
  async setPassword(service, account, password) {
    if (account.endsWith(name)) throw new Error('the power went out');
    return m.keychain.setPassword(service, account, password);
  },
});

describe('a rotation that was stopped', () => {
  it('during the proof keeps the old one in force; the next run goes on with the new one, whose value is in the store', async () => {
    await m.ready(here);
    const before = await show();
    const stopped = await m.mailauth(`${rotate} --fault secret-not-replicated`, stoppedInProof());
    expect([stopped.exit, stopped.json().error?.why]).toEqual([130, expect.stringContaining('new client secret that was made is kept')]);
    expect([await show(), (await secretIds()).length, await works()]).toEqual([before, 2, 0]);
    expect([(await notes()).length, waiting().length]).toEqual([1, 1]);
    const [, made] = await secretIds();

    const ran = await m.mailauth(rotate, hurried());
    expect(ran.exit).toBe(0);
    expect(ran.err).toContain('Going on with a rotation that was interrupted');
    expect([await secretIds(), (await show()).secretId]).toEqual([[made], made]);
    expect([await notes(), waiting(), await works()]).toEqual([[], [], 0]);
  });

  it('before the value was stored: the lost one is removed by its own name, and only that', async () => {
    await m.ready(here);
    const [old = ''] = await secretIds();
    const { registration } = await onlyApp(m);
    const alike = { passwordCredential: { displayName: 'mailauth rotation 2026-11-22' } };
    const added = await beside(m, (graph) => graph.call('POST', `/applications/${registration?.objectId}/addPassword`, alike));
    expect((await m.mailauth(rotate, { keychain: breaksAt('/rotated') })).exit).not.toBe(0);
    expect([(await secretIds()).length, await works()]).toEqual([3, 0]);

    const ran = await m.mailauth(rotate);
    expect([ran.exit, ran.err]).toEqual([0, expect.stringContaining('its value was lost')]);
    const now = (await show()).secretId;
    expect(new Set(await secretIds())).toEqual(new Set([added.body.keyId, now]));
    expect(now).not.toBe(old);
    expect([await notes(), await works()]).toEqual([[], 0]);
  });

  it.each([
    ['between store and mailbox file', { keychain: 'client-secret/this-computer/helpdesk@contoso.example' }],
    ['after the mailbox file was written', { file: 1 }],
    ['after the old one was removed', { file: 2 }],
  ] as const)('%s: the next run ends it', async (_, { ...at }) => {
    await m.ready(here);
    const [old] = await secretIds();
    const how = 'keychain' in at ? { keychain: breaksAt(at.keychain) } : stoppedAt(at.file, (path) => path.includes('/mailboxes/'));
    expect((await m.mailauth(rotate, how)).exit).not.toBe(0);
    const made = (await secretIds()).at(-1);
    expect((await m.mailauth(rotate)).json().data).toMatchObject({ finished: true, secretId: made });
    expect([await secretIds(), await notes(), waiting(), await works()]).toEqual([[made], [], [], 0]);
    expect(made).not.toBe(old);
  });

  it('where the new one vanished from the tenant meanwhile: a fresh one is made', async () => {
    await m.ready(here);
    await m.mailauth(`${rotate} --fault secret-not-replicated`, stoppedInProof());
    const { registration, secrets } = await onlyApp(m);
    const lost = secrets[1]?.id ?? '';
    await beside(m, (graph) => graph.call('POST', `/applications/${registration?.objectId}/removePassword`, { keyId: lost }));
    expect((await m.mailauth(rotate, hurried())).exit).toBe(0);
    expect(await secretIds()).not.toContain(lost);
    expect([(await secretIds()).length, await works()]).toEqual([1, 0]);
  });

  it('asks again whether to go on, and says since when', async () => {
    await m.ready(osticket);
    await m.mailauth(`${rotate} --fault secret-not-replicated`, stoppedInProof());
    const refused = (await m.mailauth('secret rotate --sandbox --json')).json().error;
    expect(refused).toMatchObject({ code: 'needs-yes', exit: 3, title: expect.stringContaining('begun 20') });
  });

  it('leaves nothing when the mailbox is logged out', async () => {
    await m.ready(here);
    await m.mailauth(`${rotate} --fault secret-not-replicated`, stoppedInProof());
    expect((await m.mailauth('logout --sandbox')).exit).toBe(0);
    expect([await notes(), m.keychain.entries.size]).toEqual([[], 0]);
  });
});

describe('where reads of Graph lag behind its writes', () => {
  const lag = '--fault graph-reads-lag';

  /** Each wait takes no time, and the clock goes on by it. */
  const patient = () => {
    let ahead = 0;
    const { signal } = new AbortController();
    const now = () => Date.now() + ahead;
    const sleep: typeof systemClock.sleep = async (ms, other) => {
      if (other !== signal) return systemClock.sleep(ms, other);
      ahead += ms;
    };
    return { clock: { ...systemClock, now, sleep }, signal };
  };

  it.each([
    ['before the value was stored', () => ({ keychain: breaksAt('/rotated') })],
    ['when the value was stored', () => stoppedAt(1, (path) => path.includes('/mailboxes/'))],
    ['in the proof', () => stoppedInProof(), '--fault secret-not-replicated'],
  ] as const)('stopped %s: at the end exactly one secret lives, and the store has it', async (_, stop, fault: string = lag) => {
    await m.ready(here);
    expect((await m.mailauth(`${rotate} ${fault}`, stop())).exit).not.toBe(0);
    const ran = await m.mailauth(`${rotate} ${lag}`, patient());
    expect([ran.exit, ran.json().data.finished]).toEqual([0, true]);
    const { secretId } = await show();
    expect([await secretIds(), await notes(), waiting(), await works()]).toEqual([[secretId], [], [], 0]);
  });

  it('a product: --finish removes what the list did not show before', async () => {
    await m.ready(osticket);
    await m.mailauth(`${rotate} ${lag}`, { keychain: breaksAt('/rotated') });
    expect((await m.mailauth(`${rotate} ${lag}`, patient())).json().data.finished).toBe(false);
    expect((await m.mailauth(`${rotate} --finish ${lag}`, patient())).json().data.finished).toBe(true);
    expect(await secretIds()).toEqual([(await show()).secretId]);
  });

  it('where the list does not show it in time the truth is said, and --finish looks again', async () => {
    await m.ready(here);
    await m.mailauth(`${rotate} ${lag}`, { keychain: breaksAt('/rotated') });
    const unsure = await m.mailauth(`${rotate} ${lag}`, hurried());
    expect(unsure.json().data).toMatchObject({ finished: false, next: [expect.anything(), expect.stringContaining('--finish')] });
    // The old one too, where it is so new that it could not be removed.
    expect([(await secretIds()).length > 1, (await notes()).length, await works()]).toEqual([true, 1, 0]);
    const finished = await m.mailauth(`${rotate} --finish`);
    expect([finished.exit, finished.json().data.finished]).toEqual([0, true]);
    expect([await secretIds(), await notes(), await works()]).toEqual([[(await show()).secretId], [], 0]);
  });
});

it('where the token endpoint does not answer nothing is removed: exit 5, and the next run goes on', async () => {
  await m.ready(here);
  const [old] = await secretIds();
  const ran = await m.mailauth(`${rotate} --fault token-unavailable`, await withToken());
  expect(ran.json().error).toMatchObject({ code: 'rotation-unproven', exit: 5 });
  expect((await secretIds())[0]).toBe(old);
  expect((await show()).secretId).toBe(old);
  expect((await m.mailauth(rotate)).exit).toBe(0);
  expect([(await secretIds()).length, await works()]).toEqual([1, 0]);
});

it('--finish proves the new one first: where that cannot be done the old one stays', async () => {
  await m.ready(osticket);
  await m.mailauth(rotate);
  const both = await secretIds();
  const ran = await m.mailauth(`${rotate} --finish --fault token-unavailable`, await withToken());
  expect(ran.json().error).toMatchObject({ code: 'rotation-unproven', exit: 5 });
  expect(await secretIds()).toEqual(both);
  expect((await m.mailauth(`${rotate} --finish`)).exit).toBe(0);
  expect(await secretIds()).toEqual([both[1]]);
});

it('two rotations at once: one rotates, the other is told to wait, exit 5', async () => {
  await m.ready(here);
  const ran = await Promise.all([m.mailauth(rotate), m.mailauth(rotate)]);
  expect(ran.map((one) => one.exit).sort()).toEqual([0, 5]);
  expect(ran.find((one) => one.exit === 5)?.json().error).toMatchObject({ code: 'rotation-busy' });
  expect([(await secretIds()).length, await works()]).toEqual([1, 0]);
});

describe('an app that somebody deleted in the portal', () => {
  it('secret rotate: exit 1 at once, and says how to go on', async () => {
    await m.ready(osticket);
    await deletedByHand();
    const patience = hurried();
    const ran = await m.mailauth(rotate, patience);
    expect([ran.json().error?.code, ran.exit, patience.waits]).toEqual(['app-gone', 1, []]);
    expect(ran.json().error?.next[0]).toContain(`mailauth setup --mailbox ${mailbox} --for osticket --yes --sandbox`);
    expect(await notes()).toEqual([]);
  });

  it.each([
    ['this-computer', here],
    ['a public client', 'setup --sandbox --yes --no-test'],
    ['osticket', osticket],
  ])('setup for %s: notices, asks for the agreement, makes one anew', async (_, words) => {
    await m.ready(words);
    const { clientId } = await onlyApp(m);
    await deletedByHand();
    const asked = await m.mailauth(words.replace(' --yes', ' --no-input'));
    expect([asked.exit, asked.err]).toEqual([3, expect.stringContaining('it was deleted')]);
    const patience = hurried();
    const again = await m.mailauth(`${words} --json`, patience);
    expect([again.exit, patience.waits]).toEqual([0, []]);
    expect(stream(again.lines()).data.clientId).not.toBe(clientId);
    expect(await countOf(m)).toMatchObject({ apps: 1, servicePrincipals: 1, grants: 2 });
    expect((await m.mailauth(`${words} --json`)).exit).toBe(0);
    expect(await countOf(m)).toMatchObject({ apps: 1 });
  });

  it('logout --delete-app: already so, and every local trace goes', async () => {
    await m.ready(here);
    await deletedByHand();
    const patience = hurried();
    const ran = await m.mailauth('logout --delete-app --sandbox --yes', patience);
    expect([ran.exit, ran.err, patience.waits]).toEqual([0, expect.stringContaining('gone already'), []]);
    expect([m.keychain.entries.size, await readdir(box('mailboxes'))]).toEqual([0, []]);
  });
});

describe('logout --delete-app of a set-up that was stopped while it made the app', () => {
  /** Once the notes say that the app is about to be made. */
  const stoppedWhileCreating = () => {
    const { files, signal } = stopper('"creating": true');
    return m.mailauth(here, { files, signal });
  };

  it('where listing is refused nothing is forgotten: it can be tried again', async () => {
    await stoppedWhileCreating();
    const kept = await writtenBy(m);
    expect(kept).toContain('"creating": true');
    const token = await beside(m, async (graph) => graph.token);
    const refused = await m.mailauth(`logout ${mailbox} --delete-app --sandbox --yes --json`, {
      env: { MAILAUTH_GRAPH_TOKEN: `${token}x` },
    });
    expect(refused.exit).not.toBe(0);
    expect(await readdir(box('setups'))).toHaveLength(1);
  });

  it('looks a while for an app that may have been made a moment ago', async () => {
    await stoppedWhileCreating();
    const patience = hurried();
    expect((await m.mailauth(`logout ${mailbox} --delete-app --sandbox --yes`, patience)).exit).toBe(0);
    expect(patience.waits).toEqual([2000, 4000, 8000]);
    expect([await readdir(box('setups')), (await tenantOf(m)).apps]).toEqual([[], []]);
  });
});

describe('--client-id of the app that mailauth made itself', () => {
  it('is already so, without --yes, and changes nothing', async () => {
    await m.ready('setup --sandbox --yes --no-test');
    const { clientId } = await onlyApp(m);
    const before = await tenantOf(m);
    const again = await m.mailauth(
      `setup --sandbox --no-input --no-test --mailbox ${mailbox} --for this-computer --client-id ${clientId} --json`,
    );
    expect([again.exit, stream(again.lines()).error]).toEqual([0, undefined]);
    expect((await tenantOf(m)).apps).toEqual(before.apps);
    expect(again.lines().filter((line) => line.step === 'registration')).toEqual([]);
  });

  it('with something to change still asks', async () => {
    await m.ready('setup --sandbox --yes --no-test');
    const { clientId } = await onlyApp(m);
    const words = `setup --sandbox --no-input --no-test --mailbox ${mailbox} --for this-computer --client-id ${clientId} --protocols imap --json`;
    expect(stream((await m.mailauth(words)).lines()).error).toMatchObject({ code: 'needs-yes', exit: 3 });
  });
});
