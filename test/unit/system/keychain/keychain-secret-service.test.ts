import { createCipheriv, getDiffieHellman, hkdfSync, randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { socketPaths } from '../../../../src/system/keychain/dbus-address.ts';
import { encodeCall } from '../../../../src/system/keychain/dbus-call.ts';
import { BadMessage, decodeReply, messageLimit, messageSize } from '../../../../src/system/keychain/dbus-reply.ts';
import { defaultCollection, readSecret } from '../../../../src/system/keychain/secret-service.ts';
import { temporaryFolder } from '../../../support/context.ts';

describe('bus addresses', () => {
  it.each([
    ['unix:path=/run/user/1000/bus', ['/run/user/1000/bus']],
    ['unix:path=/tmp/a%20b%2cc,guid=12', ['/tmp/a b,c']],
    ['unix:abstract=/tmp/dbus-x,guid=1', ['\0/tmp/dbus-x']],
    ['unix:runtime=yes', ['/run/me/bus']],
    ['tcp:host=localhost,port=1;unix:path=/a;unix:abstract=b', ['/a', '\0b']],
    ['autolaunch:', []],
    ['unix:path=', []],
    ['unix:path=/a%zz', []],
    ['unix:path=/a%00b', []],
    ['unix:dir=/tmp', []],
    ['', []],
  ])('%s', (address, paths) => {
    expect(socketPaths(address, '/run/me')).toEqual(paths);
  });
});

/** One header field array and a body, as a bus writes them. */
function message(type: number, fields: readonly Buffer[], body: Buffer): Buffer {
  let array = Buffer.alloc(0);
  for (const field of fields) array = Buffer.concat([array, Buffer.alloc((8 - (array.length % 8)) % 8), field]);
  const head = Buffer.alloc(16);
  head.set([0x6c, type, 0, 1]);
  head.writeUInt32LE(body.length, 4);
  head.writeUInt32LE(7, 8);
  head.writeUInt32LE(array.length, 12);
  return Buffer.concat([head, array, Buffer.alloc((8 - (array.length % 8)) % 8), body]);
}

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const text = (value: string) => Buffer.concat([u32(value.length), Buffer.from(`${value}\0`)]);
const field = (code: number, type: string, value: Buffer) => Buffer.concat([Buffer.from([code, 1, type.charCodeAt(0), 0]), value]);
const replyTo = (serial: number) => field(5, 'u', u32(serial));
const signature = (type: string) => field(8, 'g', Buffer.concat([Buffer.from([type.length]), Buffer.from(`${type}\0`)]));

const helloReply = message(2, [replyTo(1), signature('s')], text(':1.5'));
const nameAcquired = message(4, [field(1, 'o', text('/org/freedesktop/DBus')), signature('s')], text(':1.5'));
const locked = (value: number) => message(2, [replyTo(2), signature('v')], Buffer.concat([Buffer.from([1, 0x62, 0, 0]), u32(value)]));
const busError = (serial: number, name: string, words: string) =>
  message(3, [field(4, 's', text(name)), replyTo(serial), signature('s')], text(words));

describe('a fake bus', () => {
  let path = '';
  let clean: () => Promise<void>;
  let server: Server | undefined;
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    const folder = await temporaryFolder();
    path = join(folder.path, 'bus');
    clean = folder.remove;
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => (server === undefined ? done(undefined) : server.close(done)));
    server = undefined;
    await clean();
  });

  /** Answers AUTH with `auth`, and the calls with `answer` once both have arrived; tells what it received. */
  async function bus(answer: Buffer, auth = 'OK 0123456789abcdef\r\n', at = path): Promise<() => Buffer> {
    let received = Buffer.alloc(0);
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      let greeted = false;
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        if (!greeted && received.includes('AUTH')) {
          greeted = true;
          socket.write(auth);
        }
        if (received.includes('Locked')) socket.write(answer);
      });
    });
    await new Promise<void>((done) => server?.listen(at, done));
    return () => received;
  }

  const ask = (deadlineMs = 5_000, address = `unix:path=${path}`) => defaultCollection({ DBUS_SESSION_BUS_ADDRESS: address }, deadlineMs);

  it('says unlocked, after Hello and Get in the order of the protocol', async () => {
    const received = await bus(Buffer.concat([helloReply, nameAcquired, locked(0)]));
    expect(await ask()).toEqual({ kind: 'unlocked' });
    const sent = received().toString('latin1');
    expect(sent).toMatch(new RegExp(`^\\0AUTH EXTERNAL ${Buffer.from(String(process.getuid?.())).toString('hex')}\\r\\nBEGIN\\r\\nl\\x01`));
    expect(sent.indexOf('Hello')).toBeLessThan(sent.indexOf('Locked'));
  });

  it('understands what arrives byte by byte', async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      const drip = (bytes: Buffer, at = 0): void => {
        if (at < bytes.length) socket.write(bytes.subarray(at, at + 1), () => drip(bytes, at + 1));
      };
      socket.on('data', (chunk) => {
        if (chunk.includes('AUTH')) drip(Buffer.from('OK 1\r\n'));
        if (chunk.includes('Locked')) drip(Buffer.concat([helloReply, nameAcquired, locked(1)]));
      });
    });
    await new Promise<void>((done) => server?.listen(path, done));
    expect(await ask()).toMatchObject({ trouble: 'locked' });
  });

  it.each([
    ['locked', locked(1), 'locked'],
    ['no such service', busError(2, 'org.freedesktop.DBus.Error.ServiceUnknown', 'not provided'), 'no-provider'],
    ['a service that fails to start', busError(2, 'org.freedesktop.DBus.Error.Spawn.ChildExited', 'exited'), 'no-provider'],
    ['no such object', busError(2, 'org.freedesktop.DBus.Error.UnknownMethod', 'Object does not exist'), 'no-collection'],
    ['no reply', busError(2, 'org.freedesktop.DBus.Error.NoReply', 'gone'), 'hung'],
    ['refused', busError(2, 'org.freedesktop.DBus.Error.AccessDenied', 'no'), 'denied'],
    ['Hello refused', busError(1, 'org.freedesktop.DBus.Error.LimitsExceeded', 'too many'), 'other'],
    ['a boolean of 7', message(2, [replyTo(2), signature('v')], Buffer.concat([Buffer.from([1, 0x75, 0, 0]), u32(7)])), 'other'],
  ])('%s', async (_, answer, trouble) => {
    await bus(Buffer.concat([nameAcquired, answer]));
    expect(await ask()).toMatchObject({ kind: 'unusable', trouble });
  });

  it.each([
    ['garbage', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a huge body', Buffer.from([0x6c, 2, 0, 1, 0xff, 0xff, 0xff, 0x7f, 1, 0, 0, 0, 0, 0, 0, 0])],
    ['a huge header', Buffer.from([0x6c, 2, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])],
    ['a string longer than its message', message(2, [field(4, 's', Buffer.from([0xff, 0xff, 0, 0]))], Buffer.alloc(0))],
    ['a field of an unknown type', message(2, [field(1, 'a', u32(1))], Buffer.alloc(0))],
  ])('%s is an answer, not a crash', async (_, answer) => {
    await bus(answer);
    expect(await ask()).toMatchObject({ kind: 'unusable', trouble: 'other' });
  });

  it('ends at the deadline when the bus never answers, or never stops with signals', async () => {
    await bus(nameAcquired);
    expect(await ask(60)).toMatchObject({ trouble: 'hung' });
  });

  it('takes an endless line for what it is', async () => {
    await bus(Buffer.alloc(0), 'A'.repeat(messageLimit + 1));
    expect(await ask()).toMatchObject({ trouble: 'other' });
  });

  it('tells a bus of another user from no bus', async () => {
    await bus(Buffer.alloc(0), 'REJECTED EXTERNAL\r\n');
    expect(await ask()).toMatchObject({ trouble: 'denied' });
  });

  it('tries the next address, also an abstract one', async () => {
    const name = `mailauth-test-${process.pid}-${Math.random()}`;
    await bus(Buffer.concat([helloReply, locked(0)]), undefined, `\0${name}`);
    expect(await ask(5_000, `unix:path=${path}.none;tcp:host=x;unix:abstract=${name},guid=1`)).toEqual({ kind: 'unlocked' });
  });

  it.each([
    ['nothing in the environment', {}],
    ['no socket in the runtime folder', { XDG_RUNTIME_DIR: '/nonexistent' }],
    ['a dead address', { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus' }],
    ['a transport that is no socket', { DBUS_SESSION_BUS_ADDRESS: 'autolaunch:' }],
  ])('%s is no bus', async (_, env) => {
    expect(await defaultCollection(env, 2_000)).toMatchObject({ trouble: 'no-bus' });
  });
});

/** Node needs 80 ms to prove the prime, so all sessions share the group. */
const exchange = getDiffieHellman('modp2');

/** The service's side of a session, by Node's own Diffie-Hellman and ciphers. */
function fakeService(entries: readonly { readonly path: string; readonly text: Buffer | string }[], ahead = Buffer.alloc(0)) {
  exchange.generateKeys();
  let key = Buffer.alloc(0);
  const array = (bytes: Buffer) => Buffer.concat([u32(bytes.length), bytes]);
  const padded = (bytes: Buffer, to: number) => Buffer.concat([bytes, Buffer.alloc((to - (bytes.length % to)) % to)]);
  const paths = (list: readonly string[]) =>
    array(list.reduce((all, path) => Buffer.concat([padded(all, 4), text(path)]), Buffer.alloc(0)));
  const session = '/org/freedesktop/secrets/session/s1';
  return {
    session: (theirs: Buffer) => {
      key = Buffer.from(hkdfSync('sha256', exchange.computeSecret(theirs), '', '', 16));
      const variant = padded(Buffer.concat([Buffer.from([2]), Buffer.from('ay\0')]), 4);
      return {
        type: 'vo',
        body: Buffer.concat([padded(Buffer.concat([variant, array(Buffer.concat([ahead, exchange.getPublicKey()]))]), 4), text(session)]),
      };
    },
    found: (locked: readonly string[] = []) => ({
      type: 'aoao',
      body: Buffer.concat([padded(paths(entries.map((entry) => entry.path)), 4), paths(locked)]),
    }),
    secret: (path: string) => {
      const iv = randomBytes(16);
      const cipher = createCipheriv('aes-128-cbc', key, iv);
      const value = Buffer.concat([cipher.update(entries.find((entry) => entry.path === path)?.text ?? ''), cipher.final()]);
      const struct = padded(Buffer.concat([padded(text(session), 4), array(iv), array(value)]), 4);
      return { type: '(oayays)', body: Buffer.concat([struct, text('text/plain')]) };
    },
  };
}

type Answer =
  | { readonly type: string; readonly body: Buffer /** message type, instead of a method's return */; readonly as?: number }
  | { readonly error: string }
  | undefined;

describe('reading a secret', () => {
  let path = '';
  let clean: () => Promise<void>;
  const open: { close(): void }[] = [];
  beforeEach(async () => {
    const folder = await temporaryFolder();
    path = join(folder.path, 'bus');
    clean = folder.remove;
  });
  afterEach(async () => {
    for (const one of open.splice(0)) one.close();
    await clean();
  });

  /** Answers each call by its member; what has no answer is never answered. Answers the names of the calls that came. */
  async function serve(answers: Readonly<Record<string, (call: Buffer) => Answer>>): Promise<readonly string[]> {
    const calls: string[] = [];
    const server = createServer((socket) => {
      open.push({ close: () => socket.destroy() });
      let buffer = Buffer.alloc(0);
      const answer = (call: Buffer) => {
        const member = ['Hello', 'Locked', 'OpenSession', 'SearchItems', 'GetSecret'].find((name) => call.includes(name)) ?? '';
        calls.push(member);
        const serial = call.readUInt32LE(8);
        const said = member === 'Hello' ? { type: 's', body: text(':1.5') } : answers[member]?.(call);
        if (said === undefined) return;
        if ('error' in said) socket.write(busError(serial, said.error, 'words'));
        else socket.write(message(('as' in said && said.as) || 2, [replyTo(serial), signature(said.type)], said.body));
      };
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        if (chunk.includes('AUTH')) {
          socket.write('OK 1\r\n');
          return;
        }
        buffer = Buffer.concat([buffer, chunk]);
        if (buffer.toString('latin1').startsWith('BEGIN\r\n')) buffer = buffer.subarray(7);
        while (buffer.length >= 16 && buffer.length >= messageSize(buffer)) {
          const size = messageSize(buffer);
          answer(buffer.subarray(0, size));
          buffer = buffer.subarray(size);
        }
      });
    });
    open.push(server);
    await new Promise<void>((done) => server.listen(path, done));
    return calls;
  }

  const read = (deadlineMs = 5_000) =>
    readSecret({ DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` }, deadlineMs, { service: 'mailauth', username: 'a:token/x' });
  const unlocked = () => ({ type: 'v', body: Buffer.concat([Buffer.from([1, 0x62, 0, 0]), u32(0)]) });
  const good = (service: ReturnType<typeof fakeService>) => ({
    Locked: unlocked,
    OpenSession: (call: Buffer) => service.session(call.subarray(-128)),
    SearchItems: () => service.found(),
    GetSecret: () => service.secret('/e/1'),
  });

  it('agrees on a key with an implementation that is not ours', async () => {
    for (const secret of ['', 'x', 'wörld 😀', 'token '.repeat(4_000)]) {
      const calls = await serve(good(fakeService([{ path: '/e/1', text: secret }])));
      expect(await read()).toEqual({ kind: 'read', secret });
      expect(calls).toEqual(['Hello', 'Locked', 'OpenSession', 'SearchItems', 'GetSecret']);
      for (const one of open.splice(0)) one.close();
    }
  });

  it('takes a key with a sign in front, as KWallet writes it', async () => {
    const service = fakeService([{ path: '/e/1', text: 'x' }], Buffer.alloc(1));
    await serve(good(service));
    expect(await read()).toEqual({ kind: 'read', secret: 'x' });
  });

  it('takes no signal for an answer, and a connection lost in the middle for no missing bus', async () => {
    const service = fakeService([{ path: '/e/1', text: 'x' }]);
    const early = { type: 'aoao', body: Buffer.alloc(8), as: 4 };
    await serve({ ...good(service), SearchItems: () => early });
    expect(await read(300)).toMatchObject({ trouble: 'hung' });
    for (const one of open.splice(0)) one.close();
    await serve({
      ...good(service),
      GetSecret: () => {
        for (const one of open) one.close();
        return undefined;
      },
    });
    expect(await read()).toMatchObject({ trouble: 'other', why: 'the session bus closed the connection' });
  });

  it('answers null where there is no entry', async () => {
    await serve(good(fakeService([])));
    expect(await read()).toEqual({ kind: 'read', secret: null });
  });

  it('says locked where the entry is in another keyring that is locked, and never asks to open it', async () => {
    const service = fakeService([]);
    const calls = await serve({ ...good(service), SearchItems: () => service.found(['/e/2']) });
    expect(await read()).toMatchObject({ trouble: 'locked' });
    expect(calls).not.toContain('GetSecret');
  });

  it('says what a locked default collection is before anything else', async () => {
    await serve({ Locked: () => ({ type: 'v', body: Buffer.concat([Buffer.from([1, 0x62, 0, 0]), u32(1)]) }) });
    expect(await read()).toMatchObject({ trouble: 'locked' });
  });

  it('does not choose between two entries of one name', async () => {
    const two = [
      { path: '/e/1', text: 'a' },
      { path: '/e/2', text: 'b' },
    ];
    await serve(good(fakeService(two)));
    expect(await read()).toEqual({ kind: 'damaged', why: 'there are several entries of this name' });
  });

  it('looks again where the entry was exchanged between search and read, and not for ever', async () => {
    const service = fakeService([{ path: '/e/1', text: 'new' }]);
    let gone = 2;
    const answers = good(service);
    const calls = await serve({
      ...answers,
      GetSecret: () => (gone-- > 0 ? { error: 'org.freedesktop.Secret.Error.NoSuchObject' } : answers.GetSecret()),
    });
    expect(await read()).toEqual({ kind: 'read', secret: 'new' });
    expect(calls.filter((name) => name === 'SearchItems')).toHaveLength(3);
    gone = 3;
    expect(await read()).toMatchObject({ trouble: 'other', why: 'the entry changes again and again while it is read' });
  });

  it.each<[string, Partial<Record<string, (call: Buffer) => Answer>>, string]>([
    ['a session that is refused', { OpenSession: () => ({ error: 'org.freedesktop.DBus.Error.NotSupported' }) }, 'other'],
    ['a search that is refused', { SearchItems: () => ({ error: 'org.freedesktop.DBus.Error.AccessDenied' }) }, 'denied'],
    ['an entry locked meanwhile', { GetSecret: () => ({ error: 'org.freedesktop.Secret.Error.IsLocked' }) }, 'locked'],
    [
      'a session that nobody knows, which is no missing keyring',
      { OpenSession: () => ({ error: 'org.freedesktop.DBus.Error.UnknownMethod' }) },
      'other',
    ],
    [
      'a body of another type',
      { SearchItems: () => ({ type: `a${'('.repeat(120)}u${')'.repeat(120)}`, body: Buffer.alloc(900_000) }) },
      'other',
    ],
    ['a key of 1', { OpenSession: () => publicKey(Buffer.from([1])) }, 'other'],
    ['a key of p-1', { OpenSession: () => publicKey(Buffer.from(`${exchange.getPrime('hex').slice(0, -2)}fe`, 'hex')) }, 'other'],
    ['an endless key', { OpenSession: () => publicKey(Buffer.alloc(5_000, 1)) }, 'other'],
    ['a session without a key', { OpenSession: () => ({ type: 's', body: text('no') }) }, 'other'],
    ['no lists', { SearchItems: () => ({ type: 's', body: text('no') }) }, 'other'],
    ['no secret', { GetSecret: () => ({ type: 's', body: text('no') }) }, 'other'],
    ['a secret of another session', { GetSecret: () => fakeSecret() }, 'other'],
    ['no answer to the session', { OpenSession: () => undefined }, 'hung'],
  ])('%s is a trouble, never a crash', async (_, answers, trouble) => {
    await serve({ ...good(fakeService([{ path: '/e/1', text: 'x' }])), ...answers } as Parameters<typeof serve>[0]);
    expect(await read(trouble === 'hung' ? 300 : 5_000)).toMatchObject({ kind: 'unusable', trouble });
  });

  it('refuses what is no text', async () => {
    await serve(good(fakeService([{ path: '/e/1', text: Buffer.from([0xff, 0xfe]) }])));
    expect(await read()).toEqual({ kind: 'damaged', why: 'it is not text' });
  });

  const publicKey = (bytes: Buffer) => {
    const padding = Buffer.alloc((4 - (bytes.length % 4)) % 4);
    return { type: 'vo', body: Buffer.concat([Buffer.from([2]), Buffer.from('ay\0'), u32(bytes.length), bytes, padding, text('/s')]) };
  };
  /** Nothing that any key of ours decrypts: not a whole number of blocks. */
  const fakeSecret = () => {
    const bytes = Buffer.concat([text('/s'), Buffer.alloc(1), u32(16), Buffer.alloc(16), u32(12), Buffer.alloc(12), text('t')]);
    return { type: '(oayays)', body: bytes };
  };
});

const anySignature = fc.string({ unit: fc.constantFrom('a', 'y', 's', 'o', 'v', 'u', 'b', 'g', '(', ')', 'x'), maxLength: 12 });

describe('messages', () => {
  it('any bytes decode or are refused, never crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 200 }), anySignature, (bytes, type) => {
        // Half of them with a whole head, so that their bodies are read.
        const whole = message(2, [replyTo(2), signature(type)], Buffer.from(bytes));
        const buffer = bytes.length % 2 === 0 ? whole : Buffer.from(bytes);
        buffer[0] = 0x6c;
        buffer[3] = 1;
        try {
          messageSize(buffer);
          decodeReply(buffer);
        } catch (error) {
          expect(error).toBeInstanceOf(BadMessage);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('a call says its own size', () => {
    const args = [
      { type: 's', value: 'one' },
      { type: 'a{ss}', value: { a: 'b', cde: 'fghi' } },
      { type: 'v', value: Buffer.alloc(5) },
      { type: 'o', value: '/two' },
    ] as const;
    const call = encodeCall(1, { destination: 'a.b', path: '/a', interface: 'a.b', member: 'C', args });
    expect(messageSize(call)).toBe(call.length);
  });
});
