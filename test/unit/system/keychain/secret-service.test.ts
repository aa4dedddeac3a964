import { spawn } from 'node:child_process';
import { createDiffieHellman, randomBytes } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Keychain, KeychainFailure } from '../../../../src/core/keychain-port.ts';
import { keychainStore } from '../../../../src/store/keychain-store.ts';
import { systemClock, systemRandom } from '../../../../src/system/clock-and-random.ts';
import { createKeychain } from '../../../../src/system/keychain/keychain.ts';
import { temporaryFolder } from '../../../support/context.ts';
import {
  type Answer,
  type Answers,
  bool,
  boolProperty,
  type Call,
  completed,
  exchange,
  fakeSession,
  found,
  nothing,
  number,
  path,
  pathAndPrompt,
  pathsAndPrompt,
  publicKey,
  scriptedBus,
  text,
} from './scripted-bus.ts';

let folder = '';
const cleanups: (() => unknown)[] = [];
beforeEach(async () => {
  const temporary = await temporaryFolder();
  folder = temporary.path;
  cleanups.push(temporary.remove);
});
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const socket = () => join(folder, 'bus');
const collection = '/org/freedesktop/secrets/collection/kdewallet';
const prompt = '/org/freedesktop/secrets/prompt/p0';

async function serve(answers: Answers) {
  const bus = await scriptedBus(socket(), answers);
  cleanups.push(bus.close);
  return bus;
}

function keychain(callLimitMs = 5_000): Keychain {
  const env = { DBUS_SESSION_BUS_ADDRESS: `unix:path=${socket()}` };
  const made = createKeychain({ platform: 'linux', env, clock: systemClock, callLimitMs });
  cleanups.push(made.close);
  return made;
}

/** The same with a person at the terminal, and what that person was told. */
function asking(callLimitMs?: number) {
  const said: string[] = [];
  const base = keychain(callLimitMs);
  return { said, keychain: base.asking?.({ say: (line) => said.push(line) }) ?? base };
}

const read = (of = keychain()) => of.getPassword('mailauth', 'a:token/x');
const write = (of = keychain(), secret = 'new') => of.setPassword('mailauth', 'a:token/x', secret);
const remove = (of = keychain()) => of.deletePassword('mailauth', 'a:token/x');
const failure = (promise: Promise<unknown>): Promise<KeychainFailure> =>
  promise.then(
    () => expect.unreachable(),
    (error: KeychainFailure) => error,
  );

/** A service that has one open collection and these entries. */
function open(session = fakeSession(), entries: readonly (readonly [string, string | Buffer])[] = [['/e/1', 'x']]): Answers {
  return {
    ReadAlias: () => path(collection),
    Get: () => boolProperty(false),
    OpenSession: session.open,
    SearchItems: () => found(entries.map(([item]) => item)),
    GetSecret: ({ path: item }) => session.secret(entries.find(([known]) => known === item)?.[1] ?? ''),
    GetConnectionUnixProcessID: () => number(process.pid),
    AddMatch: () => nothing,
    Dismiss: () => nothing,
  };
}

/** A process of this name, which the bus says is the owner of the service. */
async function processNamed(name: string): Promise<number> {
  const program = join(folder, name);
  await copyFile('/bin/sleep', program);
  const child = spawn(program, ['60'], { stdio: 'ignore' });
  cleanups.push(() => child.kill('SIGKILL'));
  await new Promise((done) => child.once('spawn', done));
  return child.pid ?? 0;
}

const ends =
  (dismissed: boolean) =>
  ({ path: object, emit }: Call): Answer => {
    setImmediate(() => emit(completed(object, dismissed)));
    return nothing;
  };

describe('reading', () => {
  it('agrees on a key with an implementation that is not ours', async () => {
    for (const secret of ['', 'x', 'wörld 😀', 'token '.repeat(4_000)]) {
      const bus = await serve(open(fakeSession(), [['/e/1', secret]]));
      expect(await read()).toBe(secret);
      // One shared value in 256 begins with a zero: then a second session is opened.
      expect([...new Set(bus.calls)]).toEqual(['Hello', 'ReadAlias', 'OpenSession', 'Get', 'SearchItems', 'GetSecret']);
      bus.close();
    }
  });

  it('takes a key with a sign in front, as KWallet writes it', async () => {
    await serve(open(fakeSession(Buffer.alloc(1))));
    expect(await read()).toBe('x');
  });

  it('asks which collection is the default one, and whether that is locked', async () => {
    const asked: string[] = [];
    await serve({
      ...open(),
      Get: (call) => {
        asked.push(call.path);
        return boolProperty(false);
      },
    });
    await read();
    expect(asked).toEqual([collection]);
  });

  it('opens another session where the shared value begins with a zero, which KWallet leaves out', async () => {
    let sessions = 0;
    const session = fakeSession();
    await serve({
      ...open(session),
      OpenSession: (call) => {
        sessions += 1;
        if (sessions > 1) return session.open(call);
        // A public key for which the shared value is short: all keys are tried until one is.
        const theirs = call.message.subarray(-128);
        const peer = createDiffieHellman(exchange.getPrime(), exchange.getGenerator());
        for (;;) {
          peer.setPrivateKey(randomBytes(24));
          peer.generateKeys();
          const shared = peer.computeSecret(theirs);
          if (shared.length < 128 || shared[0] === 0) return publicKey(peer.getPublicKey());
        }
      },
    });
    expect(await read()).toBe('x');
    expect(sessions).toBe(2);
  });

  it('keeps its connection and its session for the next call, and makes new ones when the service is another', async () => {
    const bus = await serve(open());
    const same = keychain();
    await read(same);
    await read(same);
    expect(bus.connections()).toBe(1);
    expect(bus.calls.filter((call) => call === 'OpenSession')).toHaveLength(1);
    bus.close();
    await serve(open(fakeSession(), [['/e/1', 'of the new service']]));
    expect(await read(same)).toBe('of the new service');
  });

  it('tries once more with a new session where the service lost the old one, and not for ever', async () => {
    const session = fakeSession();
    let lost = 1;
    const answers = open(session);
    const bus = await serve({
      ...answers,
      GetSecret: (call) =>
        lost-- > 0 ? { error: 'org.freedesktop.DBus.Error.UnknownObject', words: "Can't find session /s/1" } : answers.GetSecret?.(call),
    });
    expect(await read()).toBe('x');
    expect(bus.calls.filter((call) => call === 'OpenSession')).toHaveLength(2);
    bus.close();
    await serve({ ...open(), GetSecret: () => ({ error: 'org.freedesktop.Secret.Error.NoSession' }) });
    expect(await failure(read())).toMatchObject({ trouble: 'other' });
  });

  it('takes no signal for an answer, and a connection lost in the middle for no missing bus', async () => {
    const early = await serve({ ...open(), SearchItems: () => ({ type: 'aoao', body: Buffer.alloc(8), as: 4 }) });
    expect(await failure(read(keychain(300)))).toMatchObject({ trouble: 'busy' });
    early.close();
    const bus = await serve({
      ...open(),
      GetSecret: () => {
        bus.close();
        return undefined;
      },
    });
    expect(await failure(read())).toMatchObject({ trouble: 'other', message: 'the session bus closed the connection' });
  });

  it('answers null where there is no entry', async () => {
    await serve(open(fakeSession(), []));
    expect(await read()).toBeNull();
  });

  it('does not choose between two entries of one name', async () => {
    await serve({ ...open(), SearchItems: () => found(['/e/1', '/e/2']) });
    expect(await failure(read())).toMatchObject({ trouble: 'damaged', message: 'there are several entries of this name' });
    expect(await failure(write())).toMatchObject({ trouble: 'damaged' });
    expect(await failure(remove())).toMatchObject({ trouble: 'damaged' });
  });

  it('looks again where the entry was exchanged between search and read, and not for ever', async () => {
    let gone = 2;
    const answers = open();
    const bus = await serve({
      ...answers,
      GetSecret: (call) => (gone-- > 0 ? { error: 'org.freedesktop.Secret.Error.NoSuchObject' } : answers.GetSecret?.(call)),
    });
    expect(await read()).toBe('x');
    expect(bus.calls.filter((call) => call === 'SearchItems')).toHaveLength(3);
    gone = 3;
    expect(await failure(read())).toMatchObject({ trouble: 'other', message: 'the entry changes again and again while it is used' });
  });

  it('refuses what is no text', async () => {
    await serve(open(fakeSession(), [['/e/1', Buffer.from([0xff, 0xfe])]]));
    expect(await failure(read())).toMatchObject({ trouble: 'damaged', message: 'it is not text' });
  });

  it.each<[string, Answers, string]>([
    ['a session that is refused', { OpenSession: () => ({ error: 'org.freedesktop.DBus.Error.NotSupported' }) }, 'other'],
    ['a search that is refused', { SearchItems: () => ({ error: 'org.freedesktop.DBus.Error.AccessDenied' }) }, 'denied'],
    [
      'a session that nobody knows, which is no missing keyring',
      { OpenSession: () => ({ error: 'org.freedesktop.DBus.Error.UnknownMethod' }) },
      'other',
    ],
    ['a collection that went away', { Get: () => ({ error: 'org.freedesktop.DBus.Error.UnknownObject' }) }, 'no-collection'],
    [
      'a collection that is locked or not, and says neither',
      { Get: () => ({ type: 'v', body: Buffer.from([1, 0x75, 0, 0, 7, 0, 0, 0]) }) },
      'other',
    ],
    [
      'a body of another type',
      { SearchItems: () => ({ type: `a${'('.repeat(120)}u${')'.repeat(120)}`, body: Buffer.alloc(900_000) }) },
      'other',
    ],
    ['an entry whose path the bus would refuse', { SearchItems: () => found(['/e/1\n']) }, 'other'],
    ['a key of 1', { OpenSession: () => publicKey(Buffer.from([1])) }, 'other'],
    ['a key of p-1', { OpenSession: () => publicKey(Buffer.from(`${exchange.getPrime('hex').slice(0, -2)}fe`, 'hex')) }, 'other'],
    ['an endless key', { OpenSession: () => publicKey(Buffer.alloc(5_000, 1)) }, 'other'],
    ['a session without a key', { OpenSession: () => ({ type: 's', body: text('no') }) }, 'other'],
    ['no lists', { SearchItems: () => ({ type: 's', body: text('no') }) }, 'other'],
    ['no secret', { GetSecret: () => ({ type: 's', body: text('no') }) }, 'other'],
    ['a secret of another session', { GetSecret: () => notOurs() }, 'other'],
    ['no answer to the session', { OpenSession: () => undefined }, 'busy'],
  ])('%s is a trouble, never a crash', async (_, answers, trouble) => {
    await serve({ ...open(), ...answers });
    expect(await failure(read(keychain(trouble === 'busy' ? 300 : 5_000)))).toMatchObject({ name: 'KeychainFailure', trouble });
  });

  /** Nothing that any key of ours decrypts: not a whole number of blocks. */
  const notOurs = (): Answer => {
    const bytes = Buffer.concat([
      text('/s'),
      Buffer.alloc(1),
      Buffer.from([16, 0, 0, 0]),
      Buffer.alloc(16),
      Buffer.from([12, 0, 0, 0]),
      Buffer.alloc(12),
      text('t'),
    ]);
    return { type: '(oayays)', body: bytes };
  };
});

describe('writing and deleting', () => {
  it('makes a new entry in the default collection', async () => {
    const session = fakeSession();
    const made: string[] = [];
    await serve({
      ...open(session, []),
      CreateItem: (call) => {
        made.push(call.path, session.received(call));
        return pathAndPrompt('/e/2', '/');
      },
    });
    await write(keychain(), 'wörld');
    expect(made).toEqual([collection, 'wörld']);
  });

  it('gives the entry that is there another secret', async () => {
    const session = fakeSession();
    const set: string[] = [];
    const bus = await serve({
      ...open(session),
      SetSecret: (call) => {
        set.push(call.path, session.received(call));
        return nothing;
      },
    });
    await write(keychain(), 'y'.repeat(3_000));
    expect(set).toEqual(['/e/1', 'y'.repeat(3_000)]);
    expect(bus.calls).not.toContain('CreateItem');
  });

  it('says whether there was something to delete', async () => {
    const entries = ['/e/1'];
    await serve({
      ...open(),
      SearchItems: () => found(entries),
      Delete: () => {
        entries.pop();
        return path('/');
      },
    });
    expect([await remove(), await remove()]).toEqual([true, false]);
  });

  it('runs the prompt that KeePassXC has for each change, without a person where it ends by itself', async () => {
    const pid = await processNamed('keepassxc');
    const bus = await serve({
      ...open(fakeSession(), []),
      GetConnectionUnixProcessID: () => number(pid),
      CreateItem: () => pathAndPrompt('/', prompt),
      Prompt: ends(false),
    });
    await write();
    expect(bus.calls.slice(-3)).toEqual(['GetConnectionUnixProcessID', 'AddMatch', 'Prompt']);
    bus.close();
    await serve({
      ...open(),
      GetConnectionUnixProcessID: () => number(pid),
      Delete: () => path(prompt),
      Prompt: ends(true),
    });
    expect(await failure(remove())).toMatchObject({ trouble: 'unconfirmed', provider: 'keepassxc', message: 'the answer was no' });
  });

  it('runs no prompt of another service for a change where no person is', async () => {
    const bus = await serve({ ...open(fakeSession(), []), CreateItem: () => pathAndPrompt('/', prompt) });
    expect(await failure(write())).toMatchObject({ trouble: 'locked' });
    expect(bus.calls).not.toContain('Prompt');
  });
});

describe('what is locked', () => {
  const locked = (unlock: Answers['Unlock'], then: Answers = {}): Answers => {
    let isLocked = true;
    return {
      ...open(),
      Get: () => boolProperty(isLocked),
      Unlock: (call) => {
        const answer = unlock?.(call);
        isLocked = false;
        return answer;
      },
      ...then,
    };
  };

  it('is opened where that needs nobody', async () => {
    const bus = await serve(locked(() => pathsAndPrompt([collection], '/')));
    expect(await read()).toBe('x');
    expect(bus.calls).not.toContain('Prompt');
  });

  it('is left locked where it needs a person and none may be asked', async () => {
    const bus = await serve(locked(() => pathsAndPrompt([], prompt)));
    const started = performance.now();
    expect(await failure(read())).toMatchObject({ trouble: 'locked', message: 'the keyring is locked' });
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(bus.calls).not.toContain('Prompt');
    // Without a search: KeePassXC would open a window to search in a locked database.
    expect(bus.calls).not.toContain('SearchItems');
  });

  it('is opened by the person at the terminal, who is told who asks what', async () => {
    const pid = await processNamed('gnome-keyring-daemon');
    await serve({ ...locked(() => pathsAndPrompt([], prompt), { Prompt: ends(false) }), GetConnectionUnixProcessID: () => number(pid) });
    const person = asking();
    expect(await read(person.keychain)).toBe('x');
    expect(person.said).toEqual(['GNOME Keyring asks you to unlock the keyring, in a window of its own. Waiting for your answer.']);
  });

  it('waits for the person longer than for the service', async () => {
    const late = ({ path: object, emit }: Call): Answer => {
      setTimeout(() => emit(completed(object, false)), 600);
      return nothing;
    };
    await serve(locked(() => pathsAndPrompt([], prompt), { Prompt: late }));
    expect(await read(asking(200).keychain)).toBe('x');
  });

  it('stays locked where the person says no, who is not asked again for the next entry', async () => {
    await serve(locked(() => pathsAndPrompt([], prompt), { Get: () => boolProperty(true), Prompt: ends(true) }));
    const person = asking();
    expect(await failure(read(person.keychain))).toMatchObject({
      trouble: 'locked',
      message: 'the question in its window was answered with no',
    });
    expect(await failure(read(person.keychain))).toMatchObject({ trouble: 'locked' });
    expect(person.said).toHaveLength(1);
  });

  it('is opened by itself where KWallet has the wallet open since the log-in', async () => {
    const pid = await processNamed('kwalletd5');
    const asked: string[] = [];
    const wallet = { networkWallet: () => ({ type: 's', body: text('kdewallet') }) };
    const isOpen = (call: Call) => {
      asked.push(call.path);
      return bool(true);
    };
    const bus = await serve({
      ...locked(() => pathsAndPrompt([], prompt), { ...wallet, isOpen, Prompt: ends(false) }),
      GetConnectionUnixProcessID: () => number(pid),
    });
    expect(await read()).toBe('x');
    expect(asked).toEqual(['/modules/kwalletd5']);
    bus.close();
    const closed = await serve({
      ...locked(() => pathsAndPrompt([], prompt), { ...wallet, isOpen: () => bool(false) }),
      GetConnectionUnixProcessID: () => number(pid),
    });
    expect(await failure(read())).toMatchObject({ trouble: 'locked', provider: 'kwallet', message: 'the wallet is locked' });
    expect(closed.calls).not.toContain('Prompt');
  });

  it('says of a wallet made in this session that it is there from the next log-in on', async () => {
    const pid = await processNamed('kwalletd5');
    await serve({
      ...open(),
      ReadAlias: () => path('/'),
      GetConnectionUnixProcessID: () => number(pid),
      networkWallet: () => ({ type: 's', body: text('kdewallet') }),
      isOpen: () => bool(true),
    });
    expect(await failure(read())).toMatchObject({
      trouble: 'no-collection',
      provider: 'kwallet',
      message: expect.stringContaining('next log-in'),
    });
  });

  describe('one entry of KeePassXC, which wants a yes for each program', () => {
    const confirming = async (then: Answers = {}): Promise<Answers> => {
      const pid = await processNamed('keepassxc');
      const state = { locked: true };
      return {
        ...open(),
        GetConnectionUnixProcessID: () => number(pid),
        SearchItems: () => (state.locked ? found([], ['/e/1']) : found(['/e/1'])),
        Unlock: () => pathsAndPrompt([], prompt),
        Prompt: (call) => {
          state.locked = false;
          return ends(false)(call);
        },
        ...then,
      };
    };

    it('is read with the yes of the person at the terminal', async () => {
      await serve(await confirming());
      const person = asking();
      expect(await read(person.keychain)).toBe('x');
      expect(person.said).toEqual([
        'KeePassXC asks you whether mailauth may use its entry, in a window of its own. Waiting for your answer.',
      ]);
    });

    it('is told from a locked database where nobody may be asked', async () => {
      const bus = await serve(await confirming());
      expect(await failure(read())).toMatchObject({ trouble: 'unconfirmed', provider: 'keepassxc' });
      expect(bus.calls).not.toContain('Prompt');
    });

    it('is asked for again where the yes was for one time', async () => {
      let secrets = 0;
      const answers = await confirming();
      const bus = await serve({
        ...answers,
        GetSecret: (call) => (secrets++ === 1 ? { error: 'org.freedesktop.Secret.Error.IsLocked' } : answers.GetSecret?.(call)),
      });
      const person = asking();
      expect([await read(person.keychain), await read(person.keychain)]).toEqual(['x', 'x']);
      expect(bus.calls.filter((call) => call === 'Prompt')).toHaveLength(2);
    });

    it('is deleted without the yes to read it', async () => {
      await serve(await confirming({ Delete: () => path('/') }));
      expect(await remove()).toBe(true);
    });
  });
});

describe('a service that does not answer', () => {
  it('is waited for when each of its answers is late', async () => {
    const bus = await serve({
      ...open(),
      // The answer comes by the socket, after most of the time that is allowed for it.
      SearchItems: (call) => {
        setTimeout(() => call.reply(found(['/e/1'])), 300);
        return undefined;
      },
    });
    expect(await read(keychain(500))).toBe('x');
    expect(await failure(read(keychain(100)))).toMatchObject({ trouble: 'busy', message: 'no answer within 100 ms' });
    bus.close();
  });

  it('is asked once, not once a mailbox, also when all ask at once', async () => {
    const bus = await serve({ GetConnectionUnixProcessID: () => number(process.pid) });
    const slow = keychain(200);
    const all = await Promise.all([1, 2, 3].map(() => failure(read(slow))));
    expect(all.map(({ trouble }) => trouble)).toEqual(['busy', 'busy', 'busy']);
    expect(bus.connections()).toBe(1);
  });

  it('that carries out the write of a try after it was given up: its entry is removed all the same', async () => {
    const entries = new Set<string>();
    let isLate = true;
    const bus = await serve({
      ...open(),
      SearchItems: () => found([...entries]),
      CreateItem: () => {
        entries.add('/e/probe');
        const answer = isLate ? undefined : pathAndPrompt('/e/probe', '/');
        isLate = false;
        return answer;
      },
      Delete: (call) => {
        entries.delete(call.path);
        return path('/');
      },
    });
    const store = keychainStore({ keychain: keychain(200), service: 'mailauth', homeId: 'h', random: systemRandom });
    await expect(store.probe()).rejects.toMatchObject({ code: 'keychain-busy', exit: 5 });
    expect([bus.calls.filter((name) => name === 'CreateItem').length, entries.size]).toEqual([1, 0]);
    // Whatever else is asked at that moment is told at once that the service is busy.
    await expect(store.read('token/x')).rejects.toMatchObject({ code: 'keychain-busy' });
    bus.close();
  });

  it('is named, and told from one that was stopped', async () => {
    const pid = await processNamed('kwalletd6');
    const bus = await serve({ GetConnectionUnixProcessID: () => number(pid) });
    expect(await failure(read(keychain(100)))).toMatchObject({ trouble: 'busy', provider: 'kwallet' });
    process.kill(pid, 'SIGSTOP');
    expect(await failure(read(keychain(100)))).toMatchObject({
      trouble: 'hung',
      provider: 'kwallet',
      pid,
      message: 'its process kwalletd6 is stopped',
    });
    bus.close();
  });
});
