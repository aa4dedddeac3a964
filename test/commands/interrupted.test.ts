import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { approve } from '../../src/sandbox/entra/approve.ts';
import { createNetwork } from '../../src/system/network/network.ts';
import { enter, type Machine, machine, person, type Ran, type Scripted } from '../support/command-line.ts';
import { stream } from '../support/json-stream.ts';
import { beside, hurried, onlyApp, tenantOf } from '../support/tenant.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const mailbox = 'helpdesk@contoso.example';
const publicApp = '11111111-5a4d-4b0c-9a11-c0ffee000001';
const box = (name: string) => join(m.home, 'sandbox', name);
const files = async (folder: string): Promise<readonly string[]> => readdir(box(folder)).catch(() => []);

describe('interrupted', () => {
  /** Aborts the context's signal when stderr or the JSON lines tell of this step. */
  const interruptAt = async (words: string, step: string, state: string) => {
    const stop = new AbortController();
    const { Interrupted } = await import('../../src/core/errors.ts');
    const { systemFiles } = await import('../../src/system/disk/files.ts');
    const hit = () => stop.abort(new Interrupted());
    const filesPort = {
      ...systemFiles,
      async writeAtomic(path: string, text: string) {
        await systemFiles.writeAtomic(path, text);
        if (state === 'journal' && path.includes('/setups/') && text.includes(`"${step}"`)) hit();
        if (state === 'record' && path.includes('/mailboxes/')) hit();
      },
    };
    const waiting = {
      usable: true,
      async open() {
        hit();
        return { kind: 'opened' as const };
      },
    };
    return m.mailauth(words, { signal: stop.signal, files: filesPort, ...(state === 'browser' ? { browser: waiting } : {}) });
  };

  it.each([
    ['store', 'journal'],
    ['registration', 'journal'],
    ['sign-in', 'browser'],
  ])('after %s (%s): exit 130, the journal stays, no token; --resume goes on', async (step, state) => {
    const stopped = await interruptAt('setup --sandbox --yes --no-test --mailbox c@contoso.example', step, state);
    expect([stopped.exit, stopped.out]).toEqual([130, '']);
    expect(stopped.err).toMatch(
      /Stopped\. Your answers and each finished step are kept.*\n {2}next: mailauth setup --mailbox c@contoso.example --resume/,
    );
    expect(await files('setups')).toHaveLength(1);
    expect(await files('mailboxes')).toEqual([]);
    expect([...m.keychain.entries.keys()].filter((key) => key.includes('token/'))).toEqual([]);

    const resumed = await m.mailauth('setup --sandbox --resume --yes --no-test --json');
    expect([resumed.exit, stream(resumed.lines()).data.mailbox]).toEqual([0, 'c@contoso.example']);
    expect(await files('setups')).toEqual([]);
  });

  it('ends a stream with a result all the same', async () => {
    const stopped = await interruptAt('setup --sandbox --yes --json', 'store', 'journal');
    expect(stopped.exit).toBe(130);
    expect(stream(stopped.lines())).toMatchObject({ ok: false, command: 'setup', error: { code: 'interrupted', exit: 130 } });
    expect(stopped.lines().at(-1)?.error?.next).toEqual([
      expect.stringMatching(/^mailauth setup --mailbox helpdesk@contoso.example --resume.* --yes/),
    ]);
  });

  it('after the token was stored: nothing is lost', async () => {
    const stopped = await interruptAt('setup --sandbox --yes --protocols imap', 'sign-in', 'record');
    expect(stopped.exit).toBe(130);
    expect((await m.mailauth('token get --sandbox')).exit).toBe(0);
    expect((await m.mailauth('setup --sandbox --resume --yes')).exit).toBe(0);
    expect(await files('setups')).toEqual([]);
  });

  const setUp = 'setup --sandbox --yes --no-test';
  const resume = 'setup --sandbox --resume --no-test --json';
  const signIns = (ran: Ran) => ran.lines().filter((line) => line.type === 'authorization_required').length;
  const registers = (ran: Ran) => ran.lines().some((line) => line.step === 'registration');
  const browser = { usable: true, open: (address: string) => approveAs(mailbox, address) };
  const approveAs = async (user: string, address: string) => {
    await approve({ network: createNetwork({ env: {} }), signal: new AbortController().signal }, address, undefined, user);
    return { kind: 'opened' as const };
  };

  it.each([
    ['--register auto', `--protocols imap,pop,smtp --mailbox ${mailbox}`],
    ['--client-type confidential', '--resume'],
  ])('%s is done: %s goes on at the sign-in, without an administrator or --yes', async (flags, more) => {
    expect((await m.mailauth(`${setUp} ${flags} --fault wrong-tenant`)).exit).toBe(1);
    const ran = await m.mailauth(`${resume} ${more}`, { browser });
    expect([ran.exit, signIns(ran), registers(ran)]).toEqual([0, 1, false]);
  });

  it('--resume with an answer that means another app looks at the app again', async () => {
    expect((await m.mailauth(`${setUp} --fault wrong-tenant`)).exit).toBe(1);
    const ran = await m.mailauth(`${resume} --yes --sign-in device`, hurried());
    expect([ran.exit, signIns(ran), registers(ran)]).toEqual([0, 2, true]);
  });

  it.each([
    [`--client-id ${publicApp}`, '--register auto --yes', 'the app that was made'],
    ['--register auto', '--register existing', 'the app that was made'],
    ['--register auto', `--client-id ${publicApp}`, publicApp],
  ])('%s, then %s: the app has its name, and nothing is made twice', async (begun, goneOn, wanted) => {
    expect((await m.mailauth(`${setUp} ${begun} --fault wrong-tenant`)).exit).toBe(1);
    const ran = await m.mailauth(`${resume} ${goneOn}`, { browser });
    const { apps } = await tenantOf(m);
    expect([ran.exit, apps.map((app) => app.name)]).toEqual([0, [`mailauth this-computer ${mailbox}`]]);
    const { clientId } = stream(ran.lines()).data;
    expect(clientId).toBe(wanted === publicApp ? publicApp : apps[0]?.clientId);
  });

  it('an app that was deleted in the meantime is made anew', async () => {
    expect((await m.mailauth(`${setUp} --fault wrong-tenant`)).exit).toBe(1);
    const { clientId, registration } = await onlyApp(m);
    await beside(m, (graph) => graph.call('DELETE', `/applications/${registration?.objectId}`));
    expect(stream((await m.mailauth(resume)).lines()).error?.code).toBe('needs-yes');
    const { signal, ...fast } = hurried();
    const ran = await m.mailauth(`${resume} --yes`, { ...fast, signal });
    expect([ran.exit, signIns(ran)]).toEqual([0, 2]);
    expect((await onlyApp(m)).clientId).not.toBe(clientId);
  });

  it('stopped at the tests: nobody signs in again', async () => {
    expect((await interruptAt('setup --sandbox --yes --protocols imap', 'sign-in', 'journal')).exit).toBe(130);
    const ran = await m.mailauth('setup --sandbox --resume --json');
    expect([ran.exit, signIns(ran), stream(ran.lines()).data.tests]).toMatchObject([0, 0, [{ ok: true }]]);
    expect(await files('setups')).toEqual([]);
  });

  it('--fresh forgets the journal and the secret that waited with it', async () => {
    await interruptAt('setup --sandbox --yes --client-type confidential', 'secretKeyId', 'journal');
    expect([...m.keychain.entries.keys()].some((key) => key.includes('/new'))).toBe(true);
    const fresh = await m.mailauth('setup --sandbox --fresh --yes --no-test --register existing --json');
    expect([fresh.exit, stream(fresh.lines()).data.clientId]).toEqual([0, publicApp]);
    expect(await files('setups')).toEqual([]);
    expect([...m.keychain.entries.keys()].filter((key) => key.includes('secret/'))).toEqual([]);
  });

  it('--resume: nothing saved is 3; several are 3 naming --mailbox, or asked', async () => {
    const nothing = await m.mailauth('setup --sandbox --resume --yes --json');
    expect([nothing.exit, stream(nothing.lines()).error?.code]).toEqual([3, 'nothing-to-resume']);
    for (const who of ['a', 'b']) await interruptAt(`setup --sandbox --yes --mailbox ${who}@contoso.example`, 'store', 'journal');
    const several = await m.mailauth('setup --sandbox --resume --yes');
    expect(several.exit).toBe(3);
    expect(several.err).toContain('--mailbox');
    expect(several.err).toContain('a@contoso.example (this-computer), b@contoso.example (this-computer)');
    expect((await m.mailauth('setup --sandbox --resume --yes --no-test --mailbox a@contoso.example')).exit).toBe(0);
  });

  it('--resume reaches each of several products of one mailbox by --for', async () => {
    for (const product of ['mspbots', 'kaseya']) await interruptAt(`${setUp} --for ${product}`, 'store', 'journal');
    for (const words of [resume, `${resume} --mailbox ${mailbox}`]) {
      const several = await m.mailauth(words);
      expect([several.exit, stream(several.lines()).error?.next]).toEqual([
        3,
        ['kaseya', 'mspbots'].map((product) => `mailauth setup --mailbox ${mailbox} --for ${product} --resume --no-test --sandbox`),
      ]);
    }
    const other = await m.mailauth(`${resume} --for osticket`);
    expect(stream(other.lines()).error?.code).toBe('nothing-to-resume');
    for (const flags of ['--for kaseya', `--mailbox ${mailbox}`]) {
      const ran = await m.mailauth(`${resume} --yes ${flags}`);
      expect([ran.exit, stream(ran.lines()).data.for]).toEqual([0, flags === '--for kaseya' ? 'kaseya' : 'mspbots']);
    }
  });

  it('--resume with several asks a person', async () => {
    for (const who of ['a', 'b']) await interruptAt(`setup --sandbox --yes --mailbox ${who}@contoso.example`, 'store', 'journal');
    const { prompts } = person([
      ['Which interrupted', '1'],
      ['Go ahead?', 'stop'],
    ]);
    const asked = await m.mailauth('setup --sandbox --resume --for this-computer', { terminal: true, prompts });
    expect(asked.exit).toBe(1);
    expect(asked.err).toContain('b@contoso.example');
  });

  it('a broken journal is a clear error that names --fresh, which works', async () => {
    await interruptAt('setup --sandbox --yes', 'store', 'journal');
    const [name = ''] = await files('setups');
    await writeFile(box(`setups/${name}`), '{"version":');
    const broken = await m.mailauth('setup --sandbox --yes --json');
    expect([broken.exit, stream(broken.lines()).error?.code]).toEqual([1, 'setup-file-broken']);
    expect(stream(broken.lines()).error?.next[0]).toContain('--fresh');
    expect((await m.mailauth('setup --sandbox --yes --fresh --no-test')).exit).toBe(0);
  });

  it('two at once: one goes on, the other is told to wait', async () => {
    const words = 'setup --sandbox --yes --no-test --json';
    const ran = await Promise.all([m.mailauth(words), m.mailauth(words)]);
    expect(ran.map((r) => r.exit).sort()).toEqual([0, 5]);
    const loser = ran.find((r) => r.exit === 5);
    expect(stream(loser?.lines() ?? []).error?.code).toBe('setup-busy');
    expect((await m.mailauth('token get --sandbox')).exit).toBe(0);
  });
});

describe('in a terminal', () => {
  const ask = (words: string, script: readonly Scripted[]) => {
    const { prompts, asked, unasked } = person(script);
    const browser = { usable: false, open: async () => ({ kind: 'failed' as const, why: 'none' }) };
    return m.mailauth(words, { terminal: true, prompts, browser }).then((ran) => {
      expect(unasked()).toEqual([]);
      return { ...ran, asked };
    });
  };

  it('asks with defaults, checks while typing, shows the summary before anything is done', async () => {
    const { exit, asked, err } = await ask('setup --sandbox --sign-in skip', [
      ['Which mailbox?', 'helpdesk'],
      ['Which mailbox?', 'HelpDesk@contoso.example'],
      ['What is this mailbox for?', enter],
      ['Create it?', 'another'],
      ['Which way?', 'existing'],
      ['Application (client) ID?', 'not-a-guid'],
      ['Application (client) ID?', enter],
      ['Go ahead?', 'yes'],
    ]);
    expect(exit).toBe(0);
    expect(asked.filter((line) => line.startsWith('complaint'))).toHaveLength(2);
    expect(await tenantOf(m)).toMatchObject({ apps: [] });
    expect(err).toContain(publicApp);
  });

  it('declined: exit 1, nothing stored', async () => {
    const { exit } = await ask(`setup --sandbox --mailbox ${mailbox} --for this-computer --client-id ${publicApp}`, [
      ['Go ahead?', 'stop'],
    ]);
    expect(exit).toBe(1);
    expect(await files('mailboxes')).toEqual([]);
    expect(m.keychain.entries.size).toBe(0);
  });

  it('leads through the portal, screen by screen, and takes the secret by a masked prompt', async () => {
    const secret = 'PtX8Q~the-value-of-an-app-nobody-made';
    const ran = await ask(
      `setup --sandbox --mailbox ${mailbox} --for this-computer --register portal --client-type confidential --sign-in skip`,
      [
        ['Go ahead?', 'yes'],
        ['Application (client) ID', 'not a guid'],
        ['Application (client) ID', '33333333-2222-3333-4444-555555555555'],
        ['What now?', 'keep'],
        ['Done?', 'back'],
        ['Application (client) ID', enter],
        ['What now?', 'again'],
        ['What now?', 'keep'],
        ['Done?', 'done'],
        ['Done?', 'done'],
        ['Client secret', '9f3c1c1e-7f3b-4e0a-8f4e-6b8f0a9d1c2b'],
        ['Client secret', secret],
      ],
    );
    expect(ran.err).toMatch(/Step 1 of 4: Register the app.*Step 2 of 4.*Step 3 of 4.*Step 4 of 4: Make a client secret/s);
    expect(ran.err).toContain('https://entra.microsoft.com/#view/');
    expect(ran.asked.filter((line) => line.startsWith('complaint')).join()).toMatch(/GUID.*Secret ID/s);
    expect(ran.out + ran.err).not.toContain(secret);
    // The sandbox does not know that app: found out before anybody signs in, and the secret is not kept.
    expect(ran.exit).toBe(1);
    expect(ran.err).toContain('No application 33333333');
    expect([...m.keychain.entries.values()]).not.toContain(secret);
  });

  it('--no-input and --yes ask nothing', async () => {
    expect((await ask('setup --sandbox --yes --no-test --sign-in skip', [])).exit).toBe(0);
    expect((await ask('setup --no-input', [])).exit).toBe(3);
    expect((await ask('setup --json', [])).exit).toBe(3);
  });

  it('a wrong tenant may be corrected', async () => {
    const ran = await ask(
      `setup --sandbox --mailbox helpdesk@nowhere.example --for this-computer --client-id ${publicApp} --sign-in skip`,
      [
        ['What now?', 'tenant'],
        ['Which tenant?', 'contoso.example'],
        ['Go ahead?', 'yes'],
      ],
    );
    expect(ran.exit).toBe(0);
  });

  it('offers to resume', async () => {
    const first = await ask(`setup --sandbox --mailbox ${mailbox} --for this-computer --register portal --sign-in skip`, [
      ['Go ahead?', 'yes'],
      ['Application (client) ID', '33333333-2222-3333-4444-555555555555'],
      ['What now?', 'keep'],
      ['Done?', 'done'],
      ['Done?', 'done'],
    ]);
    expect(first.exit).toBe(1);
    expect(first.err).toContain('No application 33333333');
    const again = await ask('setup --sandbox --client-id 11111111-5a4d-4b0c-9a11-c0ffee000001 --register existing', [
      ['was interrupted. Go on with it?', true],
      ['Go ahead?', 'yes'],
    ]);
    expect(again.exit).toBe(0);
  });
});
