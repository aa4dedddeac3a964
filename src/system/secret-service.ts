import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { KeychainTrouble } from '../core/context.ts';
import { troubleThatSays } from '../core/keychain-says.ts';
import { BadMessage, decodeReply, encodeCall, messageLimit, messageSize, type Reply, socketPaths } from './dbus.ts';

/** Can the default collection of the Secret Service be used without asking anybody? */
export type CollectionState =
  | { readonly kind: 'unlocked' }
  | { readonly kind: 'unusable'; readonly trouble: KeychainTrouble; readonly why: string };

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Asks the Secret Service for `Locked` of its default collection (freedesktop.org Secret Service API 0.2,
 * org.freedesktop.Secret.Collection). The binding cannot be asked: on a locked keyring with a display its call
 * waits for the person for ever, and then not even process.exit returns. Never throws; ends within `deadlineMs`.
 */
export async function defaultCollection(env: Env, deadlineMs: number): Promise<CollectionState> {
  const runtimeDir = env.XDG_RUNTIME_DIR || undefined;
  const address = env.DBUS_SESSION_BUS_ADDRESS || (runtimeDir === undefined ? '' : 'unix:runtime=yes');
  const paths = socketPaths(address, runtimeDir);
  if (address === '') return unusable('no-bus', 'neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set');
  if (paths.length === 0) return unusable('no-bus', 'DBUS_SESSION_BUS_ADDRESS names no Unix socket');
  const end = performance.now() + deadlineMs;
  let last: CollectionState = unusable('no-bus', 'no address');
  for (const path of paths) {
    const answer = await ask(path, Math.max(1, end - performance.now()));
    if (answer.kind === 'unlocked' || answer.trouble !== 'no-bus') return answer;
    last = answer;
  }
  return last;
}

const unusable = (trouble: KeychainTrouble, why: string): CollectionState => ({ kind: 'unusable', trouble, why });

class Overrun extends Error {}

async function ask(path: string, deadlineMs: number): Promise<CollectionState> {
  // Not at the top: who keeps tokens in the sealed file need not load it.
  const { connect }: typeof import('node:net') = createRequire(import.meta.url)('node:net');
  const socket = connect({ path });
  // The error is met where it is awaited; without a listener one that comes later would end the process.
  socket.on('error', () => undefined);
  const timer = setTimeout(() => socket.destroy(new Overrun()), deadlineMs);
  try {
    await once(socket, 'connect');
    return await converse(socket);
  } catch (error) {
    if (error instanceof Overrun) return unusable('hung', `no answer within ${Math.round(deadlineMs)} ms`);
    if (error instanceof BadMessage) return unusable('other', `the session bus sent ${error.message}`);
    return unusable('no-bus', error instanceof Error ? error.message : 'connection failed');
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** SASL EXTERNAL (D-Bus Specification, "Authentication Protocol"), then Hello and Get in one go: the bus keeps the order. */
async function converse(socket: Socket): Promise<CollectionState> {
  const reader = byteReader(socket);
  const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex');
  socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
  const line = await reader.line();
  if (line.startsWith('REJECTED')) return unusable('denied', 'the session bus belongs to another user');
  if (!line.startsWith('OK')) throw new BadMessage('an unknown answer to AUTH');
  socket.write('BEGIN\r\n');
  socket.write(Buffer.concat([encodeCall(hello), encodeCall(getLocked)]));
  for (;;) {
    const reply = await reader.reply();
    if (reply.replyTo === getLocked.serial || (reply.replyTo === hello.serial && reply.errorName !== undefined)) return judge(reply);
  }
}

const hello = {
  serial: 1,
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'Hello',
  args: [],
};

const getLocked = {
  serial: 2,
  destination: 'org.freedesktop.secrets',
  path: '/org/freedesktop/secrets/aliases/default',
  interface: 'org.freedesktop.DBus.Properties',
  member: 'Get',
  args: ['org.freedesktop.Secret.Collection', 'Locked'],
};

/** The same names under other prefixes; gnome-keyring answers UnknownMethod where the alias points to nothing. */
const troubles: readonly [RegExp, KeychainTrouble][] = [
  [/\.(ServiceUnknown|NameHasNoOwner|Spawn\.\w+)$/, 'no-provider'],
  [/\.(UnknownObject|UnknownMethod|UnknownInterface|NoSuchObject)$/, 'no-collection'],
  [/\.(NoReply|Timeout|TimedOut)$/, 'hung'],
  [/\.IsLocked$/, 'locked'],
  [/\.(AccessDenied|AuthFailed)$/, 'denied'],
];

function judge(reply: Reply): CollectionState {
  if (reply.errorName !== undefined) {
    const name = reply.errorName;
    const trouble = troubleThatSays(name) ?? troubles.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
    return unusable(trouble, typeof reply.value === 'string' ? reply.value : name);
  }
  if (reply.value === false) return { kind: 'unlocked' };
  if (reply.value === true) return unusable('locked', 'the default keyring is locked');
  return unusable('other', 'the Secret Service answered something else than yes or no');
}

interface ByteReader {
  line(): Promise<string>;
  reply(): Promise<Reply>;
}

function byteReader(socket: Socket): ByteReader {
  let buffer = Buffer.alloc(0);
  const chunks: AsyncIterator<Buffer> = socket[Symbol.asyncIterator]();
  const more = async (): Promise<void> => {
    const chunk = await chunks.next();
    if (chunk.done) throw new Error('the session bus closed the connection');
    buffer = Buffer.concat([buffer, chunk.value]);
  };
  const take = (count: number): Buffer => {
    const taken = buffer.subarray(0, count);
    buffer = buffer.subarray(count);
    return taken;
  };
  return {
    async line() {
      while (!buffer.includes('\r\n')) {
        if (buffer.length > messageLimit) throw new BadMessage('an endless line');
        await more();
      }
      return take(buffer.indexOf('\r\n') + 2).toString('latin1');
    },
    async reply() {
      while (buffer.length < 16) await more();
      const size = messageSize(buffer);
      while (buffer.length < size) await more();
      return decodeReply(take(size));
    },
  };
}
