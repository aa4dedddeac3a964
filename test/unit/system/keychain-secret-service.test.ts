import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BadMessage, decodeReply, encodeCall, messageLimit, messageSize, socketPaths } from '../../../src/system/dbus.ts';
import { defaultCollection } from '../../../src/system/secret-service.ts';
import { temporaryFolder } from '../../support/context.ts';

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
      socket.once('data', () => {
        const bytes = Buffer.concat([Buffer.from('OK 1\r\n'), helloReply, nameAcquired, locked(1)]);
        let at = 0;
        const next = () => {
          if (at < bytes.length) socket.write(bytes.subarray(at, ++at), next);
        };
        next();
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

describe('messages', () => {
  it('any bytes decode or are refused, never crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 200 }), (bytes) => {
        const buffer = Buffer.from(bytes);
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
    const call = encodeCall({ serial: 1, destination: 'a.b', path: '/a', interface: 'a.b', member: 'C', args: ['one', 'two'] });
    expect(messageSize(call)).toBe(call.length);
  });
});
