import type { Socket } from 'node:net';
import { nodeNet } from '../../core/builtins.ts';
import type { Env, KeychainTrouble } from '../../core/context.ts';
import { troubleThatSays } from '../../core/keychain-says.ts';
import { socketPaths } from './dbus-address.ts';
import { encodeCall, type MethodCall } from './dbus-call.ts';
import { BadMessage, decodeReply, messageSize, type Reply } from './dbus-reply.ts';

/** A Secret Service that cannot be used, and why. */
export interface Unusable {
  readonly kind: 'unusable';
  readonly trouble: KeychainTrouble;
  readonly why: string;
}

export const unusable = (trouble: KeychainTrouble, why: string): Unusable => ({ kind: 'unusable', trouble, why });

/** Names of errors on the bus; services use them with different prefixes. gnome-keyring answers UnknownMethod when the alias points to nothing. */
const troubles: readonly [RegExp, KeychainTrouble][] = [
  [/\.(ServiceUnknown|NameHasNoOwner|Spawn\.\w+)$/, 'no-provider'],
  [/\.(UnknownObject|UnknownMethod|UnknownInterface|NoSuchObject)$/, 'no-collection'],
  [/\.(NoReply|Timeout|TimedOut)$/, 'hung'],
  [/\.IsLocked$/, 'locked'],
  [/\.(AccessDenied|AuthFailed)$/, 'denied'],
];

/** A call that the bus or the service refused. */
export class Refusal extends Error {
  readonly trouble: KeychainTrouble;

  /** `name` as the bus names errors: `org.freedesktop.DBus.Error.ServiceUnknown` */
  constructor(name: string, words: string) {
    super(words);
    this.trouble = troubleThatSays(name) ?? troubles.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
  }
}

/** The session bus. Several calls may be under way at a time: the bus keeps their order. */
export interface Bus {
  /** rejects with `Refusal`, or with what ended the connection */
  call(call: MethodCall): Promise<Reply['values']>;
}

/** Ends a connection at its deadline. */
class Overrun extends Error {}

/** The bus closed the connection. */
class Closed extends Error {}

/** The longest line of the handshake, in bytes; the bus sends 37. */
const lineLimit = 16 * 1024;

/**
 * Connects to the session bus (the first address that answers), talks, and closes the connection. It does not throw for what the bus and
 * its services do: that is `Unusable`. Ends within `deadlineMs`.
 */
export async function onSessionBus<T>(env: Env, deadlineMs: number, talk: (bus: Bus) => Promise<T | Unusable>): Promise<T | Unusable> {
  const runtimeDir = env.XDG_RUNTIME_DIR || undefined;
  const address = env.DBUS_SESSION_BUS_ADDRESS || (runtimeDir === undefined ? '' : 'unix:runtime=yes');
  const paths = socketPaths(address, runtimeDir);
  if (address === '') return unusable('no-bus', 'neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set');
  let last = unusable('no-bus', 'DBUS_SESSION_BUS_ADDRESS names no Unix socket');
  let socket: Socket | undefined;
  const timer = setTimeout(() => socket?.destroy(new Overrun(`no answer within ${deadlineMs} ms`)), deadlineMs);
  try {
    for (const path of paths) {
      socket = nodeNet().connect({ path });
      let bus: Bus | undefined;
      try {
        bus = await greet(socket);
        return await talk(bus);
      } catch (error) {
        last = whatEnded(error, bus !== undefined);
        if (last.trouble !== 'no-bus') return last;
      } finally {
        hangUp(socket);
      }
    }
    return last;
  } finally {
    clearTimeout(timer);
  }
}

/** Closes the socket in an unref'd `setImmediate`, so not at all when the process ends first: closing costs `token get` one or two milliseconds. */
function hangUp(socket: Socket): void {
  socket.pause().unref();
  setImmediate(() => socket.destroy()).unref();
}

/** Why the conversation ended. Rethrows an error that comes neither from the bus nor from a service. */
function whatEnded(error: unknown, greeted: boolean): Unusable {
  if (error instanceof Overrun) return unusable('hung', error.message);
  if (error instanceof BadMessage) return unusable('other', `the session bus sent ${error.message}`);
  // "No such object" means a missing collection only as the answer to the question for the collection.
  if (error instanceof Refusal) return unusable(error.trouble === 'no-collection' ? 'other' : error.trouble, error.message);
  const lost = error instanceof Closed || (error instanceof Error && 'syscall' in error);
  if (lost) return unusable(greeted ? 'other' : 'no-bus', error.message);
  throw error;
}

const hello: MethodCall = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'Hello',
  args: [],
};

/** SASL EXTERNAL (D-Bus Specification, "Authentication Protocol"), then Hello. Other calls need not wait for the answer to Hello. */
function greet(socket: Socket): Promise<Bus> {
  return new Promise((done, fail) => {
    let calls: Calls | undefined;
    let buffer: Buffer = Buffer.alloc(0);
    const end = (error: Error): void => (calls === undefined ? fail(error) : calls.end(error));
    const take = (length: number): Buffer => {
      const taken = buffer.subarray(0, length);
      buffer = buffer.subarray(length);
      return taken;
    };
    const read = (): void => {
      if (calls === undefined) {
        const length = lineLength(buffer);
        if (length === undefined) return;
        checkAccepted(take(length).toString('latin1'));
        calls = new Calls(socket);
        done(calls);
      }
      for (let length = wholeMessage(buffer); length !== undefined; length = wholeMessage(buffer)) calls.take(decodeReply(take(length)));
    };
    socket.on('data', (chunk) => {
      buffer = Buffer.concat([buffer, chunk]);
      try {
        read();
      } catch (error) {
        end(error instanceof Error ? error : new Error('no reason', { cause: error }));
        socket.destroy();
      }
    });
    socket.on('error', end);
    socket.on('close', () => end(new Closed('the session bus closed the connection')));
    const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex');
    socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
  });
}

/** Length of the first line with its end; undefined until it has arrived. Throws `BadMessage` for an endless line. */
function lineLength(buffer: Buffer): number | undefined {
  const at = buffer.indexOf('\r\n');
  if (at >= 0) return at + 2;
  if (buffer.length > lineLimit) throw new BadMessage('an endless line');
  return undefined;
}

/** Length of the first message; undefined until all of it has arrived. Throws `BadMessage`. */
function wholeMessage(buffer: Buffer): number | undefined {
  if (buffer.length < 16) return undefined;
  const size = messageSize(buffer);
  return buffer.length < size ? undefined : size;
}

function checkAccepted(line: string): void {
  if (line.startsWith('REJECTED')) throw new Refusal('org.freedesktop.DBus.Error.AuthFailed', 'the session bus belongs to another user');
  if (!line.startsWith('OK')) throw new BadMessage('an unknown answer to AUTH');
}

interface Waiting {
  done(values: Reply['values']): void;
  fail(error: Error): void;
}

class Calls implements Bus {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #unsent: Uint8Array[] = [Buffer.from('BEGIN\r\n')];
  #serial = 0;
  #ended: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    // The bus refuses every call when it refused Hello, so the refusal of Hello answers them all.
    this.call(hello).catch((error) => this.end(error));
    queueMicrotask(() => this.#flush());
  }

  call(call: MethodCall): Promise<Reply['values']> {
    return new Promise((done, fail) => {
      if (this.#ended !== undefined) throw this.#ended;
      this.#serial += 1;
      this.#waiting.set(this.#serial, { done, fail });
      // Calls of one turn of the event loop are written together.
      if (this.#unsent.length === 0) queueMicrotask(() => this.#flush());
      this.#unsent.push(encodeCall(this.#serial, call));
    });
  }

  #flush(): void {
    this.#socket.write(Buffer.concat(this.#unsent));
    this.#unsent = [];
  }

  take({ replyTo = 0, errorName, values }: Reply): void {
    const waiting = this.#waiting.get(replyTo);
    this.#waiting.delete(replyTo);
    const [words] = values;
    if (errorName === undefined) waiting?.done(values);
    else waiting?.fail(new Refusal(errorName, typeof words === 'string' ? words : errorName));
  }

  end(error: Error): void {
    this.#ended ??= error;
    for (const { fail } of this.#waiting.values()) fail(this.#ended);
    this.#waiting.clear();
  }
}
