import type { Socket } from 'node:net';
import { nodeNet } from '../core/builtins.ts';
import type { KeychainTrouble } from '../core/context.ts';
import { troubleThatSays } from '../core/keychain-says.ts';
import { BadMessage, decodeReply, encodeCall, type MethodCall, messageSize, type Reply, socketPaths } from './dbus.ts';

/** A service that cannot be used, and why. */
export interface Unusable {
  readonly kind: 'unusable';
  readonly trouble: KeychainTrouble;
  readonly why: string;
}

export const unusable = (trouble: KeychainTrouble, why: string): Unusable => ({ kind: 'unusable', trouble, why });

/** A call that the bus or the service refused. */
export class Refusal extends Error {
  /** as the bus names errors: `org.freedesktop.DBus.Error.ServiceUnknown` */
  readonly bus: string;

  constructor(name: string, words: string) {
    super(words);
    this.bus = name;
  }
}

/** The session bus. Calls may be made all at once: the bus keeps their order. */
export interface Bus {
  /** rejects with `Refusal`, or with what ended the connection */
  call(call: MethodCall): Promise<Reply['values']>;
}

type Env = Readonly<Record<string, string | undefined>>;

/** What ends a connection at its deadline. */
class Overrun extends Error {}

class Closed extends Error {}

/** The longest line of the handshake, in bytes; the bus sends 37. */
const lineLimit = 16 * 1024;

/**
 * Connects to the session bus (the first address that answers), talks, and hangs up. Never throws for what the bus and its services do:
 * that is `Unusable`. Ends within `deadlineMs`.
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
      try {
        return await talk(await greet(socket));
      } catch (error) {
        last = whatEnded(error);
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

/** A little later, and never in a process that has nothing else to do: closing a socket costs `token get` a millisecond or two. */
function hangUp(socket: Socket): void {
  socket.unref();
  setImmediate(() => socket.destroy()).unref();
}

/** Throws what is neither the bus nor a service. */
function whatEnded(error: unknown): Unusable {
  if (error instanceof Overrun) return unusable('hung', error.message);
  if (error instanceof BadMessage) return unusable('other', `the session bus sent ${error.message}`);
  if (error instanceof Refusal) return unusable(troubleOf(error.bus), error.message);
  if (error instanceof Closed || (error instanceof Error && 'syscall' in error)) return unusable('no-bus', error.message);
  throw error;
}

/** The same names under other prefixes; gnome-keyring answers UnknownMethod where the alias points to nothing. */
const troubles: readonly [RegExp, KeychainTrouble][] = [
  [/\.(ServiceUnknown|NameHasNoOwner|Spawn\.\w+)$/, 'no-provider'],
  [/\.(UnknownObject|UnknownMethod|UnknownInterface|NoSuchObject)$/, 'no-collection'],
  [/\.(NoReply|Timeout|TimedOut)$/, 'hung'],
  [/\.IsLocked$/, 'locked'],
  [/\.(AccessDenied|AuthFailed)$/, 'denied'],
];

const troubleOf = (name: string): KeychainTrouble =>
  troubleThatSays(name) ?? troubles.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';

const hello: MethodCall = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'Hello',
  args: [],
};

/** SASL EXTERNAL (D-Bus Specification, "Authentication Protocol"), then Hello, whose answer need not be waited for. */
function greet(socket: Socket): Promise<Bus> {
  return new Promise((done, fail) => {
    let calls: Calls | undefined;
    let buffer: Buffer = Buffer.alloc(0);
    const end = (error: Error): void => (calls === undefined ? fail(error) : calls.end(error));

    /** Takes one line or message out of the buffer; false when it is not whole yet. */
    const step = (): boolean => {
      const length = calls === undefined ? buffer.indexOf('\r\n') + 2 : buffer.length < 16 ? 0 : messageSize(buffer);
      if (calls === undefined && length < 2 && buffer.length > lineLimit) throw new BadMessage('an endless line');
      if (length < 2 || buffer.length < length) return false;
      const taken = buffer.subarray(0, length);
      buffer = buffer.subarray(length);
      if (calls !== undefined) calls.take(decodeReply(taken));
      else {
        checkAccepted(taken.toString('latin1'));
        calls = new Calls(socket);
        done(calls);
      }
      return true;
    };
    socket.on('data', (chunk) => {
      buffer = Buffer.concat([buffer, chunk]);
      try {
        while (step());
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new BadMessage(String(error)));
      }
    });
    socket.on('error', end);
    socket.on('close', () => end(new Closed('the session bus closed the connection')));
    const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex');
    socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
  });
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
    // Without Hello the bus answers nothing else, so its refusal is the answer to all.
    this.call(hello).catch((error) => this.end(error));
    queueMicrotask(() => this.#flush());
  }

  call(call: MethodCall): Promise<Reply['values']> {
    return new Promise((done, fail) => {
      if (this.#ended !== undefined) throw this.#ended;
      this.#serial += 1;
      this.#waiting.set(this.#serial, { done, fail });
      // What is called in one go is written in one.
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
  }
}
