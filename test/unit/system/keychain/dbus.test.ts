import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { socketPaths } from '../../../../src/system/keychain/dbus-address.ts';
import { encodeCall } from '../../../../src/system/keychain/dbus-call.ts';
import { BadMessage, decodeReply, messageLimit, messageSize } from '../../../../src/system/keychain/dbus-reply.ts';
import { secretService } from '../../../../src/system/keychain/secret-service.ts';
import { temporaryFolder } from '../../../support/context.ts';
import { busError, field, message, replyTo, signature, text, u32 } from './scripted-bus.ts';

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

const helloReply = message(2, [replyTo(1), signature('s')], text(':1.5'));
const nameAcquired = message(4, [field(1, 'o', text('/org/freedesktop/DBus')), signature('s')], text(':1.5'));
/** The answer to ReadAlias, which is the first call after Hello. */
const noAlias = message(2, [replyTo(2), signature('o')], text('/'));

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

  /** Answers AUTH with `auth`, and the calls with `answer` once they have arrived; tells what it received. */
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
        if (received.includes('ReadAlias')) socket.write(answer);
      });
    });
    await new Promise<void>((done) => server?.listen(at, done));
    return () => received;
  }

  /** Every answer of this bus is one that ends the call. */
  const ask = async (limitMs = 5_000, address = `unix:path=${path}`): Promise<unknown> => {
    const service = secretService({ DBUS_SESSION_BUS_ADDRESS: address }, limitMs);
    const end = await service.read({ service: 'mailauth', username: 'x' }, undefined).catch((error: unknown) => error);
    service.close();
    return end;
  };

  it('asks for the default collection, after Hello, in the order of the protocol', async () => {
    const received = await bus(Buffer.concat([helloReply, nameAcquired, noAlias]));
    expect(await ask()).toMatchObject({ trouble: 'no-collection' });
    const sent = received().toString('latin1');
    expect(sent).toMatch(new RegExp(`^\\0AUTH EXTERNAL ${Buffer.from(String(process.getuid?.())).toString('hex')}\\r\\nBEGIN\\r\\nl\\x01`));
    expect(sent.indexOf('Hello')).toBeLessThan(sent.indexOf('ReadAlias'));
  });

  it('understands what arrives byte by byte', async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      const drip = (bytes: Buffer, at = 0): void => {
        if (at < bytes.length) socket.write(bytes.subarray(at, at + 1), () => drip(bytes, at + 1));
      };
      socket.on('data', (chunk) => {
        if (chunk.includes('AUTH')) drip(Buffer.from('OK 1\r\n'));
        if (chunk.includes('ReadAlias')) drip(Buffer.concat([helloReply, nameAcquired, noAlias]));
      });
    });
    await new Promise<void>((done) => server?.listen(path, done));
    expect(await ask()).toMatchObject({ trouble: 'no-collection' });
  });

  it.each([
    ['locked', busError(2, 'org.freedesktop.Secret.Error.IsLocked', 'locked'), 'locked'],
    ['no such service', busError(2, 'org.freedesktop.DBus.Error.ServiceUnknown', 'not provided'), 'no-provider'],
    ['a service that fails to start', busError(2, 'org.freedesktop.DBus.Error.Spawn.ChildExited', 'exited'), 'no-provider'],
    ['no such object', busError(2, 'org.freedesktop.DBus.Error.UnknownMethod', 'Object does not exist'), 'no-collection'],
    ['no reply', busError(2, 'org.freedesktop.DBus.Error.NoReply', 'gone'), 'busy'],
    ['refused', busError(2, 'org.freedesktop.DBus.Error.AccessDenied', 'no'), 'denied'],
    ['Hello refused', busError(1, 'org.freedesktop.DBus.Error.LimitsExceeded', 'too many'), 'other'],
    ['no path', message(2, [replyTo(2), signature('o')], text('no path')), 'other'],
  ])('%s', async (_, answer, trouble) => {
    await bus(Buffer.concat([nameAcquired, answer]));
    expect(await ask()).toMatchObject({ name: 'KeychainFailure', trouble });
  });

  it.each([
    ['garbage', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a huge body', Buffer.from([0x6c, 2, 0, 1, 0xff, 0xff, 0xff, 0x7f, 1, 0, 0, 0, 0, 0, 0, 0])],
    ['a huge header', Buffer.from([0x6c, 2, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])],
    ['a string longer than its message', message(2, [field(4, 's', Buffer.from([0xff, 0xff, 0, 0]))], Buffer.alloc(0))],
    ['a field of an unknown type', message(2, [field(1, 'a', u32(1))], Buffer.alloc(0))],
  ])('%s is an answer, not a crash', async (_, answer) => {
    await bus(answer);
    expect(await ask()).toMatchObject({ name: 'KeychainFailure', trouble: 'other' });
  });

  it('ends at its limit when the bus never answers, or never stops with signals', async () => {
    await bus(nameAcquired);
    expect(await ask(60)).toMatchObject({ trouble: 'busy', message: 'no answer within 60 ms' });
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
    await bus(Buffer.concat([helloReply, noAlias]), undefined, `\0${name}`);
    expect(await ask(5_000, `unix:path=${path}.none;tcp:host=x;unix:abstract=${name},guid=1`)).toMatchObject({ trouble: 'no-collection' });
  });

  it.each([
    ['nothing in the environment', {}],
    ['no socket in the runtime folder', { XDG_RUNTIME_DIR: '/nonexistent' }],
    ['a dead address', { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus' }],
    ['a transport that is no socket', { DBUS_SESSION_BUS_ADDRESS: 'autolaunch:' }],
  ])('%s is no bus', async (_, env) => {
    await expect(secretService(env, 2_000).read({ service: 'mailauth', username: 'x' }, undefined)).rejects.toMatchObject({
      trouble: 'no-bus',
    });
  });
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
      { type: 'b', value: true },
      { type: 'ao', value: ['/a', '/b/c'] },
      { type: '(oayays)', value: { session: '/s', parameters: Buffer.alloc(3), value: Buffer.alloc(7), contentType: 'text/plain' } },
      { type: 'a{sv}', value: { one: 'two', three: { four: 'five' } } },
    ] as const;
    const call = encodeCall(1, { destination: 'a.b', path: '/a', interface: 'a.b', member: 'C', args });
    expect(messageSize(call)).toBe(call.length);
  });
});
